// RUN: rm -rf %t && mkdir %t
// RUN: quant-opt %s --quantize-rtn="bits=8 group-size=-1 head" -o %t/int8.mlir
// RUN: quant-opt %s --quantize-rtn="bits=2 group-size=-1 include=first" -o %t/first.mlir

// Layer by layer and then the outputs, in the order of the graph.
// RUN: quant-run %s --compare=%t/int8.mlir --tokens=4 | FileCheck %s --check-prefix=INT8
// INT8:      first: max [[SMALL:[0-9.]+e-0[2-5]]], mean {{.*}}, SNR {{[3-6][0-9]}}.{{[0-9]}} dB
// INT8-NEXT: second: max {{[0-9.]+}}e-0{{[2-5]}}, mean {{.*}}, SNR {{[3-6][0-9]}}.{{[0-9]}} dB
// INT8-NEXT: y: max
// INT8-NOT:  max

// Fewer bits show more, and JSON says the same.
// RUN: quant-run %s --compare=%t/first.mlir --tokens=4 --json > %t/first.json
// RUN: %python -c "import json; l = json.load(open(r'%t/first.json')); assert [e['name'] for e in l] == ['first', 'second', 'y'], l; assert l[0]['snr_db'] < 25, l"

// A model with itself.
// RUN: quant-run %s --compare=%s --tokens=5 | FileCheck %s --check-prefix=SAME
// SAME: first: max 0.000e+00, mean 0.000e+00, SNR inf dB

// A library shows its outputs only.
// RUN: quant-compile %t/int8.mlir --target=native -o %t/int8.so
// RUN: quant-run %s --compare=%t/int8.so --tokens=4 | FileCheck %s --check-prefix=LIBRARY
// LIBRARY-NOT: first
// LIBRARY: y: max

// RUN: sed 's/onnx.name = "y"/onnx.name = "z"/; s/"first"/"third"/; s/"second"/"fourth"/' %s > %t/other.mlir
// RUN: not quant-run %s --compare=%t/other.mlir 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: quant-run: error: the other model has no output 'y', and none else in common with this one

module attributes {onnx.ir_version = 8 : i64} {
func.func @main(%x: tensor<?x4xf32> {onnx.name = "x", onnx.dim_params = ["rows", ""]})
    -> (tensor<?x4xf32> {onnx.name = "y"}) {
  %w0 = onnx.Constant dense<[[0.1, -0.5, 0.3, 0.9], [0.7, 0.2, -0.8, 0.4], [-0.6, 0.5, 0.1, 0.2], [0.3, -0.1, 0.8, -0.9]]> : tensor<4x4xf32>
  %w1 = onnx.Constant dense<[[0.2, 0.4, -0.3, 0.6], [-0.7, 0.1, 0.5, 0.4], [0.9, -0.2, 0.3, 0.1], [0.5, 0.8, -0.4, 0.7]]> : tensor<4x4xf32>
  %0 = onnx.MatMul(%x, %w0) : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32> loc("first")
  %1 = onnx.Relu(%0) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  %2 = onnx.MatMul(%1, %w1) : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32> loc("second")
  return %2 : tensor<?x4xf32>
}
}
