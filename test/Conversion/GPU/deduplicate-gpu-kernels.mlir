// RUN: quant-opt %s --deduplicate-gpu-kernels | FileCheck %s

// CHECK-LABEL: func @main
// CHECK: gpu.launch_func @kernels::@one
// CHECK: gpu.launch_func @kernels::@one
// CHECK: gpu.launch_func @kernels::@other
// CHECK-LABEL: gpu.module @kernels
// CHECK: gpu.func @one
// CHECK-NOT: gpu.func @same
// CHECK: gpu.func @other
module attributes {gpu.container_module} {
  func.func @main(%a: memref<4xf32>) {
    %c1 = arith.constant 1 : index
    gpu.launch_func @kernels::@one blocks in (%c1, %c1, %c1)
      threads in (%c1, %c1, %c1) args(%a : memref<4xf32>)
    gpu.launch_func @kernels::@same blocks in (%c1, %c1, %c1)
      threads in (%c1, %c1, %c1) args(%a : memref<4xf32>)
    gpu.launch_func @kernels::@other blocks in (%c1, %c1, %c1)
      threads in (%c1, %c1, %c1) args(%a : memref<4xf32>)
    return
  }
  gpu.module @kernels {
    gpu.func @one(%a: memref<4xf32>) kernel {
      %c0 = arith.constant 0 : index
      %cst = arith.constant 1.0 : f32
      memref.store %cst, %a[%c0] : memref<4xf32>
      gpu.return
    }
    gpu.func @same(%b: memref<4xf32>) kernel {
      %c0 = arith.constant 0 : index
      %cst = arith.constant 1.0 : f32
      memref.store %cst, %b[%c0] : memref<4xf32>
      gpu.return
    }
    gpu.func @other(%a: memref<4xf32>) kernel {
      %c0 = arith.constant 0 : index
      %cst = arith.constant 2.0 : f32
      memref.store %cst, %a[%c0] : memref<4xf32>
      gpu.return
    }
  }
}
