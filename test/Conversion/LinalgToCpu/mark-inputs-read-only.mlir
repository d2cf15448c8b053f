// RUN: quant-opt %s -lowbit-mark-inputs-read-only | FileCheck %s

// CHECK-LABEL: @model
// CHECK-SAME: tensor<4xf32> {bufferization.writable = false}
// CHECK-SAME: index)
func.func @model(%x: tensor<4xf32>, %n: index) {
  return
}

// A private function's caller may give up its tensor.

// CHECK-LABEL: @helper
// CHECK-NOT: writable
func.func private @helper(%x: tensor<4xf32>) {
  return
}

// Caches are there to be written.

// CHECK-LABEL: @decoder
// CHECK-SAME: tensor<4xf32> {bufferization.writable = true}
// CHECK-SAME: tensor<2xf32> {bufferization.writable = false}
func.func @decoder(%cache: tensor<4xf32>, %x: tensor<2xf32>) -> (tensor<4xf32> {lowbit.updates = 0 : i64}) {
  return %cache : tensor<4xf32>
}
