// RUN: quant-opt %s --onnx-recognize-attention --cse -split-input-file | FileCheck %s

// No mask; the scale stands on q and k^T, as torch's scaled_dot_product_attention
// writes it.
// CHECK-LABEL: func.func @plain
// CHECK-SAME: (%[[Q:.+]]: tensor<2x4x8x16xf32>, %[[K:.+]]: tensor<2x4x8x16xf32>, %[[V:.+]]: tensor<2x4x8x32xf32>)
func.func @plain(%q: tensor<2x4x8x16xf32>, %k: tensor<2x4x8x16xf32>, %v: tensor<2x4x8x32xf32>) -> tensor<2x4x8x32xf32> {
  %half = onnx.Constant dense<0.5> : tensor<f32>
  %kt = onnx.Transpose(%k) {perm = array<i64: 0, 1, 3, 2>} : (tensor<2x4x8x16xf32>) -> tensor<2x4x16x8xf32>
  %qs = onnx.Mul(%q, %half) : (tensor<2x4x8x16xf32>, tensor<f32>) -> tensor<2x4x8x16xf32>
  %ks = onnx.Mul(%kt, %half) : (tensor<2x4x16x8xf32>, tensor<f32>) -> tensor<2x4x16x8xf32>
  %0 = onnx.MatMul(%qs, %ks) : (tensor<2x4x8x16xf32>, tensor<2x4x16x8xf32>) -> tensor<2x4x8x8xf32>
  %1 = onnx.Softmax(%0) {axis = -1 : i64} : (tensor<2x4x8x8xf32>) -> tensor<2x4x8x8xf32>
  %2 = onnx.MatMul(%1, %v) : (tensor<2x4x8x8xf32>, tensor<2x4x8x32xf32>) -> tensor<2x4x8x32xf32>
  // CHECK: %[[NONE:.+]] = onnx.NoValue
  // CHECK: %[[Y:.+]], %{{.*}}, %{{.*}}, %{{.*}} = onnx.Attention(%[[Q]], %[[K]], %[[V]], %[[NONE]], %[[NONE]], %[[NONE]], %[[NONE]]) {scale = 2.500000e-01 : f32}
  // CHECK: return %[[Y]]
  return %2 : tensor<2x4x8x32xf32>
}

// -----

