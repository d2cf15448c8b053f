// compare.mlir with three channels in between.
func.func @main(%x: tensor<?x4xf32> {onnx.name = "x", onnx.dim_params = ["rows", ""]})
    -> (tensor<?x4xf32> {onnx.name = "y"}) {
  %w0 = onnx.Constant dense<[[0.1, -0.5, 0.3], [0.7, 0.2, -0.8], [-0.6, 0.5, 0.1], [0.3, -0.1, 0.8]]> : tensor<4x3xf32>
  %w1 = onnx.Constant dense<[[0.2, 0.4, -0.3, 0.6], [-0.7, 0.1, 0.5, 0.4], [0.9, -0.2, 0.3, 0.1]]> : tensor<3x4xf32>
  %0 = onnx.MatMul(%x, %w0) : (tensor<?x4xf32>, tensor<4x3xf32>) -> tensor<?x3xf32> loc("first")
  %1 = onnx.Relu(%0) : (tensor<?x3xf32>) -> tensor<?x3xf32>
  %2 = onnx.MatMul(%1, %w1) : (tensor<?x3xf32>, tensor<3x4xf32>) -> tensor<?x4xf32> loc("second")
  return %2 : tensor<?x4xf32>
}
