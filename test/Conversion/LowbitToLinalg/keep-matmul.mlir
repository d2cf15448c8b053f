// RUN: quant-opt %s --lowbit-to-linalg=keep-matmul | FileCheck %s

// Products keep their weight as it is stored, in any format. An input that stands in few bits is
// decoded, because only kernels of CPUs take it as it is.

#w = #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = u4>
#x = #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none, narrow>

// CHECK-LABEL: @matmul
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<2x?x64xf32>, %[[CODES:[a-z0-9]+]]: tensor<5x32xi8>, %[[SCALES:[a-z0-9]+]]: tensor<5x2xf16>, %[[ZEROS:[a-z0-9]+]]: tensor<5x1xi8>, %[[BIAS:[a-z0-9]+]]: tensor<5xf32>
// CHECK: %[[ROWS:.*]] = tensor.collapse_shape %[[X]] {{\[}}[0, 1], [2]]
// CHECK: %[[Y:.*]] = lowbit.packed_matmul ins(%[[ROWS]] : tensor<?x64xf32>) weight(%[[CODES]], %[[SCALES]], %[[ZEROS]] :
// CHECK-SAME: bias(%[[BIAS]] : tensor<5xf32>)
// CHECK: tensor.expand_shape %[[Y]] {{\[}}[0, 1], [2]]
// CHECK-NOT: linalg.matmul
func.func @matmul(%x: tensor<2x?x64xf32>, %w: !lowbit.tensor<5x64xf32, #w>,
                  %b: tensor<5xf32>) -> tensor<2x?x5xf32> {
  %0 = lowbit.matmul %x, %w, %b
      : (tensor<2x?x64xf32>, !lowbit.tensor<5x64xf32, #w>, tensor<5xf32>) -> tensor<2x?x5xf32>
  return %0 : tensor<2x?x5xf32>
}

// CHECK-LABEL: @quantized_input
// CHECK: linalg.generic
// CHECK: lowbit.packed_matmul ins(%{{.*}} : tensor<3x64xf32>)
func.func @quantized_input(%x: !lowbit.tensor<3x64xf32, #x>,
                           %w: !lowbit.tensor<5x64xf32, #w>) -> tensor<3x5xf32> {
  %0 = lowbit.matmul %x, %w
      : (!lowbit.tensor<3x64xf32, #x>, !lowbit.tensor<5x64xf32, #w>) -> tensor<3x5xf32>
  return %0 : tensor<3x5xf32>
}

// CHECK-LABEL: @blocks
// CHECK-NOT: linalg.generic
// CHECK: lowbit.packed_matmul ins(%{{.*}} : tensor<3x64xf32>) weight(%{{.*}} : tensor<5x36xi8> as
func.func @blocks(%x: tensor<3x64xf32>, %w: !lowbit.tensor<5x64xf32, #lowbit.ggml<q4_0>>) -> tensor<3x5xf32> {
  %0 = lowbit.matmul %x, %w
      : (tensor<3x64xf32>, !lowbit.tensor<5x64xf32, #lowbit.ggml<q4_0>>) -> tensor<3x5xf32>
  return %0 : tensor<3x5xf32>
}
