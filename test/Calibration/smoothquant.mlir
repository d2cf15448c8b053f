// RUN: rm -rf %t && mkdir %t && cd %t
// RUN: %python %S/../Integration/Inputs/make_npz.py one.npy "x=np.ones([1, 2], np.float32)"
// RUN: %python %S/../Integration/Inputs/make_npz.py two.npy "x=np.array([[1, 3], [-2, 2]], np.float32)"
// RUN: %python %S/../Integration/Inputs/make_npz.py nan.npy "x=np.array([[1, 1], [np.nan, 1]], np.float32)"

// Halfway both sides become alike: activations of 16 and 1, and weights of 4 and
// 0.25, become 8 and 0.5. The layer behind has no norm, and is not asked for.
// RUN: quant-opt %s --smoothquant="calibration=one.npy" 2>&1 | FileCheck %s --implicit-check-not=remark
// CHECK-DAG: onnx.Constant dense<[8.000000e+00, 5.000000e-01]>
// CHECK-DAG: onnx.Constant dense<{{\[}}[8.000000e+00, 1.000000e+00], [5.000000e-01, -2.500000e-01]]>
// CHECK-DAG: onnx.Constant dense<{{\[}}[5.000000e-01], [3.000000e+00]]>

// With pairs it is scaled as well.
// RUN: quant-opt %s --smoothquant="calibration=one.npy pairs" 2>&1 | FileCheck %s --check-prefix=PAIRS
// PAIRS-NOT: onnx.Constant dense<{{\[}}[5.000000e-01], [3.000000e+00]]>

// Everything goes to one side: channels of 1.
// RUN: quant-opt %s --smoothquant="calibration=one.npy alpha=1" | FileCheck %s --check-prefix=ONE
// ONE: onnx.Constant dense<1.000000e+00> : tensor<2xf32>

// A search takes one of the exponents, another one where activations have few
// bits than where weights do, and the same with any number of threads.
// RUN: quant-opt %s --smoothquant="calibration=two.npy alpha=search format=s8 activation-bits=2 granularity=tensor threads=1" -o a.mlir
// RUN: quant-opt %s --smoothquant="calibration=two.npy alpha=search format=s8 activation-bits=2 granularity=tensor threads=3" -o b.mlir
// RUN: diff a.mlir b.mlir
// RUN: quant-opt %s --smoothquant="calibration=two.npy alpha=search format=s2 granularity=group" -o c.mlir
// RUN: not diff a.mlir c.mlir

// RUN: not quant-opt %s --smoothquant="calibration=one.npy alpha=2" 2>&1 | FileCheck %s --check-prefix=ALPHA
// ALPHA: error: alpha is '2', but must be from 0 to 1, or search
// RUN: not quant-opt %s --smoothquant="calibration=one.npy activation-bits=1" 2>&1 | FileCheck %s --check-prefix=BITS
// BITS: error: activation-bits is 1, but must be 2 to 8
// RUN: not quant-opt %s --smoothquant="calibration=one.npy granularity=column" 2>&1 | FileCheck %s --check-prefix=GRANULARITY
// GRANULARITY: error: granularity is 'column', but must be row, group or tensor
// RUN: not quant-opt %s --smoothquant="calibration=one.npy format=s99" 2>&1 | FileCheck %s --check-prefix=FORMAT
// FORMAT: error: format is 's99'
// RUN: not quant-opt %s --smoothquant="calibration=nan.npy" 2>&1 | FileCheck %s --check-prefix=NAN
// NAN: error: cannot scale the input of layer 'reader': channel 0 of it is not finite in all calibration data
// RUN: quant-opt %s --smoothquant="calibration=one.npy include=behind" 2>&1 | FileCheck %s --check-prefix=NOTHING
// NOTHING: warning: there are no channels to smooth

func.func @model(%x: tensor<?x2xf32> {onnx.name = "x"}) -> tensor<?x1xf32> {
  %scale = onnx.Constant dense<[16.0, 1.0]> : tensor<2xf32>
  %w = onnx.Constant dense<[[4.0, 0.5], [0.25, -0.125]]> : tensor<2x2xf32>
  %v = onnx.Constant dense<[[0.5], [3.0]]> : tensor<2x1xf32>
  %h = onnx.Constant dense<2.0> : tensor<1x1xf32>
  %n = onnx.RMSNormalization(%x, %scale) {epsilon = 0.0 : f32} : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32> loc("norm")
  %a = onnx.MatMul(%n, %w) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32> loc("reader")
  %b = onnx.Relu(%a) : (tensor<?x2xf32>) -> tensor<?x2xf32>
  %c = onnx.MatMul(%b, %v) : (tensor<?x2xf32>, tensor<2x1xf32>) -> tensor<?x1xf32> loc("behind")
  %y = onnx.MatMul(%c, %h) : (tensor<?x1xf32>, tensor<1x1xf32>) -> tensor<?x1xf32> loc("head")
  return %y : tensor<?x1xf32>
}
