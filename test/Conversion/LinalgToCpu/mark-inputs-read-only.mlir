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
