// RUN: quant-opt %s -split-input-file --lowbit-fuse-rows | FileCheck %s
// RUN: quant-opt %s -split-input-file --lowbit-fuse-rows --lowbit-outline-linalg --lowbit-lower-linalg-to-loops | FileCheck %s --check-prefix=LOOPS

#all = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#row = affine_map<(d0, d1, d2) -> (d0, d1)>

// A sum of squares and what is made of it: one pass over the rows. The buffer
// that is freed in between is freed after it.
// CHECK-LABEL: @normalize
// CHECK: %[[SUMS:.+]] = memref.alloc
// CHECK: %[[Y:.+]] = memref.alloc
// CHECK: scf.forall (%[[I:.+]], %[[J:.+]]) in (%{{.*}}, %{{.*}}) {
// CHECK: %[[SUM:.+]] = memref.subview %[[SUMS]][%[[I]], %[[J]]] [1, 1] [1, 1]
// CHECK: linalg.fill ins(%{{.*}}) outs(%[[SUM]] : memref<1x1xf32
// CHECK: linalg.generic {{.*}} "reduction"]} ins(%{{.*}} : memref<1x1x64xf32
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : memref<1x1x64xf32
// CHECK-NOT: {{linalg.(generic|fill|copy)}}
// CHECK: memref.dealloc %[[SUMS]]
// CHECK-NEXT: return
// One function, whose inner loops have static sizes.
// LOOPS-LABEL: @normalize
// LOOPS: call @lowbit_forall
// LOOPS-NOT: call @lowbit_
// LOOPS: return
// LOOPS: func.func private @lowbit_forall
// LOOPS: omp.parallel
// LOOPS: omp.loop_nest (%{{.*}}, %{{.*}}) : index
// LOOPS: scf.for
// LOOPS: vector<16xf32>
// LOOPS: scf.for
func.func @normalize(%x: memref<?x?x64xf32>) -> memref<?x?x64xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %b = memref.dim %x, %c0 : memref<?x?x64xf32>
  %s = memref.dim %x, %c1 : memref<?x?x64xf32>
  %sums = memref.alloc(%b, %s) : memref<?x?xf32>
  linalg.fill ins(%zero : f32) outs(%sums : memref<?x?xf32>)
  linalg.generic {indexing_maps = [#all, #row], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x : memref<?x?x64xf32>) outs(%sums : memref<?x?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.mulf %in, %in : f32
    %1 = arith.addf %out, %0 : f32
    linalg.yield %1 : f32
  }
  %y = memref.alloc(%b, %s) : memref<?x?x64xf32>
  linalg.generic {indexing_maps = [#all, #row, #all], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x, %sums : memref<?x?x64xf32>, memref<?x?xf32>) outs(%y : memref<?x?x64xf32>) {
  ^bb0(%in: f32, %sum: f32, %out: f32):
    %0 = arith.divf %in, %sum : f32
    linalg.yield %0 : f32
  }
  memref.dealloc %sums : memref<?x?xf32>
  return %y : memref<?x?x64xf32>
}

// -----

#all = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#groups = affine_map<(d0, d1, d2) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0, d1)>
#channel = affine_map<(d0, d1) -> (d1)>

// Reshaping keeps rows what they are; what all rows read is read whole; an index
// is that of the row.
// CHECK-LABEL: @groups
// CHECK-SAME: %[[SCALE:[^:]+]]: memref<64xf32>
// CHECK: scf.forall (%[[I:.+]]) in (%{{.*}}) {
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %{{.*}} : memref<1x64xf32, {{.*}}>, memref<64xf32
// CHECK: linalg.index 0
// CHECK-NEXT: affine.apply {{.*}}%[[I]]
// CHECK: linalg.copy
// CHECK: linalg.generic {{.*}} ins(%{{.*}} : memref<1x4x16xf32, {{.*}}>) outs(%{{.*}} : memref<1x4xf32
// CHECK: }
// CHECK-NOT: {{linalg.(generic|fill|copy)}}
func.func @groups(%scale: memref<64xf32>, %n: index) -> memref<?x4xf32> {
  %x = memref.alloc(%n) : memref<?x64xf32>
  %y = memref.alloc(%n) : memref<?x64xf32>
  linalg.generic {indexing_maps = [#row, #channel, #row], iterator_types = ["parallel", "parallel"]}
      ins(%x, %scale : memref<?x64xf32>, memref<64xf32>) outs(%y : memref<?x64xf32>) {
  ^bb0(%in: f32, %s: f32, %out: f32):
    %i = linalg.index 0 : index
    %j = arith.index_cast %i : index to i32
    %f = arith.sitofp %j : i32 to f32
    %0 = arith.mulf %in, %s : f32
    %1 = arith.addf %0, %f : f32
    linalg.yield %1 : f32
  }
  %z = memref.alloc(%n) : memref<?x64xf32>
  memref.copy %y, %z : memref<?x64xf32> to memref<?x64xf32>
  %split = memref.expand_shape %z [[0], [1, 2]] output_shape [%n, 4, 16] : memref<?x64xf32> into memref<?x4x16xf32>
  %max = memref.alloc(%n) : memref<?x4xf32>
  linalg.generic {indexing_maps = [#all, #groups], iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%split : memref<?x4x16xf32>) outs(%max : memref<?x4xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.maximumf %in, %out : f32
    linalg.yield %0 : f32
  }
  return %max : memref<?x4xf32>
}

// -----

#id = affine_map<(d0, d1) -> (d0, d1)>
#swap = affine_map<(d0, d1) -> (d1, d0)>
#next = affine_map<(d0, d1) -> (d1)>

// Not by rows: what the second op reads comes from all rows of the first.
// CHECK-LABEL: @transposed
// CHECK-NOT: scf.forall
// CHECK: return
func.func @transposed(%x: memref<?x?xf32>, %y: memref<?x?xf32>, %n: index) -> memref<?x?xf32> {
  %a = memref.alloc(%n, %n) : memref<?x?xf32>
  %b = memref.alloc(%n, %n) : memref<?x?xf32>
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<?x?xf32>) outs(%a : memref<?x?xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.negf %in : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#swap, #id], iterator_types = ["parallel", "parallel"]}
      ins(%a : memref<?x?xf32>) outs(%b : memref<?x?xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  }
  return %b : memref<?x?xf32>
}

// The same through a load in the body.
// CHECK-LABEL: @loaded
// CHECK-NOT: scf.forall
// CHECK: return
func.func @loaded(%x: memref<?x8xf32>, %n: index) -> memref<?x8xf32> {
  %c0 = arith.constant 0 : index
  %a = memref.alloc(%n) : memref<?x8xf32>
  %b = memref.alloc(%n) : memref<?x8xf32>
  linalg.generic {indexing_maps = [#id, #id], iterator_types = ["parallel", "parallel"]}
      ins(%x : memref<?x8xf32>) outs(%a : memref<?x8xf32>) {
  ^bb0(%in: f32, %out: f32):
    %0 = arith.negf %in : f32
    linalg.yield %0 : f32
  }
  linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel"]} outs(%b : memref<?x8xf32>) {
  ^bb0(%out: f32):
    %j = linalg.index 1 : index
    %0 = memref.load %a[%c0, %j] : memref<?x8xf32>
    linalg.yield %0 : f32
  }
  return %b : memref<?x8xf32>
}

// What the first op reads in all rows is overwritten by the second.
// CHECK-LABEL: @overwritten
// CHECK-NOT: scf.forall
// CHECK: return
func.func @overwritten(%n: index) -> (memref<?x8xf32>, memref<?x8xf32>) {
  %zero = arith.constant 0.0 : f32
  %a = memref.alloc(%n) : memref<?x8xf32>
  %b = memref.alloc(%n) : memref<?x8xf32>
  %first = memref.subview %a[0, 0] [1, 8] [1, 1] : memref<?x8xf32> to memref<8xf32, strided<[1]>>
  linalg.generic {indexing_maps = [#next, #id], iterator_types = ["parallel", "parallel"]}
      ins(%first : memref<8xf32, strided<[1]>>) outs(%b : memref<?x8xf32>) {
  ^bb0(%in: f32, %out: f32):
    linalg.yield %in : f32
  }
  linalg.fill ins(%zero : f32) outs(%a : memref<?x8xf32>)
  return %a, %b : memref<?x8xf32>, memref<?x8xf32>
}

// -----

// Other rows, something unknown in between, buffers that somebody else may hold,
// and products of matrices, which have loops of their own.
// CHECK-LABEL: @apart
// CHECK-NOT: scf.forall
// CHECK: return
func.func private @unknown()
func.func @apart(%n: index, %m: index, %w: memref<8x8xf32>, %x: memref<?x8xf32>) {
  %zero = arith.constant 0.0 : f32
  %a = memref.alloc(%n) : memref<?x8xf32>
  %b = memref.alloc(%m) : memref<?x8xf32>
  linalg.fill ins(%zero : f32) outs(%a : memref<?x8xf32>)
  linalg.fill ins(%zero : f32) outs(%b : memref<?x8xf32>)
  call @unknown() : () -> ()
  linalg.fill ins(%zero : f32) outs(%b : memref<?x8xf32>)
  linalg.fill ins(%zero : f32) outs(%x : memref<?x8xf32>)
  linalg.fill ins(%zero : f32) outs(%b : memref<?x8xf32>)
  linalg.matmul ins(%a, %w : memref<?x8xf32>, memref<8x8xf32>) outs(%b : memref<?x8xf32>)
  return
}