// Causal by comparing two ranges; the heads of k and v are repeated.
// CHECK-LABEL: func.func @causal_grouped
// CHECK-SAME: (%[[Q:.+]]: tensor<?x4x?x16xf32> {{.*}}, %[[K:.+]]: tensor<?x2x?x16xf32> {{.*}}, %[[V:.+]]: tensor<?x2x?x16xf32>
func.func @causal_grouped(%q: tensor<?x4x?x16xf32> {onnx.dim_params = ["b", "", "s", ""]},
                          %k: tensor<?x2x?x16xf32> {onnx.dim_params = ["b", "", "s", ""]},
                          %v: tensor<?x2x?x16xf32> {onnx.dim_params = ["b", "", "s", ""]}) -> tensor<?x4x?x16xf32> {
  %c0 = onnx.Constant dense<0> : tensor<i64>
  %c1 = onnx.Constant dense<1> : tensor<i64>
  %c2 = onnx.Constant dense<2> : tensor<i64>
  %a0 = onnx.Constant dense<0> : tensor<1xi64>
  %a1 = onnx.Constant dense<1> : tensor<1xi64>
  %a2 = onnx.Constant dense<2> : tensor<1xi64>
  %fill = onnx.Constant dense<-1.0e+09> : tensor<f32>
  %zero = onnx.Constant dense<0.0> : tensor<f32>
  %root = onnx.Constant dense<4.0> : tensor<f32>
  %wide = onnx.Constant dense<[1, 1, 2, 1, 1]> : tensor<5xi64>
  %merged = onnx.Constant dense<[0, 4, -1, 16]> : tensor<4xi64>
  %shape = onnx.Shape(%q) : (tensor<?x4x?x16xf32>) -> tensor<4xi64>
  %s = onnx.Gather(%shape, %c2) : (tensor<4xi64>, tensor<i64>) -> tensor<i64>
  %range = onnx.Range(%c0, %s, %c1) : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  %column = onnx.Unsqueeze(%range, %a0) : (tensor<?xi64>, tensor<1xi64>) -> tensor<1x?xi64>
  %row = onnx.Unsqueeze(%range, %a1) : (tensor<?xi64>, tensor<1xi64>) -> tensor<?x1xi64>
  %future = onnx.Greater(%column, %row) : (tensor<1x?xi64>, tensor<?x1xi64>) -> tensor<?x?xi1>
  %mask = onnx.Where(%future, %fill, %zero) : (tensor<?x?xi1>, tensor<f32>, tensor<f32>) -> tensor<?x?xf32>
  %k5 = onnx.Unsqueeze(%k, %a2) : (tensor<?x2x?x16xf32>, tensor<1xi64>) -> tensor<?x2x1x?x16xf32>
  %v5 = onnx.Unsqueeze(%v, %a2) : (tensor<?x2x?x16xf32>, tensor<1xi64>) -> tensor<?x2x1x?x16xf32>
  %ke = onnx.Expand(%k5, %wide) : (tensor<?x2x1x?x16xf32>, tensor<5xi64>) -> tensor<?x2x2x?x16xf32>
  %ve = onnx.Tile(%v5, %wide) : (tensor<?x2x1x?x16xf32>, tensor<5xi64>) -> tensor<?x2x2x?x16xf32>
  %kr = onnx.Reshape(%ke, %merged) : (tensor<?x2x2x?x16xf32>, tensor<4xi64>) -> tensor<?x4x?x16xf32>
  %vr = onnx.Reshape(%ve, %merged) : (tensor<?x2x2x?x16xf32>, tensor<4xi64>) -> tensor<?x4x?x16xf32>
  %kt = onnx.Transpose(%kr) {perm = array<i64: 0, 1, 3, 2>} : (tensor<?x4x?x16xf32>) -> tensor<?x4x16x?xf32>
  %0 = onnx.MatMul(%q, %kt) : (tensor<?x4x?x16xf32>, tensor<?x4x16x?xf32>) -> tensor<?x4x?x?xf32>
  %1 = onnx.Div(%0, %root) : (tensor<?x4x?x?xf32>, tensor<f32>) -> tensor<?x4x?x?xf32>
  %2 = onnx.Add(%1, %mask) : (tensor<?x4x?x?xf32>, tensor<?x?xf32>) -> tensor<?x4x?x?xf32>
  %3 = onnx.Softmax(%2) {axis = 3 : i64} : (tensor<?x4x?x?xf32>) -> tensor<?x4x?x?xf32>
  %4 = onnx.MatMul(%3, %vr) : (tensor<?x4x?x?xf32>, tensor<?x4x?x16xf32>) -> tensor<?x4x?x16xf32>
  // CHECK: onnx.Attention(%[[Q]], %[[K]], %[[V]], %{{.*}}) {is_causal = 1 : i64, scale = 2.500000e-01 : f32
  // CHECK-NOT: onnx.Range
  return %4 : tensor<?x4x?x16xf32>
}

// -----

