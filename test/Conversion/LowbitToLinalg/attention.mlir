// RUN: quant-opt %s --lowbit-to-linalg --canonicalize --cse | FileCheck %s
// RUN: quant-opt %s --lowbit-to-linalg=keep-attention --canonicalize --cse | FileCheck %s --check-prefix=KEEP

// Two batches of products with a softmax between them; the query heads that
// share a key head are rows of one product.
// CHECK-LABEL: @attention
// CHECK-NOT: lowbit.attention
// CHECK: linalg.generic
// CHECK-SAME: iterator_types = ["parallel", "parallel", "parallel", "reduction"]
// CHECK-SAME: ins(%{{.+}}, %{{.+}} : tensor<2x16x16xf32>, tensor<2x6x16xf32>) outs(%{{.+}} : tensor<2x16x6xf32>)
// CHECK: arith.cmpi ne, %{{.+}}, %{{.+}} : i8
// CHECK: arith.cmpi sle
// CHECK: math.exp
// CHECK: linalg.batch_matmul ins(%{{.+}}, %{{.+}} : tensor<2x16x6xf32>, tensor<2x6x16xf32>)
// KEEP-LABEL: @attention
// KEEP-NOT: linalg.generic
// KEEP: lowbit.attention
func.func @attention(%q: tensor<1x8x4x16xf32>, %k: tensor<1x2x6x16xf32>, %v: tensor<1x2x6x16xf32>,
                     %m: tensor<1x1x1x6xi8>, %n: index) -> tensor<1x8x4x16xf32> {
  %init = tensor.empty() : tensor<1x8x4x16xf32>
  %0 = lowbit.attention ins(%q : tensor<1x8x4x16xf32>)
      key(%k : tensor<1x2x6x16xf32>) value(%v : tensor<1x2x6x16xf32>)
      mask(%m : tensor<1x1x1x6xi8>) causal(%n) outs(%init : tensor<1x8x4x16xf32>)
      {scale = 0.25 : f32, softcap = 30.0 : f32} -> tensor<1x8x4x16xf32>
  return %0 : tensor<1x8x4x16xf32>
}

// Quantized keys are decoded as a whole first.
// CHECK-LABEL: @quantized
// CHECK-SAME: %[[CODES:[a-z0-9]+]]: tensor<1x2x6x16xi8>
// CHECK: %[[KEY:.+]] = linalg.generic {{.*}} outs(%{{.+}} : tensor<1x2x6x16xf32>)
// CHECK: tensor.extract %[[CODES]]
// CHECK-NOT: lowbit.attention
// CHECK: tensor.collapse_shape %[[KEY]]
// KEEP-LABEL: @quantized
// KEEP-NOT: linalg.generic
// KEEP: lowbit.attention ins({{.+}}) key(%{{.+}}, %{{.+}} : tensor<1x2x6x16xi8>, tensor<1x2x6x1xf16> as
func.func @quantized(%q: tensor<1x8x4x16xf32>, %k: tensor<1x2x6x16xi8>, %s: tensor<1x2x6x1xf16>,
                     %v: tensor<1x2x6x16xf32>) -> tensor<1x8x4x16xf32> {
  %init = tensor.empty() : tensor<1x8x4x16xf32>
  %0 = lowbit.attention ins(%q : tensor<1x8x4x16xf32>)
      key(%k, %s : tensor<1x2x6x16xi8>, tensor<1x2x6x1xf16>
          as !lowbit.tensor<1x2x6x16xf32, #lowbit.uniform<s8, group = [1, *], scale = f16, zero = none>>)
      value(%v : tensor<1x2x6x16xf32>)
      outs(%init : tensor<1x8x4x16xf32>) {scale = 0.25 : f32} -> tensor<1x8x4x16xf32>
  return %0 : tensor<1x8x4x16xf32>
}

// On buffers there is nothing but kernels.
// CHECK-LABEL: @buffers
// CHECK: lowbit.attention
func.func @buffers(%q: memref<1x1x4x16xf32>, %y: memref<1x1x4x16xf32>) {
  lowbit.attention ins(%q : memref<1x1x4x16xf32>)
      key(%q : memref<1x1x4x16xf32>) value(%q : memref<1x1x4x16xf32>)
      outs(%y : memref<1x1x4x16xf32>) {scale = 0.25 : f32}
  return
}
