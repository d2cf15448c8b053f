// RUN: quant-opt %s -split-input-file -verify-diagnostics | quant-opt -split-input-file | FileCheck %s
// RUN: quant-opt %s -split-input-file --emit-bytecode -verify-diagnostics -o %t.mlirbc

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
#avx2 = #lowbit.matmul_tuning<"avx2", [dequantize 4 x 1, dequantize 1 x 4], prefetch = 0>
#avx512vnni = #lowbit.matmul_tuning<"avx512vnni", [dequantize 1 x 8], prefetch = 768>

// CHECK-LABEL: @matmuls
func.func @matmuls(%x: tensor<?x8xf32>, %w: !lowbit.tensor<4x8xf32, #s4>, %c: tensor<4x4xi8>, %s: tensor<4x1xf16>,
                   %o: tensor<?x4xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>) {
  // CHECK: lowbit.matmul %{{.+}}, %{{.+}} {tunings = [#lowbit.matmul_tuning<"avx2", [dequantize 4 x 1, dequantize 1 x 4], prefetch = 0>, #lowbit.matmul_tuning<"avx512vnni", [dequantize 1 x 8], prefetch = 768>]} :
  %0 = lowbit.matmul %x, %w {tunings = [#avx2, #avx512vnni]}
      : (tensor<?x8xf32>, !lowbit.tensor<4x8xf32, #s4>) -> tensor<?x4xf32>
  // CHECK: outs(%{{.+}} : tensor<?x4xf32>) {tunings = [#lowbit.matmul_tuning<"avx2", [dequantize 4 x 1, dequantize 1 x 4], prefetch = 0>]} ->
  %1 = lowbit.packed_matmul ins(%x : tensor<?x8xf32>)
      weight(%c, %s : tensor<4x4xi8>, tensor<4x1xf16> as !lowbit.tensor<4x8xf32, #s4>)
      outs(%o : tensor<?x4xf32>) {tunings = [#avx2]} -> tensor<?x4xf32>
  return %0, %1 : tensor<?x4xf32>, tensor<?x4xf32>
}

// -----

// CHECK: #lowbit.matmul_tuning<"amx", [tiles 16 x 2, dot 12 x 2, lut 1 x 8], prefetch = 4096>
func.func private @strategies() attributes {
  a = #lowbit.matmul_tuning<"amx", [tiles 16 x 2, dot 12 x 2, lut 1 x 8], prefetch = 4096>}

// -----

// expected-error @below {{tuning names no target; avx2, say}}
func.func private @target() attributes {a = #lowbit.matmul_tuning<"", [dot 1 x 8], prefetch = 768>}

// -----

// expected-error @below {{the last tile of a tuning must be of one token, as 'dot 1 x 8' is}}
func.func private @empty() attributes {a = #lowbit.matmul_tuning<"avx2", [], prefetch = 768>}

// -----

// expected-error @below {{the last tile of a tuning must be of one token, as 'dot 1 x 8' is}}
func.func private @last() attributes {a = #lowbit.matmul_tuning<"avx2", [dot 4 x 1], prefetch = 768>}

// -----

// expected-error @below {{tile 'dot 4 x 2' must have fewer tokens than 'dot 4 x 1' before it}}
func.func private @order() attributes {a = #lowbit.matmul_tuning<"avx2", [dot 4 x 1, dot 4 x 2, dot 1 x 4], prefetch = 768>}

// -----

// expected-error @below {{tile 'dot 4 x 0' must have at least one token and one panel}}
func.func private @panels() attributes {a = #lowbit.matmul_tuning<"avx2", [dot 4 x 0, dot 1 x 4], prefetch = 768>}

// -----

// expected-error @below {{tile 'tiles 4 x 2' must be the first: a matrix unit takes what fills its tiles}}
func.func private @unit() attributes {a = #lowbit.matmul_tuning<"amx", [dot 12 x 2, tiles 4 x 2, dot 1 x 4], prefetch = 768>}

// -----

// expected-error @below {{strategy 'auto' says nothing in a tuning; use dot, dequantize, lut or tiles}}
func.func private @auto() attributes {a = #lowbit.matmul_tuning<"avx2", [auto 1 x 4], prefetch = 768>}

// -----

// expected-error @below {{unknown strategy 'magic'; known are dot, dequantize, lut and tiles}}
func.func private @strategy() attributes {a = #lowbit.matmul_tuning<"avx2", [magic 1 x 4], prefetch = 768>}

// -----

// expected-error @below {{prefetch must be 0 to 4096 bytes, got 5000}}
func.func private @prefetch() attributes {a = #lowbit.matmul_tuning<"avx2", [dot 1 x 4], prefetch = 5000>}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
#avx2 = #lowbit.matmul_tuning<"avx2", [dequantize 1 x 4], prefetch = 0>
#other = #lowbit.matmul_tuning<"avx2", [dequantize 1 x 2], prefetch = 0>
func.func @twice(%x: tensor<?x8xf32>, %w: !lowbit.tensor<4x8xf32, #s4>) {
  // expected-error @below {{'lowbit.matmul' op has two tunings for 'avx2'}}
  %0 = lowbit.matmul %x, %w {tunings = [#avx2, #other]}
      : (tensor<?x8xf32>, !lowbit.tensor<4x8xf32, #s4>) -> tensor<?x4xf32>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
func.func @kind(%x: tensor<?x8xf32>, %w: !lowbit.tensor<4x8xf32, #s4>) {
  // expected-error @below {{attribute 'tunings' failed to satisfy constraint: array of `#lowbit.matmul_tuning`, one for each target}}
  %0 = lowbit.matmul %x, %w {tunings = ["avx2"]}
      : (tensor<?x8xf32>, !lowbit.tensor<4x8xf32, #s4>) -> tensor<?x4xf32>
  return
}
