// RUN: quant-opt %s --convert-onnx-to-linalg --cse | FileCheck %s

// Quantized operations keep the dimensions of what they read: what follows them
// needs no broadcast, and is as large as the function's argument is.

#weight = #lowbit.uniform<s4, group = [1, 8], scale = f32, zero = none>
#row = #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none, narrow>

// CHECK-LABEL: func.func @main(
// CHECK-SAME:    %[[X:[a-z0-9]+]]: tensor<?x8xf32>
// CHECK-NOT:   cf.assert
// CHECK-NOT:   scf.if
// CHECK:       %[[BATCH:.*]] = tensor.dim %[[X]], %c0
// CHECK-NOT:   tensor.dim
// CHECK:       tensor.empty(%[[BATCH]]) : tensor<?x8xf32>
// CHECK-NOT:   tensor.dim
// CHECK:       return
func.func @main(%x: tensor<?x8xf32>, %w: !lowbit.tensor<8x8xf32, #weight>) -> tensor<?x8xf32> {
  %q = lowbit.dynamic_quantize %x : tensor<?x8xf32> -> !lowbit.tensor<?x8xf32, #row>
  %0 = lowbit.matmul %q, %w
      : (!lowbit.tensor<?x8xf32, #row>, !lowbit.tensor<8x8xf32, #weight>) -> tensor<?x8xf32>
  %1 = onnx.Add(%0, %x) : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %2 = lowbit.quantize %1 : tensor<?x8xf32> -> !lowbit.tensor<?x8xf32, #row>
  %3 = lowbit.dequantize %2 : !lowbit.tensor<?x8xf32, #row> -> tensor<?x8xf32>
  %4 = onnx.Mul(%3, %0) : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %4 : tensor<?x8xf32>
}

// CHECK-LABEL: func.func @embedding(
// CHECK-SAME:    %[[TOKENS:[a-z0-9]+]]: tensor<?xi64>
// CHECK-NOT:   cf.assert
// CHECK-NOT:   scf.if
// CHECK:       %[[COUNT:.*]] = tensor.dim %[[TOKENS]], %c0
// CHECK:       tensor.empty(%[[COUNT]]) : tensor<?x8xf32>
func.func @embedding(%table: !lowbit.tensor<16x8xf32, #weight>, %tokens: tensor<?xi64>) -> tensor<?x8xf32> {
  %0 = lowbit.gather %table[%tokens]
      : (!lowbit.tensor<16x8xf32, #weight>, tensor<?xi64>) -> tensor<?x8xf32>
  %1 = lowbit.gather %table[%tokens]
      : (!lowbit.tensor<16x8xf32, #weight>, tensor<?xi64>) -> tensor<?x8xf32>
  %2 = onnx.Add(%0, %1) : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %2 : tensor<?x8xf32>
}
