// RUN: quant-opt %s --canonicalize -split-input-file | FileCheck %s

// Codes 0x21 -> 1, 2; 0xF8 -> -8, -1. Scales 0.5 and 2.
// CHECK-LABEL: @dequantize
// CHECK: %[[W:.+]] = lowbit.weight dense<{{\[\[}}5.000000e-01, 1.000000e+00], [-1.600000e+01, -2.000000e+00]]> : tensor<2x2xf32>
// CHECK: return %[[W]]
func.func @dequantize() -> tensor<2x2xf32> {
  %0 = lowbit.constant {
    codes = dense<[[0x21], [0xF8]]> : tensor<2x1xi8>, scales = dense<[[0.5], [2.0]]> : tensor<2x1xf16>
  } : !lowbit.tensor<2x2xf32, #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>>
  %1 = lowbit.dequantize %0
      : !lowbit.tensor<2x2xf32, #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>> -> tensor<2x2xf32>
  return %1 : tensor<2x2xf32>
}

// -----

// Splats decode like any other constant.
// CHECK-LABEL: @dequantize_splat
// CHECK: lowbit.weight dense<1.500000e+00> : tensor<2x3xf32>
func.func @dequantize_splat() -> tensor<2x3xf32> {
  %0 = lowbit.constant {
    codes = dense<7> : tensor<2x3xi8>, scales = dense<0.5> : tensor<1x1xf32>, zeros = dense<4> : tensor<1x1xi8>
  } : !lowbit.tensor<2x3xf32, #lowbit.uniform<u8, group = [*, *], scale = f32, zero = u8>>
  %1 = lowbit.dequantize %0
      : !lowbit.tensor<2x3xf32, #lowbit.uniform<u8, group = [*, *], scale = f32, zero = u8>> -> tensor<2x3xf32>
  return %1 : tensor<2x3xf32>
}

// -----

// What lies in a file is left there, though the file does not exist.
// CHECK-LABEL: @dequantize_external
// CHECK: %[[W:.+]] = lowbit.constant
// CHECK: lowbit.dequantize %[[W]]
func.func @dequantize_external() -> tensor<2x2xf32> {
  %0 = lowbit.constant {
    codes = #lowbit.external<"w.safetensors", "c"> : tensor<2x1xi8>, scales = dense<[[0.5], [2.0]]> : tensor<2x1xf16>
  } : !lowbit.tensor<2x2xf32, #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>>
  %1 = lowbit.dequantize %0
      : !lowbit.tensor<2x2xf32, #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>> -> tensor<2x2xf32>
  return %1 : tensor<2x2xf32>
}

// -----

// [0, 3] in 15 steps: scale 0.2; [-1, 2]: scale 0.2, zero 5; [0, 0] is taken as
// [-1, 1], where 2 / 15 in f32 puts the zero point just below 7.5.
// CHECK-LABEL: @quantize
// CHECK: lowbit.constant {codes = dense<{{\[\[}}-91, 15], [-32, 15], [119, 7]]> : tensor<3x2xi8>,
// CHECK-SAME: scales = dense<{{\[\[}}2.000000e-01], [2.000000e-01], [0.13333334]]> : tensor<3x1xf32>,
// CHECK-SAME: zeros = dense<{{\[\[}}0], [5], [7]]> : tensor<3x1xi8>}
func.func @quantize() -> !lowbit.tensor<3x3xf32, #lowbit.uniform<u4, group = [1, *], scale = f32, zero = u4>> {
  %0 = arith.constant dense<[[1.0, 2.0, 3.0], [-1.0, 1.8, 2.0], [0.0, 0.0, 0.0]]> : tensor<3x3xf32>
  %1 = lowbit.quantize %0
      : tensor<3x3xf32> -> !lowbit.tensor<3x3xf32, #lowbit.uniform<u4, group = [1, *], scale = f32, zero = u4>>
  return %1 : !lowbit.tensor<3x3xf32, #lowbit.uniform<u4, group = [1, *], scale = f32, zero = u4>>
}

// -----

