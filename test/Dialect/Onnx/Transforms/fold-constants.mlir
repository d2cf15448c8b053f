// RUN: quant-opt %s --onnx-fold-constants -split-input-file | FileCheck %s

// Part of a shape is known, though the tensor is not.
// CHECK-LABEL: func.func @from_shape
func.func @from_shape(%x: tensor<?x?x64xf32>) -> tensor<f32> {
  %eight = onnx.Constant dense<8> : tensor<i64>
  %two = onnx.Constant dense<2> : tensor<i64>
  %0 = onnx.Shape(%x) : (tensor<?x?x64xf32>) -> tensor<3xi64>
  %1 = onnx.Gather(%0, %two) : (tensor<3xi64>, tensor<i64>) -> tensor<i64>
  %2 = onnx.Div(%1, %eight) : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %3 = onnx.Cast(%2) {to = f32} : (tensor<i64>) -> tensor<f32>
  %4 = onnx.Sqrt(%3) : (tensor<f32>) -> tensor<f32>
  // CHECK-NEXT: %[[C:.+]] = onnx.Constant dense<2.82842708> : tensor<f32>
  // CHECK-NEXT: return %[[C]]
  return %4 : tensor<f32>
}

// -----

// CHECK-LABEL: func.func @elementwise
func.func @elementwise() -> (tensor<2x2xf32>, tensor<2xi1>, tensor<2xi32>, tensor<2xf16>) {
  %a = onnx.Constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %b = onnx.Constant dense<[10.0, 0.1]> : tensor<2xf32>
  %i = onnx.Constant dense<[-7, 300]> : tensor<2xi64>
  %j = onnx.Constant dense<2> : tensor<2xi64>
  // CHECK-DAG: dense<{{\[}}[1.100000e+01, 2.100000e+00], [1.300000e+01, 4.100000e+00]]> : tensor<2x2xf32>
  %0 = onnx.Add(%a, %b) : (tensor<2x2xf32>, tensor<2xf32>) -> tensor<2x2xf32>
  // CHECK-DAG: dense<[false, true]> : tensor<2xi1>
  %1 = onnx.Greater(%i, %j) : (tensor<2xi64>, tensor<2xi64>) -> tensor<2xi1>
  // Division rounds towards zero.
  // CHECK-DAG: dense<[-3, 150]> : tensor<2xi32>
  %2 = onnx.Div(%i, %j) : (tensor<2xi64>, tensor<2xi64>) -> tensor<2xi64>
  %3 = onnx.Cast(%2) {to = i32} : (tensor<2xi64>) -> tensor<2xi32>
  // CHECK-DAG: dense<[1.000000e+01, 9.997550e-02]> : tensor<2xf16>
  %4 = onnx.Cast(%b) {to = f16} : (tensor<2xf32>) -> tensor<2xf16>
  // CHECK-NOT: onnx.Add
  return %0, %1, %3, %4 : tensor<2x2xf32>, tensor<2xi1>, tensor<2xi32>, tensor<2xf16>
}

// -----

// CHECK-LABEL: func.func @movement
func.func @movement() -> (tensor<3x2xi32>, tensor<2xi32>, tensor<2x1xi32>, tensor<2x5xi32>, tensor<2x2x3xi32>) {
  %none = onnx.NoValue
  %a = onnx.Constant dense<[[1, 2, 3], [4, 5, 6]]> : tensor<2x3xi32>
  %one = onnx.Constant dense<-1> : tensor<i64>
  %starts = onnx.Constant dense<[-1]> : tensor<1xi64>
  %ends = onnx.Constant dense<[100]> : tensor<1xi64>
  %axis = onnx.Constant dense<[1]> : tensor<1xi64>
  %b = onnx.Constant dense<[[7, 8], [9, 10]]> : tensor<2x2xi32>
  %wide = onnx.Constant dense<[2, 1, 1]> : tensor<3xi64>
  // CHECK-DAG: dense<{{\[}}[1, 4], [2, 5], [3, 6]]> : tensor<3x2xi32>
  %0 = onnx.Transpose(%a) : (tensor<2x3xi32>) -> tensor<3x2xi32>
  // CHECK-DAG: dense<[3, 6]> : tensor<2xi32>
  %1 = onnx.Gather(%a, %one) {axis = 1 : i64} : (tensor<2x3xi32>, tensor<i64>) -> tensor<2xi32>
  // CHECK-DAG: dense<{{\[}}[3], [6]]> : tensor<2x1xi32>
  %2 = onnx.Slice(%a, %starts, %ends, %axis, %none)
      : (tensor<2x3xi32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<2x1xi32>
  // CHECK-DAG: dense<{{\[}}[1, 2, 3, 7, 8], [4, 5, 6, 9, 10]]> : tensor<2x5xi32>
  %3 = onnx.Concat(%a, %b) {axis = 1 : i64} : (tensor<2x3xi32>, tensor<2x2xi32>) -> tensor<2x5xi32>
  // CHECK-DAG: dense<{{\[}}{{\[}}[1, 2, 3], [4, 5, 6]], {{\[}}[1, 2, 3], [4, 5, 6]]]> : tensor<2x2x3xi32>
  %4 = onnx.Expand(%a, %wide) : (tensor<2x3xi32>, tensor<3xi64>) -> tensor<2x2x3xi32>
  return %0, %1, %2, %3, %4 : tensor<3x2xi32>, tensor<2xi32>, tensor<2x1xi32>, tensor<2x5xi32>, tensor<2x2x3xi32>
}

// -----

// A weight gets another shape, but is neither read nor copied; a transposition
// of it would be a copy, and stays.
// CHECK-LABEL: func.func @weights
func.func @weights() -> (tensor<1x128x128xf32>, tensor<128x128xf32>) {
  %zero = onnx.Constant dense<0> : tensor<1xi64>
  %w = onnx.Constant #lowbit.external<"no-such-file", offset = 64, length = 65536> : tensor<128x128xf32>
  // CHECK: onnx.Constant #lowbit.external<"{{.*}}no-such-file", offset = 64, length = 65536> : tensor<1x128x128xf32>
  %0 = onnx.Unsqueeze(%w, %zero) : (tensor<128x128xf32>, tensor<1xi64>) -> tensor<1x128x128xf32>
  // CHECK: onnx.Transpose
  %1 = onnx.Transpose(%w) {perm = array<i64: 1, 0>} : (tensor<128x128xf32>) -> tensor<128x128xf32>
  return %0, %1 : tensor<1x128x128xf32>, tensor<128x128xf32>
}

// -----

// A result that is too large for the IR, and one whose value is not defined.
// CHECK-LABEL: func.func @no_fold
func.func @no_fold() -> (tensor<128x128xf32>, tensor<1xi64>, tensor<1xi32>) {
  %x = onnx.Constant dense<1.0> : tensor<128x1xf32>
  %shape = onnx.Constant dense<128> : tensor<2xi64>
  %zero = onnx.Constant dense<0> : tensor<1xi64>
  %nan = onnx.Constant dense<0x7FC00000> : tensor<1xf32>
  // CHECK: onnx.Expand
  %0 = onnx.Expand(%x, %shape) : (tensor<128x1xf32>, tensor<2xi64>) -> tensor<128x128xf32>
  // CHECK: onnx.Div
  %1 = onnx.Div(%zero, %zero) : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  // CHECK: onnx.Cast
  %2 = onnx.Cast(%nan) {to = i32} : (tensor<1xf32>) -> tensor<1xi32>
  return %0, %1, %2 : tensor<128x128xf32>, tensor<1xi64>, tensor<1xi32>
}
