// RUN: quant-opt %s --onnx-update-kv-cache-in-place -split-input-file -verify-diagnostics | FileCheck %s

// A step of a decoder. The mask is as long as past and new tokens together, and
// one position is computed from the length of the past.
// CHECK-LABEL: func.func @step
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<?x8x?x16xf32>
// CHECK-SAME: %[[K:[a-z0-9]+]]: tensor<?x2x?x16xf32>
// CHECK-SAME: %[[V:[a-z0-9]+]]: tensor<?x2x?x32xf32>
// CHECK-SAME: %[[MASK:[a-z0-9]+]]: tensor<?x1x1x?xf32> {onnx.dim_params = ["b", "", "", "total"]}
// CHECK-SAME: %[[PAST_K:[a-z0-9]+]]: tensor<?x2x?x16xf32> {onnx.dim_params = ["b", "", "capacity", ""], onnx.name = "past.key"}
// CHECK-SAME: %[[PAST_V:[a-z0-9]+]]: tensor<?x2x?x32xf32> {onnx.dim_params = ["b", "", "capacity", ""], onnx.name = "past.value"}
// CHECK-SAME: %[[LENGTH:[a-z0-9]+]]: tensor<i64> {onnx.dim_value = "past_length", onnx.name = "past_length"}
// CHECK-SAME: -> (tensor<?x8x?x32xf32> {onnx.name = "y"}
// CHECK-SAME: tensor<?x2x?x16xf32> {lowbit.updates = 4 : i64, onnx.dim_params = ["b", "", "capacity", ""], onnx.name = "present.key"}
// CHECK-SAME: tensor<?x2x?x32xf32> {lowbit.updates = 5 : i64, onnx.dim_params = ["b", "", "capacity", ""]
// CHECK-SAME: tensor<1xi64>)
func.func @step(%q: tensor<?x8x?x16xf32> {onnx.dim_params = ["b", "", "s", ""]},
                %k: tensor<?x2x?x16xf32> {onnx.dim_params = ["b", "", "s", ""]},
                %v: tensor<?x2x?x32xf32> {onnx.dim_params = ["b", "", "s", ""]},
                %mask: tensor<?x1x1x?xf32> {onnx.dim_params = ["b", "", "", "total"]},
                %past_k: tensor<?x2x?x16xf32> {onnx.dim_params = ["b", "", "past", ""], onnx.name = "past.key"},
                %past_v: tensor<?x2x?x32xf32> {onnx.dim_params = ["b", "", "past", ""], onnx.name = "past.value"})
    -> (tensor<?x8x?x32xf32> {onnx.name = "y"},
        tensor<?x2x?x16xf32> {onnx.dim_params = ["b", "", "total", ""], onnx.name = "present.key"},
        tensor<?x2x?x32xf32>, tensor<1xi64>) {
  // CHECK-DAG: %[[NONE:.+]] = onnx.NoValue
  // CHECK-DAG: %[[ONE:.+]] = onnx.Unsqueeze(%[[LENGTH]], %{{.+}}) : (tensor<i64>, tensor<1xi64>) -> tensor<1xi64>
  // CHECK-DAG: %[[NEW:.+]] = onnx.Shape(%[[Q]]) {end = 3 : i64, start = 2 : i64}
  // CHECK: %[[TOTAL:.+]] = onnx.Add(%[[ONE]], %[[NEW]])
  // CHECK: %[[BATCH:.+]] = onnx.Shape(%[[PAST_K]]) {end = 1 : i64}
  // CHECK: %[[STARTS:.+]] = onnx.Expand(%[[ONE]], %[[BATCH]]) : (tensor<1xi64>, tensor<1xi64>) -> tensor<?xi64>
  // CHECK: %[[LENGTHS:.+]] = onnx.Expand(%[[TOTAL]], %[[BATCH]]) : (tensor<1xi64>, tensor<1xi64>) -> tensor<?xi64>
  // CHECK: %[[CUT:.+]] = onnx.Slice(%[[MASK]], %{{.+}}, %[[TOTAL]], %{{.+}}, %[[NONE]])
  %none = onnx.NoValue
  %position = onnx.Shape(%past_k) {start = 2 : i64, end = 3 : i64} : (tensor<?x2x?x16xf32>) -> tensor<1xi64>
  // CHECK: %[[KEYS:.+]] = onnx.TensorScatter(%[[PAST_K]], %[[K]], %[[STARTS]]) {axis = 2 : i64}
  // CHECK: %[[VALUES:.+]] = onnx.TensorScatter(%[[PAST_V]], %[[V]], %[[STARTS]]) {axis = 2 : i64}
  // CHECK: %[[Y:[^,]+]], %{{.+}} = onnx.Attention(%[[Q]], %[[KEYS]], %[[VALUES]], %[[CUT]], %[[NONE]], %[[NONE]], %[[LENGTHS]])
  // CHECK-SAME: {scale = 2.500000e-01 : f32}
  %y, %key, %value, %scores = onnx.Attention(%q, %k, %v, %mask, %past_k, %past_v, %none) {scale = 2.5e-01 : f32}
      : (tensor<?x8x?x16xf32>, tensor<?x2x?x16xf32>, tensor<?x2x?x32xf32>, tensor<?x1x1x?xf32>,
         tensor<?x2x?x16xf32>, tensor<?x2x?x32xf32>, none)
      -> (tensor<?x8x?x32xf32>, tensor<?x2x?x16xf32>, tensor<?x2x?x32xf32>, none)
  // CHECK: return %[[Y]], %[[KEYS]], %[[VALUES]], %[[ONE]]
  return %y, %key, %value, %position
      : tensor<?x8x?x32xf32>, tensor<?x2x?x16xf32>, tensor<?x2x?x32xf32>, tensor<1xi64>
}

