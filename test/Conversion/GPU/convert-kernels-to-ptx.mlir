// RUN: quant-opt %s --convert-kernels-to-ptx | FileCheck %s

// CHECK: gpu.binary @kernels
// CHECK-SAME: #gpu.object<#nvvm.target<chip = "sm_90">, assembly =
// CHECK-SAME: .target sm_90
// CHECK-SAME: .entry twice(
// CHECK-SAME: add.{{(rn.)?}}f32
// CHECK-NOT: gpu.module
gpu.module @kernels [#nvvm.target<chip = "sm_90">] {
  llvm.func @twice(%p: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} {
    %0 = llvm.load %p : !llvm.ptr -> f32
    %1 = llvm.fadd %0, %0 : f32
    llvm.store %1, %p : f32, !llvm.ptr
    llvm.return
  }
}
