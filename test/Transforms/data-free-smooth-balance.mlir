// RUN: quant-opt %s --data-free-smooth="alpha=0.5 deviations=1" | FileCheck %s

// Halfway, activations and weights of a channel become equally large: the square
// root of their product, here 4 * 1 and 9 * 4.
// CHECK: %[[SCALE:.*]] = onnx.Constant dense<[2.000000e+00, 6.000000e+00]>
// CHECK: %[[Y:.*]] = onnx.RMSNormalization(%{{.*}}, %[[SCALE]])
// CHECK: %[[W:.*]] = onnx.Constant dense<{{\[}}[2.000000e+00, -1.000000e+00], [3.000000e+00, -6.000000e+00]]>
// CHECK: onnx.MatMul(%[[Y]], %[[W]])
func.func @model(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %scale = onnx.Constant dense<[4.0, 9.0]> : tensor<2xf32>
  %w = onnx.Constant dense<[[1.0, -0.5], [2.0, -4.0]]> : tensor<2x2xf32>
  %n = onnx.RMSNormalization(%x, %scale) : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %y = onnx.MatMul(%n, %w) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}
