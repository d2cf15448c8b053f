// RUN: quant-opt %s --onnx-recognize-rms-norm -split-input-file | FileCheck %s

// torch 1.13: x * (1 / sqrt(mean(x^2) + eps)) * w.
// CHECK-LABEL: func.func @reciprocal
// CHECK-SAME: (%[[X:.+]]: tensor<?x?x8xf32>, %[[W:.+]]: tensor<8xf32>)
func.func @reciprocal(%x: tensor<?x?x8xf32>, %w: tensor<8xf32>) -> tensor<?x?x8xf32> {
  %two = onnx.Constant dense<2.0> : tensor<f32>
  %one = onnx.Constant dense<1.0> : tensor<f32>
  %eps = onnx.Constant dense<1.0e-06> : tensor<f32>
  %last = onnx.Constant dense<-1> : tensor<1xi64>
  %0 = onnx.Pow(%x, %two) : (tensor<?x?x8xf32>, tensor<f32>) -> tensor<?x?x8xf32>
  %1 = onnx.ReduceMean(%0, %last) : (tensor<?x?x8xf32>, tensor<1xi64>) -> tensor<?x?x1xf32>
  %2 = onnx.Add(%1, %eps) : (tensor<?x?x1xf32>, tensor<f32>) -> tensor<?x?x1xf32>
  %3 = onnx.Sqrt(%2) : (tensor<?x?x1xf32>) -> tensor<?x?x1xf32>
  %4 = onnx.Div(%one, %3) : (tensor<f32>, tensor<?x?x1xf32>) -> tensor<?x?x1xf32>
  %5 = onnx.Mul(%x, %4) : (tensor<?x?x8xf32>, tensor<?x?x1xf32>) -> tensor<?x?x8xf32>
  %6 = onnx.Mul(%w, %5) : (tensor<8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  // CHECK: %[[Y:.+]] = onnx.RMSNormalization(%[[X]], %[[W]]) {epsilon = 9.99999997E-7 : f32}
  // CHECK-NOT: onnx.Sqrt
  // CHECK: return %[[Y]]
  return %6 : tensor<?x?x8xf32>
}

// -----

// Half precision: the casts belong to the norm, the scale is applied after.
// CHECK-LABEL: func.func @half_precision
// CHECK-SAME: (%[[X:.+]]: tensor<?x8xf16>, %[[W:.+]]: tensor<8xf16>)
func.func @half_precision(%x: tensor<?x8xf16>, %w: tensor<8xf16>) -> tensor<?x8xf16> {
  %eps = onnx.Constant dense<1.0e-06> : tensor<f32>
  %last = onnx.Constant dense<1> : tensor<1xi64>
  %exponent = onnx.Constant dense<-0.5> : tensor<f32>
  %up = onnx.Cast(%x) {to = f32} : (tensor<?x8xf16>) -> tensor<?x8xf32>
  %0 = onnx.Mul(%up, %up) : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %1 = onnx.ReduceMean(%0, %last) : (tensor<?x8xf32>, tensor<1xi64>) -> tensor<?x1xf32>
  %2 = onnx.Add(%eps, %1) : (tensor<f32>, tensor<?x1xf32>) -> tensor<?x1xf32>
  %3 = onnx.Pow(%2, %exponent) : (tensor<?x1xf32>, tensor<f32>) -> tensor<?x1xf32>
  %4 = onnx.Mul(%up, %3) : (tensor<?x8xf32>, tensor<?x1xf32>) -> tensor<?x8xf32>
  %down = onnx.Cast(%4) {to = f16} : (tensor<?x8xf32>) -> tensor<?x8xf16>
  %5 = onnx.Mul(%down, %w) : (tensor<?x8xf16>, tensor<8xf16>) -> tensor<?x8xf16>
  // CHECK: onnx.RMSNormalization(%[[X]], %[[W]])
  // CHECK-NOT: onnx.Cast
  return %5 : tensor<?x8xf16>
}

// -----

// Without a scale, and divided at once.
// CHECK-LABEL: func.func @no_scale
func.func @no_scale(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %eps = onnx.Constant dense<1.0e-06> : tensor<f32>
  %last = onnx.Constant dense<-1> : tensor<1xi64>
  %0 = onnx.Mul(%x, %x) : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %1 = onnx.ReduceMean(%0, %last) : (tensor<?x4xf32>, tensor<1xi64>) -> tensor<?x1xf32>
  %2 = onnx.Add(%1, %eps) : (tensor<?x1xf32>, tensor<f32>) -> tensor<?x1xf32>
  %3 = onnx.Sqrt(%2) : (tensor<?x1xf32>) -> tensor<?x1xf32>
  %4 = onnx.Div(%x, %3) : (tensor<?x4xf32>, tensor<?x1xf32>) -> tensor<?x4xf32>
  // CHECK: %[[ONES:.+]] = onnx.Constant dense<1.000000e+00> : tensor<4xf32>
  // CHECK: onnx.RMSNormalization(%{{.*}}, %[[ONES]])
  return %4 : tensor<?x4xf32>
}

// -----

// A mean over another axis.
// CHECK-LABEL: func.func @no_match_axis
func.func @no_match_axis(%x: tensor<8x8xf32>, %w: tensor<8xf32>) -> tensor<8x8xf32> {
  %eps = onnx.Constant dense<1.0e-06> : tensor<f32>
  %first = onnx.Constant dense<0> : tensor<1xi64>
  %0 = onnx.Mul(%x, %x) : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  %1 = onnx.ReduceMean(%0, %first) : (tensor<8x8xf32>, tensor<1xi64>) -> tensor<1x8xf32>
  %2 = onnx.Add(%1, %eps) : (tensor<1x8xf32>, tensor<f32>) -> tensor<1x8xf32>
  %3 = onnx.Sqrt(%2) : (tensor<1x8xf32>) -> tensor<1x8xf32>
  %4 = onnx.Div(%x, %3) : (tensor<8x8xf32>, tensor<1x8xf32>) -> tensor<8x8xf32>
  %5 = onnx.Mul(%4, %w) : (tensor<8x8xf32>, tensor<8xf32>) -> tensor<8x8xf32>
  // CHECK-NOT: onnx.RMSNormalization
  // CHECK: return
  return %5 : tensor<8x8xf32>
}

// -----

// The norm of one value divides another.
// CHECK-LABEL: func.func @no_match_operand
func.func @no_match_operand(%x: tensor<8x8xf32>, %y: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %eps = onnx.Constant dense<1.0e-06> : tensor<f32>
  %last = onnx.Constant dense<-1> : tensor<1xi64>
  %0 = onnx.Mul(%x, %x) : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  %1 = onnx.ReduceMean(%0, %last) : (tensor<8x8xf32>, tensor<1xi64>) -> tensor<8x1xf32>
  %2 = onnx.Add(%1, %eps) : (tensor<8x1xf32>, tensor<f32>) -> tensor<8x1xf32>
  %3 = onnx.Sqrt(%2) : (tensor<8x1xf32>) -> tensor<8x1xf32>
  %4 = onnx.Div(%y, %3) : (tensor<8x8xf32>, tensor<8x1xf32>) -> tensor<8x8xf32>
  // CHECK-NOT: onnx.RMSNormalization
  // CHECK: return
  return %4 : tensor<8x8xf32>
}

// -----

// A sum instead of a mean, and a cube instead of a square.
// CHECK-LABEL: func.func @no_match_parts
func.func @no_match_parts(%x: tensor<8x8xf32>) -> (tensor<8x8xf32>, tensor<8x8xf32>) {
  %eps = onnx.Constant dense<1.0e-06> : tensor<f32>
  %last = onnx.Constant dense<-1> : tensor<1xi64>
  %three = onnx.Constant dense<3.0> : tensor<f32>
  %0 = onnx.Mul(%x, %x) : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  %1 = onnx.ReduceSum(%0, %last) : (tensor<8x8xf32>, tensor<1xi64>) -> tensor<8x1xf32>
  %2 = onnx.Add(%1, %eps) : (tensor<8x1xf32>, tensor<f32>) -> tensor<8x1xf32>
  %3 = onnx.Sqrt(%2) : (tensor<8x1xf32>) -> tensor<8x1xf32>
  %4 = onnx.Div(%x, %3) : (tensor<8x8xf32>, tensor<8x1xf32>) -> tensor<8x8xf32>
  %5 = onnx.Pow(%x, %three) : (tensor<8x8xf32>, tensor<f32>) -> tensor<8x8xf32>
  %6 = onnx.ReduceMean(%5, %last) : (tensor<8x8xf32>, tensor<1xi64>) -> tensor<8x1xf32>
  %7 = onnx.Add(%6, %eps) : (tensor<8x1xf32>, tensor<f32>) -> tensor<8x1xf32>
  %8 = onnx.Sqrt(%7) : (tensor<8x1xf32>) -> tensor<8x1xf32>
  %9 = onnx.Div(%x, %8) : (tensor<8x8xf32>, tensor<8x1xf32>) -> tensor<8x8xf32>
  // CHECK-NOT: onnx.RMSNormalization
  // CHECK: return
  return %4, %9 : tensor<8x8xf32>, tensor<8x8xf32>
}

// -----

// The scale is not one for each channel: it stays outside.
// CHECK-LABEL: func.func @scale_stays
func.func @scale_stays(%x: tensor<8x4xf32>, %w: tensor<8x4xf32>) -> tensor<8x4xf32> {
  %eps = onnx.Constant dense<1.0e-06> : tensor<f32>
  %last = onnx.Constant dense<-1> : tensor<1xi64>
  %0 = onnx.Mul(%x, %x) : (tensor<8x4xf32>, tensor<8x4xf32>) -> tensor<8x4xf32>
  %1 = onnx.ReduceMean(%0, %last) : (tensor<8x4xf32>, tensor<1xi64>) -> tensor<8x1xf32>
  %2 = onnx.Add(%1, %eps) : (tensor<8x1xf32>, tensor<f32>) -> tensor<8x1xf32>
  %3 = onnx.Sqrt(%2) : (tensor<8x1xf32>) -> tensor<8x1xf32>
  %4 = onnx.Div(%x, %3) : (tensor<8x4xf32>, tensor<8x1xf32>) -> tensor<8x4xf32>
  %5 = onnx.Mul(%4, %w) : (tensor<8x4xf32>, tensor<8x4xf32>) -> tensor<8x4xf32>
  // CHECK: %[[N:.+]] = onnx.RMSNormalization
  // CHECK: onnx.Mul(%[[N]], %{{.*}})
  return %5 : tensor<8x4xf32>
}
