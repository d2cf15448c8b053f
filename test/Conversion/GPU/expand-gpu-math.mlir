// RUN: quant-opt %s --pass-pipeline='builtin.module(gpu.module(expand-gpu-math))' \
// RUN:   | FileCheck %s

// What the hardware does stays; all else becomes arithmetic.

// CHECK-LABEL: gpu.module @kernels
gpu.module @kernels {
  // CHECK-LABEL: gpu.func @hardware
  // CHECK: math.sqrt
  gpu.func @hardware(%a: memref<f32>) kernel {
    %0 = memref.load %a[] : memref<f32>
    %1 = math.sqrt %0 : f32
    memref.store %1, %a[] : memref<f32>
    gpu.return
  }
  // CHECK-LABEL: gpu.func @polynomial
  // CHECK-NOT: math.{{exp|tanh|erf|rsqrt|powf|sin|log}}
  // CHECK: gpu.return
  gpu.func @polynomial(%a: memref<f32>) kernel {
    %0 = memref.load %a[] : memref<f32>
    %1 = math.exp %0 : f32
    %2 = math.tanh %1 : f32
    %3 = math.erf %2 : f32
    %4 = math.rsqrt %3 : f32
    %5 = math.powf %4, %0 : f32
    %6 = math.sin %5 : f32
    %7 = math.log %6 : f32
    memref.store %7, %a[] : memref<f32>
    gpu.return
  }
  // CHECK-LABEL: gpu.func @half
  // CHECK: arith.extf
  // CHECK-NOT: math.exp
  // CHECK: arith.truncf
  gpu.func @half(%a: memref<f16>) kernel {
    %0 = memref.load %a[] : memref<f16>
    %1 = math.exp %0 : f16
    memref.store %1, %a[] : memref<f16>
    gpu.return
  }
}
