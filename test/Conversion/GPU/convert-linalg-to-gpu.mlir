// RUN: quant-opt %s --convert-linalg-to-gpu --split-input-file | FileCheck %s

// One thread an element, and none beyond the last.

// CHECK-LABEL: func @elementwise
// CHECK-SAME: (%[[A:[a-z0-9]+]]: memref<?x8xf32>
// CHECK: %[[N:.*]] = memref.dim %[[A]]
// CHECK: %[[COUNT:.*]] = arith.muli %[[N]]
// CHECK: %[[BLOCKS:.*]] = arith.ceildivui %[[COUNT]], %{{.*}}
// CHECK: gpu.launch blocks({{.*}}) in (%{{.*}} = %[[BLOCKS]],
// CHECK-SAME: module(@kernels) function(@map_0)
// CHECK: arith.cmpi slt, %{{.*}}, %[[COUNT]]
// CHECK: scf.if
// CHECK: memref.load
// CHECK: arith.negf
// CHECK: memref.store
// CHECK-NOT: linalg
func.func @elementwise(%a: memref<?x8xf32>, %b: memref<?x8xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>,
                                   affine_map<(i, j) -> (i, j)>],
                  iterator_types = ["parallel", "parallel"]}
      ins(%a : memref<?x8xf32>) outs(%b : memref<?x8xf32>) {
  ^bb0(%x: f32, %y: f32):
    %0 = arith.negf %x : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// A row's sum: lanes stride over the row, five exchanges combine them, lane 0
// adds the old value.

// CHECK-LABEL: func @row_sum
// CHECK: gpu.launch
// CHECK-SAME: function(@warp_reduce_0)
// CHECK: scf.for {{.*}} step %{{.*}} iter_args
// CHECK-COUNT-5: gpu.shuffle{{ +}}xor
// CHECK: arith.cmpi eq
// CHECK: memref.load
// CHECK: memref.store
func.func @row_sum(%a: memref<4x?xf32>, %b: memref<4xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>,
                                   affine_map<(i, j) -> (i)>],
                  iterator_types = ["parallel", "reduction"]}
      ins(%a : memref<4x?xf32>) outs(%b : memref<4xf32>) {
  ^bb0(%x: f32, %y: f32):
    %0 = arith.addf %x, %y : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// A column's sum: neighbouring threads read neighbouring columns, so each
// thread sums by itself.

// CHECK-LABEL: func @column_sum
// CHECK: gpu.launch
// CHECK-SAME: function(@reduce_0)
// CHECK-NOT: gpu.shuffle
// CHECK: scf.for
func.func @column_sum(%a: memref<4x?xf32>, %b: memref<?xf32>) {
  linalg.generic {indexing_maps = [affine_map<(i, j) -> (j, i)>,
                                   affine_map<(i, j) -> (i)>],
                  iterator_types = ["parallel", "reduction"]}
      ins(%a : memref<4x?xf32>) outs(%b : memref<?xf32>) {
  ^bb0(%x: f32, %y: f32):
    %0 = arith.addf %x, %y : f32
    linalg.yield %0 : f32
  }
  return
}

// -----

// CHECK-LABEL: func @matmul
// CHECK: gpu.launch
// CHECK-SAME: function(@matmul_0)
// CHECK-SAME: workgroup(%{{.*}} : memref<16x65xf32, #gpu.address_space<workgroup>>, %{{.*}} : memref<16x65xf32, #gpu.address_space<workgroup>>)
// CHECK: gpu.barrier
// CHECK: gpu.barrier
func.func @matmul(%a: memref<?x7xf32>, %b: memref<7x?xf32>,
                  %c: memref<?x?xf32>) {
  linalg.matmul ins(%a, %b : memref<?x7xf32>, memref<7x?xf32>)
                outs(%c : memref<?x?xf32>)
  return
}

// -----

// Few integers whose sizes are known make up a shape: the host computes it.

// CHECK-LABEL: func @shape
// CHECK-NOT: gpu.launch
// CHECK: scf.for
func.func @shape(%n: i64) -> memref<4xi64> {
  %a = memref.alloc() : memref<4xi64>
  linalg.fill ins(%n : i64) outs(%a : memref<4xi64>)
  return %a : memref<4xi64>
}
