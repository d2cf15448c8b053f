// RUN: quant-opt %s --lowbit-generate-kernels="target=i8mm" --canonicalize --cse | FileCheck %s
// RUN: quant-opt %s --lowbit-generate-kernels="target=sve-i8mm" --canonicalize --cse | FileCheck %s --check-prefix=SVE
// RUN: quant-opt %s --lowbit-generate-kernels="target=i8mm" --remark-format=emitRemark \
// RUN:   --remarks-filter=lowbit-kernels 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK
// RUN: not quant-opt %s --lowbit-generate-kernels="target=i8mm strategy=tiles" 2>&1 | FileCheck %s --check-prefix=TILES

#u4 = #lowbit.uniform<u4, group = [1, 24], scale = f16, zero = u4>
#s8 = #lowbit.uniform<s8, group = [1, 24], scale = f32, zero = none, narrow>
!w = !lowbit.tensor<40x48xf32, #u4, #lowbit.panels>
!x = !lowbit.tensor<?x48xf32, #s8>

// Two tokens at once cost about half of what one token does.
// REMARK: by 8: dot {{[0-9.]+}} / {{[0-9.]+}}; by 4: dot {{.*}}; by 1: dot
// TILES: error: {{.*}}strategy 'tiles' needs a CPU with a matrix unit

// Half a panel and eight tokens. A group has three chunks: two at once, and one
// that is brought together with zeros. Sums of two tokens stay side by side
// until all groups have been added.
// CHECK-LABEL: func.func private @lowbit_matmul(
// CHECK: vector.load {{.*}} : memref<3x6x64xi8>, vector<32xi8>
// CHECK: vector.interleave {{.*}} : vector<8xi32> -> vector<16xi32>
// CHECK-COUNT-8: qvec.mmla {{.*}} {lhs_max = 15 : i32} : vector<16xi32>, vector<64xi8>
// CHECK: scf.yield
// CHECK: vector.interleave %{{.*}}, %{{.*}} : vector<8xi32>
// CHECK-COUNT-8: qvec.mmla
// CHECK: vector.interleave %[[SCALES:.+]], %[[SCALES]] : vector<8xf32>
// CHECK: vector.fma {{.*}} : vector<16xf32>
// CHECK: scf.yield
// CHECK: vector.deinterleave {{.*}} : vector<16xf32> -> vector<8xf32>
// A single token.
// CHECK: qvec.dot {{.*}} : vector<16xi32>, vector<64xi8>

// As many channels as a register of the machine has lanes for, up to the end of
// the panel.
// SVE-LABEL: func.func private @lowbit_matmul(
// SVE: vector.vscale
// SVE: %[[BYTES:.+]] = vector.create_mask {{.*}} : vector<[16]xi1>
// SVE: vector.maskedload {{.*}}, %[[BYTES]], {{.*}} : memref<3x6x64xi8>, vector<[16]xi1>, vector<[16]xi8> into vector<[16]xi8>
// SVE: qvec.mmla {{.*}} : vector<[8]xi32>, vector<[32]xi8>
// SVE: vector.maskedstore {{.*}} vector<[4]xf32>
// SVE: qvec.dot {{.*}} : vector<[4]xi32>, vector<[16]xi8>
func.func @main(%x: memref<?x48xi8>, %xs: memref<?x2xf32>, %c: memref<3x6x64xi8>, %s: memref<3x2x16xf16>,
                %z: memref<3x2x16xi8>, %y: memref<?x40xf32>) {
  lowbit.packed_matmul ins(%x, %xs : memref<?x48xi8>, memref<?x2xf32> as !x)
    weight(%c, %s, %z : memref<3x6x64xi8>, memref<3x2x16xf16>, memref<3x2x16xi8> as !w)
    outs(%y : memref<?x40xf32>)
  return
}
