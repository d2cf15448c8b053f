// RUN: quant-opt %s --split-dynamic-outliers | FileCheck %s
// RUN: quant-opt %s --split-dynamic-outliers=threshold=inf | FileCheck %s --check-prefix=INF
// RUN: quant-opt %s --split-dynamic-outliers --lowbit-pack-weights=target=avx2 | FileCheck %s --check-prefix=PACK
// RUN: not quant-opt %s --split-dynamic-outliers=threshold=-1 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// RUN: not quant-opt %s --split-dynamic-outliers=threshold=nan 2>&1 | FileCheck %s --check-prefix=NAN
// NEGATIVE: error: {{.*}}split-dynamic-outliers: threshold is -1{{.*}}, but must be 0 or more
// NAN: error: {{.*}}split-dynamic-outliers: threshold is nan, but must be 0 or more

#w8 = #lowbit.uniform<s8, group = [1, *], scale = f16, zero = none>
#x8 = #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none, narrow>
#x4 = #lowbit.uniform<s4, group = [1, *], scale = f32, zero = none, narrow>

// Matmuls that read the same tensor share its parts, also if it is quantized in
// two ways; what else reads it is left alone.
// CHECK-LABEL: @shared
// CHECK-SAME: %[[X:.+]]: tensor<?x4xf32>
// CHECK: %[[COLUMNS:.+]] = lowbit.find_outliers %[[X]] {threshold = 6.000000e+00 : f32}
// CHECK: %[[REST:.+]], %[[SELECTED:.+]] = lowbit.split_columns %[[X]], %[[COLUMNS]] : tensor<?x4xf32>, tensor<?xi32> -> tensor<?x?xf32>
// CHECK-NOT: lowbit.find_outliers
// CHECK: %[[Q:.+]] = lowbit.dynamic_quantize %[[REST]] {{.+}}<s8,
// CHECK: %[[A:.+]] = lowbit.matmul %[[Q]], %[[W:.+]], %{{.+}} :
// CHECK: %[[A2:.+]] = lowbit.column_matmul %[[SELECTED]], %[[COLUMNS]], %[[W]] add %[[A]]
// CHECK: %[[B:.+]] = lowbit.matmul %[[Q]], %[[W]] :
// CHECK: %[[B2:.+]] = lowbit.column_matmul %[[SELECTED]], %[[COLUMNS]], %[[W]] add %[[B]]
// CHECK: %[[Q4:.+]] = lowbit.dynamic_quantize %[[REST]] {{.+}}<s4,
// CHECK: %[[C:.+]] = lowbit.matmul %[[Q4]], %[[W]] :
// CHECK: %[[C2:.+]] = lowbit.column_matmul %[[SELECTED]], %[[COLUMNS]], %[[W]] add %[[C]]
// CHECK: return %[[X]], %[[A2]], %[[B2]], %[[C2]]
// INF: lowbit.find_outliers %{{.+}} {threshold = 0x7F800000 : f32}

// The columns are read out of what the kernel has.
// PACK-LABEL: @shared
// PACK: %[[W:.+]] = lowbit.constant {{.+}}, #lowbit.panels>
// PACK: lowbit.matmul %{{.+}}, %[[W]], %{{.+}} :
// PACK: lowbit.column_matmul %{{.+}}, %{{.+}}, %[[W]] add
func.func @shared(%x: tensor<?x4xf32>, %bias: tensor<2xf32>)
    -> (tensor<?x4xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>) {
  %w = lowbit.constant {codes = dense<1> : tensor<2x4xi8>, scales = dense<1.0> : tensor<2x1xf16>}
      : !lowbit.tensor<2x4xf32, #w8>
  %q = lowbit.dynamic_quantize %x : tensor<?x4xf32> -> !lowbit.tensor<?x4xf32, #x8>
  %0 = lowbit.matmul %q, %w, %bias : (!lowbit.tensor<?x4xf32, #x8>, !lowbit.tensor<2x4xf32, #w8>, tensor<2xf32>) -> tensor<?x2xf32>
  %1 = lowbit.matmul %q, %w : (!lowbit.tensor<?x4xf32, #x8>, !lowbit.tensor<2x4xf32, #w8>) -> tensor<?x2xf32>
  %q4 = lowbit.dynamic_quantize %x : tensor<?x4xf32> -> !lowbit.tensor<?x4xf32, #x4>
  %2 = lowbit.matmul %q4, %w : (!lowbit.tensor<?x4xf32, #x4>, !lowbit.tensor<2x4xf32, #w8>) -> tensor<?x2xf32>
  return %x, %0, %1, %2 : tensor<?x4xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>
}

// What is quantized for something else, and floats, stay.
// CHECK-LABEL: @others
// CHECK-NOT: lowbit.find_outliers
// CHECK: return
func.func @others(%x: tensor<3x4xf32>, %w: !lowbit.tensor<2x4xf32, #w8>) -> (!lowbit.tensor<3x4xf32, #x8>, tensor<3x2xf32>) {
  %q = lowbit.dynamic_quantize %x : tensor<3x4xf32> -> !lowbit.tensor<3x4xf32, #x8>
  %0 = lowbit.matmul %x, %w : (tensor<3x4xf32>, !lowbit.tensor<2x4xf32, #w8>) -> tensor<3x2xf32>
  return %q, %0 : !lowbit.tensor<3x4xf32, #x8>, tensor<3x2xf32>
}

// A weight of which no column can be read once it is packed is stored twice.
// PACK-LABEL: @two_constants
// PACK-COUNT-2: lowbit.constant
// PACK: lowbit.column_matmul {{.+}}#lowbit.codebook<e2m1, group = [1, *], scale = f32>>, tensor<?x16xf32>
func.func @two_constants(%x: tensor<?x4xf32>) -> tensor<?x16xf32> {
  %w = lowbit.constant {codes = dense<1> : tensor<16x2xi8>, scales = dense<1.0> : tensor<16x1xf32>}
      : !lowbit.tensor<16x4xf32, #lowbit.codebook<e2m1, group = [1, *], scale = f32>>
  %q = lowbit.dynamic_quantize %x : tensor<?x4xf32> -> !lowbit.tensor<?x4xf32, #x8>
  %0 = lowbit.matmul %q, %w : (!lowbit.tensor<?x4xf32, #x8>, !lowbit.tensor<16x4xf32, #lowbit.codebook<e2m1, group = [1, *], scale = f32>>) -> tensor<?x16xf32>
  return %0 : tensor<?x16xf32>
}
