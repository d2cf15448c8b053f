// RUN: quant-opt %s --lower-to-x86="level=avx512vnni" | FileCheck %s --check-prefix=LLVM
// RUN: quant-compile %s -o - --emit=asm --target=x86-64-v4+vnni | FileCheck %s --check-prefix=AVX512
// RUN: quant-compile %s -o - --emit=asm --target=aarch64+dotprod | FileCheck %s --check-prefix=NEON

// A table of 256 levels is a constant that kernels gather from; two kernels
// share it.
// LLVM: llvm.mlir.global private constant @lowbit_levels_0
// LLVM-NOT: @lowbit_levels_1
// LLVM: llvm.intr.masked.gather
// Bits of small floats are moved to where f16 has them.
// AVX512: vcvtph2ps
// NEON: fcvtl

!dynamic8 = !lowbit.tensor<16x64xf32, #lowbit.codebook<dynamic8, group = [1, *], scale = f32>>
!wide = !lowbit.tensor<32x64xf32, #lowbit.codebook<dynamic8, group = [1, *], scale = f32>>
!fp8 = !lowbit.tensor<16x64xf32, #lowbit.codebook<e5m2, group = [1, *], scale = f32>>

func.func @main(%x: tensor<?x64xf32>) -> (tensor<?x16xf32>, tensor<?x32xf32>, tensor<?x16xf32>) {
  %w = lowbit.constant {codes = dense<0x31> : tensor<16x64xi8>, scales = dense<0.5> : tensor<16x1xf32>} : !dynamic8
  %0 = lowbit.matmul %x, %w : (tensor<?x64xf32>, !dynamic8) -> tensor<?x16xf32>
  %wide = lowbit.constant {codes = dense<0x32> : tensor<32x64xi8>, scales = dense<0.5> : tensor<32x1xf32>} : !wide
  %1 = lowbit.matmul %x, %wide : (tensor<?x64xf32>, !wide) -> tensor<?x32xf32>
  %fp8 = lowbit.constant {codes = dense<0x31> : tensor<16x64xi8>, scales = dense<0.5> : tensor<16x1xf32>} : !fp8
  %2 = lowbit.matmul %x, %fp8 : (tensor<?x64xf32>, !fp8) -> tensor<?x16xf32>
  return %0, %1, %2 : tensor<?x16xf32>, tensor<?x32xf32>, tensor<?x16xf32>
}
