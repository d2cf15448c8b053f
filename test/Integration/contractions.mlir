// The inside of attention on every kind of shape, against numpy, by each level
// of vectors that this machine has and by any number of threads.

// RUN: %python %S/Inputs/contractions.py %s %t | FileCheck %s
// RUN: %python %S/Inputs/contractions.py %s %t --threads=3 | FileCheck %s
// RUN: %python %S/Inputs/contractions.py %s %t --cpu=x86-64 | FileCheck %s
// CHECK: all agree

func.func @main(%a: tensor<?x?x?xf32> {onnx.name = "a"},
                %b: tensor<?x?x?xf32> {onnx.name = "b"})
    -> (tensor<?x?x?xf32> {onnx.name = "scores"},
        tensor<?x?x?xf32> {onnx.name = "mixed"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %zero = arith.constant 0.0 : f32
  %batch = tensor.dim %a, %c0 : tensor<?x?x?xf32>
  %m = tensor.dim %a, %c1 : tensor<?x?x?xf32>
  %k = tensor.dim %a, %c2 : tensor<?x?x?xf32>
  %n = tensor.dim %b, %c1 : tensor<?x?x?xf32>
  %empty = tensor.empty(%batch, %m, %n) : tensor<?x?x?xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x?x?xf32>)
      -> tensor<?x?x?xf32>
  %scores = linalg.generic {
      indexing_maps = [affine_map<(b, m, n, k) -> (b, m, k)>,
                       affine_map<(b, m, n, k) -> (b, n, k)>,
                       affine_map<(b, m, n, k) -> (b, m, n)>],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<?x?x?xf32>, tensor<?x?x?xf32>)
      outs(%init : tensor<?x?x?xf32>) {
  ^bb0(%x: f32, %y: f32, %sum: f32):
    %0 = arith.mulf %x, %y : f32
    %1 = arith.addf %sum, %0 : f32
    linalg.yield %1 : f32
  } -> tensor<?x?x?xf32>
  %weights = linalg.softmax dimension(2) ins(%scores : tensor<?x?x?xf32>)
      outs(%empty : tensor<?x?x?xf32>) -> tensor<?x?x?xf32>
  %emptyMixed = tensor.empty(%batch, %m, %k) : tensor<?x?x?xf32>
  %initMixed = linalg.fill ins(%zero : f32)
      outs(%emptyMixed : tensor<?x?x?xf32>) -> tensor<?x?x?xf32>
  %mixed = linalg.batch_matmul
      ins(%weights, %b : tensor<?x?x?xf32>, tensor<?x?x?xf32>)
      outs(%initMixed : tensor<?x?x?xf32>) -> tensor<?x?x?xf32>
  return %scores, %mixed : tensor<?x?x?xf32>, tensor<?x?x?xf32>
}
