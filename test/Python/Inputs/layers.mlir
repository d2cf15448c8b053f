module attributes {onnx.ir_version = 8 : i64} {
func.func @main(%x: tensor<?x4xf32> {onnx.name = "x", onnx.dim_params = ["rows", ""]})
    -> (tensor<?x4xf32> {onnx.name = "y"}) {
  %w0 = onnx.Constant dense<[[0.1, -0.5, 0.3, 0.9], [0.7, 0.2, -0.8, 0.4], [-0.6, 0.5, 0.1, 0.2], [0.3, -0.1, 0.8, -0.9]]> : tensor<4x4xf32>
  %w1 = onnx.Constant dense<[[0.2, 0.4, -0.3, 0.6], [-0.7, 0.1, 0.5, 0.4], [0.9, -0.2, 0.3, 0.1], [0.5, 0.8, -0.4, 0.7]]> : tensor<4x4xf32>
  %0 = onnx.MatMul(%x, %w0) : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32> loc("first <b> & \22quoted\22")
  %1 = onnx.Relu(%0) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %2 = onnx.MatMul(%1, %w1) : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32> loc("second")
  return %2 : tensor<?x4xf32>
}
}
