// RUN: not quant-opt %s --convert-onnx-to-linalg 2>&1 | FileCheck %s

// Nodes are called by the names that they have in the model.
// CHECK-DAG: error: {{.+}}: node 'fused' of operator com.microsoft.FusedMatMul (opset 1) cannot be lowered
// CHECK-DAG: error: {{.+}}: 'onnx.ReduceSum' op 'total' cannot be lowered to linalg: 'axes' must be constant
// CHECK: error: {{.*}}2 nodes cannot be lowered to linalg: 1 of com.microsoft.FusedMatMul (opset 1), 1 of ai.onnx.ReduceSum (opset 24)
func.func @names(%a: tensor<4x4xf32>, %axes: tensor<?xi64>) -> tensor<?x?xf32> {
  %0 = onnx.Custom "FusedMatMul"(%a, %a) opset(1) {domain = "com.microsoft"} : (tensor<4x4xf32>, tensor<4x4xf32>) -> tensor<4x4xf32> loc("fused")
  %1 = onnx.ReduceSum(%0, %axes) {keepdims = 0 : i64} : (tensor<4x4xf32>, tensor<?xi64>) -> tensor<?x?xf32> loc("total")
  return %1 : tensor<?x?xf32>
}
