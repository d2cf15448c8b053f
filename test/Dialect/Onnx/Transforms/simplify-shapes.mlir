// RUN: quant-opt %s --onnx-simplify-shapes --canonicalize -split-input-file | FileCheck %s

// CHECK-LABEL: func.func @reshape
// CHECK-SAME: (%[[X:.+]]: tensor<?x?x64xf32>
func.func @reshape(%x: tensor<?x?x64xf32> {onnx.dim_params = ["b", "s", ""]}) -> tensor<?x?x4x16xf32> {
  %none = onnx.NoValue
  %heads = onnx.Constant dense<[4, 16]> : tensor<2xi64>
  %shape = onnx.Shape(%x) {end = 2 : i64} : (tensor<?x?x64xf32>) -> tensor<2xi64>
  %to = onnx.Concat(%shape, %heads) {axis = 0 : i64} : (tensor<2xi64>, tensor<2xi64>) -> tensor<4xi64>
  // CHECK-NEXT: %[[TO:.+]] = onnx.Constant dense<[0, 0, 4, 16]> : tensor<4xi64>
  // CHECK-NEXT: onnx.Reshape(%[[X]], %[[TO]])
  %y = onnx.Reshape(%x, %to) : (tensor<?x?x64xf32>, tensor<4xi64>) -> tensor<?x?x4x16xf32>
  return %y : tensor<?x?x4x16xf32>
}

// -----

