// RUN: not quant-opt %s --convert-formats="to=s2g2" -o %t.mlir 2>&1 | FileCheck %s --check-prefix=VALUE
// RUN: not test -e %t.mlir
// RUN: not quant-opt %s --convert-formats="to=q4_K" 2>&1 | FileCheck %s --check-prefix=SHAPE
// RUN: not quant-opt %s --convert-formats="to=u9" 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: not quant-opt %s --convert-formats="to=f16 exclude=(" 2>&1 | FileCheck %s --check-prefix=REGEX
// RUN: not quant-opt %s --convert-formats='to="#lowbit.bcq<bits = 1, group = [1, 2], scale = f16>"' 2>&1 | FileCheck %s --check-prefix=OFFSET
// RUN: quant-opt %s --lowbit-pack-weights="target=avx2" | not quant-opt --convert-formats="to=f16" 2>&1 | FileCheck %s --check-prefix=PACKED

// VALUE: error: cannot convert the weight of 'layer': the weight in row 0, column 2 is 1.00000000e+00, which s2 [1, 2] f16 would make 1.33300781e+00
// SHAPE: error: cannot convert the weight of 'layer': q4_K has blocks of 256 columns, which do not divide the 4
// NAME: error: to is 'u9', but must be a name such as f16, u4g64, q4_K or nf4, or a format as IR spells it
// REGEX: error: exclude is '(', which is no regular expression: parentheses not balanced
// OFFSET: error: cannot convert the weight of 'layer': the weight in row 0, column 0 is -1.00000000e+00, which bcq1 [1, 2] f16 would make -5.00000000e-01
// PACKED: error: cannot convert the weight of '{{.*}}': it is packed for a target; convert weights before that

!u2 = !lowbit.tensor<2x4xf32, #lowbit.uniform<u2, group = [1, 2], scale = f16, zero = u2>>

func.func @main(%x: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %0 = lowbit.constant {codes = dense<[[0xe4], [0x1b]]> : tensor<2x1xi8>,
                        scales = dense<1.0> : tensor<2x2xf16>,
                        zeros = dense<0x5> : tensor<2x1xi8>} : !u2
  %1 = lowbit.matmul %x, %0 : (tensor<?x4xf32>, !u2) -> tensor<?x2xf32> loc("layer")
  return %1 : tensor<?x2xf32>
}
