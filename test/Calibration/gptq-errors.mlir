// RUN: not quant-opt %s --gptq="bits=0" -o %t.mlir 2>&1 | FileCheck %s --check-prefix=BITS
// RUN: not test -e %t.mlir
// RUN: not quant-opt %s --gptq="group-size=-3" 2>&1 | FileCheck %s --check-prefix=GROUP
// RUN: not quant-opt %s --gptq="damping=-0.5" 2>&1 | FileCheck %s --check-prefix=DAMPING
// RUN: not quant-opt %s --gptq="block-size=0" 2>&1 | FileCheck %s --check-prefix=BLOCK
// RUN: not quant-opt %s --gptq="refinements=-2" 2>&1 | FileCheck %s --check-prefix=REFINE
// RUN: not quant-opt %s --gptq="error-propagation=1.5" 2>&1 | FileCheck %s --check-prefix=PROPAGATION
// RUN: not quant-opt %s --gptq="error-propagation=0.5 inputs=float" 2>&1 | FileCheck %s --check-prefix=SEQUENTIAL
// RUN: not quant-opt %s --gptq="samples=-1" 2>&1 | FileCheck %s --check-prefix=SAMPLES
// RUN: not quant-opt %s --gptq="length=1" 2>&1 | FileCheck %s --check-prefix=LENGTH
// RUN: not quant-opt %s --gptq="calibration=%S/Inputs/absent.npy" 2>&1 | FileCheck %s --check-prefix=ABSENT
// RUN: not quant-opt %s --gptq="calibration=%S/Inputs/not-numpy.npy" 2>&1 | FileCheck %s --check-prefix=MAGIC
// RUN: not quant-opt %s --gptq="calibration=%S/Inputs/floats.npy" 2>&1 | FileCheck %s --check-prefix=TYPE
// RUN: not quant-opt %s --gptq="calibration=%S/Inputs/rank1.npy" 2>&1 | FileCheck %s --check-prefix=RANK
// RUN: not quant-opt %s --gptq="calibration=%S/Inputs/outside.npy" -o %t.mlir 2>&1 | FileCheck %s --check-prefix=TOKEN
// RUN: not test -e %t.mlir
// RUN: not quant-opt %s --gptq="calibration=%S/Inputs/tokens.npy state=/dev/null/x" 2>&1 | FileCheck %s --check-prefix=STATE

// BITS: error: bits is 0, but must be 1 to 8
// GROUP: error: group-size is -3, but must be positive, -1 for whole rows, or 0 for whole weights
// DAMPING: error: damping is -0.500000, but must be a number from 0 on
// BLOCK: error: block-size is 0, but must be at least 1
// REFINE: error: refinements is -2, but must not be negative
// PROPAGATION: error: error-propagation is 1.500000, but must lie between 0 and 1
// SEQUENTIAL: error: error-propagation cannot be combined with inputs=float: no layer sees the errors of those before it there
// SAMPLES: error: samples is -1, but must be positive, or 0 for all
// LENGTH: error: length is 1, but must be at least 2
// ABSENT: error: {{.*}}absent.npy
// MAGIC: error: {{.*}}not-numpy.npy
// TYPE: error: calibration file '{{.*}}floats.npy' holds float32[4, 8], but tokens must be int32 or int64
// RANK: error: calibration file '{{.*}}rank1.npy' holds int32[8], which are no samples for the input 'input_ids' of type tensor<?x?xi64>
// TOKEN: error: calibration file '{{.*}}outside.npy': token 9 in sample 2 is outside the vocabulary of 6
// STATE: error: cannot make the folder '/dev/null/x' for the state of the run
func.func @model(%tokens: tensor<?x?xi64> {onnx.name = "input_ids"}) -> tensor<?x?x8xf32> {
  %table = onnx.Constant dense<0.5> : tensor<6x8xf32>
  %x = onnx.Gather(%table, %tokens) {axis = 0 : i64} : (tensor<6x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %w = onnx.Constant dense<0.25> : tensor<8x8xf32>
  %y = onnx.MatMul(%x, %w) : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32> loc("layer")
  return %y : tensor<?x?x8xf32>
}
