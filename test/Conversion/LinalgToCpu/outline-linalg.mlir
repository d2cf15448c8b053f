// RUN: quant-opt %s -lowbit-outline-linalg | FileCheck %s

// Equal ops are one function, whatever buffers they work on; constants move
// along.

// CHECK-LABEL: func.func @model
// CHECK: call @lowbit_fill(%[[X:[^)]+]])
// CHECK: call @lowbit_matmul(%[[A:[^,]+]], %[[W:[^,]+]], %[[X]])
// CHECK: call @lowbit_matmul(%[[X]], %[[W]], %[[A]])
// CHECK: call @[[OTHER:lowbit_matmul_[0-9]+]](%{{.+}}, %[[W]], %{{.+}})
// CHECK-NOT: linalg
func.func @model(%a: memref<?x8xf32>, %w: memref<8x8xf32>, %x: memref<?x8xf32>,
                 %b: memref<2x8xf32>, %y: memref<2x8xf32>) {
  %one = arith.constant 1.0 : f32
  linalg.fill ins(%one : f32) outs(%x : memref<?x8xf32>)
  linalg.matmul ins(%a, %w : memref<?x8xf32>, memref<8x8xf32>)
      outs(%x : memref<?x8xf32>)
  linalg.matmul ins(%x, %w : memref<?x8xf32>, memref<8x8xf32>)
      outs(%a : memref<?x8xf32>)
  linalg.matmul ins(%b, %w : memref<2x8xf32>, memref<8x8xf32>)
      outs(%y : memref<2x8xf32>)
  return
}

// Values that the body captures become arguments.

// CHECK-LABEL: func.func @capture
// CHECK-SAME: %[[X:[^:]+]]: memref<4xf32>, %[[S:[^:]+]]: f32
// CHECK: call @lowbit_generic(%[[X]], %[[S]])
func.func @capture(%x: memref<4xf32>, %s: f32) {
  linalg.generic {indexing_maps = [affine_map<(i) -> (i)>],
                  iterator_types = ["parallel"]} outs(%x : memref<4xf32>) {
  ^bb0(%out: f32):
    %0 = arith.mulf %out, %s : f32
    linalg.yield %0 : f32
  }
  return
}

// The functions follow.

// CHECK: func.func private @lowbit_fill(%[[OUT:[^:]+]]: memref<?x8xf32>)
// CHECK-NEXT: %[[ONE:.+]] = arith.constant 1.0
// CHECK-NEXT: linalg.fill ins(%[[ONE]]{{.*}}outs(%[[OUT]]
// CHECK: func.func private @lowbit_matmul(
// CHECK: func.func private @[[OTHER]](
