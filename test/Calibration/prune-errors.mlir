// RUN: not quant-opt %s --prune="method=wanda" 2>&1 | FileCheck %s --check-prefix=METHOD
// RUN: not quant-opt %s --prune="sparsity=1.5" 2>&1 | FileCheck %s --check-prefix=SPARSITY
// RUN: not quant-opt %s --prune="scope=row" 2>&1 | FileCheck %s --check-prefix=SCOPE
// RUN: not quant-opt %s --prune="pattern=4:2" 2>&1 | FileCheck %s --check-prefix=PATTERN
// RUN: not quant-opt %s --prune="pattern=2:4 sparsity=0.5" 2>&1 | FileCheck %s --check-prefix=BOTH
// RUN: not quant-opt %s --prune="pattern=2:4 scope=global" 2>&1 | FileCheck %s --check-prefix=BOTH
// RUN: not quant-opt %s --prune="include=bad" -o %t.mlir 2>&1 | FileCheck %s --check-prefix=NAN
// RUN: not test -e %t.mlir

// METHOD: error: method is 'wanda', but must be magnitude
// SPARSITY: error: sparsity is 1.500000, but must lie in [0, 1]
// SCOPE: error: scope is 'row', but must be layer or global
// PATTERN: error: the pattern is '4:2', but must be N:M with 1 <= N <= M <= 256, such as 2:4
// BOTH: error: the pattern 2:4 says how many weights stay; it cannot be combined with sparsity or scope=global
// NAN: error: cannot prune layer 'bad': the weight in row 1, column 0 is NaN
func.func @model(%x: tensor<?x2xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>) {
  %bad = onnx.Constant dense<[[1.0, 0x7FC00000], [2.0, 3.0]]> : tensor<2x2xf32>
  %0 = onnx.MatMul(%x, %bad) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32> loc("bad")
  %head = onnx.Constant dense<2.0> : tensor<2x2xf32>
  %1 = onnx.MatMul(%x, %head) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32> loc("head")
  return %0, %1 : tensor<?x2xf32>, tensor<?x2xf32>
}
