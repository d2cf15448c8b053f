// Weights of two bits lose nothing in two bits: what that saves goes to the layer
// that needs more.
// RUN: rm -rf %t && mkdir %t
// RUN: %python %S/../Integration/Inputs/make_npz.py %t/tokens.npy "x=np.array([[0, 1, 2, 3], [3, 2, 1, 1]], np.int32)"
// RUN: quant-opt %s --assign-formats="search sensitivity=output-error candidates=u2g8,u4g8,u8g8 budget=8.1 solver=rtn calibration=%t/tokens.npy report=-" -o %t/out.mlir 2> %t/log
// RUN: FileCheck %s --input-file=%t/out.mlir
// RUN: FileCheck %s --check-prefix=LOG --input-file=%t/log
// LOG: remark: search: output-error {{[0-9.]+}}e-0{{[5-9]}} in 8.000 bits per weight; u4g8 for all layers: {{[0-9.]+}}e-0{{[1-4]}} in 7.000 bits per weight
// LOG: easy ffn_up 8x8 u2 [1, 8] f16 5.000 search
// LOG: hard ffn_down 8x8 u8 [1, 8] f16 11.000 search
// LOG: output-error u2g8 u4g8 u8g8
// LOG: easy *0.000e+00
// LOG: hard {{[0-9.]+e-01 [0-9.]+e-02}} *{{[0-9.]+}}e-05
// LOG: remark: assigned formats to 2 of 4 layers, 8.000 bits per weight

// The same whatever is measured, however codes are found, and on any number of
// threads.
// RUN: quant-opt %s --assign-formats="search candidates=u2g8,u4g8,u8g8 budget=8.1 calibration=%t/tokens.npy solver=rtn threads=1" 2>%t/kl | FileCheck %s
// RUN: FileCheck %s --check-prefix=KL --input-file=%t/kl
// KL: remark: search: kl {{[0-9.]+}}e-{{.*}} in 8.000 bits per weight
// RUN: quant-opt %s --assign-formats="search candidates=u2g8,u4g8,u8g8 budget=8.1 calibration=%t/tokens.npy sensitivity=kl kl-samples=1 solver=hqq threads=3" 2>/dev/null | FileCheck %s
// RUN: quant-opt %s --assign-formats="search candidates=u2g8,u4g8,u8g8 budget=8.1 calibration=%t/tokens.npy sensitivity=hessian-trace solver=rtn range=mse" 2>/dev/null | FileCheck %s
// Without data the model makes its own.
// RUN: quant-opt %s --assign-formats="search sensitivity=output-error candidates=u2g8,u4g8,u8g8 budget=8.1 solver=rtn samples=2 length=4" 2>%t/generated | FileCheck %s
// RUN: FileCheck %s --check-prefix=GENERATED --input-file=%t/generated
// GENERATED: remark: no calibration data given: the model generated 2 samples of 4 tokens (seed 0)

// Bytes: 8x8 weights take 40 in u2g8, 56 in u4g8, 88 in u8g8.
// RUN: quant-opt %s --assign-formats="search sensitivity=output-error candidates=u2g8,u4g8,u8g8 budget-bytes=128 solver=rtn calibration=%t/tokens.npy" 2>/dev/null | FileCheck %s
// RUN: quant-opt %s --assign-formats="search sensitivity=output-error candidates=u2g8,u4g8,u8g8 budget-bytes=127 solver=rtn calibration=%t/tokens.npy" 2>%t/bytes | FileCheck %s --check-prefix=BYTES
// RUN: FileCheck %s --check-prefix=BYTES-LOG --input-file=%t/bytes
// BYTES: onnx.MatMul({{.*}}) {lowbit.format = #lowbit.uniform<u2,
// BYTES: onnx.MatMul({{.*}}) {lowbit.format = #lowbit.uniform<u4,
// BYTES-LOG: remark: search: {{.*}} in 96 bytes; u4g8 for all layers: {{.*}} in 112 bytes

// Cycles, as the cost model of any target predicts.
// RUN: quant-opt %s --assign-formats="search sensitivity=output-error candidates=u2g8,u4g8,u8g8 budget-latency=1000 solver=rtn target=avx512vnni calibration=%t/tokens.npy" 2>%t/cycles | FileCheck %s --check-prefix=FAST
// RUN: FileCheck %s --check-prefix=CYCLES --input-file=%t/cycles
// FAST-COUNT-2: lowbit.format
// CYCLES: remark: search: output-error {{.*}} in 0.0{{[0-9]+}} thousand cycles per token

