// RUN: quant-opt %s -split-input-file --convert-onnx-to-linalg --canonicalize --cse | FileCheck %s

// A linear layer is one product of matrices, whatever leads.
// CHECK-LABEL: @linear
func.func @linear(%x: tensor<?x?x64xf32>, %w: tensor<64x32xf32>) -> tensor<?x?x32xf32> {
  // CHECK: %[[ROWS:.+]] = tensor.collapse_shape %{{.+}} {{\[}}[0, 1], [2]] : tensor<?x?x64xf32> into tensor<?x64xf32>
  // CHECK: %[[PRODUCT:.+]] = linalg.matmul ins(%[[ROWS]], %{{.+}} : tensor<?x64xf32>, tensor<64x32xf32>)
  // CHECK: tensor.expand_shape %[[PRODUCT]] {{\[}}[0, 1], [2]]
  %0 = onnx.MatMul(%x, %w) : (tensor<?x?x64xf32>, tensor<64x32xf32>) -> tensor<?x?x32xf32>
  return %0 : tensor<?x?x32xf32>
}

// -----

// CHECK-LABEL: @batches
func.func @batches(%a: tensor<2x3x4x5xf32>, %b: tensor<2x3x5x6xf32>) -> tensor<2x3x4x6xf32> {
  // CHECK: linalg.batch_matmul ins(%{{.+}}, %{{.+}} : tensor<6x4x5xf32>, tensor<6x5x6xf32>)
  %0 = onnx.MatMul(%a, %b) : (tensor<2x3x4x5xf32>, tensor<2x3x5x6xf32>) -> tensor<2x3x4x6xf32>
  return %0 : tensor<2x3x4x6xf32>
}

// -----

// Batches that broadcast are read again, not copied.
// CHECK-DAG: #[[LHS:.+]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, 0, d2, d4)>
// CHECK-DAG: #[[RHS:.+]] = affine_map<(d0, d1, d2, d3, d4) -> (d1, d4, d3)>
// CHECK-LABEL: @broadcast_batches
func.func @broadcast_batches(%a: tensor<2x1x4x5xf32>, %b: tensor<3x5x6xf32>) -> tensor<2x3x4x6xf32> {
  // CHECK: linalg.generic {indexing_maps = [#[[LHS]], #[[RHS]]
  // CHECK-SAME: iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]
  %0 = onnx.MatMul(%a, %b) : (tensor<2x1x4x5xf32>, tensor<3x5x6xf32>) -> tensor<2x3x4x6xf32>
  return %0 : tensor<2x3x4x6xf32>
}

// -----

// CHECK-LABEL: @vectors
func.func @vectors(%a: tensor<5xf32>, %b: tensor<5xf32>) -> tensor<f32> {
  // CHECK: linalg.matmul ins(%{{.+}}, %{{.+}} : tensor<1x5xf32>, tensor<5x1xf32>)
  // CHECK: tensor.collapse_shape %{{.+}} [] : tensor<1x1xf32> into tensor<f32>
  %0 = onnx.MatMul(%a, %b) : (tensor<5xf32>, tensor<5xf32>) -> tensor<f32>
  return %0 : tensor<f32>
}

// -----

// The inner dimensions are compared where that is possible.
// CHECK-LABEL: @unknown_inner
func.func @unknown_inner(%a: tensor<4x?xf32>, %b: tensor<5x6xf32>) -> tensor<4x6xf32> {
  // CHECK: cf.assert %{{.+}}, "onnx.MatMul 'proj': the inner dimensions must be equal"
  %0 = onnx.MatMul(%a, %b) : (tensor<4x?xf32>, tensor<5x6xf32>) -> tensor<4x6xf32> loc("proj")
  return %0 : tensor<4x6xf32>
}

// -----

// Half precision is summed in single.
// CHECK-LABEL: @half
func.func @half(%a: tensor<4x5xf16>, %b: tensor<5x6xf16>) -> tensor<4x6xf16> {
  // CHECK: linalg.matmul ins(%{{.+}}, %{{.+}} : tensor<4x5xf16>, tensor<5x6xf16>) outs(%{{.+}} : tensor<4x6xf32>)
  // CHECK: arith.truncf
  %0 = onnx.MatMul(%a, %b) : (tensor<4x5xf16>, tensor<5x6xf16>) -> tensor<4x6xf16>
  return %0 : tensor<4x6xf16>
}

// -----

// CHECK-DAG: #[[TRANSPOSED:.+]] = affine_map<(d0, d1, d2) -> (d1, d2)>
// CHECK-LABEL: @gemm
func.func @gemm(%a: tensor<4x5xf32>, %b: tensor<6x5xf32>, %c: tensor<6xf32>) -> tensor<4x6xf32> {
  // CHECK: linalg.generic {indexing_maps = [#{{.+}}, #[[TRANSPOSED]], #{{.+}}], iterator_types = ["parallel", "parallel", "reduction"]}
  // CHECK: linalg.generic
  // CHECK: arith.mulf %{{.+}}, %[[ALPHA:.+]] : f32
  // CHECK: arith.addf
  %0 = onnx.Gemm(%a, %b, %c) {transB = 1 : i64, alpha = 5.0e-01 : f32}
      : (tensor<4x5xf32>, tensor<6x5xf32>, tensor<6xf32>) -> tensor<4x6xf32>
  return %0 : tensor<4x6xf32>
}

// -----

// CHECK-LABEL: @einsum
func.func @einsum(%a: tensor<2x4x5xf32>, %b: tensor<2x5x6xf32>) -> tensor<2x4x6xf32> {
  // CHECK: linalg.generic
  // CHECK-SAME: "reduction"
  %0 = onnx.Einsum(%a, %b) {equation = "bij,bjk->bik"} : (tensor<2x4x5xf32>, tensor<2x5x6xf32>) -> tensor<2x4x6xf32>
  return %0 : tensor<2x4x6xf32>
}
