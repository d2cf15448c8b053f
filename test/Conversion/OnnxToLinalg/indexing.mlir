// RUN: quant-opt %s -split-input-file --convert-onnx-to-linalg --canonicalize --cse | FileCheck %s

// An embedding: rows by index, negative ones from the end, clamped.
// CHECK-LABEL: @embedding
func.func @embedding(%w: tensor<100x8xf32>, %ids: tensor<?x?xi64>) -> tensor<?x?x8xf32> {
  // CHECK: linalg.generic
  // CHECK: arith.cmpi slt
  // CHECK: arith.minsi
  // CHECK: arith.maxsi
  // CHECK: tensor.extract %{{.+}}[%{{.+}}, %{{.+}}] : tensor<100x8xf32>
  %0 = onnx.Gather(%w, %ids) : (tensor<100x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  return %0 : tensor<?x?x8xf32>
}

// -----

// Updates are written one after the other.
// CHECK-LABEL: @scatter_add
func.func @scatter_add(%data: tensor<4xf32>, %ids: tensor<3xi64>, %updates: tensor<3xf32>) -> tensor<4xf32> {
  // CHECK: scf.for
  // CHECK: %[[OLD:.+]] = tensor.extract
  // CHECK: %[[NEW:.+]] = arith.addf
  // CHECK: tensor.insert %[[NEW]]
  %0 = onnx.ScatterElements(%data, %ids, %updates) {reduction = "add"}
      : (tensor<4xf32>, tensor<3xi64>, tensor<3xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// CHECK-LABEL: @one_hot
func.func @one_hot(%ids: tensor<3xi64>, %values: tensor<2xf32>) -> tensor<3x5xf32> {
  // CHECK: linalg.index 1
  // CHECK: arith.cmpi eq
  %depth = onnx.Constant dense<5> : tensor<i64>
  %0 = onnx.OneHot(%ids, %depth, %values) : (tensor<3xi64>, tensor<i64>, tensor<2xf32>) -> tensor<3x5xf32>
  return %0 : tensor<3x5xf32>
}

// -----

// CHECK-LABEL: @range
func.func @range(%n: tensor<i64>) -> tensor<?xi64> {
  // CHECK: arith.maxsi
  // CHECK: linalg.index 0
  %start = onnx.Constant dense<0> : tensor<i64>
  %delta = onnx.Constant dense<1> : tensor<i64>
  %0 = onnx.Range(%start, %n, %delta) : (tensor<i64>, tensor<i64>, tensor<i64>) -> tensor<?xi64>
  return %0 : tensor<?xi64>
}

// -----

// CHECK-LABEL: @triangle
func.func @triangle(%x: tensor<?x?xf32>) -> tensor<?x?xf32> {
  // CHECK: arith.cmpi sge
  %none = onnx.NoValue
  %0 = onnx.Trilu(%x, %none) : (tensor<?x?xf32>, none) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// -----

// CHECK-LABEL: @cumsum
func.func @cumsum(%x: tensor<4x5xf32>) -> tensor<4x5xf32> {
  // CHECK: scf.for
  // CHECK: tensor.extract_slice %{{.+}}[0, %{{.+}}] [4, 1] [1, 1]
  // CHECK: tensor.insert_slice
  %axis = onnx.Constant dense<1> : tensor<i64>
  %0 = onnx.CumSum(%x, %axis) : (tensor<4x5xf32>, tensor<i64>) -> tensor<4x5xf32>
  return %0 : tensor<4x5xf32>
}

// -----

// CHECK-LABEL: @top_k
func.func @top_k(%x: tensor<4x?xf32>) -> (tensor<4x2xf32>, tensor<4x2xi64>) {
  // CHECK: cf.assert %{{.+}}, "onnx.TopK: K is more than the size of dimension 1"
  // CHECK: scf.for
  // CHECK: linalg.generic
  %k = onnx.Constant dense<2> : tensor<1xi64>
  %0, %1 = onnx.TopK(%x, %k) : (tensor<4x?xf32>, tensor<1xi64>) -> (tensor<4x2xf32>, tensor<4x2xi64>)
  return %0, %1 : tensor<4x2xf32>, tensor<4x2xi64>
}

// -----

// A negative pad crops.
// CHECK-LABEL: @pad
func.func @pad(%x: tensor<4x5xf32>) -> tensor<5x4xf32> {
  // CHECK: tensor.extract_slice %{{.+}}[0, 1] [4, 4] [1, 1]
  // CHECK: tensor.insert_slice %{{.+}} into %{{.+}}[1, 0] [4, 4] [1, 1]
  %pads = onnx.Constant dense<[1, -1, 0, 0]> : tensor<4xi64>
  %none = onnx.NoValue
  %0 = onnx.Pad(%x, %pads, %none, %none) : (tensor<4x5xf32>, tensor<4xi64>, none, none) -> tensor<5x4xf32>
  return %0 : tensor<5x4xf32>
}

// -----

// CHECK-LABEL: @tile
func.func @tile(%x: tensor<2x3xf32>) -> tensor<2x6xf32> {
  // CHECK: linalg.generic
  // CHECK: tensor.collapse_shape %{{.+}} {{\[}}[0], [1, 2]] : tensor<2x2x3xf32> into tensor<2x6xf32>
  %repeats = onnx.Constant dense<[1, 2]> : tensor<2xi64>
  %0 = onnx.Tile(%x, %repeats) : (tensor<2x3xf32>, tensor<2xi64>) -> tensor<2x6xf32>
  return %0 : tensor<2x6xf32>
}

// -----

// CHECK-DAG: #[[AXIS:.+]] = affine_map<(d0, d1) -> (d1)>
// CHECK-LABEL: @quantize
// CHECK-SAME: -> tensor<4x5xi8>
func.func @quantize(%x: tensor<4x5xf32>, %s: tensor<5xf32>, %z: tensor<5xui8>) -> tensor<4x5xui8> {
  // CHECK: linalg.generic {indexing_maps = [#{{.+}}, #[[AXIS]], #[[AXIS]], #{{.+}}]
  // CHECK: arith.divf
  // CHECK-NEXT: math.roundeven
  // CHECK: arith.fptoui
  %0 = onnx.QuantizeLinear(%x, %s, %z) : (tensor<4x5xf32>, tensor<5xf32>, tensor<5xui8>) -> tensor<4x5xui8>
  return %0 : tensor<4x5xui8>
}

// -----

// Blocks of 2 along the axis share a scale.
// CHECK-DAG: #[[BLOCK:.+]] = affine_map<(d0, d1) -> (d0, d1 floordiv 2)>
// CHECK-LABEL: @dequantize_blocked
func.func @dequantize_blocked(%x: tensor<4x6xi8>, %s: tensor<4x3xf32>) -> tensor<4x6xf32> {
  // CHECK: linalg.generic {indexing_maps = [#{{.+}}, #[[BLOCK]], #{{.+}}]
  %none = onnx.NoValue
  %0 = onnx.DequantizeLinear(%x, %s, %none) {block_size = 2 : i64} : (tensor<4x6xi8>, tensor<4x3xf32>, none) -> tensor<4x6xf32>
  return %0 : tensor<4x6xf32>
}
