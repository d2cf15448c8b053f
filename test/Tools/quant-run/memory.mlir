// A model that needs more memory than there is ends with a message.

// RUN: rm -rf %t && mkdir %t
// RUN: %python %S/../../Integration/Inputs/make_npz.py %t/in.npz "x=np.ones((1, 1), 'f')" "shape=np.array([10**8, 10**8])"
// RUN: not quant-run %s --inputs=%t/in.npz 2>&1 | FileCheck %s --check-prefix=MODEL
// MODEL: {{^}}quant-run: error: out of memory: cannot allocate {{[0-9]+}} bytes{{$}}
// RUN: not quant-run %examples/tiny-llama/tiny-llama.onnx --bench --tokens=1000000000000000 2>&1 \
// RUN:   | FileCheck %s --check-prefix=TENSOR
// TENSOR: {{^}}quant-run: error: out of memory: {{.*}}

func.func @main(%x: tensor<?x?xf32> {onnx.name = "x"}, %shape: tensor<2xi64> {onnx.name = "shape"})
    -> (tensor<?x?xf32> {onnx.name = "y"}) {
  %0 = "onnx.Expand"(%x, %shape) : (tensor<?x?xf32>, tensor<2xi64>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}
