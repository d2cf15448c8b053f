// RUN: not quant-opt %s --convert-qvec-to-x86="level=sse9" 2>&1 | FileCheck %s
// RUN: not quant-opt %s --convert-qvec-to-arm="level=sme" 2>&1 | FileCheck %s --check-prefix=ARM

// CHECK: error: unknown level 'sse9': expected avx2, avx512vnni or amx
// ARM: error: unknown level 'sme': expected neon, i8mm, sve or sve-i8mm
func.func private @f()
