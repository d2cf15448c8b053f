// RUN: quant-compile %s -o - --emit=asm --target=x86-64-v3 --strategy=lut | FileCheck %s --check-prefix=AVX2
// RUN: quant-compile %s -o - --emit=asm --target=x86-64-v4+vnni --strategy=lut | FileCheck %s --check-prefix=AVX512
// RUN: quant-compile %s -o - --emit=asm --target=x86-64-v4+vnni+avx512vbmi --strategy=lut | FileCheck %s --check-prefix=AVX512
// RUN: quant-compile %s -o - --emit=asm --target=aarch64+dotprod --strategy=lut | FileCheck %s --check-prefix=NEON

// Lookups by byte shuffles, whose tables come from memory as loads broadcast
// them; NEON loads every fourth byte, x86 collects them by blends.
// AVX2: vbroadcasti128 {{-[0-9]+\(}}%{{.*}}), %[[TABLE:ymm[0-9]+]]
// AVX2-NEXT: vpshufb %ymm{{[0-9]+}}, %[[TABLE]], %[[FOUND:ymm[0-9]+]]
// AVX2-NEXT: vpaddb {{.*}}%[[FOUND]]
// AVX512: vbroadcasti32x4 {{-[0-9]+\(}}%{{.*}}), %[[TABLE:zmm[0-9]+]]
// AVX512-NEXT: vpshufb %zmm{{[0-9]+}}, %[[TABLE]], %[[FOUND:zmm[0-9]+]]
// AVX512: vpdpbusd
// NEON: ld4 { v
// NEON: tbl v{{[0-9]+}}.16b
func.func @main(%x: tensor<?x128xf32>) -> tensor<?x1024xf32> {
  %q = lowbit.dynamic_quantize %x : tensor<?x128xf32>
    -> !lowbit.tensor<?x128xf32, #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none, narrow>>
  %w = lowbit.constant {codes = dense<85> : tensor<1024x16xi8>, scales = dense<0.5> : tensor<1024x1xf32>,
                        zeros = dense<1> : tensor<1024x1xi8>}
    : !lowbit.tensor<1024x128xf32, #lowbit.uniform<u1, group = [1, *], scale = f32, zero = u1>>
  %y = lowbit.matmul %q, %w
    : (!lowbit.tensor<?x128xf32, #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none, narrow>>,
       !lowbit.tensor<1024x128xf32, #lowbit.uniform<u1, group = [1, *], scale = f32, zero = u1>>) -> tensor<?x1024xf32>
  return %y : tensor<?x1024xf32>
}
