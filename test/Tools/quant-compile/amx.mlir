// Kernels for AMX: what the hot loop consists of, and which level is chosen.

// RUN: rm -rf %t && mkdir %t
// RUN: quant-compile %s -o - --target=x86-64-v4+vnni+amx-int8+amx-bf16 --emit=asm | FileCheck %s --check-prefix=ASM
// One configuration for each task.
// ASM: ldtilecfg
// ASM-NOT: ldtilecfg
// The first product of some tokens.
// ASM-COUNT-8: tdpbssd
// A step is 32 tokens, 32 channels and a group of 128 columns. Nothing is
// spilled: a tile is loaded once, and each register is one of eight.
// ASM: tilezero %tmm0
// ASM-NEXT: tilezero %tmm1
// ASM-NEXT: tilezero %tmm2
// ASM-NEXT: tilezero %tmm3
// ASM: tileloadd {{.*}}, %tmm6
// ASM: tileloadd {{.*}}, %tmm4
// ASM: tdpbssd %tmm6, %tmm4, %tmm0
// ASM: tileloadd {{.*}}, %tmm5
// ASM: tdpbssd %tmm6, %tmm5, %tmm1
// ASM: tileloadd {{.*}}, %tmm7
// ASM: tdpbssd %tmm7, %tmm4, %tmm2
// ASM: tdpbssd %tmm7, %tmm5, %tmm3
// ASM: tileloadd {{.*}}, %tmm6
// ASM: tileloadd {{.*}}, %tmm4
// ASM: tdpbssd %tmm6, %tmm4, %tmm0
// ASM: tileloadd {{.*}}, %tmm5
// ASM: tdpbssd %tmm6, %tmm5, %tmm1
// ASM: tileloadd {{.*}}, %tmm7
// ASM: tdpbssd %tmm7, %tmm4, %tmm2
// ASM-NEXT: tdpbssd %tmm7, %tmm5, %tmm3
// ASM-COUNT-4: tilestored
// The sums of the group before are scaled: they go from memory to memory.
// ASM-NOT: tile
// ASM: vcvtdq2ps {{.*}}(%{{.*}}), %zmm[[SUM:[0-9]+]]
// ASM-NEXT: vfmadd213ps {{.*}}(%{{.*}}), %zmm{{[0-9]+}}, %zmm[[SUM]]
// ASM-NEXT: vmovaps %zmm[[SUM]]
// ASM-NEXT: vcvtdq2ps
// ASM-NOT: ldtilecfg
// ASM: tilerelease

// The CPU, or who says that it can do so, decides.
// RUN: quant-compile %s -o %t/all.so --target=x86-64
// RUN: llvm-readelf --dyn-syms %t/all.so | FileCheck %s --check-prefix=WEAK
// WEAK: WEAK {{.*}} lowbit_emulates_amx
// RUN: %python %S/../../Integration/Inputs/make_npz.py %t/in.npz "x=np.sin(np.arange(35 * 256, dtype='f')).reshape(35, 256)"
// RUN: quant-run %s --cpu=avx2 --inputs=%t/in.npz --outputs=%t/avx2.npz
// RUN: %with_amx quant-run %t/all.so --inputs=%t/in.npz --outputs=%t/all.npz
// RUN: %python -c "import numpy as np; x, y = (np.load(p)['y'] for p in (r'%t/avx2.npz', r'%t/all.npz')); assert (x == y).all()"

func.func @main(%x: tensor<?x256xf32> {onnx.name = "x"}) -> (tensor<?x32xf32> {onnx.name = "y"}) {
  %w = lowbit.constant {codes = dense<0x17> : tensor<32x128xi8>, scales = dense<0.3> : tensor<32x2xf16>,
                        zeros = dense<0x25> : tensor<32x1xi8>}
      : !lowbit.tensor<32x256xf32, #lowbit.uniform<u4, group = [1, 128], scale = f16, zero = u4>>
  %q = lowbit.dynamic_quantize %x : tensor<?x256xf32>
      -> !lowbit.tensor<?x256xf32, #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none, narrow>>
  %y = lowbit.matmul %q, %w
      : (!lowbit.tensor<?x256xf32, #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none, narrow>>,
         !lowbit.tensor<32x256xf32, #lowbit.uniform<u4, group = [1, 128], scale = f16, zero = u4>>)
      -> tensor<?x32xf32>
  return %y : tensor<?x32xf32>
}
