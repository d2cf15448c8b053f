// Weights are read from the file that the module names, wherever both lie.

// RUN: rm -rf %t && mkdir -p %t/moved
// RUN: %python -c "import numpy; numpy.arange(6, dtype='f').tofile(r'%t/moved/w.bin')"
// RUN: cp %s %t/moved/model.mlir
// RUN: %python %S/Inputs/make_npz.py %t/in.npz "x=np.ones((2, 3), 'f')"
// RUN: quant-run %t/moved/model.mlir --inputs=%t/in.npz --outputs=%t/out.npz
// RUN: %python -c "import numpy; print(numpy.load(r'%t/out.npz')['y'].tolist())" | FileCheck %s
// CHECK: [1.5, 2.5, 3.5], [4.5, 5.5, 6.5]

// RUN: rm %t/moved/w.bin
// RUN: not quant-run %t/moved/model.mlir --inputs=%t/in.npz 2>&1 | FileCheck %s --check-prefix=MISSING
// MISSING: quant-run: error: {{.*}}w.bin

func.func @main(%x: tensor<2x3xf32> {onnx.name = "x"})
    -> (tensor<2x3xf32> {onnx.name = "y"}) {
  %w = lowbit.weight #lowbit.external<"w.bin", offset = 0, length = 24> : tensor<2x3xf32>
  %half = lowbit.weight dense<0.5> : tensor<2x3xf32>
  %init = tensor.empty() : tensor<2x3xf32>
  %0 = linalg.add ins(%x, %w : tensor<2x3xf32>, tensor<2x3xf32>)
      outs(%init : tensor<2x3xf32>) -> tensor<2x3xf32>
  %1 = linalg.add ins(%0, %half : tensor<2x3xf32>, tensor<2x3xf32>)
      outs(%init : tensor<2x3xf32>) -> tensor<2x3xf32>
  return %1 : tensor<2x3xf32>
}
