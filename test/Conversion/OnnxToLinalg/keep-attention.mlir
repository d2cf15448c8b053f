// RUN: quant-opt %s -split-input-file --convert-onnx-to-linalg=keep-attention --canonicalize --cse | FileCheck %s

// No tensor of scores. The cache is appended to; a causal mask starts after it.
// CHECK-LABEL: @cache
// CHECK-SAME: %[[PAST:[a-z0-9]+]]: tensor<1x2x?x16xf32>
// CHECK: %[[LENGTH:.+]] = tensor.dim %[[PAST]], %c2
// CHECK: %[[KEYS:.+]] = tensor.insert_slice %{{.+}} : tensor<1x2x?x16xf32> into tensor<1x2x?x16xf32>
// CHECK-NOT: tensor<1x8x?x?xf32>
// CHECK: lowbit.attention ins(%{{.+}} : tensor<1x8x?x16xf32>) key(%{{.+}} : tensor<1x2x?x16xf32>) value(%{{.+}} : tensor<1x2x?x16xf32>)
// CHECK-SAME: causal(%[[LENGTH]]) outs(%{{.+}} : tensor<1x8x?x16xf32>) {scale = 2.500000e-01 : f32}
// CHECK-NOT: math.exp
func.func @cache(%past_k: tensor<1x2x?x16xf32>, %past_v: tensor<1x2x?x16xf32>,
                 %q: tensor<1x8x?x16xf32>, %k: tensor<1x2x?x16xf32>, %v: tensor<1x2x?x16xf32>)
    -> (tensor<1x8x?x16xf32>, tensor<1x2x?x16xf32>) {
  %none = onnx.NoValue
  %0, %1, %2, %3 = onnx.Attention(%q, %k, %v, %none, %past_k, %past_v, %none) {is_causal = 1 : i64}
      : (tensor<1x8x?x16xf32>, tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>, none,
         tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>, none)
      -> (tensor<1x8x?x16xf32>, tensor<1x2x?x16xf32>, none, none)
  return %0, %1 : tensor<1x8x?x16xf32>, tensor<1x2x?x16xf32>
}

// -----

// Bits become bytes, and the mask gets the four dimensions of the scores.
// CHECK-LABEL: @bits
// CHECK: arith.extui %{{.+}} : i1 to i8
// CHECK: %[[MASK:.+]] = tensor.expand_shape %{{.+}} : tensor<4x6xi8> into tensor<1x1x4x6xi8>
// CHECK: lowbit.attention ins({{.+}}) mask(%[[MASK]] : tensor<1x1x4x6xi8>)
// CHECK-SAME: {scale = 5.000000e-01 : f32, softcap = 2.000000e+00 : f32}
func.func @bits(%q: tensor<1x2x4x16xf32>, %k: tensor<1x2x6x16xf32>, %v: tensor<1x2x6x16xf32>, %m: tensor<4x6xi1>) -> tensor<1x2x4x16xf32> {
  %none = onnx.NoValue
  %0, %1, %2, %3 = onnx.Attention(%q, %k, %v, %m, %none, %none, %none) {scale = 0.5 : f32, softcap = 2.0 : f32}
      : (tensor<1x2x4x16xf32>, tensor<1x2x6x16xf32>, tensor<1x2x6x16xf32>, tensor<4x6xi1>, none, none, none)
      -> (tensor<1x2x4x16xf32>, none, none, none)
  return %0 : tensor<1x2x4x16xf32>
}

// -----

// Packed heads are split and merged around it.
// CHECK-LABEL: @packed
// CHECK: linalg.transpose
// CHECK: lowbit.attention ins({{.+}} : tensor<1x4x3x16xf32>) key({{.+}} : tensor<1x2x5x16xf32>) value({{.+}} : tensor<1x2x5x16xf32>) mask(%{{.+}} : tensor<1x1x1x5xf32>)
// CHECK: linalg.transpose
func.func @packed(%q: tensor<1x3x64xf32>, %k: tensor<1x5x32xf32>, %v: tensor<1x5x32xf32>, %m: tensor<1x1x1x5xf32>) -> tensor<1x3x64xf32> {
  %none = onnx.NoValue
  %0, %1, %2, %3 = onnx.Attention(%q, %k, %v, %m, %none, %none, %none) {q_num_heads = 4 : i64, kv_num_heads = 2 : i64}
      : (tensor<1x3x64xf32>, tensor<1x5x32xf32>, tensor<1x5x32xf32>, tensor<1x1x1x5xf32>, none, none, none)
      -> (tensor<1x3x64xf32>, none, none, none)
  return %0 : tensor<1x3x64xf32>
}

// -----

// What no kernel computes: scores that the model wants to see, halves.
// CHECK-LABEL: @scores
// CHECK-NOT: lowbit.attention
// CHECK: math.exp
func.func @scores(%q: tensor<1x2x4x16xf32>, %k: tensor<1x2x4x16xf32>, %v: tensor<1x2x4x16xf32>) -> tensor<1x2x4x4xf32> {
  %none = onnx.NoValue
  %0, %1, %2, %3 = onnx.Attention(%q, %k, %v, %none, %none, %none, %none) {qk_matmul_output_mode = 3 : i64}
      : (tensor<1x2x4x16xf32>, tensor<1x2x4x16xf32>, tensor<1x2x4x16xf32>, none, none, none, none)
      -> (tensor<1x2x4x16xf32>, none, none, tensor<1x2x4x4xf32>)
  return %3 : tensor<1x2x4x4xf32>
}

// CHECK-LABEL: @halves
// CHECK-NOT: lowbit.attention
// CHECK: math.exp
func.func @halves(%q: tensor<1x2x4x16xf16>, %k: tensor<1x2x4x16xf16>, %v: tensor<1x2x4x16xf16>) -> tensor<1x2x4x16xf16> {
  %none = onnx.NoValue
  %0, %1, %2, %3 = onnx.Attention(%q, %k, %v, %none, %none, %none, %none)
      : (tensor<1x2x4x16xf16>, tensor<1x2x4x16xf16>, tensor<1x2x4x16xf16>, none, none, none, none)
      -> (tensor<1x2x4x16xf16>, none, none, none)
  return %0 : tensor<1x2x4x16xf16>
}
