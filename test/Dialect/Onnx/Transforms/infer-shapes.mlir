// RUN: quant-opt %s --onnx-infer-shapes -split-input-file | FileCheck %s

// A reshape to a shape that is put together at run time, as torch writes
// x.view(batch, sequence, 4, 16).
// CHECK-LABEL: func.func @view
// CHECK-SAME: -> tensor<?x?x4x16xf32>
func.func @view(%x: tensor<?x?x64xf32>) -> tensor<*xf32> {
  %c0 = onnx.Constant dense<0> : tensor<i64>
  %c1 = onnx.Constant dense<1> : tensor<i64>
  %axis = onnx.Constant dense<0> : tensor<1xi64>
  %heads = onnx.Constant dense<[4, -1]> : tensor<2xi64>
  // CHECK: onnx.Shape(%{{.*}}) : (tensor<?x?x64xf32>) -> tensor<3xi64>
  %shape = onnx.Shape(%x) : (tensor<?x?x64xf32>) -> tensor<*xi64>
  // CHECK: onnx.Gather({{.*}} -> tensor<i64>
  %b = onnx.Gather(%shape, %c0) : (tensor<*xi64>, tensor<i64>) -> tensor<*xi64>
  %s = onnx.Gather(%shape, %c1) : (tensor<*xi64>, tensor<i64>) -> tensor<*xi64>
  // CHECK: onnx.Unsqueeze({{.*}} -> tensor<1xi64>
  %b1 = onnx.Unsqueeze(%b, %axis) : (tensor<*xi64>, tensor<1xi64>) -> tensor<*xi64>
  %s1 = onnx.Unsqueeze(%s, %axis) : (tensor<*xi64>, tensor<1xi64>) -> tensor<*xi64>
  // CHECK: onnx.Concat({{.*}} -> tensor<4xi64>
  %to = onnx.Concat(%b1, %s1, %heads) {axis = 0 : i64}
      : (tensor<*xi64>, tensor<*xi64>, tensor<2xi64>) -> tensor<*xi64>
  // The -1 is 16: the dimensions on both sides cancel.
  // CHECK: onnx.Reshape({{.*}} -> tensor<?x?x4x16xf32>
  %y = onnx.Reshape(%x, %to) : (tensor<?x?x64xf32>, tensor<*xi64>) -> tensor<*xf32>
  return %y : tensor<*xf32>
}

// -----

