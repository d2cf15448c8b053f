// What only the run shows to be wrong is an error like all others, on the CPU, on a
// GPU, and in a library.

// RUN: rm -rf %t && mkdir %t
// RUN: %python %S/../../Integration/Inputs/make_npz.py %t/in.npz "x=np.ones((2, 3), 'f')" "shape=np.array([2, 2])"
// RUN: not quant-run %s --inputs=%t/in.npz 2>&1 | FileCheck %s
// RUN: not quant-run %s --gpu=emulate --inputs=%t/in.npz 2>&1 | FileCheck %s
// RUN: quant-compile %s -o %t/model.so
// RUN: not quant-run %t/model.so --inputs=%t/in.npz 2>&1 | FileCheck %s
// CHECK: quant-run: error: onnx.Reshape: the new shape has another number of elements

func.func @main(%x: tensor<?x?xf32> {onnx.name = "x"}, %s: tensor<2xi64> {onnx.name = "shape"})
    -> (tensor<?x?xf32> {onnx.name = "y"}) {
  %0 = onnx.Relu(%x) : (tensor<?x?xf32>) -> tensor<?x?xf32>
  %1 = onnx.Reshape(%0, %s) : (tensor<?x?xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  return %1 : tensor<?x?xf32>
}
