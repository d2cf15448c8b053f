// RUN: quant-opt %s --onnx-infer-shapes -split-input-file -verify-diagnostics

func.func @declared_dimension(%x: tensor<?x4x8xf32>) {
  %c = onnx.Constant dense<[0, -1]> : tensor<2xi64>
  // expected-error @below {{'onnx.Reshape' op is declared to have the shape of 'tensor<?x16xf32>', but its operands make it (s0, 32)}}
  %0 = onnx.Reshape(%x, %c) : (tensor<?x4x8xf32>, tensor<2xi64>) -> tensor<?x16xf32>
  return
}

// -----

func.func @declared_rank(%x: tensor<?x4xf32>) {
  // expected-error @below {{'onnx.Neg' op is declared to have the shape of 'tensor<?xf32>', but its operands make it (s0, 4)}}
  %0 = onnx.Neg(%x) : (tensor<?x4xf32>) -> tensor<?xf32>
  return
}

// -----

func.func @broadcast(%x: tensor<2x3xf32>, %y: tensor<4x2x4xf32>) {
  %a = onnx.Neg(%x) : (tensor<2x3xf32>) -> tensor<*xf32>
  // expected-error @below {{'onnx.Add' op operands do not broadcast: dimension -1 differs between (4, 2, 4) and (2, 3)}}
  %0 = onnx.Add(%a, %y) : (tensor<*xf32>, tensor<4x2x4xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @matmul(%x: tensor<2x3xf32>, %y: tensor<4x2xf32>) {
  %a = onnx.Neg(%x) : (tensor<2x3xf32>) -> tensor<*xf32>
  // expected-error @below {{'onnx.MatMul' op dimensions must be equal, got 3 and 4}}
  %0 = onnx.MatMul(%a, %y) : (tensor<*xf32>, tensor<4x2xf32>) -> tensor<*xf32>
  return
}

// -----

func.func @reshape_size(%x: tensor<4x6xf32>) {
  %c = onnx.Constant dense<[5, 5]> : tensor<2xi64>
  // expected-error @below {{'onnx.Reshape' op cannot reshape (4, 6) to (5, 5)}}
  %0 = onnx.Reshape(%x, %c) : (tensor<4x6xf32>, tensor<2xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @reshape_inferred(%x: tensor<4x6xf32>) {
  %c = onnx.Constant dense<[5, -1]> : tensor<2xi64>
  // expected-error @below {{'onnx.Reshape' op cannot reshape (4, 6) to (5, -1)}}
  %0 = onnx.Reshape(%x, %c) : (tensor<4x6xf32>, tensor<2xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @reshape_twice_inferred(%x: tensor<4x6xf32>) {
  %c = onnx.Constant dense<[-1, -1]> : tensor<2xi64>
  // expected-error @below {{'onnx.Reshape' op shape must have at most one -1}}
  %0 = onnx.Reshape(%x, %c) : (tensor<4x6xf32>, tensor<2xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @reshape_zero(%x: tensor<6xf32>) {
  %c = onnx.Constant dense<[6, 0]> : tensor<2xi64>
  // expected-error @below {{'onnx.Reshape' op shape has a 0 at position 1, but the data has only 1 dimensions}}
  %0 = onnx.Reshape(%x, %c) : (tensor<6xf32>, tensor<2xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @squeeze(%x: tensor<4x6xf32>) {
  %c = onnx.Constant dense<1> : tensor<1xi64>
  // expected-error @below {{'onnx.Squeeze' op cannot remove dimension 1 of (4, 6), which is not 1}}
  %0 = onnx.Squeeze(%x, %c) : (tensor<4x6xf32>, tensor<1xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @unsqueeze(%x: tensor<4x6xf32>) {
  %c = onnx.Constant dense<3> : tensor<1xi64>
  // expected-error @below {{'onnx.Unsqueeze' op axes must be different and in [-3, 2]}}
  %0 = onnx.Unsqueeze(%x, %c) : (tensor<4x6xf32>, tensor<1xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @gather_from_shape(%x: tensor<?x6xf32>) {
  %c = onnx.Constant dense<2> : tensor<i64>
  %s = onnx.Shape(%x) : (tensor<?x6xf32>) -> tensor<2xi64>
  // expected-error @below {{'onnx.Gather' op index 2 is out of range for 2 elements}}
  %0 = onnx.Gather(%s, %c) : (tensor<2xi64>, tensor<i64>) -> tensor<i64>
  return
}

// -----

func.func @reduce_axis(%x: tensor<?x6xf32>) {
  %c = onnx.Constant dense<2> : tensor<1xi64>
  // expected-error @below {{'onnx.ReduceMean' op axes must be in [-2, 1]}}
  %0 = onnx.ReduceMean(%x, %c) : (tensor<?x6xf32>, tensor<1xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @slice_step(%x: tensor<?x6xf32>) {
  %c = onnx.Constant dense<0> : tensor<1xi64>
  // expected-error @below {{'onnx.Slice' op step must not be 0}}
  %0 = onnx.Slice(%x, %c, %c, %c, %c)
      : (tensor<?x6xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<*xf32>
  return
}

// -----

func.func @concat(%x: tensor<2x3xf32>, %y: tensor<4x4xf32>) {
  %a = onnx.Neg(%x) : (tensor<2x3xf32>) -> tensor<*xf32>
  // expected-error @below {{'onnx.Concat' op dimensions must be equal, got 3 and 4}}
  %0 = onnx.Concat(%a, %y) {axis = 0 : i64} : (tensor<*xf32>, tensor<4x4xf32>) -> tensor<*xf32>
  return
}
