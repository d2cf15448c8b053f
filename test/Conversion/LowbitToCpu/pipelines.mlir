// RUN: quant-opt %s --lower-to-x86 -o %t.avx2.mlir
// RUN: FileCheck %s --input-file=%t.avx2.mlir --check-prefixes=CHECK,AVX2
// RUN: quant-opt %s --lower-to-x86="level=avx512vnni" -o %t.vnni.mlir
// RUN: FileCheck %s --input-file=%t.vnni.mlir --check-prefixes=CHECK,VNNI
// RUN: quant-opt %s --lower-to-arm -o %t.arm.mlir
// RUN: FileCheck %s --input-file=%t.arm.mlir --check-prefixes=CHECK,ARM
// RUN: quant-opt %s --lower-to-arm="level=i8mm entry= parallel=false" -o %t.i8mm.mlir
// RUN: FileCheck %s --input-file=%t.i8mm.mlir --check-prefix=I8MM
// RUN: not quant-opt %s --lower-to-x86="level=sse" 2>&1 | FileCheck %s --check-prefix=LEVEL

// A graph with a quantized layer becomes LLVM's dialect, whatever the target;
// its kernel uses the target's dot products.

// CHECK-NOT: {{onnx|linalg|lowbit}}.{{[a-z_]+}}(
// CHECK: llvm.mlir.global external @lowbit_weight_table
// CHECK: llvm.func @main
// AVX2: x86.avx2.pmadd.ub.sw
// VNNI: x86.avx512.vpdpbusd.512
// ARM-NOT: usdot
// ARM: arm_neon.intr.sdot
// ARM-NOT: usdot
// CHECK: omp.parallel
// CHECK: llvm.func @lowbit_entry

// I8MM-NOT: lowbit_entry
// I8MM-NOT: omp.
// I8MM: llvm.aarch64.neon.usmmla
// I8MM: llvm.aarch64.neon.usdot
// I8MM-NOT: lowbit_entry
// I8MM-NOT: omp.

// LEVEL: for the --level option: Cannot find option named 'sse'!

#weight = #lowbit.uniform<u8, group = [1, 32], scale = f16, zero = u8>
#row = #lowbit.uniform<s8, group = [1, 32], scale = f32, zero = none, narrow>
func.func @main(%x: tensor<?x32xf32>) -> tensor<?x16xf32> {
  %w = lowbit.constant {
    codes = dense<3> : tensor<16x32xi8>, scales = dense<1.0> : tensor<16x1xf16>, zeros = dense<1> : tensor<16x1xi8>
  } : !lowbit.tensor<16x32xf32, #weight>
  %q = lowbit.dynamic_quantize %x : tensor<?x32xf32> -> !lowbit.tensor<?x32xf32, #row>
  %0 = lowbit.matmul %q, %w
      : (!lowbit.tensor<?x32xf32, #row>, !lowbit.tensor<16x32xf32, #weight>) -> tensor<?x16xf32>
  %1 = onnx.Relu(%0) : (tensor<?x16xf32>) -> tensor<?x16xf32>
  return %1 : tensor<?x16xf32>
}
