// The mean square of what each layer reads, over all tokens of the samples: 1
// and 3, as often.
// RUN: rm -rf %t && mkdir %t
// RUN: %python %S/../Integration/Inputs/make_npz.py %t/tokens.npy "x=np.array([[1, 3, 1, 3], [3, 3, 1, 1]], np.int32)"
// RUN: quant-opt %s --collect-importance="calibration=%t/tokens.npy" | FileCheck %s
// RUN: quant-opt %s --collect-importance="calibration=%t/tokens.npy exclude=first" | FileCheck %s --check-prefix=EXCLUDE
// EXCLUDE: lowbit.importance = dense<9.000000e+00> : tensor<2xf32>
// EXCLUDE: {lowbit.importance = dense<[2.000000e+00, 5.000000e+00]> : tensor<2xf32>}
// What stays float needs none.
// RUN: quant-opt %s --assign-formats="rules=first=float" --collect-importance="calibration=%t/tokens.npy" 2>/dev/null | FileCheck %s --check-prefix=EXCLUDE

// With it, GGML's types choose other codes, the same with any number of threads.
// RUN: %python %S/Inputs/make_layer.py > %t/layer.mlir
// RUN: quant-opt %t/layer.mlir --quantize-rtn="format=iq4_nl" -o %t/plain.mlir
// RUN: quant-opt %t/layer.mlir --collect-importance="calibration=%t/tokens.npy threads=1" --quantize-rtn="format=iq4_nl" -o %t/one.mlir
// RUN: quant-opt %t/layer.mlir --iq4-nl="calibration=%t/tokens.npy rules=embedding|head=float threads=3" -o %t/two.mlir 2>%t/remark
// RUN: not diff %t/plain.mlir %t/one.mlir > %t/differs
// RUN: FileCheck %s --check-prefix=DIFFERS --input-file=%t/differs
// RUN: grep lowbit.constant %t/one.mlir > %t/one
// RUN: grep lowbit.constant %t/two.mlir > %t/two
// RUN: diff %t/one %t/two
// DIFFERS: lowbit.constant

// Without data the model makes its own.
// RUN: quant-opt %s --collect-importance="samples=2 length=3 seed=4" 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK
// REMARK: remark: no calibration data given: the model generated 2 samples of 3 tokens (seed 4)

// RUN: not quant-opt %s --collect-importance="calibration=%t/missing.npy" 2>&1 | FileCheck %s --check-prefix=MISSING
// MISSING: error: {{.*}}missing.npy
// RUN: not quant-opt %s --collect-importance="samples=-1" 2>&1 | FileCheck %s --check-prefix=SAMPLES
// SAMPLES: error: samples is -1, but must be positive, or 0 for all
// RUN: not quant-opt %s --collect-importance="include=nothing" 2>&1 | FileCheck %s --check-prefix=NOTHING
// NOTHING: error: include='nothing' exclude='' leave none of the 2 layers to quantize
// RUN: sed 's|{lowbit.importance = .*$|{lowbit.importance = dense<-1.0> : tensor<2xf32>} : (tensor<?x?x2xf32>, tensor<2x2xf32>) -> tensor<?x?x2xf32> loc("first")|' %s > %t/negative.mlir
// RUN: not quant-opt %t/negative.mlir --quantize-rtn 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// NEGATIVE: error: cannot quantize layer 'first': its lowbit.importance has the value -1{{.*}}, but all must be finite and not negative

func.func @model(%ids: tensor<?x?xi64> {onnx.name = "input_ids"}) -> (tensor<?x?x2xf32> {onnx.name = "logits"}) {
  %table = onnx.Constant dense<[[0.0, 1.0], [1.0, 2.0], [2.0, -1.0], [3.0, 0.0]]> : tensor<4x2xf32>
  %x = onnx.Gather(%table, %ids) {axis = 0 : i64} : (tensor<4x2xf32>, tensor<?x?xi64>) -> tensor<?x?x2xf32> loc("embedding")
  // What was there before is measured anew.
  // CHECK: {lowbit.importance = dense<[5.000000e+00, 2.000000e+00]> : tensor<2xf32>}
  %w = onnx.Constant dense<[[0.0, 1.0], [1.0, -1.0]]> : tensor<2x2xf32>
  %y = onnx.MatMul(%x, %w) {lowbit.importance = dense<9.0> : tensor<2xf32>} : (tensor<?x?x2xf32>, tensor<2x2xf32>) -> tensor<?x?x2xf32> loc("first")
  // CHECK: {lowbit.importance = dense<[2.000000e+00, 5.000000e+00]> : tensor<2xf32>}
  %h = onnx.Constant dense<[[1.0, 0.5], [2.0, 1.0]]> : tensor<2x2xf32>
  %z = onnx.MatMul(%y, %h) : (tensor<?x?x2xf32>, tensor<2x2xf32>) -> tensor<?x?x2xf32> loc("head")
  return %z : tensor<?x?x2xf32>
}
