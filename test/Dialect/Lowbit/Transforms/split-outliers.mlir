// RUN: quant-opt %s --lowbit-split-outliers | FileCheck %s
// RUN: quant-opt %s --lowbit-split-outliers --lowbit-pack-weights=target=avx2 | FileCheck %s --check-prefix=PACK

#s8 = #lowbit.uniform<s8, group = [1, *], scale = f16, zero = none>
#outliers = #lowbit.sparse_outliers<dense = #s8, count = 2, value = f16>
#none = #lowbit.sparse_outliers<dense = #s8, count = 0, value = f16>
#x8 = #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none, narrow>

// Both matmuls share the parts; the dense one is packed for its kernel.
// CHECK-LABEL: @constant
// CHECK-NOT: sparse_outliers
// CHECK-DAG: %[[DENSE:.+]] = lowbit.constant {codes = dense<1> : tensor<2x4xi8>, scales = dense<1.000000e+00> : tensor<2x1xf16>}
// CHECK-DAG: %[[OFFSETS:.+]] = lowbit.weight dense<[0, 1, 2]> : tensor<3xi32>
// CHECK-DAG: %[[COLUMNS:.+]] = lowbit.weight dense<[1, 2]> : tensor<2xi16>
// CHECK-DAG: %[[VALUES:.+]] = lowbit.weight dense<5.000000e+00> : tensor<2xf16>
// CHECK: %[[Y:.+]] = lowbit.matmul %[[X:.+]], %[[DENSE]], %[[BIAS:.+]] : (tensor<?x4xf32>,
// CHECK: %[[SUM:.+]] = lowbit.sparse_matmul %[[X]], %[[OFFSETS]], %[[COLUMNS]], %[[VALUES]] add %[[Y]]
// CHECK: %[[Q:.+]] = lowbit.dynamic_quantize %[[X]]
// CHECK: %[[Y2:.+]] = lowbit.matmul %[[Q]], %[[DENSE]] :
// CHECK: %[[F:.+]] = lowbit.dequantize %[[Q]]
// CHECK: %[[SUM2:.+]] = lowbit.sparse_matmul %[[F]], %[[OFFSETS]], %[[COLUMNS]], %[[VALUES]] add %[[Y2]]
// CHECK: return %[[SUM]], %[[SUM2]]
// PACK-LABEL: @constant
// PACK: lowbit.matmul %{{.+}} : (tensor<?x4xf32>, !lowbit.tensor<2x4xf32, #lowbit.uniform<s8, group = [1, *], scale = f16, zero = none>, #lowbit.panels>, tensor<2xf32>)
func.func @constant(%x: tensor<?x4xf32>, %bias: tensor<2xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>) {
  %w = lowbit.constant {
    codes = dense<1> : tensor<2x4xi8>, scales = dense<1.0> : tensor<2x1xf16>,
    outlier_offsets = dense<[0, 1, 2]> : tensor<3xi32>, outlier_columns = dense<[1, 2]> : tensor<2xi16>,
    outlier_values = dense<5.0> : tensor<2xf16>
  } : !lowbit.tensor<2x4xf32, #outliers>
  %0 = lowbit.matmul %x, %w, %bias
      : (tensor<?x4xf32>, !lowbit.tensor<2x4xf32, #outliers>, tensor<2xf32>) -> tensor<?x2xf32>
  %q = lowbit.dynamic_quantize %x : tensor<?x4xf32> -> !lowbit.tensor<?x4xf32, #x8>
  %1 = lowbit.matmul %q, %w : (!lowbit.tensor<?x4xf32, #x8>, !lowbit.tensor<2x4xf32, #outliers>) -> tensor<?x2xf32>
  return %0, %1 : tensor<?x2xf32>, tensor<?x2xf32>
}

// CHECK-LABEL: @argument
// CHECK: %[[PARTS:.+]]:5 = lowbit.disassemble %arg1
// CHECK: %[[DENSE:.+]] = lowbit.assemble %[[PARTS]]#0, %[[PARTS]]#1
// CHECK: %[[Y:.+]] = lowbit.matmul %arg0, %[[DENSE]]
// CHECK: lowbit.sparse_matmul %arg0, %[[PARTS]]#2, %[[PARTS]]#3, %[[PARTS]]#4 add %[[Y]]
func.func @argument(%x: tensor<4xf32>, %w: !lowbit.tensor<2x4xf32, #outliers>) -> tensor<2xf32> {
  %0 = lowbit.matmul %x, %w : (tensor<4xf32>, !lowbit.tensor<2x4xf32, #outliers>) -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// Nothing to add.
// CHECK-LABEL: @none
// CHECK: lowbit.matmul
// CHECK-NOT: lowbit.sparse_matmul
// CHECK: return
func.func @none(%x: tensor<3x4xf32>, %w: !lowbit.tensor<2x4xf32, #none>) -> tensor<3x2xf32> {
  %0 = lowbit.matmul %x, %w : (tensor<3x4xf32>, !lowbit.tensor<2x4xf32, #none>) -> tensor<3x2xf32>
  return %0 : tensor<3x2xf32>
}

// An embedding is looked up as it is.
// CHECK-LABEL: @gather
// CHECK: lowbit.gather %{{.+}} : (!lowbit.tensor<2x4xf32, #lowbit.sparse_outliers<
func.func @gather(%table: !lowbit.tensor<2x4xf32, #outliers>, %i: tensor<3xi64>) -> tensor<3x4xf32> {
  %0 = lowbit.gather %table[%i] : (!lowbit.tensor<2x4xf32, #outliers>, tensor<3xi64>) -> tensor<3x4xf32>
  return %0 : tensor<3x4xf32>
}
