// RUN: quant-opt %s | quant-opt | FileCheck %s
// RUN: quant-opt %s --mlir-print-op-generic | quant-opt | FileCheck %s

#s8 = #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none, narrow>

// CHECK-LABEL: @dynamic
func.func @dynamic(%x: tensor<?x3x64xf32>, %w: !lowbit.tensor<96x64xf32, #s8>, %y: tensor<?x3x96xf32>) -> (tensor<?x3x64xf32>, tensor<?x3x96xf32>) {
  // CHECK: lowbit.find_outliers %{{.+}} {threshold = 6.000000e+00 : f32} : tensor<?x3x64xf32> -> tensor<?xi32>
  %columns = lowbit.find_outliers %x {threshold = 6.0 : f32} : tensor<?x3x64xf32> -> tensor<?xi32>
  // CHECK: %[[REST:.+]], %[[SELECTED:.+]] = lowbit.split_columns %{{.+}}, %{{.+}} : tensor<?x3x64xf32>, tensor<?xi32> -> tensor<?x3x?xf32>
  %rest, %selected = lowbit.split_columns %x, %columns : tensor<?x3x64xf32>, tensor<?xi32> -> tensor<?x3x?xf32>
  // CHECK: lowbit.column_matmul %[[SELECTED]], %{{.+}}, %{{.+}} add %{{.+}} : tensor<?x3x?xf32>, tensor<?xi32>, !lowbit.tensor<96x64xf32, #{{.+}}>, tensor<?x3x96xf32>
  %z = lowbit.column_matmul %selected, %columns, %w add %y
      : tensor<?x3x?xf32>, tensor<?xi32>, !lowbit.tensor<96x64xf32, #s8>, tensor<?x3x96xf32>
  return %rest, %z : tensor<?x3x64xf32>, tensor<?x3x96xf32>
}

// Columns that are known, and an infinite threshold.
// CHECK-LABEL: @static
func.func @static(%x: tensor<5xf16>) -> (tensor<2xf16>, tensor<?xi32>) {
  %columns = lowbit.weight dense<[1, 3]> : tensor<2xi32>
  // CHECK: lowbit.split_columns %{{.+}}, %{{.+}} : tensor<5xf16>, tensor<2xi32> -> tensor<2xf16>
  %rest, %selected = lowbit.split_columns %x, %columns : tensor<5xf16>, tensor<2xi32> -> tensor<2xf16>
  // CHECK: lowbit.find_outliers %{{.+}} {threshold = 0x7F800000 : f32}
  %none = lowbit.find_outliers %rest {threshold = 0x7F800000 : f32} : tensor<5xf16> -> tensor<?xi32>
  return %selected, %none : tensor<2xf16>, tensor<?xi32>
}
