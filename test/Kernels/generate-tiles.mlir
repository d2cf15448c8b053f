// RUN: quant-opt %s -split-input-file --lowbit-generate-kernels="target=amx" --canonicalize --cse | FileCheck %s

#u4 = #lowbit.uniform<u4, group = [1, 96], scale = f16, zero = u4>
#s8 = #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none, narrow>
!w = !lowbit.tensor<32x192xf32, #u4, #lowbit.panels>
!x = !lowbit.tensor<?x192xf32, #s8>

// Tokens that fill tiles are multiplied by the matrix unit: here each group is
// two tiles of 48 columns. Zero points are subtracted from the codes once. What
// is left goes through the panel kernel.
// CHECK-LABEL: func.func private @lowbit_matmul(
// CHECK: scf.if
// CHECK: omp.loop_nest
// CHECK: omp.loop_nest
// CHECK: qvec.tiles depth = 48 {
// CHECK: arith.addi {{.*}} : vector<64xi8>
// CHECK: qvec.tile_dot {{.*}} : memref<2x2x16x48xi8, strided<[3072, 768, 48, 1], offset: ?>>, memref<2x2x12x64xi8
// CHECK: qvec.tile_dot
// CHECK: arith.sitofp
// CHECK: vector.fma
// CHECK: qvec.tile_dot {{.*}} : memref<1x2x16x48xi8
// CHECK: vector.store {{.*}} : memref<?x32xf32
// CHECK: scf.if
// CHECK: qvec.dot
// CHECK: return
func.func @nibbles(%xq: memref<?x192xi8>, %xs: memref<?x1xf32>, %c: memref<2x24x64xi8>, %s: memref<2x2x16xf16>,
                   %z: memref<2x2x16xi8>, %y: memref<?x32xf32>) {
  lowbit.packed_matmul ins(%xq, %xs : memref<?x192xi8>, memref<?x1xf32> as !x)
    weight(%c, %s, %z : memref<2x24x64xi8>, memref<2x2x16xf16>, memref<2x2x16xi8> as !w)
    outs(%y : memref<?x32xf32>)
  return
}

// -----

#u8 = #lowbit.uniform<u8, group = [1, 64], scale = f16, zero = u8>
#s8 = #lowbit.uniform<s8, group = [1, 64], scale = f32, zero = none, narrow>
!w = !lowbit.tensor<16x64xf32, #u8, #lowbit.panels>
!x = !lowbit.tensor<?x64xf32, #s8>

// Whole bytes minus a zero point are none, and one panel takes half of the
// tiles.
// CHECK-LABEL: func.func private @lowbit_matmul(
// CHECK: qvec.tiles depth = 64 {
// CHECK-NOT: arith.addi {{.*}} : vector<64xi8>
// CHECK: qvec.tile_dot {{.*}} {rhs_unsigned} : memref<2x1x16x64xi8, {{.*}}>, memref<1x1x16x64xi8
// CHECK: qvec.mul_add
func.func @bytes(%xq: memref<?x64xi8>, %xs: memref<?x1xf32>, %c: memref<1x16x64xi8>, %s: memref<1x1x16xf16>,
                 %z: memref<1x1x16xi8>, %y: memref<?x16xf32>) {
  lowbit.packed_matmul ins(%xq, %xs : memref<?x64xi8>, memref<?x1xf32> as !x)
    weight(%c, %s, %z : memref<1x16x64xi8>, memref<1x1x16xf16>, memref<1x1x16xi8> as !w)
    outs(%y : memref<?x16xf32>)
  return
}

// -----

!w = !lowbit.tensor<16x64xf32, #lowbit.uniform<s4, group = [1, *], scale = f32, zero = none>, #lowbit.panels>

// Float activations are not for the matrix unit.
// CHECK-LABEL: func.func private @lowbit_matmul(
// CHECK-NOT: qvec.tile
// CHECK: return
func.func @floats(%x: memref<?x64xf32>, %c: memref<1x8x64xi8>, %s: memref<1x1x16xf32>, %y: memref<?x16xf32>) {
  lowbit.packed_matmul ins(%x : memref<?x64xf32>)
    weight(%c, %s : memref<1x8x64xi8>, memref<1x1x16xf32> as !w)
    outs(%y : memref<?x16xf32>)
  return
}
