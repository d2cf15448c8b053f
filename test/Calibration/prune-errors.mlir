// RUN: not quant-opt %s --prune="method=random" 2>&1 | FileCheck %s --check-prefix=METHOD
// RUN: not quant-opt %s --prune="calibration=%S/Inputs/tokens.npy" 2>&1 | FileCheck %s --check-prefix=DATA
// RUN: not quant-opt %s --prune="method=wanda scope=layer" 2>&1 | FileCheck %s --check-prefix=WHERE
// RUN: not quant-opt %s --prune="method=sparsegpt embeddings" 2>&1 | FileCheck %s --check-prefix=EMBEDDINGS
// RUN: not quant-opt %s --prune="method=wanda inputs=all exclude=bad head" 2>&1 | FileCheck %s --check-prefix=INPUTS
// RUN: not quant-opt %s --prune="method=sparsegpt damping=-1 exclude=bad head calibration=%S/Inputs/floats.npy" 2>&1 | FileCheck %s --check-prefix=CALIBRATION
// RUN: not quant-opt %s --prune="sparsity=1.5" 2>&1 | FileCheck %s --check-prefix=SPARSITY
// RUN: not quant-opt %s --prune="scope=row" 2>&1 | FileCheck %s --check-prefix=SCOPE
// RUN: not quant-opt %s --prune="pattern=4:2" 2>&1 | FileCheck %s --check-prefix=PATTERN
// RUN: not quant-opt %s --prune="pattern=2:4 sparsity=0.5" 2>&1 | FileCheck %s --check-prefix=BOTH
// RUN: not quant-opt %s --prune="pattern=2:4 scope=global" 2>&1 | FileCheck %s --check-prefix=GLOBAL
// RUN: not quant-opt %s --gptq="pattern=2:4 act-order" 2>&1 | FileCheck %s --check-prefix=ORDER
// RUN: not quant-opt %s --gptq="pattern=2:4 sparsity=0.5" 2>&1 | FileCheck %s --check-prefix=BOTH
// RUN: not quant-opt %s --gptq="sparsity=-0.5" 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// RUN: not quant-opt %s --prune="include=bad" -o %t.mlir 2>&1 | FileCheck %s --check-prefix=NAN
// RUN: not test -e %t.mlir

// METHOD: error: method is 'random', but must be magnitude, wanda or sparsegpt
// DATA: error: method=magnitude needs no calibration data; with it, method can be wanda or sparsegpt
// WHERE: error: method=wanda compares the weights of a layer by itself; scope is for method=magnitude
// EMBEDDINGS: error: method=sparsegpt prunes by the inputs of layers, which embeddings do not have
// INPUTS: error: inputs is 'all', but must be layer, block or float
// CALIBRATION: error: {{.*}}floats.npy
// ORDER: error: a pattern is one of adjacent input channels, which act-order separates
// NEGATIVE: error: sparsity is -0.500000, but must lie in [0, 1]
// SPARSITY: error: sparsity is 1.500000, but must lie in [0, 1]
// SCOPE: error: scope is 'row', but must be layer or global
// PATTERN: error: the pattern is '4:2', but must be N:M with 1 <= N <= M <= 256, such as 2:4
// BOTH: error: the pattern 2:4 says how many weights stay; it cannot be combined with sparsity
// GLOBAL: error: the pattern 2:4 says how many weights stay; it cannot be combined with scope=global
// NAN: error: cannot prune layer 'bad': the weight in row 1, column 0 is NaN
func.func @model(%x: tensor<?x2xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>) {
  %bad = onnx.Constant dense<[[1.0, 0x7FC00000], [2.0, 3.0]]> : tensor<2x2xf32>
  %0 = onnx.MatMul(%x, %bad) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32> loc("bad")
  %head = onnx.Constant dense<2.0> : tensor<2x2xf32>
  %1 = onnx.MatMul(%x, %head) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32> loc("head")
  return %0, %1 : tensor<?x2xf32>, tensor<?x2xf32>
}
