// RUN: quant-opt %s --onnx-recognize-linear -split-input-file | FileCheck %s

// GPT-2's Conv1D.
// CHECK-LABEL: func.func @conv1d
// CHECK-SAME: (%[[X:.+]]: tensor<?x?x8xf32>
func.func @conv1d(%x: tensor<?x?x8xf32>) -> tensor<?x?x24xf32> {
  // CHECK-DAG: %[[W:.+]] = onnx.Constant dense<1.000000e+00> : tensor<8x24xf32>
  // CHECK-DAG: %[[B:.+]] = onnx.Constant dense<2.000000e+00> : tensor<24xf32>
  %w = onnx.Constant dense<1.0> : tensor<8x24xf32>
  %b = onnx.Constant dense<2.0> : tensor<24xf32>
  %flat = onnx.Constant dense<[-1, 8]> : tensor<2xi64>
  %n = onnx.Constant dense<24> : tensor<1xi64>
  %s = onnx.Shape(%x) {end = 2 : i64} : (tensor<?x?x8xf32>) -> tensor<2xi64>
  %to = onnx.Concat(%s, %n) {axis = 0 : i64} : (tensor<2xi64>, tensor<1xi64>) -> tensor<3xi64>
  %0 = onnx.Reshape(%x, %flat) : (tensor<?x?x8xf32>, tensor<2xi64>) -> tensor<?x8xf32>
  %1 = onnx.Gemm(%0, %w, %b) : (tensor<?x8xf32>, tensor<8x24xf32>, tensor<24xf32>) -> tensor<?x24xf32>
  %2 = onnx.Reshape(%1, %to) : (tensor<?x24xf32>, tensor<3xi64>) -> tensor<?x?x24xf32>
  // CHECK: %[[M:.+]] = onnx.MatMul(%[[X]], %[[W]]) : (tensor<?x?x8xf32>, tensor<8x24xf32>) -> tensor<?x?x24xf32>
  // CHECK: onnx.Add(%[[M]], %[[B]])
  // CHECK-NOT: onnx.Reshape
  return %2 : tensor<?x?x24xf32>
}

// -----

// The weight is [out, in]: the transposition is said, not carried out.
// CHECK-LABEL: func.func @transposed
func.func @transposed(%x: tensor<?x?x8xf32>) -> tensor<?x?x24xf32> {
  %none = onnx.NoValue
  %w = onnx.Constant dense<1.0> : tensor<24x8xf32>
  %flat = onnx.Constant dense<[-1, 8]> : tensor<2xi64>
  %n = onnx.Constant dense<24> : tensor<1xi64>
  %s = onnx.Shape(%x) {end = 2 : i64} : (tensor<?x?x8xf32>) -> tensor<2xi64>
  %to = onnx.Concat(%s, %n) {axis = 0 : i64} : (tensor<2xi64>, tensor<1xi64>) -> tensor<3xi64>
  %0 = onnx.Reshape(%x, %flat) : (tensor<?x?x8xf32>, tensor<2xi64>) -> tensor<?x8xf32>
  %1 = onnx.Gemm(%0, %w, %none) {transB = 1 : i64} : (tensor<?x8xf32>, tensor<24x8xf32>, none) -> tensor<?x24xf32>
  %2 = onnx.Reshape(%1, %to) : (tensor<?x24xf32>, tensor<3xi64>) -> tensor<?x?x24xf32>
  // CHECK: %[[T:.+]] = onnx.Transpose(%{{.*}}) {perm = array<i64: 1, 0>} : (tensor<24x8xf32>) -> tensor<8x24xf32>
  // CHECK: onnx.MatMul(%{{.*}}, %[[T]])
  // CHECK-NOT: onnx.Add
  return %2 : tensor<?x?x24xf32>
}

// -----

// A matrix by itself keeps its Gemm.
// CHECK-LABEL: func.func @matrix
func.func @matrix(%x: tensor<?x8xf32>) -> tensor<?x24xf32> {
  %w = onnx.Constant dense<1.0> : tensor<8x24xf32>
  %b = onnx.Constant dense<2.0> : tensor<24xf32>
  // CHECK: onnx.Gemm
  %0 = onnx.Gemm(%x, %w, %b) : (tensor<?x8xf32>, tensor<8x24xf32>, tensor<24xf32>) -> tensor<?x24xf32>
  return %0 : tensor<?x24xf32>
}

// -----

