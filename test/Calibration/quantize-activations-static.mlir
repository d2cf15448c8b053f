// Static scales, from what the quantized model computes on calibration data.
// RUN: rm -rf %t && mkdir %t
// RUN: %python %S/../Integration/Inputs/make_npz.py %t/x.npy "x=np.array([[1, -2], [0.5, 4]], np.float32)"
// RUN: quant-opt %s --quantize-activations="calibration=%t/x.npy" | FileCheck %s
// RUN: quant-opt %s --quantize-activations="calibration=%t/x.npy range=average threads=2" | FileCheck %s --check-prefix=AVERAGE
// RUN: quant-opt %s --quantize-activations="granularity=tensor calibration=%t/x.npy samples=1 bits=4" | FileCheck %s --check-prefix=ONE
// RUN: quant-opt %s --quantize-activations='calibration=%t/x.npy format="#lowbit.ovp<int4, group = [*, *], scale = f16>" or-format="#lowbit.ovp<flint4, group = [*, *], scale = f16>"' | FileCheck %s --check-prefix=PAIRS
// RUN: quant-opt %s --quantize-activations="calibration=%t/x.npy exclude=second" | FileCheck %s --check-prefix=EXCLUDE
// RUN: quant-opt %s --quantize-activations="granularity=tensor" | FileCheck %s --check-prefix=DYNAMIC

// Of all methods the same with any number of threads.
// RUN: quant-opt %s --quantize-activations="calibration=%t/x.npy range=percentile threads=1" -o %t/percentile1.mlir
// RUN: quant-opt %s --quantize-activations="calibration=%t/x.npy range=percentile threads=3" -o %t/percentile3.mlir
// RUN: cmp %t/percentile1.mlir %t/percentile3.mlir
// RUN: quant-opt %s --quantize-activations="calibration=%t/x.npy range=entropy threads=1" -o %t/entropy1.mlir
// RUN: quant-opt %s --quantize-activations="calibration=%t/x.npy range=entropy threads=3" -o %t/entropy3.mlir
// RUN: cmp %t/entropy1.mlir %t/entropy3.mlir
// RUN: quant-opt %s --quantize-activations="calibration=%t/x.npy range=mse threads=1" -o %t/mse1.mlir
// RUN: quant-opt %s --quantize-activations="calibration=%t/x.npy range=mse threads=3" -o %t/mse3.mlir
// RUN: cmp %t/mse1.mlir %t/mse3.mlir
// RUN: quant-opt %s --quantize-activations="calibration=%t/x.npy range=sigma threads=1" -o %t/sigma1.mlir
// RUN: quant-opt %s --quantize-activations="calibration=%t/x.npy range=sigma threads=3" -o %t/sigma3.mlir
// RUN: cmp %t/sigma1.mlir %t/sigma3.mlir

// Inputs that are all zero have a scale, too.
// RUN: %python %S/../Integration/Inputs/make_npz.py %t/zero.npy "x=np.zeros((1, 2), np.float32)"
// RUN: quant-opt %s --quantize-activations="calibration=%t/zero.npy" | FileCheck %s --check-prefix=ZERO
// RUN: quant-opt %s --quantize-activations="calibration=%t/zero.npy range=entropy" | FileCheck %s --check-prefix=ZERO
// ZERO: lowbit.static_quantize %arg0 scale 0.00787401571

// The input of the first two is 4 at most, that of the third what the first
// makes of it with its weight of 2: the layers before have their weights of
// now.
// CHECK-LABEL: func.func @model
// CHECK: %[[X:.+]] = lowbit.static_quantize %arg0 scale 0.0314960629 : tensor<?x2xf32> -> !lowbit.tensor<?x2xf32, #lowbit.uniform<s8, group = [*, *], scale = f32, zero = none>>
// CHECK-NOT: lowbit.static_quantize %arg0
// CHECK: lowbit.matmul %[[X]]
// CHECK: %[[Y:.+]] = lowbit.static_quantize %{{.+}} scale 0.066929
// CHECK: lowbit.matmul %[[X]]
// CHECK: lowbit.matmul %[[Y]]

// 0.9 times 2 and 0.1 times 4.
// AVERAGE: lowbit.static_quantize %arg0 scale 0.0173228

// The largest magnitude of the first sample is 2.
// ONE: lowbit.static_quantize %arg0 scale 0.285714298 : tensor<?x2xf32> -> !lowbit.tensor<?x2xf32, #lowbit.uniform<s4, group = [*, *], scale = f32, zero = none>>

// PAIRS: lowbit.static_quantize %arg0 scale {{.*}} -> !lowbit.tensor<?x2xf32, #lowbit.ovp<{{int4|flint4}}, group = [*, *], scale = f16>>

// EXCLUDE-LABEL: func.func @model
// EXCLUDE: %[[X:.+]] = lowbit.static_quantize %arg0
// EXCLUDE: lowbit.matmul %[[X]]
// EXCLUDE: lowbit.matmul %arg0

// DYNAMIC: lowbit.dynamic_quantize %arg0 : tensor<?x2xf32> -> !lowbit.tensor<?x2xf32, #lowbit.uniform<s8, group = [*, *], scale = f32, zero = none, narrow>>

#s8 = #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none>
!w = !lowbit.tensor<2x2xf32, #s8>
func.func @model(%x: tensor<?x2xf32> {onnx.name = "x"}) -> (tensor<?x2xf32> {onnx.name = "y"}) {
  %w = lowbit.constant {codes = dense<[[2, 0], [1, 2]]> : tensor<2x2xi8>, scales = dense<1.0> : tensor<2x1xf32>} : !w
  %y = lowbit.matmul %x, %w : (tensor<?x2xf32>, !w) -> tensor<?x2xf32> loc("first")
  %z = lowbit.matmul %x, %w : (tensor<?x2xf32>, !w) -> tensor<?x2xf32> loc("second")
  %s = onnx.Add(%y, %z) : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  %r = lowbit.matmul %y, %w : (tensor<?x2xf32>, !w) -> tensor<?x2xf32> loc("third")
  %t = onnx.Add(%s, %r) : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  return %t : tensor<?x2xf32>
}
