// RUN: quant-compile %s -o - --emit=asm --target=x86-64-v3 | FileCheck %s --check-prefix=AVX2
// RUN: quant-compile %s -o - --emit=asm --target=x86-64-v4+vnni | FileCheck %s --check-prefix=AVX512
// RUN: quant-compile %s -o - --emit=asm --target=aarch64+dotprod | FileCheck %s --check-prefix=NEON
// RUN: quant-opt %s --lowbit-pack-weights="target=amx" 2>%t | FileCheck %s --check-prefix=PACK
// RUN: FileCheck %s --check-prefix=REMARK < %t
// RUN: not quant-opt %s --lower-to-x86="level=amx strategy=tiles" 2>&1 | FileCheck %s --check-prefix=TILES

// Codes that are names of levels: the table is looked up by permutations of its
// floats (two of eight where a register has no more), or of bytes.
// AVX2: vperm{{d|ps}}
// AVX2: vblendvps
// AVX512: vperm{{d|ps}}
// AVX512: vfmadd231ps
// NEON: tbl v{{[0-9]+}}.16b, { v{{[0-9]+}}.16b, v{{[0-9]+}}.16b, v{{[0-9]+}}.16b, v{{[0-9]+}}.16b }

!nf4 = !lowbit.tensor<256x64xf32, #lowbit.codebook<nf4, group = [1, 32], scale = f16>>
!mxfp4 = !lowbit.tensor<256x64xf32, #lowbit.codebook<e2m1, group = [1, 32], scale = f8E8M0FNU>>
!fp8 = !lowbit.tensor<16x64xf32, #lowbit.codebook<e4m3, group = [1, *], scale = f32>>
!s8 = !lowbit.tensor<?x64xf32, #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none, narrow>>

// PACK: codes = {{.*}}tensor<16x8x64xi8>, scales = {{.*}}tensor<16x2x16xf16>{{.*}}nf4, {{.*}}#lowbit.panels>
// PACK: codes = {{.*}}tensor<16x8x64xi8>, scales = {{.*}}tensor<16x2x16xi8>{{.*}}e2m1, {{.*}}#lowbit.panels>
// PACK: codes = {{.*}}tensor<1x16x64xi8>, scales = {{.*}}tensor<1x1x16xf32>{{.*}}e4m3, {{.*}}#lowbit.panels>
// PACK: lowbit.dequantize
// PACK: codes = {{.*}}tensor<16x8x64xi8>, scales = {{.*}}tensor<16x2x16xf16>{{.*}}nf4, {{.*}}#lowbit.panels>
// REMARK: remark: the amx kernel multiplies floats: levels that are no integers of eight bits times a constant are multiplied with float activations
// TILES: error: 'lowbit.packed_matmul' op strategy 'tiles' needs codes that are integers with integer zero points or none: the weight is #lowbit.codebook<nf4, {{.*}}>, the input f32
func.func @main(%x: tensor<?x64xf32>) -> (tensor<?x256xf32>, tensor<?x256xf32>, tensor<?x16xf32>, tensor<?x256xf32>) {
  %nf4 = lowbit.constant {codes = dense<0x31> : tensor<256x32xi8>, scales = dense<0.5> : tensor<256x2xf16>} : !nf4
  %0 = lowbit.matmul %x, %nf4 : (tensor<?x64xf32>, !nf4) -> tensor<?x256xf32>
  %mxfp4 = lowbit.constant {codes = dense<0x31> : tensor<256x32xi8>, scales = dense<125> : tensor<256x2xi8>} : !mxfp4
  %1 = lowbit.matmul %x, %mxfp4 : (tensor<?x64xf32>, !mxfp4) -> tensor<?x256xf32>
  %fp8 = lowbit.constant {codes = dense<0x31> : tensor<16x64xi8>, scales = dense<0.5> : tensor<16x1xf32>} : !fp8
  %2 = lowbit.matmul %x, %fp8 : (tensor<?x64xf32>, !fp8) -> tensor<?x16xf32>
  %q = lowbit.dynamic_quantize %x : tensor<?x64xf32> -> !s8
  %other = lowbit.constant {codes = dense<0x13> : tensor<256x32xi8>, scales = dense<0.5> : tensor<256x2xf16>} : !nf4
  %3 = lowbit.matmul %q, %other : (!s8, !nf4) -> tensor<?x256xf32>
  return %0, %1, %2, %3 : tensor<?x256xf32>, tensor<?x256xf32>, tensor<?x16xf32>, tensor<?x256xf32>
}
