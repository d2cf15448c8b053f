// RUN: quant-opt %s --convert-quant-to-lowbit -split-input-file | FileCheck %s
// RUN: quant-opt %s --convert-quant-to-lowbit --convert-lowbit-to-quant -split-input-file | FileCheck %s --check-prefix=BACK

// CHECK-LABEL: @rows
// CHECK: %[[W:.+]] = lowbit.constant {codes = dense<{{\[\[}}33], [-8]]> : tensor<2x1xi8>, scales = dense<{{\[\[}}5.000000e-01], [2.000000e+00]]> : tensor<2x1xf32>}
// CHECK-SAME: #lowbit.uniform<s4, group = [1, *], scale = f32, zero = none>
// CHECK: lowbit.dequantize %[[W]]
// CHECK-NOT: quant.
// BACK-LABEL: @rows
// BACK: arith.constant dense<{{\[\[}}1, 2], [-8, -1]]> : tensor<2x2xi8>
// BACK: quant.scast %{{.+}} to tensor<2x2x!quant.uniform<i8<-8:7>:f32:0, {5.000000e-01,2.000000e+00}>>
func.func @rows() -> tensor<2x2xf32> {
  %0 = arith.constant dense<[[1, 2], [-8, -1]]> : tensor<2x2xi8>
  %1 = quant.scast %0 : tensor<2x2xi8> to tensor<2x2x!quant.uniform<i8<-8:7>:f32:0, {0.5, 2.0}>>
  %2 = quant.dcast %1 : tensor<2x2x!quant.uniform<i8<-8:7>:f32:0, {0.5, 2.0}>> to tensor<2x2xf32>
  return %2 : tensor<2x2xf32>
}

// -----

// The whole range of a byte, and a zero point.
// CHECK-LABEL: @tensor
// CHECK: lowbit.constant {codes = dense<{{\[}}1, -1]> : tensor<2xi8>, scales = dense<5.000000e-01> : tensor<1xf32>, zeros = dense<-56> : tensor<1xi8>}
// CHECK-SAME: #lowbit.uniform<u8, group = [*, *], scale = f32, zero = u8>
// BACK-LABEL: @tensor
// BACK: tensor<2x!quant.uniform<u8:f32, 5.000000e-01:200>>
func.func @tensor() -> tensor<2xf32> {
  %0 = arith.constant dense<[1, 255]> : tensor<2xi8>
  %1 = quant.scast %0 : tensor<2xi8> to tensor<2x!quant.uniform<u8:f32, 0.5:200>>
  %2 = quant.dcast %1 : tensor<2x!quant.uniform<u8:f32, 0.5:200>> to tensor<2xf32>
  return %2 : tensor<2xf32>
}

// -----

// CHECK-LABEL: @narrow
// CHECK: #lowbit.uniform<s8, group = [*, *], scale = f32, zero = none, narrow>
// BACK-LABEL: @narrow
// BACK: tensor<2x!quant.uniform<i8<-127:127>:f32, 5.000000e-01>>
func.func @narrow() -> tensor<2xf32> {
  %0 = arith.constant dense<[1, -127]> : tensor<2xi8>
  %1 = quant.scast %0 : tensor<2xi8> to tensor<2x!quant.uniform<i8<-127:127>:f32, 0.5>>
  %2 = quant.dcast %1 : tensor<2x!quant.uniform<i8<-127:127>:f32, 0.5>> to tensor<2xf32>
  return %2 : tensor<2xf32>
}
