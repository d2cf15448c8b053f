// RUN: quant-opt %s --convert-gpu-host-to-llvm --split-input-file | FileCheck %s

// The size of the allocation is that of the descriptor.

// CHECK-LABEL: func @buffers
// CHECK: %[[BYTES:.*]] = llvm.ptrtoint
// CHECK: %[[MEMORY:.*]] = call @lowbit_gpu_alloc(%[[BYTES]]) : (i64) -> !llvm.ptr
// CHECK: llvm.insertvalue %[[MEMORY]], %{{.*}}[0]
// CHECK: llvm.insertvalue %[[MEMORY]], %{{.*}}[1]
// CHECK: %[[FREED:.*]] = llvm.extractvalue %{{.*}}[0]
// CHECK: call @lowbit_gpu_free(%[[FREED]]) : (!llvm.ptr) -> ()
// CHECK-NOT: gpu.
func.func @buffers(%n: index) {
  %0 = gpu.alloc(%n) : memref<?x8xf32>
  gpu.dealloc %0 : memref<?x8xf32>
  return
}

// -----

// A copy is one run of bytes from where the source's elements start.

// CHECK-LABEL: func @copies
// CHECK: %[[TOTAL:.*]] = llvm.mul
// CHECK: call @lowbit_gpu_copy_to_device(%{{.*}}, %{{.*}}, %[[TOTAL]]) : (!llvm.ptr, !llvm.ptr, i64) -> ()
// CHECK: call @lowbit_gpu_copy_on_device
// CHECK: call @lowbit_gpu_copy_to_host
func.func @copies(%host: memref<?xf32>, %a: memref<?xf32>, %b: memref<?xf32>) {
  gpu.memcpy %a, %host : memref<?xf32>, memref<?xf32> {lowbit.copy = "to_device"}
  gpu.memcpy %b, %a : memref<?xf32>, memref<?xf32> {lowbit.copy = "on_device"}
  gpu.memcpy %host, %b : memref<?xf32>, memref<?xf32> {lowbit.copy = "to_host"}
  return
}

// -----

// A constant's copy on the device is asked for by the host's address of it and
// kept in a variable, one for each value.

// CHECK: llvm.mlir.global internal @device_constant_0() {{.*}} : !llvm.ptr {
// CHECK-NEXT: llvm.mlir.zero
// CHECK-LABEL: func @constants
// CHECK: %[[HOST:.*]] = memref.get_global @weights : memref<4xf32>
// CHECK: memref.extract_aligned_pointer_as_index %[[HOST]]
// CHECK: %[[SLOT:.*]] = llvm.mlir.addressof @device_constant_0
// CHECK: call @lowbit_gpu_constant(%[[SLOT]], %{{.*}}, %{{.*}})
// CHECK: lowbit.weight dense<2.000000e+00>
// CHECK-NOT: lowbit.device
// CHECK: call @lowbit_gpu_constant
// CHECK: llvm.func @lowbit_unload()
// CHECK: %[[HELD:.*]] = llvm.mlir.addressof @device_constant_0
// CHECK: func.call @lowbit_gpu_release_constant(%[[HELD]])
// CHECK: llvm.mlir.addressof @device_constant_1
// CHECK: func.call @lowbit_gpu_release_constant
// CHECK-NOT: lowbit_gpu_release_module
// CHECK: llvm.mlir.global_dtors dtors = [@lowbit_unload]
memref.global "private" constant @weights : memref<4xf32> = dense<1.0>
func.func @constants() -> (memref<4xf32>, memref<8xf32>, memref<4xf32>) {
  %0 = memref.get_global @weights : memref<4xf32>
      {lowbit.device = "device_constant_0"}
  %1 = "lowbit.weight"() {value = dense<2.0> : tensor<8xf32>,
      lowbit.device = "device_constant_1"} : () -> memref<8xf32>
  %2 = memref.get_global @weights : memref<4xf32>
  return %0, %1, %2 : memref<4xf32>, memref<8xf32>, memref<4xf32>
}

// -----

// The PTX and the kernel's name are zero-terminated constants; the module and the
// function that the driver makes of them are kept. Two launches of one kernel
// share all of it.

// CHECK-DAG: llvm.mlir.global internal constant @kernels_ptx(".version 7.0\0A.target sm_80\0A\00") {{.*}}lowbit.ptx
// CHECK-DAG: llvm.mlir.global internal @kernels_module()
// CHECK-DAG: llvm.mlir.global internal constant @kernels_fill_name("fill\00")
// CHECK-DAG: llvm.mlir.global internal @kernels_fill_function()
// CHECK-LABEL: func.func @launches
// CHECK: llvm.intr.stacksave
// CHECK: llvm.alloca
// CHECK: llvm.alloca
// CHECK-DAG: llvm.mlir.addressof @kernels_module
// CHECK-DAG: llvm.mlir.addressof @kernels_ptx
// CHECK-DAG: llvm.mlir.addressof @kernels_fill_function
// CHECK-DAG: llvm.mlir.addressof @kernels_fill_name
// CHECK: call @lowbit_gpu_launch
// CHECK: llvm.intr.stackrestore
// CHECK: call @lowbit_gpu_launch
// CHECK-NOT: lowbit_emulator
// CHECK: llvm.func @lowbit_unload()
// CHECK: llvm.mlir.addressof @kernels_module
// CHECK: func.call @lowbit_gpu_release_module
// CHECK-NOT: func.call
// CHECK-NOT: gpu.{{binary|container}}
module attributes {gpu.container_module} {
  gpu.binary @kernels [#gpu.object<#nvvm.target<chip = "sm_80">, assembly =
      ".version 7.0\0A.target sm_80\0A">]
  func.func @launches(%a: memref<?xf32>, %x: f32, %n: index) {
    %c1 = arith.constant 1 : index
    %c256 = arith.constant 256 : index
    gpu.launch_func @kernels::@fill blocks in (%n, %c1, %c1)
        threads in (%c256, %c1, %c1) args(%a : memref<?xf32>, %x : f32)
    gpu.launch_func @kernels::@fill blocks in (%c1, %c1, %c1)
        threads in (%c256, %c1, %c1) args(%a : memref<?xf32>, %x : f32)
    return
  }
}
