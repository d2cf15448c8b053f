// RUN: quant-compile %s --target=sm_80 --emit=ptx -o %t.ptx
// RUN: FileCheck %s < %t.ptx

// Once the inputs are in shared memory, a lane reads its weights by loads of 16 bytes:
// plain codes, floats, and the blocks of formats that decode themselves, whose loads
// of neighbours the backend joins.

#codes = #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = none>
#floats = #lowbit.float<f16>
#blocks = #lowbit.ggml<q4_K>

// CHECK: .entry quant_matmul_0
// CHECK: st.shared.v4
// CHECK: bar.sync
// CHECK-NOT: ld.global.b8
// CHECK: ld.global.v4.b32
// CHECK-NOT: ld.global.b8
// CHECK: .entry quant_matmul_1
// CHECK: .entry quant_matmul_2
// CHECK: st.shared.v4
// CHECK: bar.sync
// CHECK-NOT: ld.global.b16
// CHECK-COUNT-4: ld.global.v4.b32
// CHECK-NOT: ld.global
// CHECK: .entry quant_matmul_3
// CHECK: .entry quant_matmul_4
// CHECK: st.shared.v4
// CHECK: bar.sync
// CHECK: ld.global.v4.b32
// CHECK: .entry quant_matmul_5
func.func @main(%x: tensor<?x256xf32>, %codes: !lowbit.tensor<16x256xf32, #codes>,
                %floats: !lowbit.tensor<16x256xf32, #floats>,
                %blocks: !lowbit.tensor<16x256xf32, #blocks>)
    -> (tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>) {
  %0 = lowbit.matmul %x, %codes
      : (tensor<?x256xf32>, !lowbit.tensor<16x256xf32, #codes>) -> tensor<?x16xf32>
  %1 = lowbit.matmul %x, %floats
      : (tensor<?x256xf32>, !lowbit.tensor<16x256xf32, #floats>) -> tensor<?x16xf32>
  %2 = lowbit.matmul %x, %blocks
      : (tensor<?x256xf32>, !lowbit.tensor<16x256xf32, #blocks>) -> tensor<?x16xf32>
  return %0, %1, %2 : tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>
}
