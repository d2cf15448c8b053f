// Upstream's quant dialect decodes the constants to the same values as ours.

// RUN: quant-opt %s --convert-lowbit-to-quant --lower-quant-ops --canonicalize --convert-elementwise-to-linalg %loops \
// RUN:   | mlir-runner -e main -entry-point-result=void \
// RUN:       --shared-libs=%mlir_libs/libmlir_runner_utils.so,%mlir_libs/libmlir_c_runner_utils.so | FileCheck %s
// RUN: quant-opt %s --canonicalize | FileCheck %s --check-prefix=FOLD

func.func private @printMemrefF32(tensor<*xf32>) attributes {llvm.emit_c_interface}

// Codes 1, 2 / -8, -1; scales 0.5 and 2.
// CHECK: [0.5, 1]
// CHECK-NEXT: [-16, -2]
// FOLD-DAG: dense<{{\[\[}}5.000000e-01, 1.000000e+00], [-1.600000e+01, -2.000000e+00]]>

// Codes 1, 4 / 0, 7; scales 0.5 and 2; zero points 4 and 7.
// CHECK: [-1.5, 0]
// CHECK-NEXT: [-14, 0]
// FOLD-DAG: dense<{{\[\[}}-1.500000e+00, 0.000000e+00], [-1.400000e+01, 0.000000e+00]]>
func.func @main() attributes {llvm.emit_c_interface} {
  %0 = lowbit.constant {
    codes = dense<[[0x21], [0xF8]]> : tensor<2x1xi8>, scales = dense<[[0.5], [2.0]]> : tensor<2x1xf16>
  } : !lowbit.tensor<2x2xf32, #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>>
  %1 = lowbit.dequantize %0
      : !lowbit.tensor<2x2xf32, #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>> -> tensor<2x2xf32>
  %2 = tensor.cast %1 : tensor<2x2xf32> to tensor<*xf32>
  call @printMemrefF32(%2) : (tensor<*xf32>) -> ()

  %3 = lowbit.constant {
    codes = dense<[[0x21], [0x38]]> : tensor<2x1xi8>, scales = dense<[[0.5], [2.0]]> : tensor<2x1xf16>,
    zeros = dense<[[4], [7]]> : tensor<2x1xi8>
  } : !lowbit.tensor<2x2xf32, #lowbit.uniform<u3, group = [1, *], scale = f16, zero = u3>>
  %4 = lowbit.dequantize %3
      : !lowbit.tensor<2x2xf32, #lowbit.uniform<u3, group = [1, *], scale = f16, zero = u3>> -> tensor<2x2xf32>
  %5 = tensor.cast %4 : tensor<2x2xf32> to tensor<*xf32>
  call @printMemrefF32(%5) : (tensor<*xf32>) -> ()
  return
}
