// A model whose logits favour token i + 1 after token i by log(3), and one that
// favours nothing after token 0: there the divergence is
// 1/2 log(2) + 3/6 log(2/3) = 0.143841, and the likeliest token is another one.

// RUN: rm -rf %t && mkdir %t
// RUN: %python %S/../../Integration/Inputs/make_npz.py %t/tokens.npy "x=np.array([[0, 1, 2, 3], [1, 2, 3, 0]], np.int32)"
// RUN: sed 's/%first = arith.constant 0/%first = arith.constant 1/' %s > %t/other.mlir
// RUN: quant-run %s --perplexity=%t/tokens.npy --compare=%t/other.mlir | FileCheck %s
// CHECK:      perplexity: 2.0000, of the other 2.2449
// CHECK-NEXT: KL divergence: mean 0.02397{{[34]}}, 99 % below 0.136649, max 0.143841
// CHECK-NEXT: same most likely token: 83.33 %

// RUN: quant-run %s --perplexity=%t/tokens.npy --compare=%t/other.mlir --json | FileCheck %s --check-prefix=JSON
// JSON: {"kl_max":0.14384{{.*}},"kl_mean":0.02397{{.*}},"kl_p99":0.13664{{.*}},"other_perplexity":2.2449{{.*}},"perplexity":{{1.99999|2}}{{[^,]*}},"targets":6,"top1_agreement":0.8333{{.*}},"windows":2}

// Nothing diverges from itself.
// RUN: quant-run %s --perplexity=%t/tokens.npy --compare=%s | FileCheck %s --check-prefix=SAME
// SAME:      perplexity: 2.0000, of the other 2.0000
// SAME-NEXT: KL divergence: mean 0.000000, 99 % below 0.000000, max 0.000000
// SAME-NEXT: same most likely token: 100.00 %

// RUN: sed 's/x4xf32/x5xf32/g' %s > %t/larger.mlir
// RUN: not quant-run %s --perplexity=%t/tokens.npy --compare=%t/larger.mlir 2>&1 | FileCheck %s --check-prefix=VOCABULARY
// VOCABULARY: quant-run: error: the logits are float32[2, 3, 4], but float32[2, 3, 5] in the other model
// RUN: not quant-run %s --perplexity=%t/tokens.npy --compare=%s --inputs=%t/tokens.npy 2>&1 | FileCheck %s --check-prefix=BOTH
// BOTH: quant-run: error: --compare takes --inputs or --perplexity, not both
// RUN: not quant-run %s --perplexity=%t/tokens.npy --compare=%t/missing.mlir 2>&1 | FileCheck %s --check-prefix=MISSING
// MISSING: quant-run: error: {{.*}}missing.mlir

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
    %first = arith.constant 0 : i64
    %one = arith.constant 1 : i64
    %four = arith.constant 4 : i64
    %log3 = arith.constant 1.0986123 : f32
    %zero = arith.constant 0.0 : f32
    %v = linalg.index 2 : index
    %candidate = arith.index_cast %v : index to i64
    %next = arith.addi %id, %one : i64
    %wrapped = arith.remsi %next, %four : i64
    %follows = arith.cmpi eq, %candidate, %wrapped : i64
    %knows = arith.cmpi sge, %id, %first : i64
    %favoured = arith.andi %follows, %knows : i1
    %logit = arith.select %favoured, %log3, %zero : f32
    linalg.yield %logit : f32
  } -> tensor<?x?x4xf32>
  return %logits : tensor<?x?x4xf32>
}
