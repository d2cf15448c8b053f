// RUN: quant-opt %s --onnx-recognize-rotary-embedding --cse -split-input-file | FileCheck %s

// As torch exports Llama: the angles are repeated for the second half of the
// channels, and have a place for the heads.
// CHECK-LABEL: func.func @llama
// CHECK-SAME: (%[[X:.+]]: tensor<?x4x?x8xf32> {{.*}}, %[[ANGLES:.+]]: tensor<?x?x4xf32>
func.func @llama(%x: tensor<?x4x?x8xf32> {onnx.dim_params = ["b", "", "s", ""]},
                 %angles: tensor<?x?x4xf32> {onnx.dim_params = ["b", "s", ""]}) -> tensor<?x4x?x8xf32> {
  %zero = onnx.Constant dense<0> : tensor<1xi64>
  %one = onnx.Constant dense<1> : tensor<1xi64>
  %last = onnx.Constant dense<3> : tensor<1xi64>
  %half = onnx.Constant dense<4> : tensor<1xi64>
  %end = onnx.Constant dense<9223372036854775807> : tensor<1xi64>
  %both = onnx.Concat(%angles, %angles) {axis = -1 : i64} : (tensor<?x?x4xf32>, tensor<?x?x4xf32>) -> tensor<?x?x8xf32>
  %wide = onnx.Unsqueeze(%both, %one) : (tensor<?x?x8xf32>, tensor<1xi64>) -> tensor<?x1x?x8xf32>
  %cos = onnx.Cos(%wide) : (tensor<?x1x?x8xf32>) -> tensor<?x1x?x8xf32>
  %sin = onnx.Sin(%wide) : (tensor<?x1x?x8xf32>) -> tensor<?x1x?x8xf32>
  %second = onnx.Slice(%x, %half, %end, %last, %one)
      : (tensor<?x4x?x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x4x?x4xf32>
  %first = onnx.Slice(%x, %zero, %half, %last, %one)
      : (tensor<?x4x?x8xf32>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<?x4x?x4xf32>
  %neg = onnx.Neg(%second) : (tensor<?x4x?x4xf32>) -> tensor<?x4x?x4xf32>
  %turned = onnx.Concat(%neg, %first) {axis = -1 : i64} : (tensor<?x4x?x4xf32>, tensor<?x4x?x4xf32>) -> tensor<?x4x?x8xf32>
  %0 = onnx.Mul(%x, %cos) : (tensor<?x4x?x8xf32>, tensor<?x1x?x8xf32>) -> tensor<?x4x?x8xf32>
  %1 = onnx.Mul(%turned, %sin) : (tensor<?x4x?x8xf32>, tensor<?x1x?x8xf32>) -> tensor<?x4x?x8xf32>
  %2 = onnx.Add(%0, %1) : (tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32>) -> tensor<?x4x?x8xf32>
  // CHECK-DAG: %[[COS:.+]] = onnx.Cos(%[[ANGLES]]) : (tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  // CHECK-DAG: %[[SIN:.+]] = onnx.Sin(%[[ANGLES]]) : (tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  // CHECK: %[[Y:.+]] = onnx.RotaryEmbedding(%[[X]], %[[COS]], %[[SIN]], %{{.*}})
  // CHECK: return %[[Y]]
  return %2 : tensor<?x4x?x8xf32>
}

// -----

// One row of angles for all sequences of the batch: ONNX's op wants a table for
// each. The halves are written by Split, the sum the other way round.
// CHECK-LABEL: func.func @one_table
// CHECK-SAME: (%[[IDS:.+]]: tensor<?x?xi64>
func.func @one_table(%ids: tensor<?x?xi64> {onnx.dim_params = ["b", "s"]},
                     %x: tensor<?x4x?x8xf32> {onnx.dim_params = ["b", "", "s", ""]},
                     %angles: tensor<?x4xf32> {onnx.dim_params = ["s", ""]}) -> tensor<?x4x?x8xf32> {
  %none = onnx.NoValue
  %both = onnx.Concat(%angles, %angles) {axis = 1 : i64} : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x8xf32>
  %cos = onnx.Cos(%both) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %sin = onnx.Sin(%both) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %first, %second = onnx.Split(%x, %none) {axis = 3 : i64, num_outputs = 2 : i64}
      : (tensor<?x4x?x8xf32>, none) -> (tensor<?x4x?x4xf32>, tensor<?x4x?x4xf32>)
  %neg = onnx.Neg(%second) : (tensor<?x4x?x4xf32>) -> tensor<?x4x?x4xf32>
  %turned = onnx.Concat(%neg, %first) {axis = 3 : i64} : (tensor<?x4x?x4xf32>, tensor<?x4x?x4xf32>) -> tensor<?x4x?x8xf32>
  %0 = onnx.Mul(%sin, %turned) : (tensor<?x8xf32>, tensor<?x4x?x8xf32>) -> tensor<?x4x?x8xf32>
  %1 = onnx.Mul(%cos, %x) : (tensor<?x8xf32>, tensor<?x4x?x8xf32>) -> tensor<?x4x?x8xf32>
  %2 = onnx.Add(%0, %1) : (tensor<?x4x?x8xf32>, tensor<?x4x?x8xf32>) -> tensor<?x4x?x8xf32>
  // CHECK: onnx.Shape(%[[IDS]]) {end = 1 : i64}
  // CHECK: %[[COS:.+]] = onnx.Expand({{.*}} -> tensor<?x?x4xf32>
  // CHECK: %[[SIN:.+]] = onnx.Expand({{.*}} -> tensor<?x?x4xf32>
  // CHECK: onnx.RotaryEmbedding(%{{.*}}, %[[COS]], %[[SIN]], %{{.*}})
  return %2 : tensor<?x4x?x8xf32>
}

// -----

// A table of the model whose halves are equal, and heads behind the sequence.
// CHECK-LABEL: func.func @constant_table
func.func @constant_table(%x: tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32> {
  %none = onnx.NoValue
  %cos = onnx.Constant dense<[[[[1.0, 2.0, 1.0, 2.0]], [[3.0, 4.0, 3.0, 4.0]]]]> : tensor<1x2x1x4xf32>
  %sin = onnx.Constant dense<[[[[5.0, 6.0, 5.0, 6.0]], [[7.0, 8.0, 7.0, 8.0]]]]> : tensor<1x2x1x4xf32>
  %first, %second = onnx.Split(%x, %none) {axis = 3 : i64, num_outputs = 2 : i64}
      : (tensor<1x2x3x4xf32>, none) -> (tensor<1x2x3x2xf32>, tensor<1x2x3x2xf32>)
  %neg = onnx.Neg(%second) : (tensor<1x2x3x2xf32>) -> tensor<1x2x3x2xf32>
  %turned = onnx.Concat(%neg, %first) {axis = 3 : i64} : (tensor<1x2x3x2xf32>, tensor<1x2x3x2xf32>) -> tensor<1x2x3x4xf32>
  %0 = onnx.Mul(%x, %cos) : (tensor<1x2x3x4xf32>, tensor<1x2x1x4xf32>) -> tensor<1x2x3x4xf32>
  %1 = onnx.Mul(%turned, %sin) : (tensor<1x2x3x4xf32>, tensor<1x2x1x4xf32>) -> tensor<1x2x3x4xf32>
  %2 = onnx.Add(%0, %1) : (tensor<1x2x3x4xf32>, tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  // CHECK: %[[IN:.+]] = onnx.Transpose({{.*}} -> tensor<1x3x2x4xf32>
  // CHECK: %[[R:.+]] = onnx.RotaryEmbedding(%[[IN]], {{.*}} : (tensor<1x3x2x4xf32>, tensor<1x2x2xf32>, tensor<1x2x2xf32>, none)
  // CHECK: onnx.Transpose(%[[R]])
  return %2 : tensor<1x2x3x4xf32>
}

// -----

// The halves of the table differ.
// CHECK-LABEL: func.func @no_match_table
func.func @no_match_table(%x: tensor<1x3x2x4xf32>) -> tensor<1x3x2x4xf32> {
  %none = onnx.NoValue
  %cos = onnx.Constant dense<[[1.0, 2.0, 1.0, 2.5], [3.0, 4.0, 3.0, 4.0]]> : tensor<2x4xf32>
  %sin = onnx.Constant dense<[[5.0, 6.0, 5.0, 6.0], [7.0, 8.0, 7.0, 8.0]]> : tensor<2x4xf32>
  %first, %second = onnx.Split(%x, %none) {axis = 3 : i64, num_outputs = 2 : i64}
      : (tensor<1x3x2x4xf32>, none) -> (tensor<1x3x2x2xf32>, tensor<1x3x2x2xf32>)
  %neg = onnx.Neg(%second) : (tensor<1x3x2x2xf32>) -> tensor<1x3x2x2xf32>
  %turned = onnx.Concat(%neg, %first) {axis = 3 : i64} : (tensor<1x3x2x2xf32>, tensor<1x3x2x2xf32>) -> tensor<1x3x2x4xf32>
  %0 = onnx.Mul(%x, %cos) : (tensor<1x3x2x4xf32>, tensor<2x4xf32>) -> tensor<1x3x2x4xf32>
  %1 = onnx.Mul(%turned, %sin) : (tensor<1x3x2x4xf32>, tensor<2x4xf32>) -> tensor<1x3x2x4xf32>
  // CHECK-NOT: onnx.RotaryEmbedding
  // CHECK: return
  %2 = onnx.Add(%0, %1) : (tensor<1x3x2x4xf32>, tensor<1x3x2x4xf32>) -> tensor<1x3x2x4xf32>
  return %2 : tensor<1x3x2x4xf32>
}

// -----

// The first half is negated instead of the second.
// CHECK-LABEL: func.func @no_match_direction
func.func @no_match_direction(%x: tensor<1x3x2x4xf32>, %angles: tensor<2x2xf32>) -> tensor<1x3x2x4xf32> {
  %none = onnx.NoValue
  %both = onnx.Concat(%angles, %angles) {axis = 1 : i64} : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x4xf32>
  %cos = onnx.Cos(%both) : (tensor<2x4xf32>) -> tensor<2x4xf32>
  %sin = onnx.Sin(%both) : (tensor<2x4xf32>) -> tensor<2x4xf32>
  %first, %second = onnx.Split(%x, %none) {axis = 3 : i64, num_outputs = 2 : i64}
      : (tensor<1x3x2x4xf32>, none) -> (tensor<1x3x2x2xf32>, tensor<1x3x2x2xf32>)
  %neg = onnx.Neg(%first) : (tensor<1x3x2x2xf32>) -> tensor<1x3x2x2xf32>
  %turned = onnx.Concat(%neg, %second) {axis = 3 : i64} : (tensor<1x3x2x2xf32>, tensor<1x3x2x2xf32>) -> tensor<1x3x2x4xf32>
  %0 = onnx.Mul(%x, %cos) : (tensor<1x3x2x4xf32>, tensor<2x4xf32>) -> tensor<1x3x2x4xf32>
  %1 = onnx.Mul(%turned, %sin) : (tensor<1x3x2x4xf32>, tensor<2x4xf32>) -> tensor<1x3x2x4xf32>
  // CHECK-NOT: onnx.RotaryEmbedding
  // CHECK: return
  %2 = onnx.Add(%0, %1) : (tensor<1x3x2x4xf32>, tensor<1x3x2x4xf32>) -> tensor<1x3x2x4xf32>
  return %2 : tensor<1x3x2x4xf32>
}

// -----

// Cut at another place than the middle.
// CHECK-LABEL: func.func @no_match_cut
func.func @no_match_cut(%x: tensor<1x3x2x4xf32>, %angles: tensor<2x2xf32>) -> tensor<1x3x2x4xf32> {
  %sizes = onnx.Constant dense<[1, 3]> : tensor<2xi64>
  %both = onnx.Concat(%angles, %angles) {axis = 1 : i64} : (tensor<2x2xf32>, tensor<2x2xf32>) -> tensor<2x4xf32>
  %cos = onnx.Cos(%both) : (tensor<2x4xf32>) -> tensor<2x4xf32>
  %sin = onnx.Sin(%both) : (tensor<2x4xf32>) -> tensor<2x4xf32>
  %first, %second = onnx.Split(%x, %sizes) {axis = 3 : i64}
      : (tensor<1x3x2x4xf32>, tensor<2xi64>) -> (tensor<1x3x2x1xf32>, tensor<1x3x2x3xf32>)
  %neg = onnx.Neg(%second) : (tensor<1x3x2x3xf32>) -> tensor<1x3x2x3xf32>
  %turned = onnx.Concat(%neg, %first) {axis = 3 : i64} : (tensor<1x3x2x3xf32>, tensor<1x3x2x1xf32>) -> tensor<1x3x2x4xf32>
  %0 = onnx.Mul(%x, %cos) : (tensor<1x3x2x4xf32>, tensor<2x4xf32>) -> tensor<1x3x2x4xf32>
  %1 = onnx.Mul(%turned, %sin) : (tensor<1x3x2x4xf32>, tensor<2x4xf32>) -> tensor<1x3x2x4xf32>
  // CHECK-NOT: onnx.RotaryEmbedding
  // CHECK: return
  %2 = onnx.Add(%0, %1) : (tensor<1x3x2x4xf32>, tensor<1x3x2x4xf32>) -> tensor<1x3x2x4xf32>
  return %2 : tensor<1x3x2x4xf32>
}

// -----

// The table follows the heads, not the sequence.
// CHECK-LABEL: func.func @no_match_heads
func.func @no_match_heads(%x: tensor<1x3x2x4xf32>, %angles: tensor<3x2x2xf32>) -> tensor<1x3x2x4xf32> {
  %none = onnx.NoValue
  %both = onnx.Concat(%angles, %angles) {axis = 2 : i64} : (tensor<3x2x2xf32>, tensor<3x2x2xf32>) -> tensor<3x2x4xf32>
  %cos = onnx.Cos(%both) : (tensor<3x2x4xf32>) -> tensor<3x2x4xf32>
  %sin = onnx.Sin(%both) : (tensor<3x2x4xf32>) -> tensor<3x2x4xf32>
  %first, %second = onnx.Split(%x, %none) {axis = 3 : i64, num_outputs = 2 : i64}
      : (tensor<1x3x2x4xf32>, none) -> (tensor<1x3x2x2xf32>, tensor<1x3x2x2xf32>)
  %neg = onnx.Neg(%second) : (tensor<1x3x2x2xf32>) -> tensor<1x3x2x2xf32>
  %turned = onnx.Concat(%neg, %first) {axis = 3 : i64} : (tensor<1x3x2x2xf32>, tensor<1x3x2x2xf32>) -> tensor<1x3x2x4xf32>
  %0 = onnx.Mul(%x, %cos) : (tensor<1x3x2x4xf32>, tensor<3x2x4xf32>) -> tensor<1x3x2x4xf32>
  %1 = onnx.Mul(%turned, %sin) : (tensor<1x3x2x4xf32>, tensor<3x2x4xf32>) -> tensor<1x3x2x4xf32>
  // CHECK-NOT: onnx.RotaryEmbedding
  // CHECK: return
  %2 = onnx.Add(%0, %1) : (tensor<1x3x2x4xf32>, tensor<1x3x2x4xf32>) -> tensor<1x3x2x4xf32>
  return %2 : tensor<1x3x2x4xf32>
}

// -----

// Positions times frequencies, of which the exporter has made one constant.
// CHECK-LABEL: func.func @constant_frequencies
// CHECK-SAME: (%[[X:.+]]: tensor<1x3x2x4xf32>, %[[POSITIONS:.+]]: tensor<1x2x1xf32>)
func.func @constant_frequencies(%x: tensor<1x3x2x4xf32>, %positions: tensor<1x2x1xf32>) -> tensor<1x3x2x4xf32> {
  %none = onnx.NoValue
  %frequencies = onnx.Constant dense<[[[1.0, 0.5, 1.0, 0.5]]]> : tensor<1x1x4xf32>
  %angles = onnx.Mul(%positions, %frequencies) : (tensor<1x2x1xf32>, tensor<1x1x4xf32>) -> tensor<1x2x4xf32>
  %cos = onnx.Cos(%angles) : (tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  %sin = onnx.Sin(%angles) : (tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  %first, %second = onnx.Split(%x, %none) {axis = 3 : i64, num_outputs = 2 : i64}
      : (tensor<1x3x2x4xf32>, none) -> (tensor<1x3x2x2xf32>, tensor<1x3x2x2xf32>)
  %neg = onnx.Neg(%second) : (tensor<1x3x2x2xf32>) -> tensor<1x3x2x2xf32>
  %turned = onnx.Concat(%neg, %first) {axis = 3 : i64} : (tensor<1x3x2x2xf32>, tensor<1x3x2x2xf32>) -> tensor<1x3x2x4xf32>
  %0 = onnx.Mul(%x, %cos) : (tensor<1x3x2x4xf32>, tensor<1x2x4xf32>) -> tensor<1x3x2x4xf32>
  %1 = onnx.Mul(%turned, %sin) : (tensor<1x3x2x4xf32>, tensor<1x2x4xf32>) -> tensor<1x3x2x4xf32>
  // CHECK: %[[HALF:.+]] = onnx.Slice
  // CHECK: %[[ANGLES:.+]] = onnx.Mul(%[[POSITIONS]], %[[HALF]]) : (tensor<1x2x1xf32>, tensor<1x1x2xf32>) -> tensor<1x2x2xf32>
  // CHECK: onnx.RotaryEmbedding(%[[X]],
  %2 = onnx.Add(%0, %1) : (tensor<1x3x2x4xf32>, tensor<1x3x2x4xf32>) -> tensor<1x3x2x4xf32>
  return %2 : tensor<1x3x2x4xf32>
}

// -----

// The frequencies of the halves differ.
// CHECK-LABEL: func.func @no_match_frequencies
func.func @no_match_frequencies(%x: tensor<1x3x2x4xf32>, %positions: tensor<1x2x1xf32>) -> tensor<1x3x2x4xf32> {
  %none = onnx.NoValue
  %frequencies = onnx.Constant dense<[[[1.0, 0.5, 0.25, 0.125]]]> : tensor<1x1x4xf32>
  %angles = onnx.Mul(%positions, %frequencies) : (tensor<1x2x1xf32>, tensor<1x1x4xf32>) -> tensor<1x2x4xf32>
  %cos = onnx.Cos(%angles) : (tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  %sin = onnx.Sin(%angles) : (tensor<1x2x4xf32>) -> tensor<1x2x4xf32>
  %first, %second = onnx.Split(%x, %none) {axis = 3 : i64, num_outputs = 2 : i64}
      : (tensor<1x3x2x4xf32>, none) -> (tensor<1x3x2x2xf32>, tensor<1x3x2x2xf32>)
  %neg = onnx.Neg(%second) : (tensor<1x3x2x2xf32>) -> tensor<1x3x2x2xf32>
  %turned = onnx.Concat(%neg, %first) {axis = 3 : i64} : (tensor<1x3x2x2xf32>, tensor<1x3x2x2xf32>) -> tensor<1x3x2x4xf32>
  %0 = onnx.Mul(%x, %cos) : (tensor<1x3x2x4xf32>, tensor<1x2x4xf32>) -> tensor<1x3x2x4xf32>
  %1 = onnx.Mul(%turned, %sin) : (tensor<1x3x2x4xf32>, tensor<1x2x4xf32>) -> tensor<1x3x2x4xf32>
  // CHECK-NOT: onnx.RotaryEmbedding
  // CHECK: return
  %2 = onnx.Add(%0, %1) : (tensor<1x3x2x4xf32>, tensor<1x3x2x4xf32>) -> tensor<1x3x2x4xf32>
  return %2 : tensor<1x3x2x4xf32>
}