// Causal by a table of truth values in the model, as in GPT-2: scores are chosen
// by Where. The mask that is added besides stays.
// CHECK-LABEL: func.func @causal_table
// CHECK-SAME: %[[PAD:[a-z0-9]+]]: tensor<1x1x1x3xf32>)
func.func @causal_table(%q: tensor<1x2x3x4xf32>, %kt: tensor<1x2x4x3xf32>, %v: tensor<1x2x3x4xf32>,
                        %pad: tensor<1x1x1x3xf32>) -> tensor<1x2x3x4xf32> {
  %tril = onnx.Constant dense<[[[[1, 0, 0], [1, 1, 0], [1, 1, 1]]]]> : tensor<1x1x3x3xi1>
  %fill = onnx.Constant dense<-3.40282347E+38> : tensor<f32>
  %0 = onnx.MatMul(%q, %kt) : (tensor<1x2x3x4xf32>, tensor<1x2x4x3xf32>) -> tensor<1x2x3x3xf32>
  %1 = onnx.Where(%tril, %0, %fill) : (tensor<1x1x3x3xi1>, tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xf32>
  %2 = onnx.Add(%1, %pad) : (tensor<1x2x3x3xf32>, tensor<1x1x1x3xf32>) -> tensor<1x2x3x3xf32>
  %3 = onnx.Softmax(%2) {axis = 3 : i64} : (tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %4 = onnx.MatMul(%3, %v) : (tensor<1x2x3x3xf32>, tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  // k is what the scores have transposed.
  // CHECK: %[[K:.+]] = onnx.Transpose(%{{.*}}) {perm = array<i64: 0, 1, 3, 2>}
  // CHECK: onnx.Attention(%{{.*}}, %[[K]], %{{.*}}, %[[PAD]], %{{.*}}) {is_causal = 1 : i64
  return %4 : tensor<1x2x3x4xf32>
}

// -----

// Causal by a triangle of infinities.
// CHECK-LABEL: func.func @causal_triangle
func.func @causal_triangle(%q: tensor<1x2x3x4xf32>, %kt: tensor<1x2x4x3xf32>, %v: tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32> {
  %one = onnx.Constant dense<1> : tensor<i64>
  %full = onnx.Constant dense<0xFF800000> : tensor<3x3xf32>
  %mask = onnx.Trilu(%full, %one) {upper = 1 : i64} : (tensor<3x3xf32>, tensor<i64>) -> tensor<3x3xf32>
  %0 = onnx.MatMul(%q, %kt) : (tensor<1x2x3x4xf32>, tensor<1x2x4x3xf32>) -> tensor<1x2x3x3xf32>
  %1 = onnx.Add(%0, %mask) : (tensor<1x2x3x3xf32>, tensor<3x3xf32>) -> tensor<1x2x3x3xf32>
  %2 = onnx.Softmax(%1) {axis = 3 : i64} : (tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %3 = onnx.MatMul(%2, %v) : (tensor<1x2x3x3xf32>, tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  // CHECK: onnx.Attention({{.*}} {is_causal = 1 : i64
  return %3 : tensor<1x2x3x4xf32>
}

// -----

// A cache: the results take the places of the lists of keys and values.
// CHECK-LABEL: func.func @cache
// CHECK-SAME: %[[PK:[a-z0-9]+]]: tensor<?x2x?x4xf32> {onnx.dim_params = ["b", "", "past", ""]},
// CHECK-SAME: %[[PV:[a-z0-9]+]]: tensor<?x2x?x4xf32> {onnx.dim_params = ["b", "", "past", ""]})
func.func @cache(%q: tensor<?x2x?x4xf32> {onnx.dim_params = ["b", "", "s", ""]},
                 %k: tensor<?x2x?x4xf32> {onnx.dim_params = ["b", "", "s", ""]},
                 %v: tensor<?x2x?x4xf32> {onnx.dim_params = ["b", "", "s", ""]},
                 %mask: tensor<?x1x?x?xf32> {onnx.dim_params = ["b", "", "s", "total"]},
                 %past_k: tensor<?x2x?x4xf32> {onnx.dim_params = ["b", "", "past", ""]},
                 %past_v: tensor<?x2x?x4xf32> {onnx.dim_params = ["b", "", "past", ""]})
    -> (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32> {onnx.dim_params = ["b", "", "total", ""]}, tensor<?x2x?x4xf32>) {
  %ks = onnx.Concat(%past_k, %k) {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  %vs = onnx.Concat(%past_v, %v) {axis = 2 : i64} : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  %kt = onnx.Transpose(%ks) {perm = array<i64: 0, 1, 3, 2>} : (tensor<?x2x?x4xf32>) -> tensor<?x2x4x?xf32>
  %0 = onnx.MatMul(%q, %kt) : (tensor<?x2x?x4xf32>, tensor<?x2x4x?xf32>) -> tensor<?x2x?x?xf32>
  %1 = onnx.Add(%mask, %0) : (tensor<?x1x?x?xf32>, tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %2 = onnx.Softmax(%1) {axis = -1 : i64} : (tensor<?x2x?x?xf32>) -> tensor<?x2x?x?xf32>
  %3 = onnx.MatMul(%2, %vs) : (tensor<?x2x?x?xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  // CHECK: %[[Y:.+]], %[[NK:.+]], %[[NV:.+]], %{{.*}} = onnx.Attention(%{{.*}}, %{{.*}}, %{{.*}}, %{{.*}}, %[[PK]], %[[PV]], %{{.*}}) {scale =
  // CHECK-NOT: onnx.Concat
  // CHECK: return %[[Y]], %[[NK]], %[[NV]]
  return %3, %ks, %vs : tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>
}

// -----

// Scores that Where replaces: the mask becomes an addend.
// CHECK-LABEL: func.func @where_mask
// CHECK-SAME: %[[C:[a-z0-9]+]]: tensor<1x1x3x3xi1>)
func.func @where_mask(%q: tensor<1x2x3x4xf32>, %kt: tensor<1x2x4x3xf32>, %v: tensor<1x2x3x4xf32>, %c: tensor<1x1x3x3xi1>) -> tensor<1x2x3x4xf32> {
  %fill = onnx.Constant dense<0xFF800000> : tensor<f32>
  %0 = onnx.MatMul(%q, %kt) : (tensor<1x2x3x4xf32>, tensor<1x2x4x3xf32>) -> tensor<1x2x3x3xf32>
  %1 = onnx.Where(%c, %fill, %0) : (tensor<1x1x3x3xi1>, tensor<f32>, tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %2 = onnx.Softmax(%1) {axis = -1 : i64} : (tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %3 = onnx.MatMul(%2, %v) : (tensor<1x2x3x3xf32>, tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  // CHECK: %[[M:.+]] = onnx.Where(%[[C]], %{{.*}}, %{{.*}}) : (tensor<1x1x3x3xi1>, tensor<f32>, tensor<f32>) -> tensor<1x1x3x3xf32>
  // CHECK: onnx.Attention(%{{.*}}, %{{.*}}, %{{.*}}, %[[M]], %{{.*}}) {scale =
  return %3 : tensor<1x2x3x4xf32>
}

// -----

// A mask that also hides the present is not causal: it stays an operand.
// CHECK-LABEL: func.func @almost_causal
func.func @almost_causal(%q: tensor<1x2x3x4xf32>, %kt: tensor<1x2x4x3xf32>, %v: tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32> {
  %zero = onnx.Constant dense<0> : tensor<i64>
  %full = onnx.Constant dense<-1.0e+09> : tensor<3x3xf32>
  %mask = onnx.Trilu(%full, %zero) {upper = 1 : i64} : (tensor<3x3xf32>, tensor<i64>) -> tensor<3x3xf32>
  %0 = onnx.MatMul(%q, %kt) : (tensor<1x2x3x4xf32>, tensor<1x2x4x3xf32>) -> tensor<1x2x3x3xf32>
  %1 = onnx.Add(%0, %mask) : (tensor<1x2x3x3xf32>, tensor<3x3xf32>) -> tensor<1x2x3x3xf32>
  %2 = onnx.Softmax(%1) {axis = 3 : i64} : (tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %3 = onnx.MatMul(%2, %v) : (tensor<1x2x3x3xf32>, tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  // CHECK: %[[MASK:.+]] = onnx.Trilu
  // CHECK: onnx.Attention(%{{.*}}, %{{.*}}, %{{.*}}, %[[MASK]], %{{.*}}) {scale =
  return %3 : tensor<1x2x3x4xf32>
}

// -----

// A triangle of small numbers is a bias, not a mask.
// CHECK-LABEL: func.func @bias
func.func @bias(%q: tensor<1x2x3x4xf32>, %kt: tensor<1x2x4x3xf32>, %v: tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32> {
  %one = onnx.Constant dense<1> : tensor<i64>
  %full = onnx.Constant dense<-1.0> : tensor<3x3xf32>
  %mask = onnx.Trilu(%full, %one) {upper = 1 : i64} : (tensor<3x3xf32>, tensor<i64>) -> tensor<3x3xf32>
  %0 = onnx.MatMul(%q, %kt) : (tensor<1x2x3x4xf32>, tensor<1x2x4x3xf32>) -> tensor<1x2x3x3xf32>
  %1 = onnx.Add(%0, %mask) : (tensor<1x2x3x3xf32>, tensor<3x3xf32>) -> tensor<1x2x3x3xf32>
  %2 = onnx.Softmax(%1) {axis = 3 : i64} : (tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %3 = onnx.MatMul(%2, %v) : (tensor<1x2x3x3xf32>, tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  // CHECK: onnx.Attention({{.*}} {scale =
  return %3 : tensor<1x2x3x4xf32>
}

// -----

// The softmax runs over the queries.
// CHECK-LABEL: func.func @no_match_axis
func.func @no_match_axis(%q: tensor<1x2x3x4xf32>, %kt: tensor<1x2x4x3xf32>, %v: tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32> {
  %0 = onnx.MatMul(%q, %kt) : (tensor<1x2x3x4xf32>, tensor<1x2x4x3xf32>) -> tensor<1x2x3x3xf32>
  %1 = onnx.Softmax(%0) {axis = 2 : i64} : (tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  // CHECK-NOT: onnx.Attention
  // CHECK: return
  %2 = onnx.MatMul(%1, %v) : (tensor<1x2x3x3xf32>, tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  return %2 : tensor<1x2x3x4xf32>
}

// -----

// The mask is scaled with the scores.
// CHECK-LABEL: func.func @no_match_scaled_mask
func.func @no_match_scaled_mask(%q: tensor<1x2x3x4xf32>, %kt: tensor<1x2x4x3xf32>, %v: tensor<1x2x3x4xf32>, %m: tensor<3x3xf32>) -> tensor<1x2x3x4xf32> {
  %half = onnx.Constant dense<0.5> : tensor<f32>
  %0 = onnx.MatMul(%q, %kt) : (tensor<1x2x3x4xf32>, tensor<1x2x4x3xf32>) -> tensor<1x2x3x3xf32>
  %1 = onnx.Add(%0, %m) : (tensor<1x2x3x3xf32>, tensor<3x3xf32>) -> tensor<1x2x3x3xf32>
  %2 = onnx.Mul(%1, %half) : (tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xf32>
  %3 = onnx.Softmax(%2) {axis = 3 : i64} : (tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  // CHECK-NOT: onnx.Attention
  // CHECK: return
  %4 = onnx.MatMul(%3, %v) : (tensor<1x2x3x3xf32>, tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  return %4 : tensor<1x2x3x4xf32>
}

// -----

// The probabilities are a result, too.
// CHECK-LABEL: func.func @no_match_second_use
func.func @no_match_second_use(%q: tensor<1x2x3x4xf32>, %kt: tensor<1x2x4x3xf32>, %v: tensor<1x2x3x4xf32>) -> (tensor<1x2x3x4xf32>, tensor<1x2x3x3xf32>) {
  %0 = onnx.MatMul(%q, %kt) : (tensor<1x2x3x4xf32>, tensor<1x2x4x3xf32>) -> tensor<1x2x3x3xf32>
  %1 = onnx.Softmax(%0) {axis = 3 : i64} : (tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  // CHECK-NOT: onnx.Attention
  // CHECK: return
  %2 = onnx.MatMul(%1, %v) : (tensor<1x2x3x3xf32>, tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  return %2, %1 : tensor<1x2x3x4xf32>, tensor<1x2x3x3xf32>
}

// -----

// Nothing says that the mask is as long as the keys: were it 1 long, ONNX's op
// would pad it where Add repeats it.
// CHECK-LABEL: func.func @no_match_mask_length
func.func @no_match_mask_length(%q: tensor<1x2x?x4xf32> {onnx.dim_params = ["", "", "s", ""]},
                                %kt: tensor<1x2x4x?xf32> {onnx.dim_params = ["", "", "", "s"]},
                                %v: tensor<1x2x?x4xf32> {onnx.dim_params = ["", "", "s", ""]},
                                %m: tensor<1x1x1x?xf32> {onnx.dim_params = ["", "", "", "t"]}) -> tensor<1x2x?x4xf32> {
  %0 = onnx.MatMul(%q, %kt) : (tensor<1x2x?x4xf32>, tensor<1x2x4x?xf32>) -> tensor<1x2x?x?xf32>
  %1 = onnx.Add(%0, %m) : (tensor<1x2x?x?xf32>, tensor<1x1x1x?xf32>) -> tensor<1x2x?x?xf32>
  %2 = onnx.Softmax(%1) {axis = 3 : i64} : (tensor<1x2x?x?xf32>) -> tensor<1x2x?x?xf32>
  // CHECK-NOT: onnx.Attention
  // CHECK: return
  %3 = onnx.MatMul(%2, %v) : (tensor<1x2x?x?xf32>, tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32>
  return %3 : tensor<1x2x?x4xf32>
}

// -----

// Scores are replaced by a number that is not large enough to be added instead.
// CHECK-LABEL: func.func @no_match_fill
func.func @no_match_fill(%q: tensor<1x2x3x4xf32>, %kt: tensor<1x2x4x3xf32>, %v: tensor<1x2x3x4xf32>, %c: tensor<1x1x3x3xi1>) -> tensor<1x2x3x4xf32> {
  %fill = onnx.Constant dense<-1.0e+04> : tensor<f32>
  %0 = onnx.MatMul(%q, %kt) : (tensor<1x2x3x4xf32>, tensor<1x2x4x3xf32>) -> tensor<1x2x3x3xf32>
  %1 = onnx.Where(%c, %0, %fill) : (tensor<1x1x3x3xi1>, tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xf32>
  %2 = onnx.Softmax(%1) {axis = -1 : i64} : (tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  // CHECK-NOT: onnx.Attention
  // CHECK: return
  %3 = onnx.MatMul(%2, %v) : (tensor<1x2x3x3xf32>, tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  return %3 : tensor<1x2x3x4xf32>
}

// -----

// GPT-2: rows and columns of a table are cut to the length of the sequence,
// which the model can only be run with if the table is as long.
// CHECK-LABEL: func.func @cut_table
func.func @cut_table(%q: tensor<1x2x?x4xf32> {onnx.dim_params = ["", "", "s", ""]},
                     %kt: tensor<1x2x4x?xf32> {onnx.dim_params = ["", "", "", "s"]},
                     %v: tensor<1x2x?x4xf32> {onnx.dim_params = ["", "", "s", ""]}) -> tensor<1x2x?x4xf32> {
  %tril = onnx.Constant dense<[[[[1, 0, 0], [1, 1, 0], [1, 1, 1]]]]> : tensor<1x1x3x3xi1>
  %fill = onnx.Constant dense<-3.40282347E+38> : tensor<f32>
  %zero = onnx.Constant dense<0> : tensor<1xi64>
  %one = onnx.Constant dense<1> : tensor<1xi64>
  %two = onnx.Constant dense<2> : tensor<1xi64>
  %three = onnx.Constant dense<3> : tensor<1xi64>
  %s = onnx.Shape(%q) {start = 2 : i64, end = 3 : i64} : (tensor<1x2x?x4xf32>) -> tensor<1xi64>
  %rows = onnx.Slice(%tril, %zero, %s, %two, %one)
      : (tensor<1x1x3x3xi1>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<1x1x?x3xi1>
  %cut = onnx.Slice(%rows, %zero, %s, %three, %one)
      : (tensor<1x1x?x3xi1>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<1x1x?x?xi1>
  %0 = onnx.MatMul(%q, %kt) : (tensor<1x2x?x4xf32>, tensor<1x2x4x?xf32>) -> tensor<1x2x?x?xf32>
  %1 = onnx.Where(%cut, %0, %fill) : (tensor<1x1x?x?xi1>, tensor<1x2x?x?xf32>, tensor<f32>) -> tensor<1x2x?x?xf32>
  %2 = onnx.Softmax(%1) {axis = -1 : i64} : (tensor<1x2x?x?xf32>) -> tensor<1x2x?x?xf32>
  %3 = onnx.MatMul(%2, %v) : (tensor<1x2x?x?xf32>, tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32>
  // CHECK: onnx.Attention({{.*}} {is_causal = 1 : i64
  return %3 : tensor<1x2x?x4xf32>
}

// -----

// Only the rows are cut: the mask may still be longer than the keys.
// CHECK-LABEL: func.func @no_match_half_cut
func.func @no_match_half_cut(%q: tensor<1x2x?x4xf32> {onnx.dim_params = ["", "", "s", ""]},
                             %kt: tensor<1x2x4x?xf32> {onnx.dim_params = ["", "", "", "s"]},
                             %v: tensor<1x2x?x4xf32> {onnx.dim_params = ["", "", "s", ""]}) -> tensor<1x2x?x4xf32> {
  %tril = onnx.Constant dense<[[[[1, 0, 0], [1, 1, 0], [1, 1, 1]]]]> : tensor<1x1x3x3xi1>
  %fill = onnx.Constant dense<-3.40282347E+38> : tensor<f32>
  %zero = onnx.Constant dense<0> : tensor<1xi64>
  %one = onnx.Constant dense<1> : tensor<1xi64>
  %two = onnx.Constant dense<2> : tensor<1xi64>
  %s = onnx.Shape(%q) {start = 2 : i64, end = 3 : i64} : (tensor<1x2x?x4xf32>) -> tensor<1xi64>
  %cut = onnx.Slice(%tril, %zero, %s, %two, %one)
      : (tensor<1x1x3x3xi1>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<1x1x?x3xi1>
  %0 = onnx.MatMul(%q, %kt) : (tensor<1x2x?x4xf32>, tensor<1x2x4x?xf32>) -> tensor<1x2x?x?xf32>
  %1 = onnx.Where(%cut, %0, %fill) : (tensor<1x1x?x3xi1>, tensor<1x2x?x?xf32>, tensor<f32>) -> tensor<1x2x?x?xf32>
  %2 = onnx.Softmax(%1) {axis = -1 : i64} : (tensor<1x2x?x?xf32>) -> tensor<1x2x?x?xf32>
  // CHECK-NOT: onnx.Attention
  // CHECK: return
  %3 = onnx.MatMul(%2, %v) : (tensor<1x2x?x?xf32>, tensor<1x2x?x4xf32>) -> tensor<1x2x?x4xf32>
  return %3 : tensor<1x2x?x4xf32>
}

// -----

// Hugging Face: a triangle of the least number, times the comparison of ranges.
// CHECK-LABEL: func.func @causal_product
func.func @causal_product(%q: tensor<1x2x3x4xf32>, %kt: tensor<1x2x4x3xf32>, %v: tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32> {
  %c0 = onnx.Constant dense<0> : tensor<i64>
  %c1 = onnx.Constant dense<1> : tensor<i64>
  %c3 = onnx.Constant dense<3> : tensor<i64>
  %a1 = onnx.Constant dense<1> : tensor<1xi64>
  %full = onnx.Constant dense<-3.40282347E+38> : tensor<3x3xf32>
  %triangle = onnx.Trilu(%full, %c1) {upper = 1 : i64} : (tensor<3x3xf32>, tensor<i64>) -> tensor<3x3xf32>
  %range = onnx.Range(%c0, %c3, %c1) : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<3xi64>
  %row = onnx.Unsqueeze(%range, %a1) : (tensor<3xi64>, tensor<1xi64>) -> tensor<3x1xi64>
  %future = onnx.Greater(%range, %row) : (tensor<3xi64>, tensor<3x1xi64>) -> tensor<3x3xi1>
  %cast = onnx.Cast(%future) {to = f32} : (tensor<3x3xi1>) -> tensor<3x3xf32>
  %mask = onnx.Mul(%triangle, %cast) : (tensor<3x3xf32>, tensor<3x3xf32>) -> tensor<3x3xf32>
  %0 = onnx.MatMul(%q, %kt) : (tensor<1x2x3x4xf32>, tensor<1x2x4x3xf32>) -> tensor<1x2x3x3xf32>
  %1 = onnx.Add(%0, %mask) : (tensor<1x2x3x3xf32>, tensor<3x3xf32>) -> tensor<1x2x3x3xf32>
  %2 = onnx.Softmax(%1) {axis = 3 : i64} : (tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %3 = onnx.MatMul(%2, %v) : (tensor<1x2x3x3xf32>, tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  // CHECK: onnx.Attention({{.*}} {is_causal = 1 : i64
  return %3 : tensor<1x2x3x4xf32>
}
