// RUN: quant-opt %s -lowbit-lower-linalg-to-loops -split-input-file \
// RUN:   -verify-diagnostics | FileCheck %s

#id = affine_map<(i, j) -> (i, j)>

// CHECK-LABEL: @elementwise
// CHECK: omp.wsloop schedule(static)
// CHECK-NEXT: omp.loop_nest (%[[I:.+]], %[[J0:.+]]) : index
// CHECK: scf.for %[[J:.+]] = %[[J0]]
// CHECK: %[[X:.+]] = memref.load %{{.+}}[%[[I]], %[[J]]]
// CHECK: %[[Y:.+]] = math.exp %[[X]]
// CHECK: memref.store %[[Y]], %{{.+}}[%[[I]], %[[J]]]
func.func @elementwise(%x: memref<?x?xf32>, %y: memref<?x?xf32>) {
  linalg.generic {indexing_maps = [#id, #id],
                  iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<?x?xf32>) outs(%y : memref<?x?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = math.exp %in : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// A sum along rows is carried by its loop, in any order.

// CHECK-LABEL: @row_sums
// CHECK: %[[OLD:.+]] = memref.load %[[SUMS:.+]][%[[I:.+]]]
// CHECK: %[[NEW:.+]] = scf.for {{.*}} iter_args(%[[SUM:.+]] = %[[OLD]])
// CHECK: arith.addf %[[SUM]], %{{.+}} fastmath<reassoc>
// CHECK: memref.store %[[NEW]], %[[SUMS]][%[[I]]]
func.func @row_sums(%x: memref<?x?xf32>, %sums: memref<?xf32>) {
  linalg.reduce ins(%x : memref<?x?xf32>) outs(%sums : memref<?xf32>)
      dimensions = [1]
      (%in: f32, %out: f32) {
        %0 = arith.addf %out, %in : f32
        linalg.yield %0 : f32
      }
  return
}

// -----

// A sum along columns runs over whole rows inside.

// CHECK-LABEL: @column_sums
// CHECK: scf.for %[[I:.+]] =
// CHECK-NEXT: scf.for %[[J:.+]] =
// CHECK-DAG: memref.load %{{.+}}[%[[I]], %[[J]]]
// CHECK-DAG: memref.load %{{.+}}[%[[J]]]
// CHECK-NOT: fastmath
func.func @column_sums(%x: memref<?x?xf32>, %sums: memref<?xf32>) {
  linalg.reduce ins(%x : memref<?x?xf32>) outs(%sums : memref<?xf32>)
      dimensions = [0]
      (%in: f32, %out: f32) {
        %0 = arith.addf %out, %in : f32
        linalg.yield %0 : f32
      }
  return
}

// -----

// CHECK-LABEL: @strided_copy
// CHECK-NOT: memref.copy
// CHECK: memref.load
// CHECK: memref.store
func.func @strided_copy(%x: memref<4x8xf32, strided<[16, 1]>>,
                        %y: memref<4x8xf32>) {
  memref.copy %x, %y : memref<4x8xf32, strided<[16, 1]>> to memref<4x8xf32>
  return
}

// -----

// CHECK-LABEL: @contiguous_copy
// CHECK: memref.copy
func.func @contiguous_copy(%x: memref<4x8xf32>, %y: memref<4x8xf32>) {
  memref.copy %x, %y : memref<4x8xf32> to memref<4x8xf32>
  return
}

// -----

#id = affine_map<(i, j) -> (i, j)>

// A loop index stands for the index of the loop; a size of one needs no loop.

// CHECK-LABEL: @index
// CHECK: omp.loop_nest (%[[I0:.+]]) : index
// CHECK: scf.for %[[I:.+]] = %[[I0]]
// CHECK-NOT: linalg.index
// CHECK: arith.index_cast %[[I]]
func.func @index(%y: memref<1x8xi64>) {
  linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]}
      outs(%y : memref<1x8xi64>) {
  ^bb0(%out: i64):
    %0 = linalg.index 1 : index
    %1 = arith.index_cast %0 : index to i64
    linalg.yield %1 : i64
  }
  return
}
// -----

func.func @tensors(%x: tensor<4xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{'linalg.exp' op must be on buffers to become loops}}
  %0 = linalg.exp ins(%x : tensor<4xf32>) outs(%y : tensor<4xf32>)
      -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