// -----

// Whatever reads the past and the new rows reads the first rows of the cache.
// Of the shapes, the other dimensions stay.
// CHECK-LABEL: func.func @concat
// CHECK-SAME: %[[NEW:[a-z0-9]+]]: tensor<1x2x3x16xf32>, %[[PAST:[a-z0-9]+]]: tensor<1x2x?x16xf32>
// CHECK: %[[ONE:.+]] = onnx.Unsqueeze
// CHECK: %[[THREE:.+]] = onnx.Constant dense<3> : tensor<1xi64>
// CHECK: %[[TOTAL:.+]] = onnx.Add(%[[ONE]], %[[THREE]])
// CHECK: %[[CACHE:.+]] = onnx.TensorScatter(%[[PAST]], %[[NEW]], %{{.+}}) {axis = 2 : i64}
// CHECK: %[[ROWS:.+]] = onnx.Slice(%[[CACHE]], %{{.+}}, %[[TOTAL]], %{{.+}}, %{{.+}})
// CHECK: %[[LEFT:.+]] = onnx.Shape(%{{.+}}) {end = 2 : i64
// CHECK: %[[RIGHT:.+]] = onnx.Shape(%{{.+}}) {end = 4 : i64, start = 3 : i64}
// CHECK: %[[SHAPE:.+]] = onnx.Concat(%[[LEFT]], %[[TOTAL]], %[[RIGHT]])
// CHECK: %[[Y:.+]] = onnx.Relu(%[[ROWS]])
// CHECK: return %[[CACHE]], %[[Y]], %[[SHAPE]]
func.func @concat(%new: tensor<1x2x3x16xf32>, %past: tensor<1x2x?x16xf32>)
    -> (tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>, tensor<4xi64>) {
  %present = onnx.Concat(%past, %new) {axis = -2 : i64} : (tensor<1x2x?x16xf32>, tensor<1x2x3x16xf32>) -> tensor<1x2x?x16xf32>
  %shape = onnx.Shape(%present) : (tensor<1x2x?x16xf32>) -> tensor<4xi64>
  %y = onnx.Relu(%present) : (tensor<1x2x?x16xf32>) -> tensor<1x2x?x16xf32>
  return %present, %y, %shape : tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>, tensor<4xi64>
}

// -----

