// RUN: quant-opt %s -lowbit-separate-results | FileCheck %s

// CHECK-LABEL: @twice
// CHECK-SAME:    %[[N:.*]]: index
func.func @twice(%n: index) -> (memref<?xf32>, memref<?xf32>, memref<?x1xf32>, memref<?xf32>) {
  // CHECK: %[[A:.*]] = memref.alloc
  %0 = memref.alloc(%n) : memref<?xf32>
  // CHECK: %[[B:.*]] = memref.alloc
  %1 = memref.alloc(%n) : memref<?xf32>
  // CHECK: %[[VIEW:.*]] = memref.expand_shape %[[A]]
  %2 = memref.expand_shape %0 [[0, 1]] output_shape [%n, 1] : memref<?xf32> into memref<?x1xf32>
  // CHECK: %[[CLONE:.*]] = bufferization.clone %[[A]]
  // CHECK: %[[COPY:.*]] = bufferization.clone %[[VIEW]]
  // CHECK: return %[[A]], %[[CLONE]], %[[COPY]], %[[B]]
  return %0, %0, %2, %1 : memref<?xf32>, memref<?xf32>, memref<?x1xf32>, memref<?xf32>
}

// One of two buffers, and one of the two.

// CHECK-LABEL: @perhaps
func.func @perhaps(%c: i1) -> (memref<4xf32>, memref<4xf32>) {
  %0 = memref.alloc() : memref<4xf32>
  %1 = memref.alloc() : memref<4xf32>
  // CHECK: %[[S:.*]] = arith.select
  %2 = arith.select %c, %0, %1 : memref<4xf32>
  // CHECK: %[[CLONE:.*]] = bufferization.clone
  // CHECK: return %[[S]], %[[CLONE]]
  return %2, %1 : memref<4xf32>, memref<4xf32>
}
