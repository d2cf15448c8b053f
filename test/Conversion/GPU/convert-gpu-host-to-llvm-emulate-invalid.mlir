// RUN: quant-opt %s --convert-gpu-host-to-llvm=emulate -verify-diagnostics

module attributes {gpu.container_module} {
  gpu.binary @kernels [#gpu.object<#nvvm.target, assembly = "x">]
  func.func @compiled() {
    %c1 = arith.constant 1 : index
    // expected-error @below {{needs @kernels as a gpu.module to be emulated}}
    gpu.launch_func @kernels::@nothing blocks in (%c1, %c1, %c1)
        threads in (%c1, %c1, %c1)
    return
  }
}
