// RUN: not quant-opt %s --convert-qvec-to-x86="level=sse9" 2>&1 | FileCheck %s

// CHECK: error: unknown level 'sse9': expected avx2, avx512vnni or amx
func.func private @f()
