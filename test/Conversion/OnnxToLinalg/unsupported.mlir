// RUN: quant-opt %s -split-input-file --convert-onnx-to-linalg -verify-diagnostics

// All nodes that cannot be lowered are reported, not only the first.
// expected-error @below {{3 nodes cannot be lowered to linalg: 1 of com.microsoft.FusedMatMul (opset 1), 1 of ai.onnx.Erf2 (opset 17), 1 of ai.onnx.ReduceSum (opset 24)}}
func.func @several(%a: tensor<4x4xf32>, %axes: tensor<?xi64>) -> tensor<?x?xf32> {
  // expected-error @below {{node of operator com.microsoft.FusedMatMul (opset 1) cannot be lowered}}
  %0 = onnx.Custom "FusedMatMul"(%a, %a) opset(1) {domain = "com.microsoft"} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32>
  %1 = onnx.Relu(%0) : (tensor<4x4xf32>) -> tensor<4x4xf32>
  // expected-error @below {{node of operator ai.onnx.Erf2 (opset 17) cannot be lowered}}
  %2 = onnx.Custom "Erf2"(%1) opset(17) : (tensor<4x4xf32>) -> tensor<4x4xf32>
  // expected-error @below {{'onnx.ReduceSum' op cannot be lowered to linalg: 'axes' must be constant}}
  %3 = onnx.ReduceSum(%2, %axes) {keepdims = 0 : i64} : (tensor<4x4xf32>, tensor<?xi64>) -> tensor<?x?xf32>
  return %3 : tensor<?x?xf32>
}

// -----

// expected-error @below {{1 node cannot be lowered to linalg: 1 of ai.onnx.Relu (opset 24)}}
func.func @unranked(%a: tensor<*xf32>) -> tensor<*xf32> {
  // expected-error @below {{cannot be lowered to linalg: the rank of a value is not known}}
  %0 = onnx.Relu(%a) : (tensor<*xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// expected-error @below {{1 node cannot be lowered}}
func.func @strings(%a: tensor<2x!onnx.string>, %b: tensor<2x!onnx.string>) -> tensor<2xi1> {
  // expected-error @below {{elements of type !onnx.string are not supported}}
  %0 = onnx.Equal(%a, %b) : (tensor<2x!onnx.string>, tensor<2x!onnx.string>) -> tensor<2xi1>
  return %0 : tensor<2xi1>
}

// -----

// expected-error @below {{1 node cannot be lowered}}
func.func @training(%a: tensor<4xf32>, %ratio: tensor<f32>) -> tensor<4xf32> {
  %training = onnx.Constant dense<true> : tensor<i1>
  // expected-error @below {{training is not supported}}
  %0, %1 = onnx.Dropout(%a, %ratio, %training) : (tensor<4xf32>, tensor<f32>, tensor<i1>) -> (tensor<4xf32>, none)
  return %0 : tensor<4xf32>
}
