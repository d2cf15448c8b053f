// RUN: quant-compile %s -o - --emit=asm --target=aarch64+dotprod | FileCheck %s --check-prefix=NEON
// RUN: quant-compile %s -o - --emit=asm --target=aarch64+dotprod+i8mm | FileCheck %s --check-prefix=I8MM
// RUN: quant-compile %s -o - --emit=asm --target=aarch64+sve | FileCheck %s --check-prefix=SVE --implicit-check-not=mmla
// RUN: quant-compile %s -o - --emit=asm --target=aarch64+sve+i8mm | FileCheck %s --check-prefix=SVE-I8MM

// Several tokens and one, with the instructions of each level; the weight is the
// same for all. Nibbles of two chunks are brought together before they are
// split.
// NEON: ushr v{{[0-9]+}}.16b, v{{[0-9]+}}.16b, #4
// NEON: sdot v{{[0-9]+}}.4s
// NEON-NOT: mmla
// I8MM: zip1 v{{[0-9]+}}.4s
// I8MM: zip2 v{{[0-9]+}}.4s
// I8MM: ushr v{{[0-9]+}}.16b, v{{[0-9]+}}.16b, #4
// I8MM: smmla v{{[0-9]+}}.4s
// I8MM: sdot v{{[0-9]+}}.4s
// SVE: ld1b { z{{[0-9]+}}.b }, p{{[0-9]+}}/z
// SVE: lsr z{{[0-9]+}}.b, z{{[0-9]+}}.b, #4
// SVE: sdot z{{[0-9]+}}.s
// SVE-I8MM: zip1 z{{[0-9]+}}.s
// SVE-I8MM: smmla z{{[0-9]+}}.s
// SVE-I8MM: sdot z{{[0-9]+}}.s
#w = #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = u4>
#x = #lowbit.uniform<s8, group = [1, 32], scale = f32, zero = none, narrow>
func.func @main(%x: tensor<?x128xf32>) -> tensor<?x64xf32> {
  %q = lowbit.dynamic_quantize %x : tensor<?x128xf32> -> !lowbit.tensor<?x128xf32, #x>
  %w = lowbit.constant {codes = dense<85> : tensor<64x64xi8>, scales = dense<0.5> : tensor<64x4xf16>,
                        zeros = dense<119> : tensor<64x2xi8>} : !lowbit.tensor<64x128xf32, #w>
  %y = lowbit.matmul %q, %w : (!lowbit.tensor<?x128xf32, #x>, !lowbit.tensor<64x128xf32, #w>) -> tensor<?x64xf32>
  return %y : tensor<?x64xf32>
}