// An infinity has no code.
// CHECK-LABEL: @quantize_infinity
// CHECK: lowbit.quantize
func.func @quantize_infinity() -> !lowbit.tensor<1x1xf32, #lowbit.uniform<u4, group = [1, *], scale = f32, zero = u4>> {
  %0 = arith.constant dense<0x7F800000> : tensor<1x1xf32>
  %1 = lowbit.quantize %0
      : tensor<1x1xf32> -> !lowbit.tensor<1x1xf32, #lowbit.uniform<u4, group = [1, *], scale = f32, zero = u4>>
  return %1 : !lowbit.tensor<1x1xf32, #lowbit.uniform<u4, group = [1, *], scale = f32, zero = u4>>
}

// -----

// CHECK-LABEL: @assemble
// CHECK: lowbit.constant {codes = #lowbit.external<"{{.*}}w.safetensors", "c"> : tensor<2x1xi8>, scales = dense<1.000000e+00> : tensor<2x1xf16>}
// CHECK-NOT: lowbit.assemble
func.func @assemble() -> !lowbit.tensor<2x2xf32, #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>> {
  %0 = lowbit.weight #lowbit.external<"w.safetensors", "c"> : tensor<2x1xi8>
  %1 = arith.constant dense<1.0> : tensor<2x1xf16>
  %2 = lowbit.assemble %0, %1 : (tensor<2x1xi8>, tensor<2x1xf16>)
      -> !lowbit.tensor<2x2xf32, #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>>
  return %2 : !lowbit.tensor<2x2xf32, #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>>
}

// -----

// Equal weights are one.
// CHECK-LABEL: @weights
// CHECK: %[[W:.+]] = lowbit.weight
// CHECK-NOT: lowbit.weight
// CHECK: return %[[W]], %[[W]]
func.func @weights() -> (tensor<2x1xi8>, tensor<2x1xi8>) {
  %0 = lowbit.weight #lowbit.external<"w.safetensors", "c"> : tensor<2x1xi8>
  %1 = lowbit.weight #lowbit.external<"w.safetensors", "c"> : tensor<2x1xi8>
  return %0, %1 : tensor<2x1xi8>, tensor<2x1xi8>
}

// Buffers of different weights stay apart.
// CHECK-LABEL: @buffers
// CHECK: %[[A:.+]] = lowbit.weight dense<1.{{.*}}> : tensor<2xf32> to memref<2xf32>
// CHECK: %[[B:.+]] = lowbit.weight dense<2.{{.*}}> : tensor<2xf32> to memref<2xf32>
// CHECK: return %[[A]], %[[B]]
func.func @buffers() -> (memref<2xf32>, memref<2xf32>) {
  %a = lowbit.weight dense<1.0> : tensor<2xf32> to memref<2xf32>
  %b = lowbit.weight dense<2.0> : tensor<2xf32> to memref<2xf32>
  return %a, %b : memref<2xf32>, memref<2xf32>
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>

// CHECK-LABEL: @pack
// CHECK: lowbit.constant {codes = dense<{{.+}}> : tensor<1x1x64xi8>, scales = dense<{{.+}}> : tensor<1x1x16xf16>} : !lowbit.tensor<2x2xf32, {{.+}}, #lowbit.panels>
// CHECK-NOT: lowbit.pack
func.func @pack() -> !lowbit.tensor<2x2xf32, #s4, #lowbit.panels> {
  %0 = lowbit.constant {
    codes = dense<[[0x21], [0xF8]]> : tensor<2x1xi8>, scales = dense<[[0.5], [2.0]]> : tensor<2x1xf16>
  } : !lowbit.tensor<2x2xf32, #s4>
  %1 = lowbit.pack %0 : !lowbit.tensor<2x2xf32, #s4> -> !lowbit.tensor<2x2xf32, #s4, #lowbit.panels>
  return %1 : !lowbit.tensor<2x2xf32, #s4, #lowbit.panels>
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>

// CHECK-LABEL: @pack_external
// CHECK: lowbit.pack
func.func @pack_external() -> !lowbit.tensor<2x2xf32, #s4, #lowbit.panels> {
  %0 = lowbit.constant {
    codes = #lowbit.external<"w.safetensors", "c"> : tensor<2x1xi8>, scales = dense<[[0.5], [2.0]]> : tensor<2x1xf16>
  } : !lowbit.tensor<2x2xf32, #s4>
  %1 = lowbit.pack %0 : !lowbit.tensor<2x2xf32, #s4> -> !lowbit.tensor<2x2xf32, #s4, #lowbit.panels>
  return %1 : !lowbit.tensor<2x2xf32, #s4, #lowbit.panels>
}