// Microseconds, as this machine takes them. A plan for a generous budget is the
// best one there is.
// RUN: quant-opt %s --assign-formats="search sensitivity=output-error candidates=u2g8,u4g8,u8g8 budget-latency=1e6 latency=measured solver=rtn calibration=%t/tokens.npy" 2>%t/time | FileCheck %s --check-prefix=BEST
// RUN: FileCheck %s --check-prefix=TIME --input-file=%t/time
// BEST: onnx.MatMul({{.*}}) {lowbit.format = #lowbit.uniform<u2,
// BEST: onnx.MatMul({{.*}}) {lowbit.format = #lowbit.uniform<u8,
// TIME: remark: search: output-error {{.*}} in {{[0-9]+\.[0-9]+}} microseconds per token

// Rules come first, and what they take counts. The head is searched if asked for.
// RUN: quant-opt %s --assign-formats="search sensitivity=output-error solver=rtn rules=easy=u8g8 candidates=u2g8,u4g8,u8g8 budget=8.1 calibration=%t/tokens.npy" 2>/dev/null | FileCheck %s --check-prefix=RULE
// RULE: onnx.MatMul({{.*}}) {lowbit.format = #lowbit.uniform<u8,
// RULE: onnx.MatMul({{.*}}) {lowbit.format = #lowbit.uniform<u2,
// RUN: quant-opt %s --assign-formats="search sensitivity=output-error head solver=rtn candidates=u2g8,float budget=32 calibration=%t/tokens.npy" 2>/dev/null | FileCheck %s --check-prefix=HEAD
// HEAD: onnx.MatMul({{.*}}) {lowbit.format = #lowbit.uniform<u2,
// HEAD-COUNT-2: onnx.MatMul({{.*}}) {lowbit.format = "float"}

// What cannot store a layer is left out there, or takes a fallback.
// RUN: quant-opt %s --assign-formats="search sensitivity=output-error candidates=q8_0,u8g8 budget=11 calibration=%t/tokens.npy" 2>&1 >/dev/null | FileCheck %s --check-prefix=UNFIT
// UNFIT: remark: candidate q8_0 is left out for 2 layers, the first one 'easy': q8_0 has blocks of 32 columns, which do not divide the 8{{.*}}; no fallback is given
// RUN: quant-opt %s --assign-formats="search sensitivity=output-error candidates=q8_0,u4g8 solver=rtn budget=9 fallback=u8g8 calibration=%t/tokens.npy" 2>/dev/null | FileCheck %s --check-prefix=FALLBACK
// FALLBACK: onnx.MatMul({{.*}}) {lowbit.format = #lowbit.uniform<u4,
// FALLBACK: onnx.MatMul({{.*}}) {lowbit.format = #lowbit.uniform<u8,

// What was measured is kept: the second search believes the file, which says here
// that the hard layer is easy.
// RUN: quant-opt %s --assign-formats="search sensitivity=output-error candidates=u2g8,u4g8,u8g8 budget=8.1 solver=rtn calibration=%t/tokens.npy table=%t/table.json" 2>/dev/null | FileCheck %s
// RUN: FileCheck %s --check-prefix=TABLE --input-file=%t/table.json
// TABLE:      "errors": {
// TABLE-NEXT:   "#lowbit.uniform<u2, group = [1, 8], scale = f16, zero = u2>": 0,
// TABLE:      "layer": "easy",
// TABLE-NEXT: "weight": "{{[0-9a-f]+}}"
// TABLE:      "measured": {
// TABLE-NEXT:   "calibration": "int64[2, 4], hash {{[0-9a-f]+}}",
// RUN: sed 's|\("#lowbit.uniform<u8.*"\): .*|\1: 7|' %t/table.json > %t/edited.json
// RUN: quant-opt %s --assign-formats="search sensitivity=output-error candidates=u2g8,u8g8,u4g8 budget=9 solver=rtn calibration=%t/tokens.npy table=%t/edited.json" 2>/dev/null | FileCheck %s --check-prefix=BYTES
// RUN: quant-opt %s --assign-formats="search sensitivity=output-error rules=easy=u2g8 candidates=u8g8 budget=9 solver=rtn calibration=%t/tokens.npy table=%t/table.json" 2>/dev/null | FileCheck %s

