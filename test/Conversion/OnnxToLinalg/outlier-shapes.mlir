// The shapes of what outliers are taken out of are known: nothing has to be checked
// before it is added to something else.
// RUN: quant-opt %s --convert-onnx-to-linalg | FileCheck %s

#s8 = #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none>
// CHECK-LABEL: @rest_and_sum
// CHECK-NOT: cf.assert
// CHECK-NOT: scf.if
// CHECK: return
func.func @rest_and_sum(%x: tensor<?x4xf32>, %w: !lowbit.tensor<2x4xf32, #s8>, %y: tensor<?x2xf32>) -> (tensor<?x4xf32>, tensor<?x2xf32>) {
  %columns = lowbit.find_outliers %x {threshold = 6.0 : f32} : tensor<?x4xf32> -> tensor<?xi32>
  %rest, %selected = lowbit.split_columns %x, %columns : tensor<?x4xf32>, tensor<?xi32> -> tensor<?x?xf32>
  %0 = onnx.Add(%rest, %x) : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %sum = lowbit.column_matmul %selected, %columns, %w add %y : tensor<?x?xf32>, tensor<?xi32>, !lowbit.tensor<2x4xf32, #s8>, tensor<?x2xf32>
  %1 = onnx.Add(%sum, %y) : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  return %0, %1 : tensor<?x4xf32>, tensor<?x2xf32>
}
