// RUN: quant-opt %s -lowbit-resolve-expand-shapes | FileCheck %s

// CHECK-LABEL: @two_unknown
// CHECK-SAME: %[[X:[^:]+]]: memref<?x64xf32>, %[[A:[^:]+]]: index, %[[B:[^:]+]]: index
// CHECK: %[[BASE:.+]], %{{.+}}, %{{.+}}:2, %{{.+}}:2 = memref.extract_strided_metadata %[[X]]
// CHECK: %[[STRIDE:.+]] = arith.muli
// CHECK: memref.reinterpret_cast %[[BASE]] to offset: [0]
// CHECK-SAME: sizes: [%[[A]], %[[B]], 64], strides: [%[[STRIDE]], 64, 1]
func.func @two_unknown(%x: memref<?x64xf32>, %a: index, %b: index)
    -> memref<?x?x64xf32> {
  %0 = memref.expand_shape %x [[0, 1], [2]] output_shape [%a, %b, 64]
      : memref<?x64xf32> into memref<?x?x64xf32>
  return %0 : memref<?x?x64xf32>
}

// CHECK-LABEL: @one_unknown
// CHECK: memref.expand_shape
func.func @one_unknown(%x: memref<?x64xf32>, %a: index) -> memref<?x4x64xf32> {
  %0 = memref.expand_shape %x [[0, 1], [2]] output_shape [%a, 4, 64]
      : memref<?x64xf32> into memref<?x4x64xf32>
  return %0 : memref<?x4x64xf32>
}
