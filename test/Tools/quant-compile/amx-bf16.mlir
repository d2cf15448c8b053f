// Float activations on AMX: three numbers of type bf16 for each, whose products
// with the codes are summed in the same registers.

// RUN: quant-compile %s -o - --target=x86-64-v4+vnni+amx-int8+amx-bf16 --emit=asm | FileCheck %s
// CHECK: ldtilecfg
// A tile of weights is loaded once for all parts of the activations.
// CHECK: tilezero %tmm3
// CHECK: tileloadd {{.*}}, %tmm6
// CHECK: tileloadd {{.*}}, %tmm4
// CHECK: tdpbf16ps %tmm6, %tmm4, %tmm0
// CHECK: tileloadd {{.*}}, %tmm5
// CHECK: tdpbf16ps %tmm6, %tmm5, %tmm1
// CHECK: tileloadd {{.*}}, %tmm7
// CHECK: tdpbf16ps %tmm7, %tmm4, %tmm2
// CHECK-NEXT: tdpbf16ps %tmm7, %tmm5, %tmm3
// CHECK-COUNT-8: tdpbf16ps
// CHECK-NOT: {{tdpbf16ps|tileloadd}}
// CHECK-COUNT-4: tilestored
// CHECK: tilerelease

// A CPU with one of both only does without.
// RUN: quant-compile %s -o - --target=x86-64-v4+vnni+amx-int8 --emit=asm | FileCheck %s --check-prefix=BYTES --implicit-check-not=tdp
// BYTES: vfmadd

func.func @main(%x: tensor<?x256xf32> {onnx.name = "x"}) -> (tensor<?x32xf32> {onnx.name = "y"}) {
  %w = lowbit.constant {codes = dense<0x17> : tensor<32x128xi8>, scales = dense<0.3> : tensor<32x2xf16>,
                        zeros = dense<0x25> : tensor<32x1xi8>}
      : !lowbit.tensor<32x256xf32, #lowbit.uniform<u4, group = [1, 128], scale = f16, zero = u4>>
  %y = lowbit.matmul %x, %w
      : (tensor<?x256xf32>, !lowbit.tensor<32x256xf32, #lowbit.uniform<u4, group = [1, 128], scale = f16, zero = u4>>)
      -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}
