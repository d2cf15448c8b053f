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

// Float activations are split into three numbers of type bf16. Zero points are
// subtracted from the codes before these become bf16, two columns in a lane.
// CHECK-LABEL: func.func private @lowbit_matmul(
// CHECK: scf.if
// CHECK-COUNT-2: arith.subf {{.*}} : vector<16xf32>
// CHECK: qvec.tiles depth = 64 {
// CHECK: arith.sitofp {{.*}} : vector<16xi32> to vector<16xf32>
// CHECK-NEXT: arith.addf
// CHECK: arith.ori {{.*}} : vector<16xi32>
// CHECK: vector.store {{.*}} : memref<1x32x32xbf16>, vector<32xbf16>
// CHECK: qvec.tile_dot {{.*}} : memref<2x6x16x32xbf16, strided<[3072, 512, 32, 1], offset: ?>>, memref<1x2x16x32xbf16, {{.*}}>, memref<32x1x16xf32
// CHECK-NOT: arith.sitofp
// CHECK: vector.fma
// What does not fill a tile is multiplied in vectors.
// CHECK: vector.fma
// CHECK: return
func.func @floats(%x: memref<?x64xf32>, %c: memref<1x8x64xi8>, %s: memref<1x1x16xf32>, %y: memref<?x16xf32>) {
  lowbit.packed_matmul ins(%x : memref<?x64xf32>)
    weight(%c, %s : memref<1x8x64xi8>, memref<1x1x16xf32> as !w)
    outs(%y : memref<?x16xf32>)
  return
}

// -----

!w = !lowbit.tensor<16x600xf32, #lowbit.float<bf16>, #lowbit.panels>

// Weights of bf16 need no unpacking: blocks of 256 columns, and one of 88.
// CHECK-LABEL: func.func private @lowbit_matmul(
// CHECK: qvec.tiles depth = 64 {
// CHECK: %[[ROW:.+]] = vector.load {{.*}} : memref<1x300x32xbf16>, vector<32xbf16>
// CHECK-NEXT: vector.store %[[ROW]]
// CHECK: qvec.tile_dot {{.*}} : memref<2x24x16x32xbf16, {{.*}}>, memref<1x8x16x32xbf16
// CHECK: arith.addf
// CHECK: qvec.tile_dot {{.*}} : memref<2x9x16x32xbf16, {{.*}}>, memref<1x3x16x32xbf16
// CHECK: return
func.func @bf16_weight(%x: memref<?x600xf32>, %w: memref<1x300x32xbf16>, %y: memref<?x16xf32>) {
  lowbit.packed_matmul ins(%x : memref<?x600xf32>)
    weight(%w : memref<1x300x32xbf16> as !w)
    outs(%y : memref<?x16xf32>)
  return
}

// -----

!w = !lowbit.tensor<16x600xf32, #lowbit.float<f16>, #lowbit.panels>

// The significant bits of f16 are too many for bf16.
// CHECK-LABEL: func.func private @lowbit_matmul(
// CHECK-NOT: qvec.tile
// CHECK: return
func.func @f16_weight(%x: memref<?x600xf32>, %w: memref<1x300x32xf16>, %y: memref<?x16xf32>) {
  lowbit.packed_matmul ins(%x : memref<?x600xf32>)
    weight(%w : memref<1x300x32xf16> as !w)
    outs(%y : memref<?x16xf32>)
  return
}
