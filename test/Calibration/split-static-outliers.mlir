// Channel 1 of what the layers read is 6 at most, channel 0 is 3.
// RUN: rm -rf %t && mkdir %t
// RUN: %python %S/../Integration/Inputs/make_npz.py %t/tokens.npy "x=np.array([[1, 3, 1, 3], [3, 3, 1, 1]], np.int32)"
// RUN: quant-opt %s --split-static-outliers="calibration=%t/tokens.npy" | FileCheck %s
// RUN: quant-opt %s --split-static-outliers="calibration=%t/tokens.npy threshold=6.1" | FileCheck %s --check-prefix=NONE
// RUN: quant-opt %s --split-static-outliers="calibration=%t/tokens.npy exclude=first head" | FileCheck %s --check-prefix=HEAD
// RUN: quant-opt %s --llm-int8="calibration=%t/tokens.npy" | FileCheck %s --check-prefix=INT8

// The function stays the same.
// RUN: quant-opt %s --split-static-outliers="calibration=%t/tokens.npy head" -o %t/split.mlir
// RUN: %python %S/../Integration/Inputs/make_npz.py %t/in.npz "input_ids=np.array([[0, 1, 2, 3]])"
// RUN: quant-run %s --inputs=%t/in.npz --outputs=%t/a.npz
// RUN: quant-run %t/split.mlir --inputs=%t/in.npz --outputs=%t/b.npz
// RUN: %python -c "import numpy as np; a, b = (np.load(r'%t/' + n)['logits'] for n in ('a.npz', 'b.npz')); assert np.abs(a - b).max() < 1e-5 * np.abs(a).max() and a.any()"

// RUN: not quant-opt %s --split-static-outliers="calibration=%t/tokens.npy threshold=0" 2>&1 | FileCheck %s --check-prefix=ALL
// ALL: error: cannot cut layer 'first': all of its 2 input channels hold outliers; raise the threshold, or exclude the layer
// RUN: not quant-opt %s --split-static-outliers="calibration=%t/tokens.npy threshold=-2" 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// NEGATIVE: error: threshold is -2.000000, but must be 0 or more
// RUN: not quant-opt %s --split-static-outliers="calibration=%t/missing.npy" 2>&1 | FileCheck %s --check-prefix=MISSING
// MISSING: error: {{.*}}missing.npy

// NONE-NOT: onnx.Where
// HEAD-COUNT-2: lowbit.format = "float"
// HEAD: %[[SUM:.+]] = onnx.Add(
// HEAD-NEXT: return %[[SUM]]

// Both layers read the same parts.
// CHECK-DAG: %[[OTHERS:.+]] = onnx.Constant dense<[true, false]> : tensor<2xi1>
// CHECK-DAG: %[[CHANNELS:.+]] = onnx.Constant dense<1> : tensor<1xi64>
// CHECK-DAG: %[[PART:.+]] = onnx.Constant dense<{{\[\[}}1.000000e+00, -1.000000e+00]]> : tensor<1x2xf32>
// CHECK-DAG: %[[REST_W:.+]] = onnx.Constant dense<{{\[\[}}0.000000e+00, 1.000000e+00], [0.000000e+00, 0.000000e+00]]> : tensor<2x2xf32>
// CHECK-DAG: %[[REST:.+]] = onnx.Where(%[[OTHERS]], %[[X:[^,]+]], %{{.+}})
// CHECK-DAG: %[[SELECTED:.+]] = onnx.Gather(%[[X]], %[[CHANNELS]]) {axis = -1 : i64}
// CHECK-DAG: %[[A:.+]] = onnx.MatMul(%[[REST]], %[[REST_W]]) :
// CHECK-DAG: %[[B:.+]] = onnx.MatMul(%[[SELECTED]], %[[PART]]) {lowbit.format = "float"}
// CHECK: onnx.Add(%[[A]], %[[B]])
// CHECK: onnx.MatMul(%[[REST]],
// CHECK: onnx.MatMul(%[[SELECTED]], {{.+}}lowbit.format = "float"

// INT8: lowbit.dynamic_quantize
// INT8: lowbit.matmul
// INT8: onnx.MatMul({{.+}}lowbit.format = "float"
// INT8-NOT: lowbit.find_outliers
func.func @model(%ids: tensor<?x?xi64> {onnx.name = "input_ids"}) -> (tensor<?x?x2xf32> {onnx.name = "logits"}) {
  %table = onnx.Constant dense<[[0.0, 1.0], [1.0, 2.0], [2.0, -1.0], [3.0, -6.0]]> : tensor<4x2xf32>
  %x = onnx.Gather(%table, %ids) {axis = 0 : i64} : (tensor<4x2xf32>, tensor<?x?xi64>) -> tensor<?x?x2xf32> loc("embedding")
  %w = onnx.Constant dense<[[0.0, 1.0], [1.0, -1.0]]> : tensor<2x2xf32>
  %y = onnx.MatMul(%x, %w) : (tensor<?x?x2xf32>, tensor<2x2xf32>) -> tensor<?x?x2xf32> loc("first")
  %v = onnx.Constant dense<[[0.125, 0.125], [-0.125, 0.0625]]> : tensor<2x2xf32>
  %z = onnx.MatMul(%x, %v) : (tensor<?x?x2xf32>, tensor<2x2xf32>) -> tensor<?x?x2xf32> loc("second")
  %p = onnx.Mul(%y, %z) : (tensor<?x?x2xf32>, tensor<?x?x2xf32>) -> tensor<?x?x2xf32>
  %h = onnx.Constant dense<[[1.0, 0.5], [2.0, 1.0]]> : tensor<2x2xf32>
  %r = onnx.MatMul(%p, %h) : (tensor<?x?x2xf32>, tensor<2x2xf32>) -> tensor<?x?x2xf32> loc("head")
  return %r : tensor<?x?x2xf32>
}
