// RUN: not quant-opt %s --convert-onnx-to-linalg 2>&1 | FileCheck %s

// Nodes are called by the names that they have in the model.
// CHECK-DAG: loc("fused"){{.+}}node 'fused' of operator com.microsoft.FusedMatMul (opset 1) cannot be lowered
// CHECK-DAG: loc("total"){{.+}}'onnx.CumSum' op 'total' cannot be lowered to linalg: 'axis' must be constant
// CHECK: error: 2 nodes cannot be lowered to linalg: 1 of com.microsoft.FusedMatMul (opset 1), 1 of ai.onnx.CumSum (opset 24)
func.func @names(%a: tensor<4x4xf32>, %axis: tensor<i64>) -> tensor<4x4xf32> {
  %0 = onnx.Custom "FusedMatMul"(%a, %a) opset(1) {domain = "com.microsoft"} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32> loc("fused")
  %1 = onnx.CumSum(%0, %axis) : (tensor<4x4xf32>, tensor<i64>) -> tensor<4x4xf32> loc("total")
  return %1 : tensor<4x4xf32>
}
