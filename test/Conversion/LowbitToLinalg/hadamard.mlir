// RUN: quant-opt %s --lowbit-to-linalg | FileCheck %s

// A product for each factor of up to 16 channels.
// CHECK-LABEL: @power_of_two
// CHECK-NOT: lowbit.hadamard
// CHECK: tensor.collapse_shape %{{.*}} {{\[}}[0, 1], [2]] : tensor<?x?x64xf32> into tensor<?x64xf32>
// CHECK: tensor.expand_shape {{.*}} : tensor<?x64xf32> into tensor<?x8x8xf32>
// CHECK: lowbit.weight dense<{{.*}}> : tensor<8x8xf32>
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "parallel", "reduction"]
// CHECK-SAME: outs(%{{.*}} : tensor<?x8x8xf32>)
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "parallel", "reduction"]
// CHECK-NOT: linalg.generic
// CHECK: tensor.expand_shape {{.*}} : tensor<?x64xf32> into tensor<?x?x64xf32>
func.func @power_of_two(%x: tensor<?x?x64xf32>) -> tensor<?x?x64xf32> {
  %0 = lowbit.hadamard %x {block = 64 : i64} : tensor<?x?x64xf32>
  return %0 : tensor<?x?x64xf32>
}

// Paley's factor first, over neighbours at a distance.
// CHECK-LABEL: @paley
// CHECK: tensor.expand_shape {{.*}} : tensor<?x96xf32> into tensor<?x2x12x4xf32>
// CHECK: lowbit.weight dense<{{.*}}> : tensor<12x12xf32>
// CHECK: tensor.expand_shape {{.*}} : tensor<?x96xf32> into tensor<?x24x4xf32>
// CHECK: lowbit.weight dense<{{.*}}> : tensor<4x4xf32>
func.func @paley(%x: tensor<?x96xf32>) -> tensor<?x96xf32> {
  %0 = lowbit.hadamard %x {block = 48 : i64} : tensor<?x96xf32>
  return %0 : tensor<?x96xf32>
}

// Sums of halves are taken in f32. A whole row is one product.
// CHECK-LABEL: @halves
// CHECK: arith.extf
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel", "reduction"]
// CHECK-SAME: outs(%{{.*}} : tensor<1x16xf32>)
// CHECK: arith.truncf
// CHECK: tensor.collapse_shape {{.*}} : tensor<1x16xf16> into tensor<16xf16>
func.func @halves(%x: tensor<16xf16>) -> tensor<16xf16> {
  %0 = lowbit.hadamard %x {block = 16 : i64} : tensor<16xf16>
  return %0 : tensor<16xf16>
}
