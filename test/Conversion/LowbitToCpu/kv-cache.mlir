// RUN: quant-opt %s --onnx-update-kv-cache-in-place --lower-to-x86=stop-after=buffers -o %t.buffers
// RUN: FileCheck %s --input-file=%t.buffers
// RUN: quant-opt %s --onnx-update-kv-cache-in-place --lower-to-x86=stop-after=kernels | FileCheck %s --check-prefix=KERNELS
// RUN: quant-opt %s --onnx-update-kv-cache-in-place --lower-to-arm=stop-after=kernels | FileCheck %s --check-prefix=KERNELS
// RUN: quant-opt %s --onnx-update-kv-cache-in-place --lower-to-nvptx=stop-after=kernels | FileCheck %s --check-prefix=GPU

// Nothing as large as a cache is allocated or copied. New rows are written behind
// the past ones, after the check that they fit, and attention reads views.
// CHECK-LABEL: func.func @main
// CHECK-SAME: %[[Q:[a-z0-9]+]]: memref<1x8x?x16xf32>
// CHECK-SAME: %[[K:[a-z0-9]+]]: memref<1x2x?x16xf32>
// CHECK-SAME: %[[V:[a-z0-9]+]]: memref<1x2x?x16xf32>
// CHECK-SAME: %[[KEYS:[a-z0-9]+]]: memref<1x2x?x16xf32> {{{[^}]*}}lowbit.updated
// CHECK-SAME: %[[VALUES:[a-z0-9]+]]: memref<1x2x?x16xf32> {{{[^}]*}}lowbit.updated
// CHECK-SAME: -> memref<1x8x?x16xf32>
// CHECK-NOT: memref.alloc({{.*}} : memref<1x2x
// CHECK: cf.assert %{{.+}}, "onnx.TensorScatter 'past.key': the cache has no room for the new rows behind the past ones"
// CHECK-NOT: memref.alloc({{.*}} : memref<1x2x
// CHECK: %[[PLACE:.+]] = memref.subview %[[KEYS]][0, 0, %[[PAST:.+]], 0] [1, 2, %{{.+}}, 16]
// CHECK: memref.copy %[[K]], %[[PLACE]]
// CHECK: %[[PLACE_V:.+]] = memref.subview %[[VALUES]][0, 0, %[[PAST]], 0] [1, 2, %{{.+}}, 16]
// CHECK: memref.copy %[[V]], %[[PLACE_V]]
// CHECK-DAG: %[[VIEW:.+]] = memref.subview %[[KEYS]][0, 0, 0, 0] [1, 2, %[[LENGTH:.+]], 16]
// CHECK-DAG: %[[VIEW_V:.+]] = memref.subview %[[VALUES]][0, 0, 0, 0] [1, 2, %[[LENGTH]], 16]
// CHECK: lowbit.attention ins(%[[Q]] : {{.+}}) key(%[[VIEW]] : {{.+}}) value(%[[VIEW_V]] :
// CHECK-NOT: memref.copy
// CHECK: return %{{[^,]+}} : memref<1x8x?x16xf32>

// KERNELS-LABEL: func.func @main
// KERNELS-NOT: memref.alloc({{.*}} : memref<1x2x
// KERNELS: call @lowbit_attention

// A GPU has a copy of each cache, which goes back to the caller's.
// GPU-LABEL: func.func @main
// GPU-SAME: %[[KEYS:[a-z0-9]+]]: memref<1x2x?x16xf32> {{{[^}]*}}lowbit.updated
// GPU-SAME: %[[VALUES:[a-z0-9]+]]: memref<1x2x?x16xf32> {{{[^}]*}}lowbit.updated
// GPU: %[[COPY:.+]] = gpu.alloc ({{.*}}) : memref<1x2x?x16xf32>
// GPU: gpu.memcpy %[[COPY]], %[[KEYS]]
// GPU: gpu.memcpy %[[KEYS]], %[[COPY]]
// GPU: return
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
