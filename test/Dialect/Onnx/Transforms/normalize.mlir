// RUN: quant-opt %s --onnx-normalize | FileCheck %s
// RUN: quant-opt %s --onnx-normalize --onnx-normalize | FileCheck %s

// A decoder block's shape computations, in small: all of them go, and a graph
// that is normalized stays as it is.
// CHECK-LABEL: func.func @main
// CHECK-SAME: (%[[IDS:.+]]: tensor<?x?xi64>
func.func @main(%ids: tensor<?x?xi64> {onnx.dim_params = ["batch", "sequence"]}) -> tensor<*xf32> {
  %table = onnx.Constant dense<1.0> : tensor<32x16xf32>
  %w = onnx.Constant dense<0.5> : tensor<16x16xf32>
  %g = onnx.Constant dense<2.0> : tensor<16xf32>
  %two = onnx.Constant dense<2.0> : tensor<f32>
  %eps = onnx.Constant dense<1.0e-06> : tensor<f32>
  %last = onnx.Constant dense<-1> : tensor<1xi64>
  %c0 = onnx.Constant dense<0> : tensor<i64>
  %c1 = onnx.Constant dense<1> : tensor<i64>
  %axis = onnx.Constant dense<0> : tensor<1xi64>
  %heads = onnx.Constant dense<4> : tensor<1xi64>
  // CHECK: %[[X:.+]] = onnx.Gather(%{{.*}}, %[[IDS]])
  %x = onnx.Gather(%table, %ids) : (tensor<32x16xf32>, tensor<?x?xi64>) -> tensor<*xf32>
  // CHECK: %[[N:.+]] = onnx.RMSNormalization(%[[X]], %{{.*}})
  %0 = onnx.Pow(%x, %two) : (tensor<*xf32>, tensor<f32>) -> tensor<*xf32>
  %1 = onnx.ReduceMean(%0, %last) : (tensor<*xf32>, tensor<1xi64>) -> tensor<*xf32>
  %2 = onnx.Add(%1, %eps) : (tensor<*xf32>, tensor<f32>) -> tensor<*xf32>
  %3 = onnx.Sqrt(%2) : (tensor<*xf32>) -> tensor<*xf32>
  %4 = onnx.Div(%x, %3) : (tensor<*xf32>, tensor<*xf32>) -> tensor<*xf32>
  %n = onnx.Mul(%4, %g) : (tensor<*xf32>, tensor<16xf32>) -> tensor<*xf32>
  // CHECK: %[[Q:.+]] = onnx.MatMul(%[[N]], %{{.*}}) : {{.*}} -> tensor<?x?x16xf32>
  %q = onnx.MatMul(%n, %w) : (tensor<*xf32>, tensor<16x16xf32>) -> tensor<*xf32>
  %shape = onnx.Shape(%n) : (tensor<*xf32>) -> tensor<*xi64>
  %b = onnx.Gather(%shape, %c0) : (tensor<*xi64>, tensor<i64>) -> tensor<*xi64>
  %s = onnx.Gather(%shape, %c1) : (tensor<*xi64>, tensor<i64>) -> tensor<*xi64>
  %b1 = onnx.Unsqueeze(%b, %axis) : (tensor<*xi64>, tensor<1xi64>) -> tensor<*xi64>
  %s1 = onnx.Unsqueeze(%s, %axis) : (tensor<*xi64>, tensor<1xi64>) -> tensor<*xi64>
  %to = onnx.Concat(%b1, %s1, %heads, %last) {axis = 0 : i64}
      : (tensor<*xi64>, tensor<*xi64>, tensor<1xi64>, tensor<1xi64>) -> tensor<*xi64>
  // CHECK: %[[R:.+]] = onnx.Reshape(%[[Q]], %{{.*}}) : {{.*}} -> tensor<?x?x4x4xf32>
  %y = onnx.Reshape(%q, %to) : (tensor<*xf32>, tensor<*xi64>) -> tensor<*xf32>
  // CHECK: onnx.Transpose(%[[R]])
  // CHECK-NEXT: return
  %z = onnx.Transpose(%y) {perm = array<i64: 0, 2, 1, 3>} : (tensor<*xf32>) -> tensor<*xf32>
  return %z : tensor<*xf32>
}
