// RUN: quant-opt %s --onnx-update-kv-cache-in-place --quantize-kv-cache=symmetric --lower-to-x86=stop-after=buffers | FileCheck %s
// RUN: quant-opt %s --onnx-update-kv-cache-in-place --quantize-kv-cache=symmetric --lower-to-arm=stop-after=kernels | FileCheck %s --check-prefix=KERNELS

// New rows are quantized and copied behind the past ones. Attention reads views of
// the codes and scales; there are no floats of a cache.
// CHECK-LABEL: func.func @main
// CHECK-SAME: %[[Q:[a-z0-9]+]]: memref<1x8x?x16xf32>
// CHECK-SAME: %[[CODES:[a-z0-9]+]]: memref<1x2x?x16xi8> {{{[^}]*}}lowbit.updated
// CHECK-SAME: %[[SCALES:[a-z0-9]+]]: memref<1x2x?x1xf16> {{{[^}]*}}lowbit.updated
// CHECK-SAME: %[[CODES_V:[a-z0-9]+]]: memref<1x2x?x16xi8> {{{[^}]*}}lowbit.updated
// CHECK-SAME: %[[SCALES_V:[a-z0-9]+]]: memref<1x2x?x1xf16> {{{[^}]*}}lowbit.updated
// CHECK-SAME: -> memref<1x8x?x16xf32>
// CHECK-NOT: memref.alloc({{.*}} : memref<1x2x?x16xf32>
// CHECK: memref.subview %[[CODES]][0, 0, %{{.+}}, 0] [1, 2, %{{.+}}, 16]
// CHECK-NOT: memref.alloc({{.*}} : memref<1x2x?x16xf32>
// CHECK: memref.subview %[[SCALES]][0, 0, %{{.+}}, 0] [1, 2, %{{.+}}, 1]
// CHECK-NOT: memref.alloc({{.*}} : memref<1x2x?x16xf32>
// CHECK: memref.subview %[[CODES_V]]
// CHECK: lowbit.attention ins({{.+}}) key(%{{.+}}, %{{.+}} : memref<1x2x?x16xi8, {{.+}}>, memref<1x2x?x1xf16, {{.+}}> as !lowbit.tensor<1x2x?x16xf32, {{.+}}) value(%{{.+}}, %{{.+}} : {{.+}})
// CHECK-NOT: memref.copy
// CHECK: return %{{[^,]+}} : memref<1x8x?x16xf32>

// KERNELS-LABEL: func.func @main
// KERNELS-NOT: memref.alloc({{.*}} : memref<1x2x?x16xf32>
// KERNELS: call @lowbit_attention
func.func @main(%q: tensor<1x8x?x16xf32> {onnx.dim_params = ["", "", "s", ""]},
                %k: tensor<1x2x?x16xf32> {onnx.dim_params = ["", "", "s", ""]},
                %v: tensor<1x2x?x16xf32> {onnx.dim_params = ["", "", "s", ""]},
                %past_k: tensor<1x2x?x16xf32> {onnx.dim_params = ["", "", "past", ""], onnx.name = "past.key"} loc("past.key"),
                %past_v: tensor<1x2x?x16xf32> {onnx.dim_params = ["", "", "past", ""], onnx.name = "past.value"} loc("past.value"))
    -> (tensor<1x8x?x16xf32>, tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>) {
  %none = onnx.NoValue
  %y, %key, %value, %scores = onnx.Attention(%q, %k, %v, %none, %past_k, %past_v, %none) {is_causal = 1 : i64}
      : (tensor<1x8x?x16xf32>, tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>, none, tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>, none)
      -> (tensor<1x8x?x16xf32>, tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>, none)
  return %y, %key, %value : tensor<1x8x?x16xf32>, tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>
}
