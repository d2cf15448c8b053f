// A model whose logits favour token i + 1 after token i by log(3): each target
// that follows its predecessor has the probability 3 / (3 + 3).

// RUN: rm -rf %t && mkdir %t
// RUN: %python %S/../../Integration/Inputs/make_npz.py %t/next.npy "x=np.array([[0, 1, 2, 3], [1, 2, 3, 0]], np.int32)"
// RUN: quant-run %s --perplexity=%t/next.npy | FileCheck %s
// CHECK: perplexity: 2.0000{{$}}

// RUN: %python %S/../../Integration/Inputs/make_npz.py %t/flat.npy "x=np.array([0, 0, 1, 2, 3, 0, 1], np.uint16)"
// RUN: quant-run %s --perplexity=%t/flat.npy --context=2 --json | FileCheck %s --check-prefix=FLAT
// Targets: 0 after 0 (1/6), 2 after 1 and 0 after 3 (1/2).
// FLAT: {"perplexity":2.88449{{.*}},"targets":3,"windows":3}

// RUN: not quant-run %s --perplexity=%t/flat.npy 2>&1 | FileCheck %s --check-prefix=CONTEXT
// CONTEXT: quant-run: error: '{{.*}}flat.npy' is a flat array of tokens; --context must say

// RUN: %python %S/../../Integration/Inputs/make_npz.py %t/bad.npy "x=np.array([[0, 1], [2, 4]], np.int32)"
// RUN: not quant-run %s --perplexity=%t/bad.npy 2>&1 | FileCheck %s --check-prefix=BAD
// BAD: quant-run: error: '{{.*}}bad.npy' has the token 4 at [1, 1], outside of the model's vocabulary of 4

// A model of which a window's logits depend on the windows that it reads with it.
// RUN: %python %S/../../Integration/Inputs/make_npz.py %t/scaled.npy "x=np.array([[0, 1], [2, 3]], np.int32)"
// RUN: quant-run %S/Inputs/window-sum.mlir --perplexity=%t/scaled.npy | FileCheck %s --check-prefix=TOGETHER
// RUN: quant-run %S/Inputs/window-sum.mlir --perplexity=%t/scaled.npy --batch=2 | FileCheck %s --check-prefix=TOGETHER
// RUN: quant-run %S/Inputs/window-sum.mlir --perplexity=%t/scaled.npy --batch=1 | FileCheck %s --check-prefix=APART
// RUN: quant-run %S/Inputs/window-sum.mlir --perplexity=%t/scaled.npy --batch=1 --compare=%S/Inputs/window-sum.mlir | FileCheck %s --check-prefix=APART

// Token 0 has the logit of the sum of all tokens, the others have 0:
// 0 -> 1 and 2 -> 3 together: log(exp(2) + 3); apart: log(4) and log(exp(2) + 3).
// TOGETHER: perplexity: 10.3891
// APART: perplexity: 6.4464

// RUN: not quant-run %S/Inputs/fixed-batch.mlir --perplexity=%t/scaled.npy --batch=1 2>&1 | FileCheck %s --check-prefix=FIXED
// FIXED: quant-run: error: a model reads 2 windows at once, and not 1

// RUN: not quant-run %s --perplexity=%t/next.npy --batch=0 2>&1 | FileCheck %s --check-prefix=ZERO
// RUN: not quant-run %s --perplexity=%t/next.npy --batch=0 --compare=%s 2>&1 | FileCheck %s --check-prefix=ZERO
// ZERO: quant-run: error: --batch is 0, but must be at least 1

func.func @main(%ids: tensor<?x?xi64> {onnx.name = "input_ids"})
    -> (tensor<?x?x4xf32> {onnx.name = "logits"}) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %batch = tensor.dim %ids, %c0 : tensor<?x?xi64>
  %sequence = tensor.dim %ids, %c1 : tensor<?x?xi64>
  %init = tensor.empty(%batch, %sequence) : tensor<?x?x4xf32>
  %logits = linalg.generic {
      indexing_maps = [affine_map<(b, s, v) -> (b, s)>,
                       affine_map<(b, s, v) -> (b, s, v)>],
      iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%ids : tensor<?x?xi64>) outs(%init : tensor<?x?x4xf32>) {
  ^bb0(%id: i64, %out: f32):
    %one = arith.constant 1 : i64
    %four = arith.constant 4 : i64
    %log3 = arith.constant 1.0986123 : f32
    %zero = arith.constant 0.0 : f32
    %v = linalg.index 2 : index
    %candidate = arith.index_cast %v : index to i64
    %next = arith.addi %id, %one : i64
    %wrapped = arith.remsi %next, %four : i64
    %favoured = arith.cmpi eq, %candidate, %wrapped : i64
    %logit = arith.select %favoured, %log3, %zero : f32
    linalg.yield %logit : f32
  } -> tensor<?x?x4xf32>
  return %logits : tensor<?x?x4xf32>
}
