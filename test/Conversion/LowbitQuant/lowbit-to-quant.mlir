// RUN: quant-opt %s --convert-lowbit-to-quant -split-input-file | FileCheck %s

// Codes are unpacked, with their signs; f16 scales are exact in the type.
// CHECK-LABEL: @rows
// CHECK: %[[C:.+]] = arith.constant dense<{{\[\[}}1, 2], [-8, -1]]> : tensor<2x2xi8>
// CHECK: %[[Q:.+]] = quant.scast %[[C]] : tensor<2x2xi8> to tensor<2x2x!quant.uniform<i8<-8:7>:f32:0, {5.000000e-01,2.000000e+00}>>
// CHECK: quant.dcast %[[Q]]
// CHECK-NOT: lowbit
func.func @rows() -> tensor<2x2xf32> {
  %0 = lowbit.constant {
    codes = dense<[[0x21], [0xF8]]> : tensor<2x1xi8>, scales = dense<[[0.5], [2.0]]> : tensor<2x1xf16>
  } : !lowbit.tensor<2x2xf32, #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>>
  %1 = lowbit.dequantize %0
      : !lowbit.tensor<2x2xf32, #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>> -> tensor<2x2xf32>
  return %1 : tensor<2x2xf32>
}

// -----

// CHECK-LABEL: @zeros
// CHECK: quant.scast %{{.+}} : tensor<2x2xi8> to tensor<2x2x!quant.uniform<u8<0:7>:f32:0, {5.000000e-01:4,2.000000e+00:7}>>
func.func @zeros() -> tensor<2x2xf32> {
  %0 = lowbit.constant {
    codes = dense<[[0x21], [0x38]]> : tensor<2x1xi8>, scales = dense<[[0.5], [2.0]]> : tensor<2x1xf16>,
    zeros = dense<[[4], [7]]> : tensor<2x1xi8>
  } : !lowbit.tensor<2x2xf32, #lowbit.uniform<u3, group = [1, *], scale = f16, zero = u3>>
  %1 = lowbit.dequantize %0
      : !lowbit.tensor<2x2xf32, #lowbit.uniform<u3, group = [1, *], scale = f16, zero = u3>> -> tensor<2x2xf32>
  return %1 : tensor<2x2xf32>
}

// -----

// Bytes of a file are left where they are.
// CHECK-LABEL: @tensor
// CHECK: %[[C:.+]] = lowbit.weight #lowbit.external<"{{.*}}codes.bin", offset = 0, length = 12> : tensor<3x2x2xi8>
// CHECK: quant.scast %[[C]] : tensor<3x2x2xi8> to tensor<3x2x2x!quant.uniform<i8<-127:127>:f32, 2.500000e-01>>
func.func @tensor() -> tensor<3x2x2xf32> {
  %0 = lowbit.constant {
    codes = #lowbit.external<"Inputs/codes.bin", offset = 0, length = 12> : tensor<3x2x2xi8>,
    scales = dense<0.25> : tensor<1x1x1xf32>
  } : !lowbit.tensor<3x2x2xf32, #lowbit.uniform<s8, group = [*, *], scale = f32, zero = none, narrow>>
  %1 = lowbit.dequantize %0
      : !lowbit.tensor<3x2x2xf32, #lowbit.uniform<s8, group = [*, *], scale = f32, zero = none, narrow>> -> tensor<3x2x2xf32>
  return %1 : tensor<3x2x2xf32>
}
