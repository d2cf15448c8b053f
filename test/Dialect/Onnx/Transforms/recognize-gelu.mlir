// RUN: quant-opt %s --onnx-recognize-gelu -split-input-file | FileCheck %s

// torch: x * (1 + erf(x / sqrt(2))) * 0.5.
// CHECK-LABEL: func.func @erf
// CHECK-SAME: (%[[X:.+]]: tensor<?x8xf32>)
func.func @erf(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %root = onnx.Constant dense<1.41421354> : tensor<f32>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %half = onnx.Constant dense<0.5> : tensor<f32>
  %0 = onnx.Div(%x, %root) : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %1 = onnx.Erf(%0) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %2 = onnx.Add(%1, %one) : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %3 = onnx.Mul(%x, %2) : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %4 = onnx.Mul(%3, %half) : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  // CHECK: %[[Y:.+]] = onnx.Gelu(%[[X]]) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  // CHECK: return %[[Y]]
  return %4 : tensor<?x8xf32>
}

// -----

// The half inside: (0.5 * erf(x * 0.7071) + 0.5) * x.
// CHECK-LABEL: func.func @erf_scaled_sum
func.func @erf_scaled_sum(%x: tensor<8xf32>) -> tensor<8xf32> {
  %root = onnx.Constant dense<0.707106769> : tensor<f32>
  %half = onnx.Constant dense<0.5> : tensor<f32>
  %0 = onnx.Mul(%root, %x) : (tensor<f32>, tensor<8xf32>) -> tensor<8xf32>
  %1 = onnx.Erf(%0) : (tensor<8xf32>) -> tensor<8xf32>
  %2 = onnx.Mul(%1, %half) : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %3 = onnx.Add(%half, %2) : (tensor<f32>, tensor<8xf32>) -> tensor<8xf32>
  %4 = onnx.Mul(%3, %x) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  // CHECK: onnx.Gelu
  // CHECK-NOT: onnx.Erf
  return %4 : tensor<8xf32>
}

// -----

// GPT-2: 0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3))).
// CHECK-LABEL: func.func @tanh
func.func @tanh(%x: tensor<8xf32>) -> tensor<8xf32> {
  %three = onnx.Constant dense<3.0> : tensor<f32>
  %c = onnx.Constant dense<4.471500e-02> : tensor<f32>
  %root = onnx.Constant dense<0.797884583> : tensor<f32>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %half = onnx.Constant dense<0.5> : tensor<f32>
  %h = onnx.Mul(%x, %half) : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %0 = onnx.Pow(%x, %three) : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %1 = onnx.Mul(%0, %c) : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %2 = onnx.Add(%x, %1) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  %3 = onnx.Mul(%2, %root) : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %4 = onnx.Tanh(%3) : (tensor<8xf32>) -> tensor<8xf32>
  %5 = onnx.Add(%4, %one) : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %6 = onnx.Mul(%h, %5) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  // CHECK: onnx.Gelu(%{{.*}}) {approximate = "tanh"}
  // CHECK-NOT: onnx.Tanh
  return %6 : tensor<8xf32>
}

// -----

// x * 0.79788 * (1 + 0.044715 * x * x) inside.
// CHECK-LABEL: func.func @tanh_factored
func.func @tanh_factored(%x: tensor<8xf32>) -> tensor<8xf32> {
  %c = onnx.Constant dense<4.471500e-02> : tensor<f32>
  %root = onnx.Constant dense<0.797884583> : tensor<f32>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %half = onnx.Constant dense<0.5> : tensor<f32>
  %0 = onnx.Mul(%x, %x) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  %1 = onnx.Mul(%0, %c) : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %2 = onnx.Add(%one, %1) : (tensor<f32>, tensor<8xf32>) -> tensor<8xf32>
  %3 = onnx.Mul(%x, %root) : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %4 = onnx.Mul(%3, %2) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  %5 = onnx.Tanh(%4) : (tensor<8xf32>) -> tensor<8xf32>
  %6 = onnx.Add(%5, %one) : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %7 = onnx.Mul(%half, %6) : (tensor<f32>, tensor<8xf32>) -> tensor<8xf32>
  %8 = onnx.Mul(%7, %x) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  // CHECK: onnx.Gelu(%{{.*}}) {approximate = "tanh"}
  return %8 : tensor<8xf32>
}

// -----

// Another constant under erf.
// CHECK-LABEL: func.func @no_match_constant
func.func @no_match_constant(%x: tensor<8xf32>) -> tensor<8xf32> {
  %root = onnx.Constant dense<1.4> : tensor<f32>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %half = onnx.Constant dense<0.5> : tensor<f32>
  %0 = onnx.Div(%x, %root) : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %1 = onnx.Erf(%0) : (tensor<8xf32>) -> tensor<8xf32>
  %2 = onnx.Add(%1, %one) : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %3 = onnx.Mul(%x, %2) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  %4 = onnx.Mul(%3, %half) : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  // CHECK-NOT: onnx.Gelu
  // CHECK: return
  return %4 : tensor<8xf32>
}

// -----

// Another value under erf than beside it.
// CHECK-LABEL: func.func @no_match_operand
func.func @no_match_operand(%x: tensor<8xf32>, %y: tensor<8xf32>) -> tensor<8xf32> {
  %root = onnx.Constant dense<1.41421354> : tensor<f32>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %half = onnx.Constant dense<0.5> : tensor<f32>
  %0 = onnx.Div(%y, %root) : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %1 = onnx.Erf(%0) : (tensor<8xf32>) -> tensor<8xf32>
  %2 = onnx.Add(%1, %one) : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %3 = onnx.Mul(%x, %2) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  %4 = onnx.Mul(%3, %half) : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  // CHECK-NOT: onnx.Gelu
  // CHECK: return
  return %4 : tensor<8xf32>
}

// -----

// The half is missing.
// CHECK-LABEL: func.func @no_match_half
func.func @no_match_half(%x: tensor<8xf32>) -> tensor<8xf32> {
  %root = onnx.Constant dense<1.41421354> : tensor<f32>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %0 = onnx.Div(%x, %root) : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %1 = onnx.Erf(%0) : (tensor<8xf32>) -> tensor<8xf32>
  %2 = onnx.Add(%1, %one) : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %3 = onnx.Mul(%x, %2) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  // CHECK-NOT: onnx.Gelu
  // CHECK: return
  return %3 : tensor<8xf32>
}

// -----

// The sum has another use, so that the parts stay anyway.
// CHECK-LABEL: func.func @no_match_second_use
func.func @no_match_second_use(%x: tensor<8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %root = onnx.Constant dense<1.41421354> : tensor<f32>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %half = onnx.Constant dense<0.5> : tensor<f32>
  %0 = onnx.Div(%x, %root) : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %1 = onnx.Erf(%0) : (tensor<8xf32>) -> tensor<8xf32>
  %2 = onnx.Add(%1, %one) : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  %3 = onnx.Mul(%x, %2) : (tensor<8xf32>, tensor<8xf32>) -> tensor<8xf32>
  %4 = onnx.Mul(%3, %half) : (tensor<8xf32>, tensor<f32>) -> tensor<8xf32>
  // CHECK-NOT: onnx.Gelu
  // CHECK: return
  return %4, %2 : tensor<8xf32>, tensor<8xf32>
}
