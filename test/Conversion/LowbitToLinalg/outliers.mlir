// RUN: quant-opt %s --lowbit-to-linalg --split-input-file | FileCheck %s

// Each column is written where the next outlier belongs; its number stays there if
// the largest magnitude reaches the threshold.
// CHECK-LABEL: @find
// CHECK: %[[MINUS:.+]] = arith.constant -1.000000e+00 : f32
// CHECK: %[[INIT:.+]] = linalg.fill ins(%[[MINUS]]
// CHECK: %[[MAXIMA:.+]] = linalg.generic {{.+}} iterator_types = ["reduction", "parallel"]{{.+}} outs(%[[INIT]]
// CHECK: math.absf
// CHECK: arith.maxnumf
// CHECK: %[[LOOP:.+]]:2 = scf.for %[[COLUMN:.+]] = {{.+}} iter_args(%[[LIST:.+]] = %{{.+}}, %[[COUNT:.+]] = %{{.+}}) -> (tensor<64xi32>, i32)
// CHECK: tensor.insert %{{.+}} into %[[LIST]]
// CHECK: %[[LARGEST:.+]] = tensor.extract %[[MAXIMA]][%[[COLUMN]]]
// CHECK: arith.cmpf oge, %[[LARGEST]]
// CHECK: tensor.extract_slice %[[LOOP]]#0[0] [%{{.+}}] [1] : tensor<64xi32> to tensor<?xi32>
func.func @find(%x: tensor<?x3x64xf32>) -> tensor<?xi32> {
  %columns = lowbit.find_outliers %x {threshold = 6.0 : f32} : tensor<?x3x64xf32> -> tensor<?xi32>
  return %columns : tensor<?xi32>
}

// -----

// A threshold that f16 cannot store is rounded up.
// CHECK-LABEL: @half
// CHECK: arith.constant 6.003900e+00 : f16
func.func @half(%x: tensor<64xf16>) -> tensor<?xi32> {
  %columns = lowbit.find_outliers %x {threshold = 6.001 : f32} : tensor<64xf16> -> tensor<?xi32>
  return %columns : tensor<?xi32>
}

// -----

// CHECK-LABEL: @split
// CHECK: scf.for
// CHECK: arith.select
// CHECK: tensor.expand_shape {{.+}} tensor<?x64xf32> into tensor<?x3x64xf32>
// CHECK: tensor.expand_shape {{.+}} tensor<?x2xf32> into tensor<?x3x2xf32>
func.func @split(%x: tensor<?x3x64xf32>, %columns: tensor<2xi32>) -> (tensor<?x3x64xf32>, tensor<?x3x2xf32>) {
  %0, %1 = lowbit.split_columns %x, %columns : tensor<?x3x64xf32>, tensor<2xi32> -> tensor<?x3x2xf32>
  return %0, %1 : tensor<?x3x64xf32>, tensor<?x3x2xf32>
}

// -----

// Only the named columns are decoded.
// CHECK-LABEL: @product
// CHECK: %[[W:.+]] = linalg.generic
// CHECK: arith.sitofp
// CHECK: linalg.matmul ins(%{{.+}}, %[[W]] : tensor<?x?xf32>, tensor<?x96xf32>) outs(%{{.+}} : tensor<?x96xf32>)
#s8 = #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none>
func.func @product(%x: tensor<?x?xf32>, %columns: tensor<?xi32>, %w: !lowbit.tensor<96x64xf32, #s8>, %y: tensor<?x96xf32>) -> tensor<?x96xf32> {
  %0 = lowbit.column_matmul %x, %columns, %w add %y : tensor<?x?xf32>, tensor<?xi32>, !lowbit.tensor<96x64xf32, #s8>, tensor<?x96xf32>
  return %0 : tensor<?x96xf32>
}
