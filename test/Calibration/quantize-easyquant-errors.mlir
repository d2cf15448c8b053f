// RUN: not quant-opt %s --quantize-easyquant="include=good format=bf16" 2>&1 | FileCheck %s --check-prefix=FLOAT
// RUN: not quant-opt %s --quantize-easyquant="include=good fraction=2" 2>&1 | FileCheck %s --check-prefix=FRACTION
// RUN: not quant-opt %s --quantize-easyquant="include=good sigma=-1" 2>&1 | FileCheck %s --check-prefix=SIGMA
// RUN: not quant-opt %s --quantize-easyquant="include=good iterations=-1" 2>&1 | FileCheck %s --check-prefix=ITERATIONS
// RUN: not quant-opt %s --quantize-easyquant="include=good outlier-type=u8" 2>&1 | FileCheck %s --check-prefix=TYPE
// RUN: not quant-opt %s --quantize-easyquant="include=large fraction=0.5 sigma=1" 2>&1 | FileCheck %s --check-prefix=LARGE
// RUN: not quant-opt %s --easyquant="include=bad" -o %t.mlir 2>&1 | FileCheck %s --check-prefix=NAN
// RUN: not test -e %t.mlir
// RUN: not quant-opt %s --easyquant="bits=1" 2>&1 | FileCheck %s --check-prefix=BITS

// FLOAT: error: cannot quantize layer 'good': EasyQuant fits the scales of groups, which the format bf16 + 0 outliers f16 does not have
// FRACTION: error: cannot quantize layer 'good': fraction is 2.000000, but must lie in [0, 1]
// SIGMA: error: cannot quantize layer 'good': sigma is -1.000000, but must not be negative
// ITERATIONS: error: cannot quantize layer 'good': iterations is -1, but must not be negative
// TYPE: error: outlier-type is 'u8', but must be f16, bf16 or f32
// LARGE: error: cannot quantize layer 'large': the outlier in row 0, column 1 is 1e+06, but f16 ends at 65504; a wider type is needed
// NAN: error: cannot quantize layer 'bad': the weight in row 1, column 0 is NaN; only finite weights can be quantized
// BITS: error: bits is 1, but symmetric codes have at least 2
func.func @model(%x: tensor<?x2xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>) {
  %good = onnx.Constant dense<1.0> : tensor<2x2xf32>
  %0 = onnx.MatMul(%x, %good) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32> loc("good")
  %bad = onnx.Constant dense<[[1.0, 0x7FC00000], [2.0, 3.0]]> : tensor<2x2xf32>
  %1 = onnx.MatMul(%x, %bad) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32> loc("bad")
  %large = onnx.Constant dense<[[1.0, 0.0], [1.0e6, 3.0]]> : tensor<2x2xf32>
  %2 = onnx.MatMul(%x, %large) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32> loc("large")
  %head = onnx.Constant dense<2.0> : tensor<2x2xf32>
  %3 = onnx.MatMul(%x, %head) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32> loc("head")
  return %0, %1, %2, %3 : tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>
}
