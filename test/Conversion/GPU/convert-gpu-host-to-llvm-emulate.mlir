// RUN: quant-opt %s --convert-gpu-host-to-llvm=emulate --split-input-file | FileCheck %s

// A thread becomes a function. Its threads need not run side by side, so that
// the emulator is told 0.

// CHECK-LABEL: func @launches
// CHECK: %[[ADDRESS:.*]] = constant @kernels_fill : (!llvm.ptr) -> ()
// CHECK: %[[POINTER:.*]] = builtin.unrealized_conversion_cast %[[ADDRESS]]
// CHECK: %[[COOPERATIVE:.*]] = arith.constant 0 : i32
// CHECK: call @lowbit_emulator_launch(%[[POINTER]], %[[COOPERATIVE]],
// CHECK-NOT: lowbit_gpu_launch
// CHECK: func private @kernels_fill_thread(%[[MEMORY:.*]]: memref<?xf32>, %[[VALUE:.*]]: f32)
// CHECK: call @lowbit_emulator_block_id
// CHECK: call @lowbit_emulator_thread_id
// CHECK: memref.store %[[VALUE]], %[[MEMORY]]
// CHECK: func private @kernels_fill(%{{.*}}: !llvm.ptr)
// CHECK: call @kernels_fill_thread
// CHECK-NOT: gpu.
module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @fill(%a: memref<?xf32>, %x: f32) kernel {
      %b = gpu.block_id x
      %t = gpu.thread_id x
      %d = gpu.block_dim x
      %0 = arith.muli %b, %d : index
      %1 = arith.addi %0, %t : index
      memref.store %x, %a[%1] : memref<?xf32>
      gpu.return
    }
  }
  func.func @launches(%a: memref<?xf32>, %x: f32) {
    %c1 = arith.constant 1 : index
    gpu.launch_func @kernels::@fill blocks in (%c1, %c1, %c1)
        threads in (%c1, %c1, %c1) args(%a : memref<?xf32>, %x : f32)
    return
  }
}

// -----

// Memory that a block shares is a global variable; barriers and shuffles switch
// to the next thread, so that threads must be coroutines: 1.

// CHECK-LABEL: func @launches
// CHECK: arith.constant 1 : i32
// CHECK: call @lowbit_emulator_launch
// CHECK: func.func private @kernels_exchange_thread
// CHECK: memref.get_global @kernels_exchange_shared_0
// CHECK: memref.store
// CHECK: call @lowbit_emulator_barrier() : () -> ()
// CHECK: arith.bitcast %{{.*}} : f32 to i32
// CHECK: arith.extui %{{.*}} : i32 to i64
// CHECK: call @lowbit_emulator_shuffle
// CHECK: arith.trunci %{{.*}} : i64 to i32
// CHECK: arith.bitcast %{{.*}} : i32 to f32
// CHECK: memref.global "private" @kernels_exchange_shared_0 : memref<32xf32> = uninitialized {alignment = 64 : i64}
module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @exchange(%a: memref<32xf32>)
        workgroup(%s: memref<32xf32, #gpu.address_space<workgroup>>) kernel {
      %t = gpu.thread_id x
      %c1 = arith.constant 1 : i32
      %c32 = arith.constant 32 : i32
      %0 = memref.load %a[%t] : memref<32xf32>
      memref.store %0, %s[%t] : memref<32xf32, #gpu.address_space<workgroup>>
      gpu.barrier
      %1 = memref.load %s[%t] : memref<32xf32, #gpu.address_space<workgroup>>
      %2, %valid = gpu.shuffle xor %1, %c1, %c32 : f32
      memref.store %2, %a[%t] : memref<32xf32>
      gpu.return
    }
  }
  func.func @launches(%a: memref<32xf32>) {
    %c1 = arith.constant 1 : index
    %c32 = arith.constant 32 : index
    gpu.launch_func @kernels::@exchange blocks in (%c1, %c1, %c1)
        threads in (%c32, %c1, %c1) args(%a : memref<32xf32>)
    return
  }
}
