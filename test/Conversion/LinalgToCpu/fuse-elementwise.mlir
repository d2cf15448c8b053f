// RUN: quant-opt %s -lowbit-fuse-elementwise -split-input-file | FileCheck %s

// A chain of elementwise ops is one loop nest.

// CHECK-LABEL: @chain
// CHECK-COUNT-1: linalg.generic
// CHECK: math.exp
// CHECK: arith.addf
// CHECK-NOT: linalg.generic
func.func @chain(%x: tensor<?x8xf32>, %y: tensor<?x8xf32>,
                 %init: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %0 = linalg.exp ins(%x : tensor<?x8xf32>) outs(%init : tensor<?x8xf32>)
      -> tensor<?x8xf32>
  %1 = linalg.add ins(%0, %y : tensor<?x8xf32>, tensor<?x8xf32>)
      outs(%init : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %1 : tensor<?x8xf32>
}

// -----

// A contraction would repeat its producer for each column.

// CHECK-LABEL: @producer_of_contraction
// CHECK: linalg.generic
// CHECK: arith.negf
// CHECK: linalg.matmul
func.func @producer_of_contraction(%x: tensor<4x8xf32>, %w: tensor<8x16xf32>,
                                   %e: tensor<4x8xf32>, %init: tensor<4x16xf32>)
    -> tensor<4x16xf32> {
  %0 = linalg.negf ins(%x : tensor<4x8xf32>) outs(%e : tensor<4x8xf32>)
      -> tensor<4x8xf32>
  %1 = linalg.matmul ins(%0, %w : tensor<4x8xf32>, tensor<8x16xf32>)
      outs(%init : tensor<4x16xf32>) -> tensor<4x16xf32>
  return %1 : tensor<4x16xf32>
}

// -----

#row = affine_map<(i, j) -> (i)>
#all = affine_map<(i, j) -> (i, j)>

// A square root for each row must not become one for each element.

// CHECK-LABEL: @broadcast_of_costly
// CHECK: linalg.generic
// CHECK: math.sqrt
// CHECK: linalg.generic
// CHECK: arith.mulf
func.func @broadcast_of_costly(%s: tensor<4xf32>, %x: tensor<4x8xf32>,
                               %e: tensor<4xf32>, %init: tensor<4x8xf32>)
    -> tensor<4x8xf32> {
  %0 = linalg.sqrt ins(%s : tensor<4xf32>) outs(%e : tensor<4xf32>)
      -> tensor<4xf32>
  %1 = linalg.generic {indexing_maps = [#row, #all, #all],
                       iterator_types = ["parallel", "parallel"]}
      ins(%0, %x : tensor<4xf32>, tensor<4x8xf32>)
      outs(%init : tensor<4x8xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %2 = arith.mulf %a, %b : f32
    linalg.yield %2 : f32
  } -> tensor<4x8xf32>
  return %1 : tensor<4x8xf32>
}

// -----

// CHECK-LABEL: @softmax
// CHECK-NOT: linalg.softmax
// CHECK: arith.maxnumf
// CHECK: math.exp
// CHECK: arith.divf
func.func @softmax(%x: tensor<4x8xf32>, %init: tensor<4x8xf32>)
    -> tensor<4x8xf32> {
  %0 = linalg.softmax dimension(1) ins(%x : tensor<4x8xf32>)
      outs(%init : tensor<4x8xf32>) -> tensor<4x8xf32>
  return %0 : tensor<4x8xf32>
}

// -----

// CHECK-LABEL: @concat
// CHECK-NOT: tensor.concat
// CHECK-COUNT-2: tensor.insert_slice
func.func @concat(%x: tensor<?x8xf32>, %y: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %0 = tensor.concat dim(0) %x, %y
      : (tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}
