// RUN: not quant-opt %s --quantize-bcq="bits=5" 2>&1 | FileCheck %s --check-prefix=BITS
// RUN: not quant-opt %s --quantize-bcq="group-size=0" 2>&1 | FileCheck %s --check-prefix=GROUP
// RUN: not quant-opt %s --quantize-bcq="scale-type=i8" 2>&1 | FileCheck %s --check-prefix=SCALE
// RUN: not quant-opt %s --quantize-bcq -o %t.mlir 2>&1 | FileCheck %s --check-prefix=NAN
// RUN: not test -e %t.mlir

// BITS: error: format is '#lowbit.bcq<bits = 5, group = [1, 128], scale = f16>', which cannot be read: bits is 5, but binary-coding quantization has 1 to 4 bits
// GROUP: error: format is '#lowbit.bcq<bits = 3, group = [1, 0], scale = f16>', which cannot be read:
// SCALE: error: scale-type is 'i8', but must be f16, bf16 or f32
// NAN: error: cannot quantize layer 'bad': the weight in row 1, column 0 is NaN; only finite weights can be quantized
func.func @model(%x: tensor<?x2xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>) {
  %bad = onnx.Constant dense<[[1.0, 0x7FC00000], [2.0, 3.0]]> : tensor<2x2xf32>
  %1 = onnx.MatMul(%x, %bad) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32> loc("bad")
  %head = onnx.Constant dense<2.0> : tensor<2x2xf32>
  %2 = onnx.MatMul(%1, %head) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32> loc("head")
  return %1, %2 : tensor<?x2xf32>, tensor<?x2xf32>
}