// CHECK-LABEL: func.func @read_elsewhere
// CHECK-NOT: past_length
// CHECK: onnx.Concat
func.func @read_elsewhere(
    // expected-remark @below {{cache 'k' is not updated in place: it is also used by onnx.Relu}}
    %past: tensor<1x2x?x16xf32> {onnx.name = "k"}, %new: tensor<1x2x3x16xf32>)
    -> (tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>) {
  %present = onnx.Concat(%past, %new) {axis = 2 : i64} : (tensor<1x2x?x16xf32>, tensor<1x2x3x16xf32>) -> tensor<1x2x?x16xf32>
  %y = onnx.Relu(%past) : (tensor<1x2x?x16xf32>) -> tensor<1x2x?x16xf32>
  return %present, %y : tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>
}

// -----

// CHECK-LABEL: func.func @returned_twice
// CHECK: onnx.Concat
func.func @returned_twice(
    // expected-remark @below {{cache in argument 0 is not updated in place: with the new rows behind it, it must be one result of the model, and is 2}}
    %past: tensor<1x2x?x16xf32>, %new: tensor<1x2x3x16xf32>) -> (tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>) {
  %present = onnx.Concat(%past, %new) {axis = 2 : i64} : (tensor<1x2x?x16xf32>, tensor<1x2x3x16xf32>) -> tensor<1x2x?x16xf32>
  return %present, %present : tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>
}

// -----

// CHECK-LABEL: func.func @of_one_length
// CHECK: onnx.Concat
func.func @of_one_length(
    // expected-remark @below {{it is no tensor [batch, heads, length, size] of any length}}
    %past: tensor<1x2x5x16xf32>, %new: tensor<1x2x3x16xf32>) -> tensor<1x2x8x16xf32> {
  %present = onnx.Concat(%past, %new) {axis = 2 : i64} : (tensor<1x2x5x16xf32>, tensor<1x2x3x16xf32>) -> tensor<1x2x8x16xf32>
  return %present : tensor<1x2x8x16xf32>
}

// -----

// The caches of one function grow together.
// CHECK-LABEL: func.func @another_length
// CHECK: onnx.TensorScatter
// CHECK-NOT: onnx.TensorScatter
func.func @another_length(
    %a: tensor<1x2x?x16xf32> {onnx.dim_params = ["", "", "past", ""], onnx.name = "a"},
    // expected-remark @below {{cache 'b' is not updated in place: it is not as long as the other caches}}
    %b: tensor<1x2x?x16xf32> {onnx.dim_params = ["", "", "other", ""], onnx.name = "b"},
    %new: tensor<1x2x3x16xf32>) -> (tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>) {
  %0 = onnx.Concat(%a, %new) {axis = 2 : i64} : (tensor<1x2x?x16xf32>, tensor<1x2x3x16xf32>) -> tensor<1x2x?x16xf32>
  %1 = onnx.Concat(%b, %new) {axis = 2 : i64} : (tensor<1x2x?x16xf32>, tensor<1x2x3x16xf32>) -> tensor<1x2x?x16xf32>
  return %0, %1 : tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>
}

// -----

// CHECK-LABEL: func.func @has_the_name
// CHECK: onnx.Concat
func.func @has_the_name(
    // expected-remark @below {{the model has an input 'past_length' already}}
    %past: tensor<1x2x?x16xf32>, %new: tensor<1x2x3x16xf32>, %other: tensor<4xf32> {onnx.name = "past_length"})
    -> tensor<1x2x?x16xf32> {
  %present = onnx.Concat(%past, %new) {axis = 2 : i64} : (tensor<1x2x?x16xf32>, tensor<1x2x3x16xf32>) -> tensor<1x2x?x16xf32>
  return %present : tensor<1x2x?x16xf32>
}

// -----

// A second run of the pass finds nothing left to do, and neither does it in what
// is no decoder.
// CHECK-LABEL: func.func @done
// CHECK-NOT: past_length
func.func @done(%cache: tensor<1x2x?x16xf32>, %new: tensor<1x2x3x16xf32>)
    -> (tensor<1x2x?x16xf32> {lowbit.updates = 0 : i64}) {
  %none = onnx.NoValue
  %0 = onnx.TensorScatter(%cache, %new, %none) : (tensor<1x2x?x16xf32>, tensor<1x2x3x16xf32>, none) -> tensor<1x2x?x16xf32>
  return %0 : tensor<1x2x?x16xf32>
}
