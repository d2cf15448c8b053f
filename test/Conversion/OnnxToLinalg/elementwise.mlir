// RUN: quant-opt %s -split-input-file --convert-onnx-to-linalg --cse | FileCheck %s

// Operands of one shape: one generic with identity maps.
// CHECK-LABEL: @same_shape
func.func @same_shape(%a: tensor<2x3xf32>, %b: tensor<2x3xf32>) -> tensor<2x3xf32> {
  // CHECK: %[[INIT:.+]] = tensor.empty() : tensor<2x3xf32>
  // CHECK: linalg.generic
  // CHECK-SAME: iterator_types = ["parallel", "parallel"]
  // CHECK-SAME: ins(%{{.+}}, %{{.+}} : tensor<2x3xf32>, tensor<2x3xf32>) outs(%[[INIT]] : tensor<2x3xf32>)
  // CHECK: arith.addf
  %0 = onnx.Add(%a, %b) : (tensor<2x3xf32>, tensor<2x3xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

// What is known to broadcast does so through the indexing maps.
// CHECK-DAG: #[[ROW:.+]] = affine_map<(d0, d1) -> (d1)>
// CHECK-DAG: #[[COLUMN:.+]] = affine_map<(d0, d1) -> (d0, 0)>
// CHECK-DAG: #[[ID:.+]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-LABEL: @static_broadcast
func.func @static_broadcast(%a: tensor<3xf32>, %b: tensor<2x1xf32>) -> tensor<2x3xf32> {
  // CHECK-NOT: scf.if
  // CHECK: linalg.generic {indexing_maps = [#[[ROW]], #[[COLUMN]], #[[ID]]]
  %0 = onnx.Mul(%a, %b) : (tensor<3xf32>, tensor<2x1xf32>) -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

// Two unknown sizes: either may be 1, else they must be equal.
// CHECK-LABEL: @undecided_broadcast
func.func @undecided_broadcast(%a: tensor<?xf32>, %b: tensor<?xf32>) -> tensor<?xf32> {
  // CHECK: %[[A:.+]] = tensor.dim %[[X:.+]], %
  // CHECK: %[[B:.+]] = tensor.dim %[[Y:.+]], %
  // CHECK: %[[ONE:.+]] = arith.cmpi eq, %[[A]], %
  // CHECK: %[[SIZE:.+]] = arith.select %[[ONE]], %[[B]], %[[A]]
  // CHECK: cf.assert %{{.+}}, "onnx.Add: operands do not broadcast at dimension -1"
  // CHECK: scf.if
  // CHECK: scf.yield %[[X]]
  // CHECK: else
  // CHECK: tensor.extract %[[X]]
  %0 = onnx.Add(%a, %b) : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

// One value is equal to itself, whatever its sizes.
// CHECK-LABEL: @same_value
func.func @same_value(%a: tensor<?x?xf32>) -> tensor<?x?xf32> {
  // CHECK-NOT: cf.assert
  // CHECK-NOT: scf.if
  // CHECK: arith.mulf
  %0 = onnx.Mul(%a, %a) : (tensor<?x?xf32>, tensor<?x?xf32>) -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// -----

// A scalar constant is not an operand of the generic.
// CHECK-LABEL: @scalar_constant
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<4xf32>
func.func @scalar_constant(%a: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK-DAG: %[[TWO:.+]] = arith.constant 2.000000e+00 : f32
  // CHECK: linalg.generic {{.+}} ins(%[[X]] : tensor<4xf32>)
  // CHECK: arith.divf %{{.+}}, %[[TWO]]
  %0 = onnx.Constant dense<2.0> : tensor<f32>
  %1 = onnx.Div(%a, %0) : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// -----

// Integer division does not trap: 0 and -1 are taken out of the divisor.
// CHECK-LABEL: @integer_division
func.func @integer_division(%a: tensor<4xi32>, %b: tensor<4xi32>) -> tensor<4xi32> {
  // CHECK: %[[SAFE:.+]] = arith.select %{{.+}}, %{{.+}}, %[[Y:.+]] : i32
  // CHECK: arith.divsi %{{.+}}, %[[SAFE]]
  %0 = onnx.Div(%a, %b) : (tensor<4xi32>, tensor<4xi32>) -> tensor<4xi32>
  return %0 : tensor<4xi32>
}

// -----

// Unsigned integers are signless in linalg; the ops know what they mean.
// CHECK-LABEL: @unsigned
// CHECK-SAME: (%{{.+}}: tensor<4xi8>, %{{.+}}: tensor<4xi8>) -> tensor<4xi8>
func.func @unsigned(%a: tensor<4xui8>, %b: tensor<4xui8>) -> tensor<4xui8> {
  // CHECK: arith.maxui
  %0 = onnx.Max(%a, %b) : (tensor<4xui8>, tensor<4xui8>) -> tensor<4xui8>
  return %0 : tensor<4xui8>
}

// -----

// A float that does not fit an integer saturates, and NaN becomes 0.
// CHECK-LABEL: @cast_to_integer
func.func @cast_to_integer(%a: tensor<4xf32>) -> tensor<4xi8> {
  // CHECK: arith.fptosi
  // CHECK: arith.cmpf oge
  // CHECK: arith.cmpf ole
  // CHECK: arith.cmpf uno
  %0 = onnx.Cast(%a) {to = i8} : (tensor<4xf32>) -> tensor<4xi8>
  return %0 : tensor<4xi8>
}

// -----

// CHECK-LABEL: @cast_to_bool
func.func @cast_to_bool(%a: tensor<4xf32>) -> tensor<4xi1> {
  // CHECK: arith.cmpf une
  %0 = onnx.Cast(%a) {to = i1} : (tensor<4xf32>) -> tensor<4xi1>
  return %0 : tensor<4xi1>
}

// -----

// Powers that a language model uses need no call of pow.
// CHECK-LABEL: @square
func.func @square(%a: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK-NOT: math.powf
  // CHECK: arith.mulf
  %0 = onnx.Constant dense<2.0> : tensor<f32>
  %1 = onnx.Pow(%a, %0) : (tensor<4xf32>, tensor<f32>) -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// -----

// NaN passes through the comparisons of a clip.
// CHECK-LABEL: @clip_max
func.func @clip_max(%a: tensor<4xf32>, %max: tensor<f32>) -> tensor<4xf32> {
  // CHECK: %[[ABOVE:.+]] = arith.cmpf ogt, %[[X:.+]], %[[MAX:.+]] : f32
  // CHECK: arith.select %[[ABOVE]], %[[MAX]], %[[X]]
  %none = onnx.NoValue
  %0 = onnx.Clip(%a, %none, %max) : (tensor<4xf32>, none, tensor<f32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
