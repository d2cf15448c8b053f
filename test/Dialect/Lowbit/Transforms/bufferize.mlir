// RUN: quant-opt %s --one-shot-bufferize="bufferize-function-boundaries" --canonicalize | FileCheck %s

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>

// The init is written in place and not read: nothing is copied.
// CHECK-LABEL: @packed_matmul
// CHECK-NOT: memref.copy
// CHECK: %[[CODES:.+]] = lowbit.weight #lowbit.external<{{.+}}> : tensor<96x32xi8> to memref<96x32xi8>
// CHECK: %[[SCALES:.+]] = lowbit.weight #lowbit.external<{{.+}}> : tensor<96x1xf16> to memref<96x1xf16>
// CHECK: %[[OUT:.+]] = memref.alloc(%{{.+}}) {{.*}}: memref<?x96xf32>
// CHECK: lowbit.packed_matmul ins(%{{.+}} : memref<?x64xf32, strided<[?, ?], offset: ?>>) weight(%[[CODES]], %[[SCALES]] : memref<96x32xi8>, memref<96x1xf16> as !lowbit.tensor<96x64xf32, {{.+}}>) outs(%[[OUT]] : memref<?x96xf32>)
// CHECK-NOT: memref.copy
// CHECK: return %[[OUT]]
func.func @packed_matmul(%x: tensor<?x64xf32>, %n: index) -> tensor<?x96xf32> {
  %codes = lowbit.weight #lowbit.external<"w.safetensors", "c"> : tensor<96x32xi8>
  %scales = lowbit.weight #lowbit.external<"w.safetensors", "s"> : tensor<96x1xf16>
  %init = tensor.empty(%n) : tensor<?x96xf32>
  %0 = lowbit.packed_matmul ins(%x : tensor<?x64xf32>)
      weight(%codes, %scales : tensor<96x32xi8>, tensor<96x1xf16> as !lowbit.tensor<96x64xf32, #s4>)
      outs(%init : tensor<?x96xf32>) -> tensor<?x96xf32>
  return %0 : tensor<?x96xf32>
}

// A weight is never written to: what wants to gets a copy.
// CHECK-LABEL: @read_only
// CHECK: %[[W:.+]] = lowbit.weight dense<{{.+}}> : tensor<2xf32> to memref<2xf32>
// CHECK: %[[COPY:.+]] = memref.alloc
// CHECK: memref.copy %[[W]], %[[COPY]]
// CHECK: memref.store %{{.+}}, %[[COPY]]
func.func @read_only(%x: f32, %i: index) -> tensor<2xf32> {
  %w = lowbit.weight dense<[1.0, 2.0]> : tensor<2xf32>
  %0 = tensor.insert %x into %w[%i] : tensor<2xf32>
  return %0 : tensor<2xf32>
}

// CHECK-LABEL: @attention
// CHECK-NOT: memref.copy
// CHECK: %[[OUT:.+]] = memref.alloc(%{{.+}}) {{.*}}: memref<1x2x?x16xf32>
// CHECK: lowbit.attention ins({{.+}}) causal(%{{.+}}) outs(%[[OUT]] : memref<1x2x?x16xf32>) {scale = 2.500000e-01 : f32}
// CHECK-NOT: memref.copy
// CHECK: return %[[OUT]]
func.func @attention(%q: tensor<1x2x?x16xf32>, %k: tensor<1x1x?x16xf32>, %v: tensor<1x1x?x16xf32>, %n: index) -> tensor<1x2x?x16xf32> {
  %init = tensor.empty(%n) : tensor<1x2x?x16xf32>
  %0 = lowbit.attention ins(%q : tensor<1x2x?x16xf32>)
      key(%k : tensor<1x1x?x16xf32>) value(%v : tensor<1x1x?x16xf32>)
      causal(%n) outs(%init : tensor<1x2x?x16xf32>) {scale = 0.25 : f32} -> tensor<1x2x?x16xf32>
  return %0 : tensor<1x2x?x16xf32>
}
