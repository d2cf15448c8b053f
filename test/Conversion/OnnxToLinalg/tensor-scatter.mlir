// RUN: quant-opt %s -split-input-file --convert-onnx-to-linalg=keep-attention --canonicalize --cse | FileCheck %s

// One length for all: one append, behind a check that it fits. Attention reads the
// first rows of the caches and the first columns of the mask.
// CHECK-LABEL: @one_length
// CHECK-SAME: %[[CACHE:[a-z0-9]+]]: tensor<?x2x?x16xf32>
// CHECK: %[[PAST:.+]] = arith.index_cast %{{.+}} : i64 to index
// CHECK: cf.assert %{{.+}}, "onnx.TensorScatter: the cache has no room for the new rows behind the past ones"
// CHECK-NEXT: %[[KEYS:.+]] = lowbit.cache_append %{{.+}} to %[[CACHE]][%c0, %[[PAST]]] {axis = 2 : i64}
// CHECK: cf.assert %{{.+}}, "onnx.Attention: nonpad_kv_seqlen is not in the range of the keys"
// CHECK: %[[VIEW:.+]] = tensor.extract_slice %[[KEYS]][0, 0, 0, 0] [%{{.+}}, 2, %[[LENGTH:.+]], 16]
// CHECK: cf.assert %{{.+}}, "onnx.Attention: the mask has fewer columns than there are keys"
// CHECK: tensor.extract_slice %{{.+}}[0, 0, 0, 0] [1, 1, 1, %[[LENGTH]]]
// CHECK: %[[BEFORE:.+]] = arith.subi %[[LENGTH]], %{{.+}}
// CHECK: lowbit.attention ins({{.+}}) key(%[[VIEW]] : {{.+}}) value(%[[VIEW]] : {{.+}}) mask({{.+}}) causal(%[[BEFORE]])
func.func @one_length(%cache: tensor<?x2x?x16xf32>, %q: tensor<?x8x?x16xf32>, %k: tensor<?x2x?x16xf32>,
                      %mask: tensor<1x1x1x?xf32>, %past: tensor<i64>, %length: tensor<i64>, %batch: tensor<1xi64>)
    -> (tensor<?x8x?x16xf32>, tensor<?x2x?x16xf32>) {
  %none = onnx.NoValue
  %starts = onnx.Expand(%past, %batch) : (tensor<i64>, tensor<1xi64>) -> tensor<?xi64>
  %lengths = onnx.Expand(%length, %batch) : (tensor<i64>, tensor<1xi64>) -> tensor<?xi64>
  %0 = onnx.TensorScatter(%cache, %k, %starts) {axis = 2 : i64} : (tensor<?x2x?x16xf32>, tensor<?x2x?x16xf32>, tensor<?xi64>) -> tensor<?x2x?x16xf32>
  %y, %1, %2, %3 = onnx.Attention(%q, %0, %0, %mask, %none, %none, %lengths) {is_causal = 1 : i64}
      : (tensor<?x8x?x16xf32>, tensor<?x2x?x16xf32>, tensor<?x2x?x16xf32>, tensor<1x1x1x?xf32>, none, none, tensor<?xi64>)
      -> (tensor<?x8x?x16xf32>, none, none, none)
  return %y, %0 : tensor<?x8x?x16xf32>, tensor<?x2x?x16xf32>
}

// -----

// A length for each sequence.
// CHECK-LABEL: @lengths
// CHECK: scf.for %[[BATCH:.+]] = %c0 to %c2 step %c1 iter_args(%[[CACHE:.+]] = %{{.+}})
// CHECK: %[[START:.+]] = tensor.extract %{{.+}}[%[[BATCH]]]
// CHECK: cf.assert
// CHECK: lowbit.cache_append %{{.+}} to %[[CACHE]][%[[BATCH]], %{{.+}}] {axis = 1 : i64} : tensor<1x3x4xf32> to tensor<2x8x4xf32>
func.func @lengths(%cache: tensor<2x8x4xf32>, %rows: tensor<2x3x4xf32>, %starts: tensor<2xi64>) -> tensor<2x8x4xf32> {
  %0 = onnx.TensorScatter(%cache, %rows, %starts) : (tensor<2x8x4xf32>, tensor<2x3x4xf32>, tensor<2xi64>) -> tensor<2x8x4xf32>
  return %0 : tensor<2x8x4xf32>
}

// -----

