// RUN: quant-opt %s -lowbit-emit-entry=function=model | FileCheck %s

// Inputs come first in the array of descriptors, then the results.

// CHECK-LABEL: llvm.func @lowbit_entry(
// CHECK-SAME: %[[DESCRIPTORS:.+]]: !llvm.ptr
// CHECK: %[[SLOT:.+]] = llvm.getelementptr %[[DESCRIPTORS]][0]
// CHECK: %[[POINTER:.+]] = llvm.load %[[SLOT]]
// CHECK: %[[INPUT:.+]] = llvm.load %[[POINTER]]
// CHECK-SAME: !llvm.struct<(ptr, ptr, i64, array<1 x i64>, array<1 x i64>)>
// CHECK: %[[BUFFER:.+]] = builtin.unrealized_conversion_cast %[[INPUT]]
// CHECK: %[[RESULT:.+]] = func.call @model(%[[BUFFER]])
// CHECK: %[[OUTPUT:.+]] = builtin.unrealized_conversion_cast %[[RESULT]]
// CHECK: llvm.getelementptr %[[DESCRIPTORS]][1]
// CHECK: llvm.store %[[OUTPUT]]
func.func @model(%x: memref<?xf32>) -> memref<f32> {
  %0 = memref.alloc() : memref<f32>
  return %0 : memref<f32>
}
