// RUN: quant-opt %s --prune=head | FileCheck %s --check-prefixes=CHECK,LAYER
// RUN: quant-opt %s --prune="scope=global sparsity=0.25 head" | FileCheck %s --check-prefixes=CHECK,GLOBAL
// RUN: quant-opt %s --prune="pattern=1:2 exclude=half head" | FileCheck %s --check-prefixes=CHECK,PATTERN
// RUN: quant-opt %s --prune="sparsity=0" | FileCheck %s --check-prefixes=CHECK,NONE

// CHECK-LABEL: func.func @model
func.func @model(%x: tensor<?x4xf32>, %x2: tensor<?x4xf32>, %y: tensor<?x4xf16>) -> (tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf16>) {
  // The output channels are columns here. Two layers share the weight.
  // LAYER-DAG: %[[W:.+]] = onnx.Constant dense<{{\[\[}}0.000000e+00, -4.000000e+00], [3.000000e+00, 0.000000e+00], [4.000000e+00, 0.000000e+00], [0.000000e+00, 8.000000e+00]]>
  // GLOBAL-DAG: %[[W:.+]] = onnx.Constant dense<{{\[\[}}1.000000e+00, -4.000000e+00], [3.000000e+00, 2.000000e+00], [4.000000e+00, 0.000000e+00], [1.000000e+00, 8.000000e+00]]>
  // PATTERN-DAG: %[[W:.+]] = onnx.Constant dense<{{\[\[}}0.000000e+00, -4.000000e+00], [3.000000e+00, 0.000000e+00], [4.000000e+00, 0.000000e+00], [0.000000e+00, 8.000000e+00]]>
  // NONE-DAG: %[[W:.+]] = onnx.Constant dense<{{\[\[}}1.000000e+00, -4.000000e+00], [3.000000e+00, 2.000000e+00], [4.000000e+00, 0.000000e+00], [1.000000e+00, 8.000000e+00]]>
  %w = onnx.Constant dense<[[1.0, -4.0], [3.0, 2.0], [4.0, 0.0], [1.0, 8.0]]> : tensor<4x2xf32>
  // Small weights lose more if all are pruned together.
  // LAYER-DAG: onnx.Constant dense<{{\[\[}}0.000000e+00, -3.999020e-01], [0.000000e+00, 0.000000e+00], [3.000490e-01, 1.999510e-01], [0.000000e+00, 3.000000e+00]]> : tensor<4x2xf16>
  // GLOBAL-DAG: onnx.Constant dense<{{\[\[}}0.000000e+00, -3.999020e-01], [0.000000e+00, 1.999510e-01], [3.000490e-01, 1.999510e-01], [0.000000e+00, 3.000000e+00]]> : tensor<4x2xf16>
  %h = onnx.Constant dense<[[0.1, -0.4], [0.1, 0.2], [0.3, 0.2], [0.1, 3.0]]> : tensor<4x2xf16>
  // CHECK: onnx.MatMul(%arg0, %[[W]])
  %0 = onnx.MatMul(%x, %w) : (tensor<?x4xf32>, tensor<4x2xf32>) -> tensor<?x2xf32> loc("first")
  // CHECK: onnx.MatMul(%arg1, %[[W]])
  %1 = onnx.MatMul(%x2, %w) : (tensor<?x4xf32>, tensor<4x2xf32>) -> tensor<?x2xf32> loc("second")
  %2 = onnx.MatMul(%y, %h) : (tensor<?x4xf16>, tensor<4x2xf16>) -> tensor<?x2xf16> loc("half")
  return %0, %1, %2 : tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf16>
}

// Rows of a table are pruned only if asked for; a last block may be short.
// RUN: quant-opt %s --prune="pattern=1:2 embeddings include=table" | FileCheck %s --check-prefix=TABLE
// TABLE-LABEL: func.func @embedding
// TABLE: onnx.Constant dense<{{\[\[}}0.000000e+00, -2.000000e+00, 3.000000e+00], [2.000000e+00, 0.000000e+00, 0.000000e+00]]>
// CHECK-LABEL: func.func @embedding
// CHECK: onnx.Constant dense<{{\[\[}}1.000000e+00, -2.000000e+00, 3.000000e+00], [2.000000e+00, -2.000000e+00, 0.000000e+00]]>
func.func @embedding(%t: tensor<?xi64>) -> tensor<?x3xf32> {
  %table = onnx.Constant dense<[[1.0, -2.0, 3.0], [2.0, -2.0, 0.0]]> : tensor<2x3xf32>
  %0 = onnx.Gather(%table, %t) : (tensor<2x3xf32>, tensor<?xi64>) -> tensor<?x3xf32> loc("table")
  return %0 : tensor<?x3xf32>
}
