// RUN: quant-opt %s -split-input-file --convert-onnx-to-linalg --canonicalize --cse | FileCheck %s

// CHECK-DAG: #[[IN:.+]] = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
// CHECK-DAG: #[[OUT:.+]] = affine_map<(d0, d1, d2) -> (d0, d1)>
// CHECK-LABEL: @sum
func.func @sum(%x: tensor<?x4x5xf32>) -> tensor<?x4x1xf32> {
  // CHECK: linalg.generic {indexing_maps = [#[[IN]], #[[OUT]]], iterator_types = ["parallel", "parallel", "reduction"]}
  // CHECK: tensor.expand_shape
  %axes = onnx.Constant dense<-1> : tensor<1xi64>
  %0 = onnx.ReduceSum(%x, %axes) : (tensor<?x4x5xf32>, tensor<1xi64>) -> tensor<?x4x1xf32>
  return %0 : tensor<?x4x1xf32>
}

// -----

// Without axes all are reduced; the mean divides by the number of elements.
// CHECK-LABEL: @mean_of_all
func.func @mean_of_all(%x: tensor<4x5xf32>) -> tensor<f32> {
  // CHECK-DAG: %[[COUNT:.+]] = arith.constant 2.000000e+01 : f32
  // CHECK: iterator_types = ["reduction", "reduction"]
  // CHECK: arith.divf %{{.+}}, %[[COUNT]]
  %none = onnx.NoValue
  %0 = onnx.ReduceMean(%x, %none) {keepdims = 0 : i64} : (tensor<4x5xf32>, none) -> tensor<f32>
  return %0 : tensor<f32>
}

// -----

// No axes and noop_with_empty_axes: nothing is summed.
// CHECK-LABEL: @noop
func.func @noop(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK-NOT: "reduction"
  %none = onnx.NoValue
  %0 = onnx.ReduceSum(%x, %none) {noop_with_empty_axes = 1 : i64} : (tensor<4xf32>, none) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// Half precision is summed in single.
// CHECK-LABEL: @half
func.func @half(%x: tensor<4x5xf16>) -> tensor<4xf16> {
  // CHECK: linalg.fill {{.+}} -> tensor<4xf32>
  // CHECK: arith.extf
  // CHECK: arith.truncf
  %axes = onnx.Constant dense<1> : tensor<1xi64>
  %0 = onnx.ReduceSum(%x, %axes) {keepdims = 0 : i64} : (tensor<4x5xf16>, tensor<1xi64>) -> tensor<4xf16>
  return %0 : tensor<4xf16>
}

// -----

// The maximum passes NaN on.
// CHECK-LABEL: @max
func.func @max(%x: tensor<4x5xf32>) -> tensor<4xf32> {
  // CHECK: arith.constant 0xFF800000 : f32
  // CHECK: arith.maximumf
  %axes = onnx.Constant dense<1> : tensor<1xi64>
  %0 = onnx.ReduceMax(%x, %axes) {keepdims = 0 : i64} : (tensor<4x5xf32>, tensor<1xi64>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// CHECK-LABEL: @argmax
func.func @argmax(%x: tensor<4x5xf32>) -> tensor<4xi64> {
  // CHECK: linalg.generic
  // CHECK-SAME: outs(%{{.+}}, %{{.+}} : tensor<4xf32>, tensor<4xi64>)
  // CHECK: linalg.index 1
  // CHECK: arith.cmpf ogt
  %0 = onnx.ArgMax(%x) {axis = 1 : i64, keepdims = 0 : i64} : (tensor<4x5xf32>) -> tensor<4xi64>
  return %0 : tensor<4xi64>
}

// -----

// Maximum, exponentials, sum, quotient: one pass each.
// CHECK-LABEL: @softmax
func.func @softmax(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  // CHECK: arith.maxnumf
  // CHECK: arith.subf
  // CHECK-NEXT: math.exp
  // CHECK: arith.addf
  // CHECK: arith.divf
  // CHECK-NOT: linalg.generic
  %0 = onnx.Softmax(%x) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

// CHECK-LABEL: @layer_norm
func.func @layer_norm(%x: tensor<?x?x64xf32>, %s: tensor<64xf32>, %b: tensor<64xf32>)
    -> (tensor<?x?x64xf32>, tensor<?x?x1xf32>) {
  // CHECK-NOT: scf.if
  // CHECK: iterator_types = ["parallel", "parallel", "reduction"]
  // CHECK: iterator_types = ["parallel", "parallel", "reduction"]
  // CHECK: math.sqrt
  // CHECK: iterator_types = ["parallel", "parallel", "parallel"]
  // CHECK: tensor.expand_shape {{.+}} : tensor<?x?xf32> into tensor<?x?x1xf32>
  %0, %mean, %dev = onnx.LayerNormalization(%x, %s, %b)
      : (tensor<?x?x64xf32>, tensor<64xf32>, tensor<64xf32>) -> (tensor<?x?x64xf32>, tensor<?x?x1xf32>, none)
  return %0, %mean : tensor<?x?x64xf32>, tensor<?x?x1xf32>
}

// -----

// CHECK-LABEL: @rms_norm
func.func @rms_norm(%x: tensor<?x?x64xf32>, %s: tensor<64xf32>) -> tensor<?x?x64xf32> {
  // CHECK: arith.mulf %[[E:.+]], %[[E]]
  // CHECK: math.sqrt
  // CHECK: iterator_types = ["parallel", "parallel", "parallel"]
  %0 = onnx.RMSNormalization(%x, %s) {epsilon = 1.0e-06 : f32} : (tensor<?x?x64xf32>, tensor<64xf32>) -> tensor<?x?x64xf32>
  return %0 : tensor<?x?x64xf32>
}