// The sequence has moved to where its place does not tell it: it is the one
// dimension that follows from the others.
// CHECK-LABEL: func.func @merge_heads
func.func @merge_heads(%x: tensor<?x4x2x?x8xf32>) -> tensor<?x8x?x8xf32> {
  %eight = onnx.Constant dense<8> : tensor<1xi64>
  %b = onnx.Shape(%x) {end = 1 : i64} : (tensor<?x4x2x?x8xf32>) -> tensor<1xi64>
  %s = onnx.Shape(%x) {start = 3 : i64, end = 4 : i64} : (tensor<?x4x2x?x8xf32>) -> tensor<1xi64>
  %to = onnx.Concat(%b, %eight, %s, %eight) {axis = 0 : i64}
      : (tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<4xi64>
  // CHECK: onnx.Constant dense<[0, 8, -1, 8]>
  %y = onnx.Reshape(%x, %to) : (tensor<?x4x2x?x8xf32>, tensor<4xi64>) -> tensor<?x8x?x8xf32>
  return %y : tensor<?x8x?x8xf32>
}

// -----

// Two dimensions change places: neither 0 nor -1 can say that.
// CHECK-LABEL: func.func @no_match_two_unknown
func.func @no_match_two_unknown(%x: tensor<?x?x2xf32>) -> tensor<?x?x2xf32> {
  %two = onnx.Constant dense<2> : tensor<1xi64>
  %b = onnx.Shape(%x) {end = 1 : i64} : (tensor<?x?x2xf32>) -> tensor<1xi64>
  %s = onnx.Shape(%x) {start = 1 : i64, end = 2 : i64} : (tensor<?x?x2xf32>) -> tensor<1xi64>
  // CHECK: %[[TO:.+]] = onnx.Concat
  %to = onnx.Concat(%s, %b, %two) {axis = 0 : i64}
      : (tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<3xi64>
  // CHECK: onnx.Reshape(%{{.*}}, %[[TO]])
  %y = onnx.Reshape(%x, %to) : (tensor<?x?x2xf32>, tensor<3xi64>) -> tensor<?x?x2xf32>
  return %y : tensor<?x?x2xf32>
}

// -----

// CHECK-LABEL: func.func @expand
func.func @expand(%x: tensor<?x1x?xf32>) -> (tensor<?x5x?xf32>, tensor<?x1x?xf32>) {
  %five = onnx.Constant dense<5> : tensor<1xi64>
  %b = onnx.Shape(%x) {end = 1 : i64} : (tensor<?x1x?xf32>) -> tensor<1xi64>
  %s = onnx.Shape(%x) {start = 2 : i64} : (tensor<?x1x?xf32>) -> tensor<1xi64>
  %to = onnx.Concat(%b, %five, %s) {axis = 0 : i64} : (tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<3xi64>
  // CHECK: %[[TO:.+]] = onnx.Constant dense<[1, 5, 1]>
  // CHECK: %[[Y:.+]] = onnx.Expand(%[[X:.+]], %[[TO]])
  %y = onnx.Expand(%x, %to) : (tensor<?x1x?xf32>, tensor<3xi64>) -> tensor<?x5x?xf32>
  // Nothing is repeated here.
  %same = onnx.Shape(%x) : (tensor<?x1x?xf32>) -> tensor<3xi64>
  %z = onnx.Expand(%x, %same) : (tensor<?x1x?xf32>, tensor<3xi64>) -> tensor<?x1x?xf32>
  // CHECK: return %[[Y]], %[[X]]
  return %y, %z : tensor<?x5x?xf32>, tensor<?x1x?xf32>
}

// -----

// CHECK-LABEL: func.func @inverse_movements
// CHECK-SAME: (%[[X:.+]]: tensor<?x4x8xf32>
func.func @inverse_movements(%x: tensor<?x4x8xf32>, %r: tensor<?xi64>) -> (tensor<?x4x8xf32>, tensor<8x?x4xf32>, tensor<?xi64>) {
  %0 = onnx.Transpose(%x) {perm = array<i64: 1, 2, 0>} : (tensor<?x4x8xf32>) -> tensor<4x8x?xf32>
  %1 = onnx.Transpose(%0) {perm = array<i64: 2, 0, 1>} : (tensor<4x8x?xf32>) -> tensor<?x4x8xf32>
  // CHECK: %[[T:.+]] = onnx.Transpose(%[[X]]) {perm = array<i64: 2, 0, 1>}
  %2 = onnx.Transpose(%0) {perm = array<i64: 1, 2, 0>} : (tensor<4x8x?xf32>) -> tensor<8x?x4xf32>
  %zero = onnx.Constant dense<0> : tensor<i64>
  %axis = onnx.Constant dense<0> : tensor<1xi64>
  %3 = onnx.Unsqueeze(%r, %axis) : (tensor<?xi64>, tensor<1xi64>) -> tensor<1x?xi64>
  %4 = onnx.Gather(%3, %zero) : (tensor<1x?xi64>, tensor<i64>) -> tensor<?xi64>
  // CHECK: return %[[X]], %[[T]], %{{.*}}
  return %1, %2, %4 : tensor<?x4x8xf32>, tensor<8x?x4xf32>, tensor<?xi64>
}

// -----

// A slice of the whole goes; a reversal and a cut stay.
// CHECK-LABEL: func.func @slices
// CHECK-SAME: (%[[X:.+]]: tensor<?x8xf32>)
func.func @slices(%x: tensor<?x8xf32>) -> (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x7xf32>) {
  %none = onnx.NoValue
  %zero = onnx.Constant dense<0> : tensor<1xi64>
  %one = onnx.Constant dense<1> : tensor<1xi64>
  %minus = onnx.Constant dense<-1> : tensor<1xi64>
  %front = onnx.Constant dense<-9223372036854775807> : tensor<1xi64>
  %n = onnx.Shape(%x) {end = 1 : i64} : (tensor<?x8xf32>) -> tensor<1xi64>
  %0 = onnx.Slice(%x, %zero, %n, %zero, %none)
      : (tensor<?x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<?x8xf32>
  // CHECK: %[[R:.+]] = onnx.Slice
  %1 = onnx.Slice(%x, %minus, %front, %one, %minus)
      : (tensor<?x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x8xf32>
  // CHECK: %[[C:.+]] = onnx.Slice
  %2 = onnx.Slice(%x, %zero, %minus, %one, %none)
      : (tensor<?x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, none) -> tensor<?x7xf32>
  // CHECK: return %[[X]], %[[R]], %[[C]]
  return %0, %1, %2 : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x7xf32>
}

// -----

// From the end of the past on there are as many positions as tokens: the value
// of an argument is a size, too.
// CHECK-LABEL: func.func @positions
func.func @positions(%x: tensor<?x4xf32> {onnx.dim_params = ["s", ""]},
                     %past: tensor<i64> {onnx.dim_value = "past"}) -> tensor<?x2x2xf32> {
  %zero = onnx.Constant dense<0> : tensor<i64>
  %one = onnx.Constant dense<1> : tensor<i64>
  %twos = onnx.Constant dense<2> : tensor<2xi64>
  %shape = onnx.Shape(%x) : (tensor<?x4xf32>) -> tensor<2xi64>
  %tokens = onnx.Gather(%shape, %zero) {axis = 0 : i64} : (tensor<2xi64>, tensor<i64>) -> tensor<i64>
  %end = onnx.Add(%past, %tokens) : (tensor<i64>, tensor<i64>) -> tensor<i64>
  %positions = onnx.Range(%past, %end, %one) : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %count = onnx.Shape(%positions) : (tensor<?xi64>) -> tensor<1xi64>
  %to = onnx.Concat(%count, %twos) {axis = 0 : i64} : (tensor<1xi64>, tensor<2xi64>) -> tensor<3xi64>
  // CHECK: %[[TO:.+]] = onnx.Constant dense<[0, 2, 2]> : tensor<3xi64>
  // CHECK: onnx.Reshape(%{{.+}}, %[[TO]])
  %y = onnx.Reshape(%x, %to) : (tensor<?x4xf32>, tensor<3xi64>) -> tensor<?x2x2xf32>
  return %y : tensor<?x2x2xf32>
}
