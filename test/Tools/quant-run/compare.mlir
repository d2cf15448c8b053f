// RUN: rm -rf %t && mkdir %t
// RUN: quant-opt %s --quantize-rtn="bits=8 group-size=-1 head" -o %t/int8.mlir
// RUN: quant-opt %s --quantize-rtn="bits=2 group-size=-1 include=first" -o %t/first.mlir

// RUN: %python %S/../../Integration/Inputs/make_npz.py %t/x.npz "x=np.linspace(-1, 1, 24).reshape(6, 4).astype('f')"
// RUN: %python %S/../../Integration/Inputs/make_npz.py %t/x.npy "x=np.linspace(-1, 1, 24).reshape(6, 4).astype('f')"
// RUN: %python %S/../../Integration/Inputs/make_npz.py %t/wrong.npy "x=np.zeros((2, 3), 'f')"
// RUN: %python %S/../../Integration/Inputs/make_npz.py %t/half.npz "x=np.linspace(-1, 1, 24).reshape(6, 4).astype('e')"

// The worst layer first, and then the outputs.
// RUN: quant-run %s --compare=%t/int8.mlir --tokens=4 | FileCheck %s --check-prefix=INT8
// INT8:      layer or output    error  SNR dB  max error  mean error    cosine  weight error  format
// INT8-NEXT: second           0.0{{[0-9]+}}  {{[3-6][0-9]}}.{{[0-9]}}  {{[0-9.]+e-0[2-5]}}  {{[0-9.]+e-0[2-5]}}  {{0.999[0-9]*|1.000000}}  0.00{{[0-9]+}}  u8 [1, *] f16
// INT8-NEXT: first            0.0{{[0-9]+}}
// INT8-NEXT: y                0.0{{[0-9]+}} {{.*}} -{{$}}
// INT8-NOT:  {{.}}

// As they run, and not all of them.
// RUN: quant-run %s --compare=%t/int8.mlir --tokens=4 --sort=execution --limit=1 | FileCheck %s --check-prefix=LIMIT
// LIMIT:      layer or output
// LIMIT-NEXT: first
// LIMIT-NEXT: y
// LIMIT-NEXT: (1 of 2 layers)

// Every figure is what its definition makes of the outputs of the layer.
// RUN: quant-run %s --compare=%t/first.mlir --inputs=%t/x.npz --json --histogram=5 > %t/first.json
// RUN: %python %S/Inputs/check_compare.py %t/first.json

// Samples of the main input do, too, in one batch or several.
// RUN: quant-run %s --compare=%t/first.mlir --inputs=%t/x.npy --json --histogram=5 > %t/samples.json
// RUN: diff %t/first.json %t/samples.json

// Layers of f16 are compared as well.
// RUN: sed 's/xf32>/xf16>/g' %s > %t/half.mlir
// RUN: quant-opt %t/half.mlir --quantize-rtn="bits=4 group-size=-1 head" -o %t/half4.mlir
// RUN: quant-run %t/half.mlir --compare=%t/half4.mlir --inputs=%t/half.npz | FileCheck %s --check-prefix=HALF
// HALF: second {{ *}}0.1{{.*}} 0.04{{[0-9]+}}  u4 [1, *] f16

// A model with itself.
// RUN: quant-run %s --compare=%s --tokens=5 | FileCheck %s --check-prefix=SAME
// SAME: first            0.00000     inf  0.000e+00   0.000e+00  1.000000       0.00000  f32

// A library shows its outputs only.
// RUN: quant-compile %t/int8.mlir --target=native -o %t/int8.so
// RUN: quant-run %s --compare=%t/int8.so --tokens=4 | FileCheck %s --check-prefix=LIBRARY
// LIBRARY-NOT: first
// LIBRARY: y  

// RUN: sed 's/onnx.name = "y"/onnx.name = "z"/; s/"first"/"third"/; s/"second"/"fourth"/' %s > %t/other.mlir
// RUN: not quant-run %s --compare=%t/other.mlir 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: quant-run: error: the other model has no output 'y', and no layer or output else in common with this one
// RUN: sed 's/"first"/"third"/' %s > %t/third.mlir
// RUN: quant-run %s --compare=%t/third.mlir | FileCheck %s --check-prefix=THIRD
// THIRD: in one of the models only: 2 layers

// RUN: sed 's/onnx.name = "x"/onnx.name = "z"/' %s > %t/input.mlir
// RUN: not quant-run %s --compare=%t/input.mlir 2>&1 | FileCheck %s --check-prefix=INPUT
// INPUT: quant-run: error: the other model has no input 'x' (float32[rows, 4]), so the two cannot run on the same
// RUN: sed 's/(%x: tensor/(%%more: tensor<?x4xf32> {onnx.name = "more"}, %%x: tensor/' %s > %t/more.mlir
// RUN: not quant-run %s --compare=%t/more.mlir 2>&1 | FileCheck %s --check-prefix=MORE
// MORE: quant-run: error: the other model has the input 'more' (float32[?, 4]), which this one does not have
// RUN: not quant-run %s --compare=%S/Inputs/narrow.mlir 2>&1 | FileCheck %s --check-prefix=NARROW
// NARROW: quant-run: error: the weight of layer 'first' is 4x4, but 3x4 in the other model
// RUN: not quant-run %s --compare=%t/missing.mlir 2>&1 | FileCheck %s --check-prefix=MISSING
// MISSING: quant-run: error: {{.*}}missing.mlir
// RUN: not quant-run %s --compare=%s --inputs=%t/wrong.npy 2>&1 | FileCheck %s --check-prefix=WRONG
// WRONG: quant-run: error: '{{.*}}wrong.npy' holds float32[2, 3], which are no samples for the input 'x'
// RUN: not quant-run %t/int8.so --compare=%s --inputs=%t/x.npy 2>&1 | FileCheck %s --check-prefix=SAMPLES
// SAMPLES: quant-run: error: samples in a .npy file are for models that show their main input; give a library all of its inputs as .npz
// RUN: not quant-run %s --bench --limit=3 2>&1 | FileCheck %s --check-prefix=ALONE
// ALONE: quant-run: error: --limit is for --compare without --perplexity
// RUN: not quant-run %s --compare=%s --histogram=3 2>&1 | FileCheck %s --check-prefix=JSON
// JSON: quant-run: error: --histogram needs --json
// RUN: not quant-run %s --compare=%s --sort=name 2>&1 | FileCheck %s --check-prefix=SORT
// SORT: Cannot find option named 'name'

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