// The product is scaled.
// CHECK-LABEL: func.func @no_match_alpha
func.func @no_match_alpha(%x: tensor<2x3x8xf32>) -> tensor<2x3x24xf32> {
  %none = onnx.NoValue
  %w = onnx.Constant dense<1.0> : tensor<8x24xf32>
  %flat = onnx.Constant dense<[6, 8]> : tensor<2xi64>
  %to = onnx.Constant dense<[2, 3, 24]> : tensor<3xi64>
  %0 = onnx.Reshape(%x, %flat) : (tensor<2x3x8xf32>, tensor<2xi64>) -> tensor<6x8xf32>
  // CHECK: onnx.Gemm
  %1 = onnx.Gemm(%0, %w, %none) {alpha = 2.0 : f32} : (tensor<6x8xf32>, tensor<8x24xf32>, none) -> tensor<6x24xf32>
  %2 = onnx.Reshape(%1, %to) : (tensor<6x24xf32>, tensor<3xi64>) -> tensor<2x3x24xf32>
  return %2 : tensor<2x3x24xf32>
}

// -----

// The reshapes do not give the tokens back as they were.
// CHECK-LABEL: func.func @no_match_tokens
func.func @no_match_tokens(%x: tensor<2x3x8xf32>) -> tensor<3x2x24xf32> {
  %none = onnx.NoValue
  %w = onnx.Constant dense<1.0> : tensor<8x24xf32>
  %flat = onnx.Constant dense<[6, 8]> : tensor<2xi64>
  %to = onnx.Constant dense<[3, 2, 24]> : tensor<3xi64>
  %0 = onnx.Reshape(%x, %flat) : (tensor<2x3x8xf32>, tensor<2xi64>) -> tensor<6x8xf32>
  // CHECK: onnx.Gemm
  %1 = onnx.Gemm(%0, %w, %none) : (tensor<6x8xf32>, tensor<8x24xf32>, none) -> tensor<6x24xf32>
  %2 = onnx.Reshape(%1, %to) : (tensor<6x24xf32>, tensor<3xi64>) -> tensor<3x2x24xf32>
  return %2 : tensor<3x2x24xf32>
}

// -----

// The bias differs between tokens.
// CHECK-LABEL: func.func @no_match_bias
func.func @no_match_bias(%x: tensor<2x3x8xf32>, %b: tensor<6x24xf32>) -> tensor<2x3x24xf32> {
  %w = onnx.Constant dense<1.0> : tensor<8x24xf32>
  %flat = onnx.Constant dense<[6, 8]> : tensor<2xi64>
  %to = onnx.Constant dense<[2, 3, 24]> : tensor<3xi64>
  %0 = onnx.Reshape(%x, %flat) : (tensor<2x3x8xf32>, tensor<2xi64>) -> tensor<6x8xf32>
  // CHECK: onnx.Gemm
  %1 = onnx.Gemm(%0, %w, %b) : (tensor<6x8xf32>, tensor<8x24xf32>, tensor<6x24xf32>) -> tensor<6x24xf32>
  %2 = onnx.Reshape(%1, %to) : (tensor<6x24xf32>, tensor<3xi64>) -> tensor<2x3x24xf32>
  return %2 : tensor<2x3x24xf32>
}

// -----

// The projection of attention's output: heads and tokens are flattened at once.
// CHECK-LABEL: func.func @flattened_heads
// CHECK-SAME: (%[[X:.+]]: tensor<?x?x2x4xf32>
func.func @flattened_heads(%x: tensor<?x?x2x4xf32>) -> tensor<?x?x24xf32> {
  %none = onnx.NoValue
  %w = onnx.Constant dense<1.0> : tensor<8x24xf32>
  %flat = onnx.Constant dense<[-1, 8]> : tensor<2xi64>
  %n = onnx.Constant dense<24> : tensor<1xi64>
  %s = onnx.Shape(%x) {end = 2 : i64} : (tensor<?x?x2x4xf32>) -> tensor<2xi64>
  %to = onnx.Concat(%s, %n) {axis = 0 : i64} : (tensor<2xi64>, tensor<1xi64>) -> tensor<3xi64>
  %0 = onnx.Reshape(%x, %flat) : (tensor<?x?x2x4xf32>, tensor<2xi64>) -> tensor<?x8xf32>
  %1 = onnx.Gemm(%0, %w, %none) : (tensor<?x8xf32>, tensor<8x24xf32>, none) -> tensor<?x24xf32>
  %2 = onnx.Reshape(%1, %to) : (tensor<?x24xf32>, tensor<3xi64>) -> tensor<?x?x24xf32>
  // CHECK: %[[S:.+]] = onnx.Constant dense<[0, 0, 8]>
  // CHECK: %[[R:.+]] = onnx.Reshape(%[[X]], %[[S]]) : {{.*}} -> tensor<?x?x8xf32>
  // CHECK: onnx.MatMul(%[[R]], %{{.*}}) : (tensor<?x?x8xf32>, tensor<8x24xf32>) -> tensor<?x?x24xf32>
  return %2 : tensor<?x?x24xf32>
}
