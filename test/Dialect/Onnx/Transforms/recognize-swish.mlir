// RUN: quant-opt %s --onnx-recognize-swish -split-input-file | FileCheck %s

// CHECK-LABEL: func.func @silu
// CHECK-SAME: (%[[X:.+]]: tensor<?x8xf32>)
func.func @silu(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %0 = onnx.Sigmoid(%x) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %1 = onnx.Mul(%x, %0) : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  // CHECK: %[[Y:.+]] = onnx.Swish(%[[X]])
  // CHECK-NOT: onnx.Sigmoid
  // CHECK: return %[[Y]]
  return %1 : tensor<?x8xf32>
}

// -----

// CHECK-LABEL: func.func @quick_gelu
func.func @quick_gelu(%x: tensor<8xf32>) -> tensor<8xf32> {
  %a = onnx.Constant dense<1.702> : tensor<f32>
  %s = onnx.Mul(%x, %a) : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %0 = onnx.Sigmoid(%s) : (tensor<8xf32>) -> tensor<8xf32>
  %1 = onnx.Mul(%0, %x) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  // CHECK: onnx.Swish(%{{.*}}) {alpha = 1.702{{.*}} : f32}
  return %1 : tensor<8xf32>
}

// -----

// CHECK-LABEL: func.func @by_exp
func.func @by_exp(%x: tensor<8xf32>) -> tensor<8xf32> {
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %0 = onnx.Neg(%x) : (tensor<8xf32>) -> tensor<8xf32>
  %1 = onnx.Exp(%0) : (tensor<8xf32>) -> tensor<8xf32>
  %2 = onnx.Add(%1, %one) : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %3 = onnx.Div(%x, %2) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  // CHECK: onnx.Swish
  // CHECK-NOT: onnx.Exp
  return %3 : tensor<8xf32>
}

// -----

// A gate: another value under the sigmoid.
// CHECK-LABEL: func.func @no_match_gate
func.func @no_match_gate(%x: tensor<8xf32>, %y: tensor<8xf32>) -> tensor<8xf32> {
  %0 = onnx.Sigmoid(%y) : (tensor<8xf32>) -> tensor<8xf32>
  %1 = onnx.Mul(%x, %0) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  // CHECK-NOT: onnx.Swish
  // CHECK: return
  return %1 : tensor<8xf32>
}

// -----

// The sigmoid has another use.
// CHECK-LABEL: func.func @no_match_second_use
func.func @no_match_second_use(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %0 = onnx.Sigmoid(%x) : (tensor<8xf32>) -> tensor<8xf32>
  %1 = onnx.Mul(%x, %0) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  // CHECK-NOT: onnx.Swish
  // CHECK: return
  return %1, %0 : tensor<8xf32>, tensor<8xf32>
}

// -----

// 2 + exp(-x).
// CHECK-LABEL: func.func @no_match_constant
func.func @no_match_constant(%x: tensor<8xf32>) -> tensor<8xf32> {
  %two = onnx.Constant dense<2.0> : tensor<f32>
  %0 = onnx.Neg(%x) : (tensor<8xf32>) -> tensor<8xf32>
  %1 = onnx.Exp(%0) : (tensor<8xf32>) -> tensor<8xf32>
  %2 = onnx.Add(%1, %two) : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %3 = onnx.Div(%x, %2) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  // CHECK-NOT: onnx.Swish
  // CHECK: return
  return %3 : tensor<8xf32>
}
