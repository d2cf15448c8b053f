// RUN: quant-compile %s -o - --emit=asm --target=x86-64-v3 | FileCheck %s --check-prefix=AVX2
// RUN: quant-compile %s -o - --emit=asm --target=x86-64-v4+vnni | FileCheck %s --check-prefix=AVX512
// RUN: quant-compile %s -o - --emit=asm --target=aarch64+dotprod | FileCheck %s --check-prefix=NEON
// RUN: quant-compile %s -o - --emit=asm --target=aarch64+dotprod+i8mm | FileCheck %s --check-prefix=I8MM
// RUN: not quant-opt %s --lower-to-x86="strategy=lut" 2>&1 | FileCheck %s --check-prefix=LUT

// Levels that are integers times a constant become bytes by one shuffle, and are
// multiplied as codes are that are integers.
// AVX2: vpshufb
// AVX2: vpmaddubsw
// AVX512: vpshufb
// AVX512: vpdpbusd
// NEON: tbl v{{[0-9]+}}.16b, { v{{[0-9]+}}.16b }
// NEON: sdot
// I8MM: tbl v{{[0-9]+}}.16b, { v{{[0-9]+}}.16b }
// I8MM: smmla
// LUT: error: 'lowbit.packed_matmul' op strategy 'lut' needs int8 activations and codes of at most four bits that are numbers: the weight is #lowbit.codebook<e2m1

!mxfp4 = !lowbit.tensor<256x64xf32, #lowbit.codebook<e2m1, group = [1, 32], scale = f8E8M0FNU>>
!s8 = !lowbit.tensor<?x64xf32, #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none, narrow>>

func.func @main(%x: tensor<?x64xf32>) -> tensor<?x256xf32> {
  %q = lowbit.dynamic_quantize %x : tensor<?x64xf32> -> !s8
  %w = lowbit.constant {codes = dense<0x31> : tensor<256x32xi8>, scales = dense<125> : tensor<256x2xi8>} : !mxfp4
  %y = lowbit.matmul %q, %w : (!s8, !mxfp4) -> tensor<?x256xf32>
  return %y : tensor<?x256xf32>
}
