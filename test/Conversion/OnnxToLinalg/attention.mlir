// RUN: quant-opt %s -split-input-file --convert-onnx-to-linalg --canonicalize --cse | FileCheck %s

// Grouped heads are rows of one product: 8 query heads, 2 key heads, 4 tokens.
// CHECK-LABEL: @grouped
func.func @grouped(%q: tensor<1x8x4x16xf32>, %k: tensor<1x2x6x16xf32>, %v: tensor<1x2x6x16xf32>) -> tensor<1x8x4x16xf32> {
  // CHECK: linalg.generic
  // CHECK-SAME: iterator_types = ["parallel", "parallel", "parallel", "reduction"]
  // CHECK-SAME: ins(%{{.+}}, %{{.+}} : tensor<2x16x16xf32>, tensor<2x6x16xf32>) outs(%{{.+}} : tensor<2x16x6xf32>)
  // CHECK: linalg.index 3
  // CHECK: linalg.index 2
  // CHECK: math.exp
  // CHECK: linalg.batch_matmul ins(%{{.+}}, %{{.+}} : tensor<2x16x6xf32>, tensor<2x6x16xf32>)
  %none = onnx.NoValue
  %0, %1, %2, %3 = onnx.Attention(%q, %k, %v, %none, %none, %none, %none) {is_causal = 1 : i64}
      : (tensor<1x8x4x16xf32>, tensor<1x2x6x16xf32>, tensor<1x2x6x16xf32>, none, none, none, none)
      -> (tensor<1x8x4x16xf32>, none, none, none)
  return %0 : tensor<1x8x4x16xf32>
}

// -----

// The cache is appended to and returned; a causal mask starts after it.
// CHECK-LABEL: @cache
// CHECK-SAME: %[[PAST:[a-z0-9]+]]: tensor<1x2x?x16xf32>
func.func @cache(%past_k: tensor<1x2x?x16xf32>, %past_v: tensor<1x2x?x16xf32>,
                 %q: tensor<1x2x1x16xf32>, %k: tensor<1x2x1x16xf32>, %v: tensor<1x2x1x16xf32>)
    -> (tensor<1x2x1x16xf32>, tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>) {
  // CHECK: %[[LENGTH:.+]] = tensor.dim %[[PAST]], %c2
  // CHECK: %[[TOTAL:.+]] = arith.addi %[[LENGTH]], %c1
  // CHECK: tensor.insert_slice %[[PAST]] into
  // CHECK: arith.cmpi sle
  %none = onnx.NoValue
  %0, %1, %2, %3 = onnx.Attention(%q, %k, %v, %none, %past_k, %past_v, %none) {is_causal = 1 : i64}
      : (tensor<1x2x1x16xf32>, tensor<1x2x1x16xf32>, tensor<1x2x1x16xf32>, none,
         tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>, none)
      -> (tensor<1x2x1x16xf32>, tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>, none)
  return %0, %1, %2 : tensor<1x2x1x16xf32>, tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>
}

// -----

// A boolean mask selects, scale, soft cap and mask are one pass.
// CHECK-LABEL: @masked
func.func @masked(%q: tensor<1x2x4x16xf32>, %k: tensor<1x2x4x16xf32>, %v: tensor<1x2x4x16xf32>, %m: tensor<4x4xi1>) -> tensor<1x2x4x16xf32> {
  // CHECK: math.tanh
  // CHECK: arith.select %{{.+}}, %{{.+}}, %{{.+}} : f32
  // CHECK: arith.maxnumf
  %none = onnx.NoValue
  %0, %1, %2, %3 = onnx.Attention(%q, %k, %v, %m, %none, %none, %none) {softcap = 2.0 : f32}
      : (tensor<1x2x4x16xf32>, tensor<1x2x4x16xf32>, tensor<1x2x4x16xf32>, tensor<4x4xi1>, none, none, none)
      -> (tensor<1x2x4x16xf32>, none, none, none)
  return %0 : tensor<1x2x4x16xf32>
}

// -----

// Halves of the last dimension rotate against each other.
// CHECK-LABEL: @rotary
func.func @rotary(%x: tensor<?x4x?x16xf32>, %cos: tensor<64x8xf32>, %sin: tensor<64x8xf32>, %ids: tensor<?x?xi64>) -> tensor<?x4x?x16xf32> {
  // CHECK: tensor.extract %{{.+}} : tensor<64x8xf32>
  // CHECK: tensor.extract_slice %{{.+}}[0, 0, 0, 0] [%{{.+}}, 4, %{{.+}}, 8] [1, 1, 1, 1]
  // CHECK: tensor.extract_slice %{{.+}}[0, 0, 0, 8] [%{{.+}}, 4, %{{.+}}, 8] [1, 1, 1, 1]
  // CHECK: arith.subf
  // CHECK: arith.addf
  %0 = onnx.RotaryEmbedding(%x, %cos, %sin, %ids)
      : (tensor<?x4x?x16xf32>, tensor<64x8xf32>, tensor<64x8xf32>, tensor<?x?xi64>) -> tensor<?x4x?x16xf32>
  return %0 : tensor<?x4x?x16xf32>
}

// -----

// Interleaved: every second element, of packed heads.
// CHECK-LABEL: @rotary_interleaved
func.func @rotary_interleaved(%x: tensor<1x3x64xf32>, %cos: tensor<1x3x8xf32>, %sin: tensor<1x3x8xf32>) -> tensor<1x3x64xf32> {
  // CHECK: tensor.expand_shape %{{.+}} {{\[}}[0], [1], [2, 3]] output_shape [1, 3, 4, 16]
  // CHECK: tensor.extract_slice %{{.+}}[0, 0, 0, 0] [1, 3, 4, 8] [1, 1, 1, 2]
  // CHECK: tensor.extract_slice %{{.+}}[0, 0, 0, 1] [1, 3, 4, 8] [1, 1, 1, 2]
  %none = onnx.NoValue
  %0 = onnx.RotaryEmbedding(%x, %cos, %sin, %none) {interleaved = 1 : i64, num_heads = 4 : i64}
      : (tensor<1x3x64xf32>, tensor<1x3x8xf32>, tensor<1x3x8xf32>, none) -> tensor<1x3x64xf32>
  return %0 : tensor<1x3x64xf32>
}
