// RUN: quant-opt %s | quant-opt | FileCheck %s
// RUN: quant-opt %s --canonicalize | FileCheck %s --check-prefix=FOLD

// CHECK-LABEL: @roundtrip
// CHECK: lowbit.hadamard %{{.*}} {block = 12 : i64} : tensor<?x24xf32>
// CHECK: lowbit.hadamard %{{.*}} {block = 8 : i64, transposed} : tensor<?x24xf32>
// FOLD-LABEL: @roundtrip
// FOLD-COUNT-2: lowbit.hadamard
func.func @roundtrip(%x: tensor<?x24xf32>) -> tensor<?x24xf32> {
  %0 = lowbit.hadamard %x {block = 12 : i64} : tensor<?x24xf32>
  %1 = lowbit.hadamard %0 {block = 8 : i64, transposed} : tensor<?x24xf32>
  return %1 : tensor<?x24xf32>
}

// FOLD-LABEL: @inverse
// FOLD-SAME: %[[X:.*]]: tensor<12xf16>
// FOLD-NEXT: return %[[X]]
func.func @inverse(%x: tensor<12xf16>) -> tensor<12xf16> {
  %0 = lowbit.hadamard %x {block = 12 : i64, transposed} : tensor<12xf16>
  %1 = lowbit.hadamard %0 {block = 12 : i64} : tensor<12xf16>
  return %1 : tensor<12xf16>
}

// Sylvester's matrices are their own inverses, Paley's are not.
// FOLD-LABEL: @twice
// FOLD-SAME: %[[X:.*]]: tensor<16xf32>, %[[Y:.*]]: tensor<12xf32>
// FOLD: %[[FIRST:.*]] = lowbit.hadamard %[[Y]]
// FOLD: %[[SECOND:.*]] = lowbit.hadamard %[[FIRST]]
// FOLD: return %[[X]], %[[SECOND]]
func.func @twice(%x: tensor<16xf32>, %y: tensor<12xf32>) -> (tensor<16xf32>, tensor<12xf32>) {
  %0 = lowbit.hadamard %x {block = 16 : i64} : tensor<16xf32>
  %1 = lowbit.hadamard %0 {block = 16 : i64} : tensor<16xf32>
  %2 = lowbit.hadamard %y {block = 12 : i64} : tensor<12xf32>
  %3 = lowbit.hadamard %2 {block = 12 : i64} : tensor<12xf32>
  return %1, %3 : tensor<16xf32>, tensor<12xf32>
}

// FOLD-LABEL: @single
// FOLD-NOT: lowbit.hadamard
func.func @single(%x: tensor<7xf32>) -> tensor<7xf32> {
  %0 = lowbit.hadamard %x {block = 1 : i64} : tensor<7xf32>
  return %0 : tensor<7xf32>
}
