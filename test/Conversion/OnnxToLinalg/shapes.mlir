// RUN: quant-opt %s -split-input-file --convert-onnx-to-linalg --canonicalize --cse | FileCheck %s

// The usual way to split heads, all of it scalars: no shape is read from memory.
// CHECK-LABEL: @split_heads
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x?x64xf32>
func.func @split_heads(%x: tensor<?x?x64xf32>) -> tensor<?x?x8x8xf32> {
  // CHECK-NOT: from_elements
  // CHECK-NOT: tensor.extract
  // CHECK-NOT: collapse_shape
  // CHECK-DAG: %[[BATCH:.+]] = tensor.dim %[[X]], %c0
  // CHECK-DAG: %[[LENGTH:.+]] = tensor.dim %[[X]], %c1
  // CHECK: tensor.expand_shape %[[X]] {{\[}}[0], [1], [2, 3]] output_shape [%[[BATCH]], %[[LENGTH]], 8, 8]
  %c0 = onnx.Constant dense<0> : tensor<i64>
  %c1 = onnx.Constant dense<1> : tensor<i64>
  %axes = onnx.Constant dense<0> : tensor<1xi64>
  %eight = onnx.Constant dense<8> : tensor<1xi64>
  %infer = onnx.Constant dense<-1> : tensor<1xi64>
  %shape = onnx.Shape(%x) : (tensor<?x?x64xf32>) -> tensor<3xi64>
  %b = onnx.Gather(%shape, %c0) : (tensor<3xi64>, tensor<i64>) -> tensor<i64>
  %t = onnx.Gather(%shape, %c1) : (tensor<3xi64>, tensor<i64>) -> tensor<i64>
  %b1 = onnx.Unsqueeze(%b, %axes) : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
  %t1 = onnx.Unsqueeze(%t, %axes) : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
  %new = onnx.Concat(%b1, %t1, %eight, %infer) {axis = 0 : i64}
      : (tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<4xi64>
  %0 = onnx.Reshape(%x, %new) : (tensor<?x?x64xf32>, tensor<4xi64>) -> tensor<?x?x8x8xf32>
  return %0 : tensor<?x?x8x8xf32>
}

// -----

// The other way round: 0 keeps a size, -1 is what is left over.
// CHECK-LABEL: @merge_heads
func.func @merge_heads(%x: tensor<?x?x8x8xf32>) -> tensor<?x?x64xf32> {
  // CHECK-NOT: divui
  // CHECK: tensor.collapse_shape %{{.+}} {{\[}}[0], [1], [2, 3]]
  %shape = onnx.Constant dense<[0, 0, -1]> : tensor<3xi64>
  %0 = onnx.Reshape(%x, %shape) : (tensor<?x?x8x8xf32>, tensor<3xi64>) -> tensor<?x?x64xf32>
  return %0 : tensor<?x?x64xf32>
}

// -----

// Nothing is known of the new shape: one group, a check, and -1 at run time.
// CHECK-LABEL: @unknown_shape
func.func @unknown_shape(%x: tensor<?x?xf32>, %shape: tensor<2xi64>) -> tensor<?x?xf32> {
  // CHECK: arith.cmpi eq, %{{.+}}, %c-1
  // CHECK: cf.assert %{{.+}}, "onnx.Reshape: the new shape has another number of elements"
  // CHECK: tensor.collapse_shape %{{.+}} {{\[}}[0, 1]]
  // CHECK: tensor.expand_shape %{{.+}} {{\[}}[0, 1]]
  %0 = onnx.Reshape(%x, %shape) : (tensor<?x?xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// -----

// Shape arithmetic is scalar arithmetic.
// CHECK-LABEL: @shape_arithmetic
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x4xf32>
func.func @shape_arithmetic(%x: tensor<?x4xf32>) -> tensor<?xf32> {
  // CHECK-NOT: linalg.generic
  // CHECK: %[[ROWS:.+]] = tensor.dim %[[X]], %c0
  // CHECK-NOT: linalg.generic
  // CHECK: linalg.fill
  %axis = onnx.Constant dense<0> : tensor<1xi64>
  %end = onnx.Constant dense<1> : tensor<1xi64>
  %one = onnx.Constant dense<1> : tensor<1xi64>
  %none = onnx.NoValue
  %shape = onnx.Shape(%x) : (tensor<?x4xf32>) -> tensor<2xi64>
  %rows = onnx.Slice(%shape, %axis, %end, %axis, %none)
      : (tensor<2xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<1xi64>
  %more = onnx.Add(%rows, %one) : (tensor<1xi64>, tensor<1xi64>) -> tensor<1xi64>
  %0 = onnx.ConstantOfShape(%more) : (tensor<1xi64>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

// A slice with positive steps is a view.
// CHECK-LABEL: @slice_view
func.func @slice_view(%x: tensor<?x16xf32>) -> tensor<?x8xf32> {
  // CHECK-NOT: linalg.generic
  // CHECK: tensor.extract_slice %{{.+}}[0, 8] [%{{.+}}, 8] [1, 1]
  %start = onnx.Constant dense<8> : tensor<1xi64>
  %end = onnx.Constant dense<9223372036854775807> : tensor<1xi64>
  %axis = onnx.Constant dense<-1> : tensor<1xi64>
  %none = onnx.NoValue
  %0 = onnx.Slice(%x, %start, %end, %axis, %none)
      : (tensor<?x16xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

// One that runs backwards is not.
// CHECK-LABEL: @slice_reversed
func.func @slice_reversed(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: linalg.generic
  // CHECK: tensor.extract
  %start = onnx.Constant dense<-1> : tensor<1xi64>
  %end = onnx.Constant dense<-9223372036854775808> : tensor<1xi64>
  %axis = onnx.Constant dense<0> : tensor<1xi64>
  %step = onnx.Constant dense<-1> : tensor<1xi64>
  %0 = onnx.Slice(%x, %start, %end, %axis, %step)
      : (tensor<4xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// Moving dimensions of size 1 moves no element.
// CHECK-LABEL: @unit_transpose
func.func @unit_transpose(%x: tensor<1x8x1x4xf32>) -> tensor<1x1x8x4xf32> {
  // CHECK-NOT: linalg.transpose
  // CHECK: tensor.expand_shape
  %0 = onnx.Transpose(%x) {perm = array<i64: 0, 2, 1, 3>} : (tensor<1x8x1x4xf32>) -> tensor<1x1x8x4xf32>
  return %0 : tensor<1x1x8x4xf32>
}
