// RUN: quant-opt %s --lowbit-generate-kernels="target=avx2" | FileCheck %s
// RUN: quant-opt %s --lowbit-generate-kernels="target=avx512vnni" | FileCheck %s --check-prefixes=CHECK,WIDE
// RUN: quant-opt %s --lowbit-generate-kernels="target=neon" | FileCheck %s --check-prefixes=CHECK,NEON
// RUN: quant-opt %s --lowbit-generate-kernels="target=avx2 strategy=dot" | FileCheck %s --check-prefix=DOT
// RUN: quant-opt %s --lowbit-generate-kernels="target=avx2" --remark-format=emitRemark \
// RUN:   --remarks-filter=lowbit-kernels 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

!x = !lowbit.tensor<?x128xf32, #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none, narrow>>
!w = !lowbit.tensor<1024x128xf32, #lowbit.uniform<u1, group = [1, 128], scale = f32, zero = u1>, #lowbit.panels>

// A single token: tables are made of each four columns, split into low and high
// bytes, and looked up by the nibbles of the codes. The first sums of low bits
// begin with the least byte.
// CHECK-LABEL: func.func private @lowbit_matmul(
// CHECK: memref.alloc({{.*}}) : memref<?x256xi8>
// CHECK: omp.loop_nest
// CHECK: arith.muli {{.*}} : vector<64xi16>
// CHECK: arith.trunci {{.*}} : vector<64xi16> to vector<64xi8>
// WIDE: vector.load {{.*}} : memref<64x4x64xi8>, vector<64xi8>
// NEON: vector.shuffle {{.*}} [0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60] : vector<64xi8>, vector<64xi8>
// CHECK: %[[ENTRIES:.+]] = vector.load {{.*}} : memref<?x256xi8>, vector<16xi8>
// CHECK: %[[FOUND:.+]] = qvec.lookup %[[ENTRIES]]
// CHECK: arith.addi {{.*}}, %[[FOUND]]
// DOT-LABEL: func.func private @lowbit_matmul(
// DOT-NOT: qvec.lookup

// REMARK: by 1: lut {{[0-9.]+}} / {{[0-9.]+}}, dot

func.func @main(%x: memref<?x128xi8>, %xs: memref<?x1xf32>, %c: memref<64x4x64xi8>, %s: memref<64x1x16xf32>,
                %z: memref<64x1x16xi8>, %y: memref<?x1024xf32>) {
  lowbit.packed_matmul ins(%x, %xs : memref<?x128xi8>, memref<?x1xf32> as !x)
    weight(%c, %s, %z : memref<64x4x64xi8>, memref<64x1x16xf32>, memref<64x1x16xi8> as !w)
    outs(%y : memref<?x1024xf32>)
  return
}
