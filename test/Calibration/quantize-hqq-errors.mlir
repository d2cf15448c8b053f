// RUN: not quant-opt %s --quantize-hqq="include=good symmetric" 2>&1 | FileCheck %s --check-prefix=SYMMETRIC
// RUN: not quant-opt %s --quantize-hqq="include=good format=bf16" 2>&1 | FileCheck %s --check-prefix=FLOAT
// RUN: not quant-opt %s --quantize-hqq="include=good p=1.5" 2>&1 | FileCheck %s --check-prefix=NORM
// RUN: not quant-opt %s --quantize-hqq="include=good beta=0" 2>&1 | FileCheck %s --check-prefix=BETA
// RUN: not quant-opt %s --quantize-hqq="include=good zero-type=u8" 2>&1 | FileCheck %s --check-prefix=ZERO
// RUN: not quant-opt %s --quantize-rtn="include=good zero-type=f16 symmetric" 2>&1 | FileCheck %s --check-prefix=NOZERO
// RUN: not quant-opt %s --hqq="include=bad" -o %t.mlir 2>&1 | FileCheck %s --check-prefix=NAN
// RUN: not test -e %t.mlir
// RUN: not quant-opt %s --hqq="bits=9" 2>&1 | FileCheck %s --check-prefix=BITS

// SYMMETRIC: error: cannot quantize layer 'good': HQQ chooses the zero points of groups, which the format s4 [1, 128] f16 does not have
// FLOAT: error: cannot quantize layer 'good': HQQ chooses the zero points of groups, which the format bf16 does not have
// NORM: error: cannot quantize layer 'good': p is 1.500000, but must lie in (0, 1]
// BETA: error: cannot quantize layer 'good': beta is 0.000000, but must be positive and finite
// ZERO: error: zero-type is 'u8', but must be integer, f16, bf16 or f32
// NOZERO: error: zero-type is f16, but symmetric codes have no zero points
// NAN: error: cannot quantize layer 'bad': the weight in row 1, column 0 is NaN; only finite weights can be quantized
// BITS: error: bits is 9, but must be 1 to 8
func.func @model(%x: tensor<?x2xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>) {
  %good = onnx.Constant dense<1.0> : tensor<2x2xf32>
  %0 = onnx.MatMul(%x, %good) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32> loc("good")
  %bad = onnx.Constant dense<[[1.0, 0x7FC00000], [2.0, 3.0]]> : tensor<2x2xf32>
  %1 = onnx.MatMul(%x, %bad) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32> loc("bad")
  %head = onnx.Constant dense<2.0> : tensor<2x2xf32>
  %2 = onnx.MatMul(%x, %head) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32> loc("head")
  return %0, %1, %2 : tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>
}
