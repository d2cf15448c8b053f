// RUN: not quant-opt %s --quantize-spqr="threshold=-1 calibration=%S/Inputs/tokens.npy" -o %t.mlir 2>&1 | FileCheck %s --check-prefix=THRESHOLD
// RUN: not test -e %t.mlir
// RUN: not quant-opt %s --quantize-spqr="block-size=0" 2>&1 | FileCheck %s --check-prefix=BLOCK
// RUN: not quant-opt %s --quantize-spqr="damping=-2" 2>&1 | FileCheck %s --check-prefix=DAMPING
// RUN: not quant-opt %s --spqr="damping=-2" 2>&1 | FileCheck %s --check-prefix=DAMPING
// RUN: not quant-opt %s --quantize-spqr="outlier-type=i8" 2>&1 | FileCheck %s --check-prefix=TYPE
// RUN: not quant-opt %s --quantize-spqr="inputs=all" 2>&1 | FileCheck %s --check-prefix=INPUTS
// RUN: not quant-opt %s --quantize-spqr="format=nf4 calibration=%S/Inputs/tokens.npy" -o %t.mlir 2>&1 | FileCheck %s --check-prefix=SCALE
// RUN: not test -e %t.mlir
// RUN: not quant-opt %s --quantize-spqr='format="#lowbit.ovp<int4, group = [1, *], scale = f16>" calibration=%S/Inputs/tokens.npy' 2>&1 | FileCheck %s --check-prefix=PAIRS
// RUN: not quant-opt %s --spqr="bits=9 calibration=%S/Inputs/tokens.npy" 2>&1 | FileCheck %s --check-prefix=BITS
// RUN: not quant-opt %s --spqr="calibration=%S/Inputs/absent.npy" 2>&1 | FileCheck %s --check-prefix=ABSENT

// THRESHOLD: error: threshold is -1.000000, but must be a number from 0 on
// BLOCK: error: block-size is 0, but must be at least 1
// DAMPING: error: damping is -2.000000, but must be a number from 0 on
// TYPE: error: outlier-type is 'i8', but must be f16, bf16 or f32
// INPUTS: error: inputs is 'all', but must be layer, block or float
// SCALE: error: cannot quantize layer 'layer': SpQR leaves single weights out of groups of one row with a scale, which the format nf4 {{.*}} does not have; with 'simplified' it leaves none out
// PAIRS: error: cannot quantize layer 'layer': SpQR codes one column after the other, but the format {{.*}} codes 2 together
// BITS: error: format is
// ABSENT: error: {{.*}}absent.npy
func.func @model(%tokens: tensor<?x?xi64> {onnx.name = "input_ids"}) -> tensor<?x?x8xf32> {
  %table = onnx.Constant dense<0.5> : tensor<6x8xf32>
  %x = onnx.Gather(%table, %tokens) {axis = 0 : i64} : (tensor<6x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %w = onnx.Constant dense<0.25> : tensor<8x8xf32>
  %y = onnx.MatMul(%x, %w) : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32> loc("layer")
  return %y : tensor<?x?x8xf32>
}
