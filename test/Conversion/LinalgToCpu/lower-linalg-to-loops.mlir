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

// A sum along rows is carried by its loop in 16 lanes, what does not fill them
// by a second loop; nothing is left to the order that a vectorizer prefers.

// CHECK-LABEL: @row_sums
// CHECK: %[[OLD:.+]] = memref.load %[[SUMS:.+]][%[[I:.+]]]
// CHECK: %[[NONE:.+]] = arith.constant dense<0.000000e+00> : vector<16xf32>
// CHECK: %[[LANES:.+]] = scf.for {{.*}} step %{{.+}} iter_args(%[[SUM:.+]] = %[[NONE]])
// CHECK: %[[IN:.+]] = vector.load %{{.+}}[%[[I]], %{{.+}}] : memref<?x?xf32>, vector<16xf32>
// CHECK: arith.addf %[[SUM]], %[[IN]] : vector<16xf32>
// CHECK: %[[REST:.+]] = scf.for {{.*}} iter_args(%[[SUM1:.+]] = %[[OLD]])
// CHECK: arith.addf %[[SUM1]], %{{.+}} : f32
// CHECK: vector.extract_strided_slice %[[LANES]] {offsets = [0], sizes = [8], strides = [1]}
// CHECK: %[[ONE:.+]] = vector.extract %{{.+}}[0] : f32 from vector<1xf32>
// CHECK: %[[NEW:.+]] = arith.addf %[[REST]], %[[ONE]]
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

// An operand without the dimension is the same for all lanes, as are values from
// outside; an index counts them.

#id = affine_map<(i, j) -> (i, j)>

// CHECK-LABEL: @masked_max
// CHECK-SAME: %[[LIMIT:[a-z0-9]+]]: index
// CHECK: scf.for %[[J:.+]] = {{.*}} iter_args
// CHECK: %[[SHIFT:.+]] = memref.load %{{.+}}[%{{.+}}] : memref<4xf32>
// CHECK: %[[SHIFTS:.+]] = vector.broadcast %[[SHIFT]] : f32 to vector<16xf32>
// CHECK: %[[FIRST:.+]] = vector.broadcast %[[J]] : index to vector<16xindex>
// CHECK: %[[STEP:.+]] = vector.step : vector<16xindex>
// CHECK: %[[AT:.+]] = arith.addi %[[FIRST]], %[[STEP]]
// CHECK: %[[LIMITS:.+]] = vector.broadcast %[[LIMIT]]
// CHECK: %[[IN:.+]] = arith.cmpi slt, %[[AT]], %[[LIMITS]] : vector<16xindex>
// CHECK: arith.select %[[IN]], %{{.+}}, %{{.+}} : vector<16xi1>, vector<16xf32>
// CHECK: arith.maximumf
func.func @masked_max(%limit: index, %x: memref<4x64xf32>, %shift: memref<4xf32>,
                      %max: memref<4xf32>) {
  %low = arith.constant 0xFF800000 : f32
  linalg.generic {indexing_maps = [#id, affine_map<(i, j) -> (i)>,
                                   affine_map<(i, j) -> (i)>],
                  iterator_types = ["parallel", "reduction"]}
      ins(%x, %shift : memref<4x64xf32>, memref<4xf32>) outs(%max : memref<4xf32>) {
  ^bb0(%in: f32, %s: f32, %out: f32):
    %j = linalg.index 1 : index
    %inside = arith.cmpi slt, %j, %limit : index
    %0 = arith.addf %in, %s : f32
    %1 = arith.select %inside, %0, %low : f32
    %2 = arith.maximumf %out, %1 : f32
    linalg.yield %2 : f32
  }
  return
}

// -----

// One by one: fewer elements than lanes, elements that lie apart, and two
// results that depend on each other.

#id = affine_map<(i, j) -> (i, j)>

// CHECK-LABEL: @no_lanes
// CHECK-NOT: vector
func.func @no_lanes(%few: memref<4x15xf32>, %apart: memref<4x64xf32, strided<[1, 4]>>,
                    %x: memref<4x64xf32>, %sums: memref<4xf32>, %best: memref<4xf32>,
                    %where: memref<4xindex>) {
  linalg.reduce { arith.addf } ins(%few : memref<4x15xf32>) outs(%sums : memref<4xf32>) dimensions = [1]
  linalg.reduce { arith.addf } ins(%apart : memref<4x64xf32, strided<[1, 4]>>) outs(%sums : memref<4xf32>) dimensions = [1]
  linalg.generic {indexing_maps = [#id, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i)>],
                  iterator_types = ["parallel", "reduction"]}
      ins(%x : memref<4x64xf32>) outs(%best, %where : memref<4xf32>, memref<4xindex>) {
  ^bb0(%in: f32, %max: f32, %at: index):
    %j = linalg.index 1 : index
    %better = arith.cmpf ogt, %in, %max : f32
    %0 = arith.select %better, %in, %max : f32
    %1 = arith.select %better, %j, %at : index
    linalg.yield %0, %1 : f32, index
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