// The result is a recipe.
// RUN: quant-opt %s --assign-formats="search sensitivity=output-error candidates=u2g8,u4g8,u8g8 budget=8.1 solver=gptq calibration=%t/tokens.npy report=%t/recipe.json" -o %t/first.mlir 2>/dev/null
// RUN: quant-opt %s --assign-formats="recipe=%t/recipe.json" -o %t/second.mlir 2>/dev/null
// RUN: diff %t/first.mlir %t/second.mlir

func.func @model(%ids: tensor<?x?xi64> {onnx.name = "input_ids"}) -> (tensor<?x?x8xf32> {onnx.name = "logits"}) {
  %table = onnx.Constant dense<[[0.5, 1.5, -1.0, 0.3, 2.0, -0.7, 0.1, 0.9], [1.1, -0.4, 0.6, -1.3, 0.2, 0.8, -0.9, 0.5], [-0.6, 0.7, 1.2, 0.4, -1.1, 0.3, 1.6, -0.2], [0.9, 0.1, -0.5, 1.4, 0.6, -1.2, 0.4, 1.0]]> : tensor<4x8xf32>
  %x = onnx.Gather(%table, %ids) {axis = 0 : i64} : (tensor<4x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32> loc("embedding")
  // CHECK: onnx.MatMul({{.*}}) {lowbit.format = #lowbit.uniform<u2, group = [1, 8], scale = f16, zero = u2>}
  %we = onnx.Constant dense<[[0.0, 1.0, 2.0, 0.0, 3.0, 0.0, 0.0, 3.0], [3.0, 0.0, 3.0, 1.0, 0.0, 2.0, 3.0, 0.0], [1.0, 3.0, 0.0, 3.0, 1.0, 3.0, 1.0, 2.0], [2.0, 0.0, 1.0, 0.0, 2.0, 1.0, 3.0, 1.0], [0.0, 2.0, 3.0, 2.0, 0.0, 0.0, 0.0, 3.0], [3.0, 1.0, 0.0, 3.0, 3.0, 2.0, 2.0, 0.0], [1.0, 3.0, 2.0, 1.0, 2.0, 1.0, 1.0, 3.0], [2.0, 0.0, 1.0, 2.0, 0.0, 3.0, 3.0, 1.0]]> : tensor<8x8xf32>
  %y = onnx.MatMul(%x, %we) : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32> loc("easy")
  %r = onnx.Relu(%y) : (tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  // CHECK: onnx.MatMul({{.*}}) {lowbit.format = #lowbit.uniform<u8, group = [1, 8], scale = f16, zero = u8>}
  %wh = onnx.Constant dense<[[0.13, -0.71, 0.92, 0.05, -0.33, 0.48, -0.87, 0.26], [-0.54, 0.17, 0.39, -0.95, 0.61, -0.08, 0.72, -0.44], [0.83, -0.29, -0.66, 0.21, 0.97, -0.52, 0.34, 0.11], [-0.15, 0.58, 0.07, -0.78, -0.41, 0.89, -0.23, 0.65], [0.46, -0.99, 0.31, 0.54, -0.19, -0.73, 0.02, 0.85], [-0.62, 0.24, -0.81, 0.37, 0.16, 0.69, -0.57, -0.09], [0.28, 0.77, -0.45, -0.12, 0.53, -0.36, 0.94, -0.68], [-0.91, -0.03, 0.64, 0.42, -0.75, 0.14, 0.59, 0.32]]> : tensor<8x8xf32>
  %h = onnx.MatMul(%r, %wh) : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32> loc("hard")
  %t = onnx.Tanh(%h) : (tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %wo = onnx.Constant dense<[[0.31, -0.52, 0.74, 0.15, -0.83, 0.28, -0.17, 0.66], [-0.24, 0.87, 0.19, -0.65, 0.41, -0.38, 0.52, -0.74], [0.53, -0.19, -0.86, 0.61, 0.37, -0.92, 0.14, 0.21], [-0.45, 0.38, 0.27, -0.58, -0.71, 0.49, -0.63, 0.95], [0.76, -0.29, 0.51, 0.34, -0.59, -0.23, 0.82, 0.05], [-0.12, 0.64, -0.31, 0.77, 0.46, 0.09, -0.97, -0.49], [0.88, 0.17, -0.65, -0.42, 0.23, -0.76, 0.34, -0.18], [-0.61, -0.33, 0.94, 0.12, -0.25, 0.54, 0.79, 0.43]]> : tensor<8x8xf32>
  %o = onnx.MatMul(%t, %wo) : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32> loc("head")
  return %o : tensor<?x?x8xf32>
}
