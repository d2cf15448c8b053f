// A model that reads two windows at once.
func.func @main(%ids: tensor<2x?xi64> {onnx.name = "input_ids"})
    -> (tensor<2x?x4xf32> {onnx.name = "logits"}) {
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %sequence = tensor.dim %ids, %c1 : tensor<2x?xi64>
  %init = tensor.empty(%sequence) : tensor<2x?x4xf32>
  %logits = linalg.fill ins(%zero : f32) outs(%init : tensor<2x?x4xf32>) -> tensor<2x?x4xf32>
  return %logits : tensor<2x?x4xf32>
}
