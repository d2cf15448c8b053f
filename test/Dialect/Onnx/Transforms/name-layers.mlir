// RUN: quant-opt %s --onnx-name-layers --mlir-print-debuginfo --mlir-print-local-scope | FileCheck %s

// CHECK-LABEL: func.func @names
func.func @names(%x: tensor<4x8xf32>, %y: tensor<8x8xf32>) {
  %w = onnx.Constant dense<1.0> : tensor<8x8xf32>
  // CHECK: onnx.MatMul({{.*}} loc("q_proj")
  %0 = onnx.MatMul(%x, %w) : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32> loc("q_proj")
  // Equal names are numbered.
  // CHECK: onnx.MatMul({{.*}} loc("q_proj_1")
  %1 = onnx.MatMul(%x, %w) : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32> loc("q_proj")
  // CHECK: onnx.MatMul({{.*}} loc("MatMul"(
  %2 = onnx.MatMul(%x, %w) : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32>
  // CHECK: onnx.MatMul({{.*}} loc("MatMul_1"(
  %3 = onnx.MatMul(%x, %w) : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32>
  // Not a layer: no constant weight.
  // CHECK: onnx.MatMul({{.*}} loc("q_proj")
  %4 = onnx.MatMul(%x, %y) : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32> loc("q_proj")
  return
}
