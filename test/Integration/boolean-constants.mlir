// Truth values are bits in MLIR's constants, and bytes in memory, be there few or many of them.

// RUN: rm -rf %t && mkdir %t
// RUN: %python %S/Inputs/make_npz.py %t/in.npz "x=np.arange(1, 173, dtype='f').reshape(1, 172)"
// RUN: quant-run %s --inputs=%t/in.npz --outputs=%t/out.npz
// RUN: %python -c "import numpy; out = numpy.load(r'%t/out.npz'); print(*(out['y'][0] == 0).nonzero()[0], out['all'][0].sum())" | FileCheck %s
// CHECK: 1 6 171 14878.0

// A library has its constants in a section of its own.
// RUN: quant-compile %s -o %t/model.so
// RUN: quant-run %t/model.so --inputs=%t/in.npz --outputs=%t/library.npz
// RUN: %python -c "import numpy; out = numpy.load(r'%t/library.npz'); print(*(out['y'][0] == 0).nonzero()[0], out['all'][0].sum())" | FileCheck %s

func.func @main(%x: tensor<1x172xf32> {onnx.name = "x"})
    -> (tensor<1x172xf32> {onnx.name = "y"}, tensor<1x172xf32> {onnx.name = "all"}) {
  %mask = onnx.Constant dense<[
      true, false, true, true, true, true, false, true, true, true, true, true, true, true, true, true,
      true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true,
      true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true,
      true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true,
      true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true,
      true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true,
      true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true,
      true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true,
      true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true,
      true, true, true, true, true, true, true, true, true, true, true, true, true, true, true, true,
      true, true, true, true, true, true, true, true, true, true, true, false]> : tensor<172xi1>
  %true = onnx.Constant dense<true> : tensor<172xi1>
  %zero = onnx.Constant dense<0.0> : tensor<f32>
  %y = onnx.Where(%mask, %x, %zero) : (tensor<172xi1>, tensor<1x172xf32>, tensor<f32>) -> tensor<1x172xf32>
  %all = onnx.Where(%true, %x, %zero) : (tensor<172xi1>, tensor<1x172xf32>, tensor<f32>) -> tensor<1x172xf32>
  return %y, %all : tensor<1x172xf32>, tensor<1x172xf32>
}
