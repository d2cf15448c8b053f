// RUN: quant-opt %s --place-gpu-buffers --split-input-file | FileCheck %s

// Arguments are copied to the device, results to the host; what no kernel uses
// stays where it is.

// CHECK-LABEL: func @boundary
// CHECK-SAME: (%[[ARG:[a-z0-9]+]]: memref<?xf32>, %[[HOST:[a-z0-9]+]]: memref<4xi64>)
// CHECK: %[[IN:.*]] = gpu.alloc (%{{.*}}) : memref<?xf32>
// CHECK: gpu.memcpy %[[IN]], %[[ARG]] {{.*}} {lowbit.copy = "to_device"}
// CHECK: %[[OUT:.*]] = gpu.alloc (%{{.*}}) : memref<?xf32>
// CHECK: gpu.launch
// CHECK: memref.load %[[IN]]
// CHECK: memref.store %{{.*}}, %[[OUT]]
// CHECK: memref.load %[[HOST]]
// CHECK: %[[RESULT:.*]] = memref.alloc
// CHECK: gpu.memcpy %[[RESULT]], %[[OUT]] {{.*}} {lowbit.copy = "to_host"}
// CHECK: gpu.dealloc %[[OUT]]
// CHECK: gpu.dealloc %[[IN]]
// CHECK: return %[[RESULT]]
func.func @boundary(%a: memref<?xf32>, %s: memref<4xi64>)
    -> (memref<?xf32>, i64) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = memref.dim %a, %c0 : memref<?xf32>
  %b = memref.alloc(%n) : memref<?xf32>
  gpu.launch blocks(%x, %y, %z) in (%gx = %n, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%bx = %c1, %by = %c1, %bz = %c1) {
    %0 = memref.load %a[%x] : memref<?xf32>
    memref.store %0, %b[%x] : memref<?xf32>
    gpu.terminator
  }
  %1 = memref.load %s[%c0] : memref<4xi64>
  return %b, %1 : memref<?xf32>, i64
}

// -----

// The host reads one element of the device's memory, through a view.

// CHECK-LABEL: func @element
// CHECK: %[[LOCAL:.*]] = memref.alloca() : memref<f32>
// CHECK: %[[VIEW:.*]] = memref.subview %{{.*}}[2] [1] [1]
// CHECK: gpu.memcpy %[[LOCAL]], %[[VIEW]] {{.*}} {lowbit.copy = "to_host"}
// CHECK: memref.load %[[LOCAL]][]
func.func @element() -> f32 {
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %cst = arith.constant 1.0 : f32
  %a = memref.alloc() : memref<4xf32>
  gpu.launch blocks(%x, %y, %z) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%bx = %c1, %by = %c1, %bz = %c1) {
    memref.store %cst, %a[%tx] : memref<4xf32>
    gpu.terminator
  }
  %0 = memref.load %a[%c2] : memref<4xf32>
  memref.dealloc %a : memref<4xf32>
  return %0 : f32
}

// -----

// A constant that kernels read is uploaded once; a loop's buffer lives where the
// buffer lives with which it starts.

// CHECK-LABEL: func @constant
// CHECK: memref.get_global @weights : memref<4xf32> {lowbit.device = "device_constant_0"}
// CHECK: gpu.alloc
// CHECK: scf.for
memref.global "private" constant @weights : memref<4xf32> = dense<1.0>
func.func @constant(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %w = memref.get_global @weights : memref<4xf32>
  %a = memref.alloc() : memref<4xf32>
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%b = %a) -> memref<4xf32> {
    gpu.launch blocks(%x, %y, %z) in (%gx = %c1, %gy = %c1, %gz = %c1)
               threads(%tx, %ty, %tz) in (%bx = %c1, %by = %c1, %bz = %c1) {
      %0 = memref.load %w[%tx] : memref<4xf32>
      memref.store %0, %b[%tx] : memref<4xf32>
      gpu.terminator
    }
    scf.yield %b : memref<4xf32>
  }
  // CHECK: gpu.dealloc
  memref.dealloc %r : memref<4xf32>
  return
}
