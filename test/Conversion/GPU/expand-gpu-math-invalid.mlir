// RUN: quant-opt %s --pass-pipeline='builtin.module(gpu.module(expand-gpu-math))' \
// RUN:   -verify-diagnostics

gpu.module @kernels {
  gpu.func @double(%a: memref<f64>) kernel {
    %0 = memref.load %a[] : memref<f64>
    // expected-error @below {{has no form for a GPU in type 'f64'}}
    %1 = math.erf %0 : f64
    memref.store %1, %a[] : memref<f64>
    gpu.return
  }
}