// Grouped-query attention's repeated heads: torch guards the shape of Expand
// against -1 by Equal and Where, which is decided here because a dimension is
// never negative.
// CHECK-LABEL: func.func @repeat_heads
func.func @repeat_heads(%k: tensor<?x4x?x8xf32>) -> tensor<*xf32> {
  %none = onnx.NoValue
  %two = onnx.Constant dense<2> : tensor<1xi64>
  %c0 = onnx.Constant dense<0> : tensor<i64>
  %c2 = onnx.Constant dense<2> : tensor<i64>
  %axis = onnx.Constant dense<0> : tensor<1xi64>
  %four = onnx.Constant dense<4> : tensor<1xi64>
  %eight = onnx.Constant dense<8> : tensor<1xi64>
  %flat = onnx.Constant dense<-1> : tensor<1xi64>
  %minus = onnx.Constant dense<-1> : tensor<i64>
  %shape = onnx.Shape(%k) : (tensor<?x4x?x8xf32>) -> tensor<*xi64>
  %b = onnx.Gather(%shape, %c0) : (tensor<*xi64>, tensor<i64>) -> tensor<*xi64>
  %s = onnx.Gather(%shape, %c2) : (tensor<*xi64>, tensor<i64>) -> tensor<*xi64>
  %b1 = onnx.Unsqueeze(%b, %axis) : (tensor<*xi64>, tensor<1xi64>) -> tensor<*xi64>
  %s1 = onnx.Unsqueeze(%s, %axis) : (tensor<*xi64>, tensor<1xi64>) -> tensor<*xi64>
  %k5 = onnx.Unsqueeze(%k, %two) : (tensor<?x4x?x8xf32>, tensor<1xi64>) -> tensor<*xf32>
  %dims = onnx.Concat(%b1, %four, %two, %s1, %eight) {axis = 0 : i64}
      : (tensor<*xi64>, tensor<1xi64>, tensor<1xi64>, tensor<*xi64>, tensor<1xi64>) -> tensor<*xi64>
  %list = onnx.Reshape(%dims, %flat) : (tensor<*xi64>, tensor<1xi64>) -> tensor<*xi64>
  %rank = onnx.Shape(%list) : (tensor<*xi64>) -> tensor<*xi64>
  %ones = onnx.ConstantOfShape(%rank) {value = dense<1> : tensor<1xi64>} : (tensor<*xi64>) -> tensor<*xi64>
  %negative = onnx.Mul(%ones, %minus) : (tensor<*xi64>, tensor<i64>) -> tensor<*xi64>
  %keeps = onnx.Equal(%list, %negative) : (tensor<*xi64>, tensor<*xi64>) -> tensor<*xi1>
  %to = onnx.Where(%keeps, %ones, %list) : (tensor<*xi1>, tensor<*xi64>, tensor<*xi64>) -> tensor<*xi64>
  // CHECK: onnx.Expand({{.*}} -> tensor<?x4x2x?x8xf32>
  %wide = onnx.Expand(%k5, %to) : (tensor<*xf32>, tensor<*xi64>) -> tensor<*xf32>
  %merged = onnx.Concat(%b1, %eight, %s1, %eight) {axis = 0 : i64}
      : (tensor<*xi64>, tensor<1xi64>, tensor<*xi64>, tensor<1xi64>) -> tensor<*xi64>
  // CHECK: onnx.Reshape({{.*}} -> tensor<?x8x?x8xf32>
  %r = onnx.Reshape(%wide, %merged) : (tensor<*xf32>, tensor<*xi64>) -> tensor<*xf32>
  return %r : tensor<*xf32>
}

// -----

// The name of a result's dimension is believed to be what was computed for it,
// so that the mask and the scores have one shape: their sum is not broadcast,
// and its flattened form has no new unknown.
// CHECK-LABEL: func.func @learned_total
func.func @learned_total(
    %past: tensor<1x?x8xf32> {onnx.dim_params = ["", "past", ""]},
    %new: tensor<1x?x8xf32> {onnx.dim_params = ["", "sequence", ""]},
    %mask: tensor<1x?x1xf32> {onnx.dim_params = ["", "total", ""]})
    -> (tensor<1x?x8xf32> {onnx.dim_params = ["", "total", ""]}, tensor<*xi64>) {
  %minus = onnx.Constant dense<-1> : tensor<i64>
  %present = onnx.Concat(%past, %new) {axis = 1 : i64}
      : (tensor<1x?x8xf32>, tensor<1x?x8xf32>) -> tensor<1x?x8xf32>
  %masked = onnx.Add(%present, %mask) : (tensor<1x?x8xf32>, tensor<1x?x1xf32>) -> tensor<*xf32>
  %a = onnx.Shape(%masked) : (tensor<*xf32>) -> tensor<*xi64>
  %b = onnx.Shape(%present) : (tensor<1x?x8xf32>) -> tensor<*xi64>
  %equal = onnx.Equal(%a, %b) : (tensor<*xi64>, tensor<*xi64>) -> tensor<*xi1>
  %ten = onnx.Constant dense<[10, 11, 12]> : tensor<3xi64>
  %other = onnx.Constant dense<[20, 21, 22]> : tensor<3xi64>
  %n = onnx.Where(%equal, %ten, %other) : (tensor<*xi1>, tensor<3xi64>, tensor<3xi64>) -> tensor<*xi64>
  // CHECK: onnx.ConstantOfShape({{.*}} -> tensor<10x11x12xi64>
  %r = onnx.ConstantOfShape(%n) {value = dense<1> : tensor<1xi64>} : (tensor<*xi64>) -> tensor<*xi64>
  return %present, %r : tensor<1x?x8xf32>, tensor<*xi64>
}

// -----

