// RUN: quant-opt %s --convert-linear-to-lowbit | FileCheck %s

// The weight of a MatMul lies column by column, that of this Gemm row by row;
// both are used as they stand.
// CHECK-LABEL: @layers
// CHECK-SAME: %[[X:.+]]: tensor<?x64xf32>, %[[BIAS:.+]]: tensor<32xf32>
// CHECK: %[[W0:.+]] = lowbit.constant {values = #lowbit.external<"{{.*}}m.data", offset = 0, length = 8192> : tensor<64x32xf32>}
// CHECK-SAME: !lowbit.tensor<32x64xf32, #lowbit.float<f32, transposed>>
// CHECK: %[[Y:.+]] = lowbit.matmul %[[X]], %[[W0]]
// CHECK: %[[W1:.+]] = lowbit.constant {values = dense<1.000000e+00> : tensor<16x32xf32>}
// CHECK-SAME: !lowbit.tensor<16x32xf32, #lowbit.float<f32>>
// CHECK: %[[Z:.+]] = lowbit.matmul %[[Y]], %[[W1]]
// CHECK-NOT: onnx
// CHECK: return %[[Z]]
func.func @layers(%x: tensor<?x64xf32>, %bias: tensor<32xf32>) -> tensor<?x16xf32> {
  %none = onnx.NoValue
  %w0 = onnx.Constant #lowbit.external<"m.data", offset = 0, length = 8192> : tensor<64x32xf32>
  %y = onnx.MatMul(%x, %w0) : (tensor<?x64xf32>, tensor<64x32xf32>) -> tensor<?x32xf32>
  %w1 = onnx.Constant dense<1.0> : tensor<16x32xf32>
  %z = onnx.Gemm(%y, %w1, %none) {transB = 1 : i64} : (tensor<?x32xf32>, tensor<16x32xf32>, none) -> tensor<?x16xf32>
  return %z : tensor<?x16xf32>
}

// Another element type, too few outputs, and a weight that is no constant.
// CHECK-LABEL: @others
// CHECK-COUNT-3: onnx.MatMul
// CHECK-NOT: lowbit
func.func @others(%x: tensor<?x32xf32>, %h: tensor<?x32xf16>, %v: tensor<32x64xf32>)
    -> (tensor<?x64xf16>, tensor<?x15xf32>, tensor<?x64xf32>) {
  %w0 = onnx.Constant dense<1.0> : tensor<32x64xf16>
  %w1 = onnx.Constant dense<1.0> : tensor<32x15xf32>
  %0 = onnx.MatMul(%h, %w0) : (tensor<?x32xf16>, tensor<32x64xf16>) -> tensor<?x64xf16>
  %1 = onnx.MatMul(%x, %w1) : (tensor<?x32xf32>, tensor<32x15xf32>) -> tensor<?x15xf32>
  %2 = onnx.MatMul(%x, %v) : (tensor<?x32xf32>, tensor<32x64xf32>) -> tensor<?x64xf32>
  return %0, %1, %2 : tensor<?x64xf16>, tensor<?x15xf32>, tensor<?x64xf32>
}
