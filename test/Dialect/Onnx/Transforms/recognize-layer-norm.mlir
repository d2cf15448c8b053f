// RUN: quant-opt %s --onnx-recognize-layer-norm -split-input-file | FileCheck %s

// CHECK-LABEL: func.func @layer_norm
// CHECK-SAME: (%[[X:.+]]: tensor<?x8xf32>, %[[W:.+]]: tensor<8xf32>, %[[B:.+]]: tensor<8xf32>)
func.func @layer_norm(%x: tensor<?x8xf32>, %w: tensor<8xf32>, %b: tensor<8xf32>) -> tensor<?x8xf32> {
  %two = onnx.Constant dense<2.0> : tensor<f32>
  %eps = onnx.Constant dense<1.0e-05> : tensor<f32>
  %last = onnx.Constant dense<-1> : tensor<1xi64>
  %mean = onnx.ReduceMean(%x, %last) : (tensor<?x8xf32>, tensor<1xi64>) -> tensor<?x1xf32>
  %d = onnx.Sub(%x, %mean) : (tensor<?x8xf32>, tensor<?x1xf32>) -> tensor<?x8xf32>
  %0 = onnx.Pow(%d, %two) : (tensor<?x8xf32>, tensor<f32>) -> tensor<?x8xf32>
  %1 = onnx.ReduceMean(%0, %last) : (tensor<?x8xf32>, tensor<1xi64>) -> tensor<?x1xf32>
  %2 = onnx.Add(%1, %eps) : (tensor<?x1xf32>, tensor<f32>) -> tensor<?x1xf32>
  %3 = onnx.Sqrt(%2) : (tensor<?x1xf32>) -> tensor<?x1xf32>
  %4 = onnx.Div(%d, %3) : (tensor<?x8xf32>, tensor<?x1xf32>) -> tensor<?x8xf32>
  %5 = onnx.Mul(%4, %w) : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  %6 = onnx.Add(%b, %5) : (tensor<8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  // CHECK: %[[Y:.+]], %{{.*}}, %{{.*}} = onnx.LayerNormalization(%[[X]], %[[W]], %[[B]])
  // CHECK-NOT: onnx.Sqrt
  // CHECK: return %[[Y]]
  return %6 : tensor<?x8xf32>
}

// -----

// The difference is written twice, the root is a reciprocal, there is no bias.
// CHECK-LABEL: func.func @two_differences
func.func @two_differences(%x: tensor<?x8xf32>, %w: tensor<8xf32>) -> tensor<?x8xf32> {
  %eps = onnx.Constant dense<1.0e-05> : tensor<f32>
  %last = onnx.Constant dense<-1> : tensor<1xi64>
  %mean = onnx.ReduceMean(%x, %last) : (tensor<?x8xf32>, tensor<1xi64>) -> tensor<?x1xf32>
  %d0 = onnx.Sub(%x, %mean) : (tensor<?x8xf32>, tensor<?x1xf32>) -> tensor<?x8xf32>
  %d1 = onnx.Sub(%x, %mean) : (tensor<?x8xf32>, tensor<?x1xf32>) -> tensor<?x8xf32>
  %0 = onnx.Mul(%d0, %d0) : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %1 = onnx.ReduceMean(%0, %last) : (tensor<?x8xf32>, tensor<1xi64>) -> tensor<?x1xf32>
  %2 = onnx.Add(%1, %eps) : (tensor<?x1xf32>, tensor<f32>) -> tensor<?x1xf32>
  %3 = onnx.Sqrt(%2) : (tensor<?x1xf32>) -> tensor<?x1xf32>
  %4 = onnx.Reciprocal(%3) : (tensor<?x1xf32>) -> tensor<?x1xf32>
  %5 = onnx.Mul(%d1, %4) : (tensor<?x8xf32>, tensor<?x1xf32>) -> tensor<?x8xf32>
  %6 = onnx.Mul(%w, %5) : (tensor<8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  // CHECK: %[[NONE:.+]] = onnx.NoValue
  // CHECK: onnx.LayerNormalization(%{{.*}}, %{{.*}}, %[[NONE]])
  return %6 : tensor<?x8xf32>
}

// -----

// The variance of x, but x itself is divided.
// CHECK-LABEL: func.func @no_match_not_centered
func.func @no_match_not_centered(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %eps = onnx.Constant dense<1.0e-05> : tensor<f32>
  %last = onnx.Constant dense<-1> : tensor<1xi64>
  %mean = onnx.ReduceMean(%x, %last) : (tensor<?x8xf32>, tensor<1xi64>) -> tensor<?x1xf32>
  %d = onnx.Sub(%x, %mean) : (tensor<?x8xf32>, tensor<?x1xf32>) -> tensor<?x8xf32>
  %0 = onnx.Mul(%d, %d) : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %1 = onnx.ReduceMean(%0, %last) : (tensor<?x8xf32>, tensor<1xi64>) -> tensor<?x1xf32>
  %2 = onnx.Add(%1, %eps) : (tensor<?x1xf32>, tensor<f32>) -> tensor<?x1xf32>
  %3 = onnx.Sqrt(%2) : (tensor<?x1xf32>) -> tensor<?x1xf32>
  %4 = onnx.Div(%x, %3) : (tensor<?x8xf32>, tensor<?x1xf32>) -> tensor<?x8xf32>
  // CHECK-NOT: onnx.LayerNormalization
  // CHECK: return
  return %4 : tensor<?x8xf32>
}

// -----

// The mean over the rows is not that of a LayerNorm.
// CHECK-LABEL: func.func @no_match_mean
func.func @no_match_mean(%x: tensor<8x8xf32>) -> tensor<8x8xf32> {
  %eps = onnx.Constant dense<1.0e-05> : tensor<f32>
  %last = onnx.Constant dense<-1> : tensor<1xi64>
  %first = onnx.Constant dense<0> : tensor<1xi64>
  %mean = onnx.ReduceMean(%x, %first) : (tensor<8x8xf32>, tensor<1xi64>) -> tensor<1x8xf32>
  %d = onnx.Sub(%x, %mean) : (tensor<8x8xf32>, tensor<1x8xf32>) -> tensor<8x8xf32>
  %0 = onnx.Mul(%d, %d) : (tensor<8x8xf32>, tensor<8x8xf32>) -> tensor<8x8xf32>
  %1 = onnx.ReduceMean(%0, %last) : (tensor<8x8xf32>, tensor<1xi64>) -> tensor<8x1xf32>
  %2 = onnx.Add(%1, %eps) : (tensor<8x1xf32>, tensor<f32>) -> tensor<8x1xf32>
  %3 = onnx.Sqrt(%2) : (tensor<8x1xf32>) -> tensor<8x1xf32>
  %4 = onnx.Div(%d, %3) : (tensor<8x8xf32>, tensor<8x1xf32>) -> tensor<8x8xf32>
  // CHECK-NOT: onnx.LayerNormalization
  // CHECK: return
  return %4 : tensor<8x8xf32>
}
