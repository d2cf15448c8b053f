func.func @main(%x: tensor<?x2xf32> {onnx.name = "x", onnx.dim_params = ["rows", ""]},
                %bias: tensor<2xf32> {onnx.name = "bias"}) -> (tensor<?x2xf32> {onnx.name = "y"}) {
  %0 = onnx.Add(%x, %bias) : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}