// rotate_half: the middle is computed from the shape.
// CHECK-LABEL: func.func @halves
func.func @halves(%x: tensor<?x8x?x16xf32>) -> (tensor<*xf32>, tensor<*xf32>) {
  %c3 = onnx.Constant dense<3> : tensor<i64>
  %c2 = onnx.Constant dense<2> : tensor<i64>
  %zero = onnx.Constant dense<0> : tensor<1xi64>
  %one = onnx.Constant dense<1> : tensor<1xi64>
  %last = onnx.Constant dense<3> : tensor<1xi64>
  %end = onnx.Constant dense<9223372036854775807> : tensor<1xi64>
  %shape = onnx.Shape(%x) : (tensor<?x8x?x16xf32>) -> tensor<*xi64>
  %size = onnx.Gather(%shape, %c3) : (tensor<*xi64>, tensor<i64>) -> tensor<*xi64>
  %half = onnx.Div(%size, %c2) : (tensor<*xi64>, tensor<i64>) -> tensor<*xi64>
  %cast = onnx.Cast(%half) {to = i64} : (tensor<*xi64>) -> tensor<*xi64>
  %middle = onnx.Unsqueeze(%cast, %zero) : (tensor<*xi64>, tensor<1xi64>) -> tensor<*xi64>
  // CHECK: onnx.Slice({{.*}} -> tensor<?x8x?x8xf32>
  %a = onnx.Slice(%x, %middle, %end, %last, %one)
      : (tensor<?x8x?x16xf32>, tensor<*xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<*xf32>
  // CHECK: onnx.Slice({{.*}} -> tensor<?x8x?x8xf32>
  %b = onnx.Slice(%x, %zero, %middle, %last, %one)
      : (tensor<?x8x?x16xf32>, tensor<1xi64>, tensor<*xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<*xf32>
  return %a, %b : tensor<*xf32>, tensor<*xf32>
}

// -----

// CHECK-LABEL: func.func @matrix_products
func.func @matrix_products(%a: tensor<?x1x?x8xf32>, %b: tensor<4x8x16xf32>,
                           %v: tensor<8xf32>, %m: tensor<?x8xf32>, %w: tensor<16x8xf32>) {
  %none = onnx.NoValue
  // CHECK: onnx.MatMul({{.*}} -> tensor<?x4x?x16xf32>
  %0 = onnx.MatMul(%a, %b) : (tensor<?x1x?x8xf32>, tensor<4x8x16xf32>) -> tensor<*xf32>
  // CHECK: onnx.MatMul({{.*}} -> tensor<?x1x?xf32>
  %1 = onnx.MatMul(%a, %v) : (tensor<?x1x?x8xf32>, tensor<8xf32>) -> tensor<*xf32>
  // CHECK: onnx.MatMul({{.*}} -> tensor<4x16xf32>
  %2 = onnx.MatMul(%v, %b) : (tensor<8xf32>, tensor<4x8x16xf32>) -> tensor<*xf32>
  // CHECK: onnx.Gemm({{.*}} -> tensor<?x16xf32>
  %3 = onnx.Gemm(%m, %w, %none) {transB = 1 : i64} : (tensor<?x8xf32>, tensor<16x8xf32>, none) -> tensor<*xf32>
  // CHECK: onnx.Einsum({{.*}} -> tensor<?x16xf32>
  %4 = onnx.Einsum(%m, %w) {equation = "bi,ji->bj"} : (tensor<?x8xf32>, tensor<16x8xf32>) -> tensor<*xf32>
  return
}

// -----

// CHECK-LABEL: func.func @attention
func.func @attention(%q: tensor<?x8x?x16xf32>, %k: tensor<?x4x?x16xf32>,
                     %v: tensor<?x4x?x32xf32>, %past_k: tensor<?x4x?x16xf32>,
                     %past_v: tensor<?x4x?x32xf32>, %q3: tensor<?x?x128xf32>) {
  %none = onnx.NoValue
  // CHECK: onnx.Attention({{.*}} -> (tensor<?x8x?x32xf32>, tensor<?x4x?x16xf32>, tensor<?x4x?x32xf32>, none)
  %0:4 = onnx.Attention(%q, %k, %v, %none, %past_k, %past_v, %none)
      : (tensor<?x8x?x16xf32>, tensor<?x4x?x16xf32>, tensor<?x4x?x32xf32>, none, tensor<?x4x?x16xf32>,
         tensor<?x4x?x32xf32>, none) -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>, none)
  // CHECK: onnx.Attention({{.*}} -> (tensor<?x?x128xf32>, none, none, tensor<?x8x?x?xf32>)
  %1:4 = onnx.Attention(%q3, %q3, %q3, %none, %none, %none, %none) {q_num_heads = 8 : i64, kv_num_heads = 8 : i64}
      : (tensor<?x?x128xf32>, tensor<?x?x128xf32>, tensor<?x?x128xf32>, none, none, none, none)
      -> (tensor<*xf32>, none, none, tensor<*xf32>)
  return
}

// -----

// CHECK-LABEL: func.func @reductions
func.func @reductions(%x: tensor<?x4x8xf32>) {
  %none = onnx.NoValue
  %last = onnx.Constant dense<-1> : tensor<1xi64>
  // CHECK: onnx.ReduceMean({{.*}} -> tensor<?x4x1xf32>
  %0 = onnx.ReduceMean(%x, %last) : (tensor<?x4x8xf32>, tensor<1xi64>) -> tensor<*xf32>
  // CHECK: onnx.ReduceSum({{.*}} -> tensor<?x4xf32>
  %1 = onnx.ReduceSum(%x, %last) {keepdims = 0 : i64} : (tensor<?x4x8xf32>, tensor<1xi64>) -> tensor<*xf32>
  // CHECK: onnx.ReduceMax({{.*}} -> tensor<f32>
  %2 = onnx.ReduceMax(%x, %none) {keepdims = 0 : i64} : (tensor<?x4x8xf32>, none) -> tensor<*xf32>
  // CHECK: onnx.ReduceMax({{.*}} -> tensor<?x4x8xf32>
  %3 = onnx.ReduceMax(%x, %none) {noop_with_empty_axes = 1 : i64} : (tensor<?x4x8xf32>, none) -> tensor<*xf32>
  // CHECK: onnx.ArgMax({{.*}} -> tensor<?x4xi64>
  %4 = onnx.ArgMax(%x) {axis = 2 : i64, keepdims = 0 : i64} : (tensor<?x4x8xf32>) -> tensor<*xi64>
  return
}

// -----

// CHECK-LABEL: func.func @data_movement
func.func @data_movement(%x: tensor<?x4x8xf32>, %i: tensor<?x3xi64>) {
  %none = onnx.NoValue
  %pads = onnx.Constant dense<[0, 1, 2, 0, 3, 4]> : tensor<6xi64>
  %repeats = onnx.Constant dense<[2, 3, 1]> : tensor<3xi64>
  %k = onnx.Constant dense<5> : tensor<1xi64>
  %zero = onnx.Constant dense<0.0> : tensor<f32>
  // CHECK: onnx.Transpose({{.*}} -> tensor<8x?x4xf32>
  %0 = onnx.Transpose(%x) {perm = array<i64: 2, 0, 1>} : (tensor<?x4x8xf32>) -> tensor<*xf32>
  // CHECK: onnx.Flatten({{.*}} -> tensor<?x32xf32>
  %1 = onnx.Flatten(%x) : (tensor<?x4x8xf32>) -> tensor<*xf32>
  // CHECK: onnx.Gather({{.*}} -> tensor<?x?x3x8xf32>
  %2 = onnx.Gather(%x, %i) {axis = 1 : i64} : (tensor<?x4x8xf32>, tensor<?x3xi64>) -> tensor<*xf32>
  // CHECK: onnx.Pad({{.*}} -> tensor<?x8x14xf32>
  %3 = onnx.Pad(%x, %pads, %zero, %none) : (tensor<?x4x8xf32>, tensor<6xi64>, tensor<f32>, none) -> tensor<*xf32>
  // CHECK: onnx.Tile({{.*}} -> tensor<?x12x8xf32>
  %4 = onnx.Tile(%x, %repeats) : (tensor<?x4x8xf32>, tensor<3xi64>) -> tensor<*xf32>
  // CHECK: onnx.TopK({{.*}} -> (tensor<?x4x5xf32>, tensor<?x4x5xi64>)
  %5:2 = onnx.TopK(%x, %k) : (tensor<?x4x8xf32>, tensor<1xi64>) -> (tensor<*xf32>, tensor<*xi64>)
  // CHECK: onnx.Split({{.*}} -> (tensor<?x4x3xf32>, tensor<?x4x3xf32>, tensor<?x4x2xf32>)
  %6:3 = onnx.Split(%x, %none) {axis = 2 : i64, num_outputs = 3 : i64}
      : (tensor<?x4x8xf32>, none) -> (tensor<*xf32>, tensor<*xf32>, tensor<*xf32>)
  return
}

// -----

// What depends on data has a rank, but no known dimensions.
// CHECK-LABEL: func.func @data_dependent
func.func @data_dependent(%x: tensor<?xf32>, %shape: tensor<3xi64>, %n: tensor<i64>) {
  %zero = onnx.Constant dense<0> : tensor<i64>
  %one = onnx.Constant dense<1> : tensor<i64>
  // CHECK: onnx.NonZero({{.*}} -> tensor<1x?xi64>
  %0 = onnx.NonZero(%x) : (tensor<?xf32>) -> tensor<*xi64>
  // CHECK: onnx.Reshape({{.*}} -> tensor<?x?x?xf32>
  %1 = onnx.Reshape(%x, %shape) : (tensor<?xf32>, tensor<3xi64>) -> tensor<*xf32>
  // CHECK: onnx.Range({{.*}} -> tensor<?xi64>
  %2 = onnx.Range(%zero, %n, %one) : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<*xi64>
  return
}

// -----

// A function that is called keeps its type, and with it what it returns.
// CHECK-LABEL: func.func private @callee
// CHECK-SAME: -> tensor<*xf32>
func.func private @callee(%x: tensor<4xf32>) -> tensor<*xf32> {
  // CHECK: onnx.Neg({{.*}}) : (tensor<4xf32>) -> tensor<*xf32>
  %0 = onnx.Neg(%x) : (tensor<4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}
func.func @caller(%x: tensor<4xf32>) -> tensor<*xf32> {
  %0 = call @callee(%x) : (tensor<4xf32>) -> tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// So does a value that an op of another dialect uses.
// CHECK-LABEL: func.func @foreign_user
func.func @foreign_user(%x: tensor<4xf32>) -> tensor<*xf32> {
  // CHECK: onnx.Neg({{.*}} -> tensor<?xf32>
  %0 = onnx.Neg(%x) : (tensor<4xf32>) -> tensor<?xf32>
  %1 = tensor.cast %0 : tensor<?xf32> to tensor<4xf32>
  %none = onnx.NoValue
  // CHECK: onnx.ReduceSum({{.*}} -> tensor<f32>
  %2 = onnx.ReduceSum(%1, %none) {keepdims = 0 : i64} : (tensor<4xf32>, none) -> tensor<*xf32>
  return %2 : tensor<*xf32>
}

// -----

// Shapes go through ops of the lowbit dialect.
// CHECK-LABEL: @hadamard_and_outliers
// CHECK: return {{.*}} : tensor<3x4xf32>, tensor<3x2xf32>
func.func @hadamard_and_outliers(%x: tensor<3x4xf32>, %init: tensor<3x2xf32>, %offsets: tensor<3xi32>, %columns: tensor<2xi16>, %values: tensor<2xf16>) -> (tensor<?x4xf32>, tensor<?x2xf32>) {
  %0 = onnx.Relu(%x) : (tensor<3x4xf32>) -> tensor<?x4xf32>
  %1 = lowbit.hadamard %0 {block = 4 : i64} : tensor<?x4xf32>
  %2 = onnx.Relu(%init) : (tensor<3x2xf32>) -> tensor<?x2xf32>
  %3 = lowbit.sparse_matmul %1, %offsets, %columns, %values add %2 : tensor<?x4xf32>, tensor<3xi32>, tensor<2xi16>, tensor<2xf16>, tensor<?x2xf32>
  %4 = onnx.Relu(%3) : (tensor<?x2xf32>) -> tensor<?x2xf32>
  %5 = onnx.Relu(%1) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %5, %4 : tensor<?x4xf32>, tensor<?x2xf32>
}
