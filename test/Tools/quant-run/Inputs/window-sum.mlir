// Token 0 has the logit of the sum of all tokens that a run reads, the others have 0.
func.func @main(%ids: tensor<?x?xi64> {onnx.name = "input_ids"})
    -> (tensor<?x?x4xf32> {onnx.name = "logits"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0 : i64
  %batch = tensor.dim %ids, %c0 : tensor<?x?xi64>
  %sequence = tensor.dim %ids, %c1 : tensor<?x?xi64>
  %scalar = tensor.empty() : tensor<i64>
  %start = linalg.fill ins(%zero : i64) outs(%scalar : tensor<i64>) -> tensor<i64>
  %sum = linalg.reduce {arith.addi} ins(%ids : tensor<?x?xi64>) outs(%start : tensor<i64>) dimensions = [0, 1]
  %init = tensor.empty(%batch, %sequence) : tensor<?x?x4xf32>
  %logits = linalg.generic {
      indexing_maps = [affine_map<(b, s, v) -> ()>, affine_map<(b, s, v) -> (b, s, v)>],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%sum : tensor<i64>) outs(%init : tensor<?x?x4xf32>) {
  ^bb0(%all: i64, %out: f32):
    %none = arith.constant 0.0 : f32
    %v = linalg.index 2 : index
    %first = arith.cmpi eq, %v, %c0 : index
    %value = arith.sitofp %all : i64 to f32
    %logit = arith.select %first, %value, %none : f32
    linalg.yield %logit : f32
  } -> tensor<?x?x4xf32>
  return %logits : tensor<?x?x4xf32>
}
