// RUN: quant-opt %s -split-input-file --lowbit-generate-kernels="target=avx512vnni" --canonicalize | FileCheck %s

#u4 = #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = u4>
#s8 = #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none, narrow>
!w = !lowbit.tensor<256x64xf32, #u4, #lowbit.panels>
!x = !lowbit.tensor<?x64xf32, #s8>

// Equal layers share a kernel; another kind of input gets its own.
// CHECK-LABEL: @layers
// CHECK: call @lowbit_matmul(
// CHECK: call @lowbit_matmul(
// CHECK: call @lowbit_matmul_0(
func.func @layers(%x: memref<?x64xf32>, %xq: memref<?x64xi8>, %xs: memref<?x1xf32>,
                  %c: memref<16x8x64xi8>, %s: memref<16x2x16xf16>, %z: memref<16x2x16xi8>,
                  %y: memref<?x256xf32>) {
  lowbit.packed_matmul ins(%x : memref<?x64xf32>)
    weight(%c, %s, %z : memref<16x8x64xi8>, memref<16x2x16xf16>, memref<16x2x16xi8> as !w)
    outs(%y : memref<?x256xf32>)
  lowbit.packed_matmul ins(%x : memref<?x64xf32>)
    weight(%c, %s, %z : memref<16x8x64xi8>, memref<16x2x16xf16>, memref<16x2x16xi8> as !w)
    outs(%y : memref<?x256xf32>)
  lowbit.packed_matmul ins(%xq, %xs : memref<?x64xi8>, memref<?x1xf32> as !x)
    weight(%c, %s, %z : memref<16x8x64xi8>, memref<16x2x16xf16>, memref<16x2x16xi8> as !w)
    outs(%y : memref<?x256xf32>)
  return
}

// Float activations: one lookup of the codes' values and one fused multiply-add
// per 16 weights.
// CHECK-LABEL: func.func private @lowbit_matmul(
// CHECK-NOT: qvec.dot
// CHECK: %[[VALUES:.+]] = qvec.lookup {{.*}} : vector<16xf32>, vector<16xi32>
// CHECK: vector.fma %[[VALUES]]
// CHECK: return

// int8 activations: dot products of whole chunks, and zero points applied to
// the group's integer sum.
// CHECK-LABEL: func.func private @lowbit_matmul_0(
// CHECK: omp.loop_nest
// CHECK: vector.reduction <add>
// CHECK: omp.loop_nest
// CHECK: qvec.dot {{.*}} {lhs_max = 15 : i32} : vector<16xi32>, vector<64xi8>
// CHECK: arith.subi
// CHECK: arith.sitofp
// CHECK: vector.fma
// CHECK: return

// -----

!w4 = !lowbit.tensor<16x64xf32, #lowbit.uniform<s4, group = [1, *], scale = f32, zero = none>, #lowbit.panels>

// Kernels read and write copies of what has no unit stride.
// CHECK-LABEL: @columns_apart
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<?x64xf32, strided<[?, 2]>>
// CHECK-SAME: %[[Y:[a-z0-9]+]]: memref<?x16xf32, strided<[?, 2]>>
// CHECK: %[[X_COPY:.+]] = memref.alloc(%{{.+}}) : memref<?x64xf32>
// CHECK: memref.copy %[[X]], %[[X_COPY]]
// CHECK: %[[Y_COPY:.+]] = memref.alloc(%{{.+}}) : memref<?x16xf32>
// CHECK-NOT: memref.copy
// CHECK: call @lowbit_matmul(
// CHECK: memref.dealloc %[[X_COPY]]
// CHECK: memref.copy %[[Y_COPY]], %[[Y]]
// CHECK: memref.dealloc %[[Y_COPY]]
func.func @columns_apart(%x: memref<?x64xf32, strided<[?, 2]>>, %c: memref<1x8x64xi8>,
                         %s: memref<1x1x16xf32>, %y: memref<?x16xf32, strided<[?, 2]>>) {
  lowbit.packed_matmul ins(%x : memref<?x64xf32, strided<[?, 2]>>)
    weight(%c, %s : memref<1x8x64xi8>, memref<1x1x16xf32> as !w4)
    outs(%y : memref<?x16xf32, strided<[?, 2]>>)
  return
}
