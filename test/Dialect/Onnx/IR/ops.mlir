// RUN: quant-opt < %s | quant-opt | FileCheck %s
// RUN: quant-opt < %s --mlir-print-op-generic | quant-opt | FileCheck %s
// RUN: quant-opt < %s --emit-bytecode | quant-opt | FileCheck %s

// The ops and types that are not generated; the others are in
// generated-ops.mlir.

// CHECK-LABEL: func.func @constants
func.func @constants() {
  // CHECK: onnx.Constant dense<[1, 2]> : tensor<2xi64>
  %0 = onnx.Constant dense<[1, 2]> : tensor<2xi64>
  // CHECK: onnx.Constant dense<["a", "b"]> : tensor<2x!onnx.string>
  %1 = onnx.Constant dense<["a", "b"]> : tensor<2x!onnx.string>
  // CHECK: onnx.Constant #lowbit.external<"model.onnx.data", offset = 16, length = 32> : tensor<2x4xf32>
  %2 = onnx.Constant #lowbit.external<"model.onnx.data", offset = 16, length = 32> : tensor<2x4xf32>
  // CHECK: onnx.NoValue
  %3 = onnx.NoValue
  return
}

// CHECK-LABEL: func.func private @types
// CHECK-SAME: !onnx.unknown
// CHECK-SAME: !onnx.seq<tensor<?xf32>>
// CHECK-SAME: !onnx.opt<!onnx.seq<tensor<f32>>>
// CHECK-SAME: !onnx.map<i64, tensor<f32>>
// CHECK-SAME: !onnx.sparse_tensor<tensor<8x8xf32>>
func.func private @types(!onnx.unknown, !onnx.seq<tensor<?xf32>>,
                 !onnx.opt<!onnx.seq<tensor<f32>>>,
                 !onnx.map<i64, tensor<f32>>,
                 !onnx.sparse_tensor<tensor<8x8xf32>>)

// CHECK-LABEL: func.func @custom
func.func @custom(%a: tensor<?xf32>, %b: tensor<?xf32>, %cond: tensor<i1>)
    -> tensor<?xf32> {
  // CHECK: onnx.Custom "FusedMatMul"(%{{.*}}, %{{.*}}) opset(1)
  // CHECK-SAME: domain = "com.microsoft"
  // CHECK-SAME: node_attributes = {alpha = 1.250000e-01 : f32}
  // CHECK-SAME: (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  %0 = onnx.Custom "FusedMatMul"(%a, %b) opset(1) {
         domain = "com.microsoft", node_attributes = {alpha = 0.125 : f32}
       } : (tensor<?xf32>, tensor<?xf32>) -> tensor<?xf32>
  // CHECK: onnx.Custom "If"(%{{.*}}) opset(17) graphs ["then_branch", "else_branch"] {
  // CHECK-NEXT: onnx.Yield %{{.*}} : tensor<?xf32>
  // CHECK-NEXT: }, {
  // CHECK-NEXT: onnx.Yield %{{.*}} : tensor<?xf32>
  // CHECK-NEXT: } : (tensor<i1>) -> tensor<?xf32>
  %1 = onnx.Custom "If"(%cond) opset(17) graphs ["then_branch", "else_branch"] {
    onnx.Yield %a : tensor<?xf32>
  }, {
    onnx.Yield %0 : tensor<?xf32>
  } : (tensor<i1>) -> tensor<?xf32>
  return %1 : tensor<?xf32>
}

// Model inputs and outputs keep their names and those of their dimensions.
// CHECK-LABEL: func.func @names
// CHECK-SAME: onnx.dim_params = ["batch", ""], onnx.name = "input_ids"
func.func @names(%ids: tensor<?x4xi64> {onnx.name = "input_ids",
                                        onnx.dim_params = ["batch", ""]}) {
  return
}