// CHECK-LABEL: @circular
// CHECK: arith.remsi
// CHECK: tensor.insert
func.func @circular(%cache: tensor<2x8x4xf32>, %rows: tensor<2x3x4xf32>, %starts: tensor<2xi64>) -> tensor<2x8x4xf32> {
  %0 = onnx.TensorScatter(%cache, %rows, %starts) {mode = "circular"} : (tensor<2x8x4xf32>, tensor<2x3x4xf32>, tensor<2xi64>) -> tensor<2x8x4xf32>
  return %0 : tensor<2x8x4xf32>
}

// -----

// CHECK-LABEL: @prefill
// CHECK-NOT: cf.assert
// CHECK: lowbit.cache_append %{{.+}} to %{{.+}}[%c0, %c0] {axis = 1 : i64}
func.func @prefill(%cache: tensor<2x8x4xf32>, %rows: tensor<2x3x4xf32>) -> tensor<2x8x4xf32> {
  %none = onnx.NoValue
  %0 = onnx.TensorScatter(%cache, %rows, %none) : (tensor<2x8x4xf32>, tensor<2x3x4xf32>, none) -> tensor<2x8x4xf32>
  return %0 : tensor<2x8x4xf32>
}

// -----

// Of a cache that is dequantized, attention reads the first rows of the components.
// CHECK-LABEL: @quantized
// CHECK-SAME: %[[CODES:[a-z0-9]+]]: tensor<1x2x?x16xi8>, %[[SCALES:[a-z0-9]+]]: tensor<1x2x?x1xf16>
// CHECK-NOT: lowbit.dequantize
// CHECK-DAG: %[[C:.+]] = tensor.extract_slice %[[CODES]][0, 0, 0, 0] [1, 2, %[[LENGTH:.+]], 16]
// CHECK-DAG: %[[S:.+]] = tensor.extract_slice %[[SCALES]][0, 0, 0, 0] [1, 2, %[[LENGTH]], 1]
// CHECK: lowbit.attention ins({{.+}}) key(%[[C]], %[[S]] : {{.+}} as !lowbit.tensor<1x2x?x16xf32, #{{.+}}) value(%[[C]], %[[S]] : {{.+}} as
func.func @quantized(%codes: tensor<1x2x?x16xi8>, %scales: tensor<1x2x?x1xf16>, %q: tensor<1x8x?x16xf32>, %length: tensor<1xi64>)
    -> tensor<1x8x?x16xf32> {
  %none = onnx.NoValue
  %cache = lowbit.assemble %codes, %scales : (tensor<1x2x?x16xi8>, tensor<1x2x?x1xf16>)
      -> !lowbit.tensor<1x2x?x16xf32, #lowbit.uniform<s8, group = [1, *], scale = f16, zero = none>>
  %k = lowbit.dequantize %cache
      : !lowbit.tensor<1x2x?x16xf32, #lowbit.uniform<s8, group = [1, *], scale = f16, zero = none>> -> tensor<1x2x?x16xf32>
  %y, %1, %2, %3 = onnx.Attention(%q, %k, %k, %none, %none, %none, %length) {is_causal = 1 : i64}
      : (tensor<1x8x?x16xf32>, tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>, none, none, none, tensor<1xi64>)
      -> (tensor<1x8x?x16xf32>, none, none, none)
  return %y : tensor<1x8x?x16xf32>
}

// What kernels cannot read is dequantized: groups of 8.
// CHECK-LABEL: @narrow_groups
// CHECK: %[[K:.+]] = lowbit.dequantize
// CHECK: lowbit.attention ins({{.+}}) key(%[[K]] : {{.+}}) value(%[[K]] : {{.+}})
func.func @narrow_groups(%codes: tensor<1x2x?x16xi8>, %scales: tensor<1x2x?x2xf16>, %q: tensor<1x8x?x16xf32>)
    -> tensor<1x8x?x16xf32> {
  %none = onnx.NoValue
  %cache = lowbit.assemble %codes, %scales : (tensor<1x2x?x16xi8>, tensor<1x2x?x2xf16>)
      -> !lowbit.tensor<1x2x?x16xf32, #lowbit.uniform<s8, group = [1, 8], scale = f16, zero = none>>
  %k = lowbit.dequantize %cache
      : !lowbit.tensor<1x2x?x16xf32, #lowbit.uniform<s8, group = [1, 8], scale = f16, zero = none>> -> tensor<1x2x?x16xf32>
  %y, %1, %2, %3 = onnx.Attention(%q, %k, %k, %none, %none, %none, %none) {is_causal = 1 : i64}
      : (tensor<1x8x?x16xf32>, tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>, none, none, none, none)
      -> (tensor<1x8x?x16xf32>, none, none, none)
  return %y : tensor<1x8x?x16xf32>
}
