// RUN: quant-opt %s --lowbit-write-updated-arguments --canonicalize | FileCheck %s

// What the function returns is the argument already.
// CHECK-LABEL: func.func @in_place(
// CHECK-SAME: %[[CACHE:.+]]: memref<?x64xf32> {lowbit.updated}, %[[ROW:.+]]: memref<1x64xf32>) -> memref<1x64xf32> {
// CHECK: %[[FIRST:.+]] = memref.subview %[[CACHE]]
// CHECK-NEXT: memref.copy %[[ROW]], %[[FIRST]]
// CHECK-NEXT: return %[[ROW]] : memref<1x64xf32>
func.func @in_place(%cache: memref<?x64xf32>, %row: memref<1x64xf32>)
    -> (memref<?x64xf32> {lowbit.updates = 0 : i64}, memref<1x64xf32>) {
  %first = memref.subview %cache[0, 0] [1, 64] [1, 1] : memref<?x64xf32> to memref<1x64xf32, strided<[64, 1]>>
  memref.copy %row, %first : memref<1x64xf32> to memref<1x64xf32, strided<[64, 1]>>
  return %cache, %row : memref<?x64xf32>, memref<1x64xf32>
}

// Two arguments that change places: neither may be lost.
// CHECK-LABEL: func.func @elsewhere(
// CHECK-SAME: %[[A:.+]]: memref<?xf32> {lowbit.updated}, %[[B:.+]]: memref<?xf32> {lowbit.updated}) {
// CHECK: %[[NEW_A:.+]] = bufferization.clone %[[B]]
// CHECK: %[[NEW_B:.+]] = bufferization.clone %[[A]]
// CHECK: %[[SAME:.+]] = arith.cmpi eq
// CHECK: cf.assert %[[SAME]], "a result that updates an input has another shape"
// CHECK: memref.copy %[[NEW_A]], %[[A]]
// CHECK: memref.copy %[[NEW_B]], %[[B]]
// CHECK-NEXT: return{{$}}
func.func @elsewhere(%a: memref<?xf32>, %b: memref<?xf32>)
    -> (memref<?xf32> {lowbit.updates = 0 : i64}, memref<?xf32> {lowbit.updates = 1 : i64}) {
  return %b, %a : memref<?xf32>, memref<?xf32>
}

// Not what a caller outside sees.
// CHECK-LABEL: func.func private @inside(
// CHECK: return %{{.+}} : memref<4xf32>
func.func private @inside(%a: memref<4xf32>) -> (memref<4xf32> {lowbit.updates = 0 : i64}) {
  return %a : memref<4xf32>
}
