// RUN: quant-opt %s --convert-formats="to=u8g2" | FileCheck %s
// RUN: quant-opt %s --convert-formats="to=f32 include=second" | FileCheck %s --check-prefix=SELECTED
// RUN: quant-opt %s --convert-formats='to="#lowbit.bcq<bits = 2, group = [1, 2], scale = f16, offset>" exclude=second' | FileCheck %s --check-prefix=SIGNS

// CHECK: lowbit.constant {codes = dense<{{\[\[}}127, -128, -128, -127], [-126, -127, 127, 126]]> : tensor<2x4xi8>, scales = dense<{{\[\[}}5.000000e-01, 1.000000e+00], [2.000000e+00, 2.500000e-01]]> : tensor<2x2xf16>, zeros = dense<-128> : tensor<2x2xi8>} : !lowbit.tensor<2x4xf32, #lowbit.uniform<u8, group = [1, 2], scale = f16, zero = u8>>
// CHECK: lowbit.matmul {{.*}}#lowbit.uniform<u8,
// CHECK: lowbit.matmul {{.*}}#lowbit.uniform<u8,

// SELECTED: lowbit.constant {values = dense<{{\[\[}}-1.000000e+00, 0.000000e+00, 0.000000e+00, 1.000000e+00], [2.000000e+00, 1.000000e+00, -1.000000e+00, -2.000000e+00]]> : tensor<2x4xf32>}
// SELECTED: lowbit.matmul {{.*}}#lowbit.uniform<u2,
// SELECTED: lowbit.matmul {{.*}}#lowbit.float<f32>

// SIGNS: lowbit.constant {offsets = dense<{{\[\[}}2.500000e-01, 1.500000e+00], [5.000000e+00, -1.250000e-01]]> : tensor<2x2xf16>, planes = dense<{{\[\[\[}}0], [0]], {{\[\[}}10], [5]]]> : tensor<2x2x1xi8>, scales = dense<{{\[\[\[}}5.000000e-01, 1.000000e+00], [2.000000e+00, 2.500000e-01]], {{\[\[}}2.500000e-01, 5.000000e-01], [1.000000e+00, 1.250000e-01]]]> : tensor<2x2x2xf16>}
// SIGNS: lowbit.matmul {{.*}}#lowbit.bcq<bits = 2,
// SIGNS: lowbit.matmul {{.*}}#lowbit.uniform<u2,

!u2 = !lowbit.tensor<2x4xf32, #lowbit.uniform<u2, group = [1, 2], scale = f16, zero = u2>>

func.func @main(%x: tensor<?x4xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>) {
  // The codes 0 1 2 3 and 3 2 1 0, with the zero points 1 and 2 of both groups.
  %0 = lowbit.constant {codes = dense<[[0xe4], [0x1b]]> : tensor<2x1xi8>,
                        scales = dense<[[0.5, 1.0], [2.0, 0.25]]> : tensor<2x2xf16>,
                        zeros = dense<0x9> : tensor<2x1xi8>} : !u2
  %1 = lowbit.constant {codes = dense<[[0xe4], [0x1b]]> : tensor<2x1xi8>,
                        scales = dense<1.0> : tensor<2x2xf16>,
                        zeros = dense<0x9> : tensor<2x1xi8>} : !u2
  %2 = lowbit.matmul %x, %0 : (tensor<?x4xf32>, !u2) -> tensor<?x2xf32> loc("first")
  %3 = lowbit.matmul %x, %1 : (tensor<?x4xf32>, !u2) -> tensor<?x2xf32> loc("second")
  return %2, %3 : tensor<?x2xf32>, tensor<?x2xf32>
}
