// RUN: quant-opt %s -lowbit-lower-weights | FileCheck %s

// Equal values share an entry.

// CHECK: module attributes {lowbit.weights = [
// CHECK-SAME: #lowbit.external<"{{.*}}a.bin", offset = 0, length = 16>
// CHECK-SAME: dense<[1.000000e+00, 2.000000e+00]>
// CHECK: llvm.mlir.global external @lowbit_weight_table()
// CHECK-SAME: !llvm.array<2 x ptr>

// CHECK-LABEL: @weights
// CHECK: %[[TABLE:.+]] = llvm.mlir.addressof @lowbit_weight_table
// CHECK: %[[SLOT:.+]] = llvm.getelementptr %[[TABLE]][0, 0]
// CHECK: %[[ADDRESS:.+]] = llvm.load %[[SLOT]] : !llvm.ptr -> !llvm.ptr
// CHECK: llvm.insertvalue %[[ADDRESS]]
// CHECK: llvm.getelementptr %{{.+}}[0, 1]
// CHECK: llvm.getelementptr %{{.+}}[0, 0]
func.func @weights() -> (memref<2x2xf32>, memref<2xf32>, memref<2x2xf32>) {
  %0 = lowbit.weight #lowbit.external<"a.bin", offset = 0, length = 16> : tensor<2x2xf32> to memref<2x2xf32>
  %1 = lowbit.weight dense<[1.0, 2.0]> : tensor<2xf32> to memref<2xf32>
  %2 = lowbit.weight #lowbit.external<"a.bin", offset = 0, length = 16> : tensor<2x2xf32> to memref<2x2xf32>
  return %0, %1, %2 : memref<2x2xf32>, memref<2xf32>, memref<2x2xf32>
}
