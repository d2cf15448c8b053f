// Passes that quantize show on a terminal which layer is done, its error, the
// time, and an estimate of the time left, in one line that fits.

// RUN: %python %S/Inputs/on_terminal.py --columns=100 quant-opt %s --quantize-rtn="group-size=4 head" -o %t.mlir | FileCheck %s
// CHECK:      [1/2] /model/block/attention/first  error 0.0{{[0-9]+}}  {{[0-9]+}}s elapsed, {{[0-9]+}}s left
// CHECK-NEXT: [2/2] /model/block/attention/second  error 0.0{{[0-9]+}}  {{[0-9]+}}s elapsed, {{[0-9]+}}s left

// RUN: %python %S/../Integration/Inputs/make_npz.py %t.npy "x=np.linspace(-1, 1, 24).reshape(6, 4).astype('f')"
// RUN: %python %S/Inputs/on_terminal.py --columns=60 quant-opt %s --gptq="group-size=4 head calibration=%t.npy" -o %t.mlir | FileCheck %s --check-prefix=NARROW
// NARROW:      [1/2] ...{{.*}}/first  error 0.0{{[0-9]+}}  {{[0-9]+}}s elapsed, {{[0-9]+}}s left
// NARROW-NEXT: [2/2] ...{{.*}}/second  error 0.0{{[0-9]+}}  {{[0-9]+}}s elapsed, {{[0-9]+}}s left

// Elsewhere nothing is shown.
// RUN: quant-opt %s --quantize-rtn="group-size=4 head" -o %t.mlir 2>&1 | count 0

module attributes {onnx.ir_version = 8 : i64} {
func.func @main(%x: tensor<?x4xf32> {onnx.name = "x", onnx.dim_params = ["rows", ""]})
    -> (tensor<?x4xf32> {onnx.name = "y"}) {
  %w0 = onnx.Constant dense<[[0.1, -0.5, 0.3, 0.9], [0.7, 0.2, -0.8, 0.4], [-0.6, 0.5, 0.1, 0.2], [0.3, -0.1, 0.8, -0.9]]> : tensor<4x4xf32>
  %w1 = onnx.Constant dense<[[0.2, 0.4, -0.3, 0.6], [-0.7, 0.1, 0.5, 0.4], [0.9, -0.2, 0.3, 0.1], [0.5, 0.8, -0.4, 0.7]]> : tensor<4x4xf32>
  %0 = onnx.MatMul(%x, %w0) : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32> loc("/model/block/attention/first")
  %1 = onnx.Relu(%0) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %2 = onnx.MatMul(%1, %w1) : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32> loc("/model/block/attention/second")
  return %2 : tensor<?x4xf32>
}
}
