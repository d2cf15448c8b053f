// RUN: quant-opt %s --data-free-smooth="alpha=1 deviations=1" -split-input-file -verify-diagnostics | FileCheck %s
// RUN: quant-opt %s --data-free-smooth="alpha=1 deviations=1 equalize=false" -split-input-file 2>/dev/null | FileCheck %s --check-prefix=NORMS

// With alpha = 1 the factor is the magnitude, here |bias| + |scale|.
// CHECK-LABEL: @layer_norm
// CHECK-DAG: %[[SCALE:.*]] = onnx.Constant dense<[5.000000e-01, 1.000000e+00]>
// CHECK-DAG: %[[BIAS:.*]] = onnx.Constant dense<[-5.000000e-01, 0.000000e+00]>
// CHECK: %[[Y:.*]], %{{.*}}, %{{.*}} = onnx.LayerNormalization(%{{.*}}, %[[SCALE]], %[[BIAS]])
// CHECK: %[[Q:.*]] = onnx.Constant dense<{{\[}}[4.000000e+00, 8.000000e+00, 1.200000e+01], [2.000000e+00, 2.000000e+00, 2.000000e+00]]>
// CHECK: onnx.MatMul(%[[Y]], %[[Q]])
// CHECK: %[[K:.*]] = onnx.Constant dense<{{\[}}[4.000000e+00, 2.000000e+00]]>
// CHECK: onnx.Gemm(%[[Y]], %[[K]], %{{.*}}) {transB = 1 : i64}
func.func @layer_norm(%x: tensor<?x2xf32>) -> (tensor<?x3xf32>, tensor<?x1xf32>) {
  %none = onnx.NoValue
  %scale = onnx.Constant dense<[2.0, 2.0]> : tensor<2xf32>
  %bias = onnx.Constant dense<[-2.0, 0.0]> : tensor<2xf32>
  %y, %mean, %dev = onnx.LayerNormalization(%x, %scale, %bias) : (tensor<?x2xf32>, tensor<2xf32>, tensor<2xf32>) -> (tensor<?x2xf32>, none, none)
  %wq = onnx.Constant dense<[[1.0, 2.0, 3.0], [1.0, 1.0, 1.0]]> : tensor<2x3xf32>
  %wk = onnx.Constant dense<[[1.0, 1.0]]> : tensor<1x2xf32>
  %q = onnx.MatMul(%y, %wq) : (tensor<?x2xf32>, tensor<2x3xf32>) -> tensor<?x3xf32>
  %k = onnx.Gemm(%y, %wk, %none) {transB = 1 : i64} : (tensor<?x2xf32>, tensor<1x2xf32>, none) -> tensor<?x1xf32>
  return %q, %k : tensor<?x3xf32>, tensor<?x1xf32>
}

// -----

// A constant that other norms use stays as it is for them.
// CHECK-LABEL: @shared_scale
// CHECK-DAG: %[[ONE:.*]] = onnx.Constant dense<1.000000e+00> : tensor<2xf32>
// CHECK-DAG: %[[FOUR:.*]] = onnx.Constant dense<4.000000e+00> : tensor<2xf32>
// CHECK: onnx.RMSNormalization(%{{.*}}, %[[ONE]])
// CHECK: onnx.RMSNormalization(%{{.*}}, %[[FOUR]])
func.func @shared_scale(%x: tensor<?x2xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>) {
  %scale = onnx.Constant dense<4.0> : tensor<2xf32>
  %w = onnx.Constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %n = onnx.RMSNormalization(%x, %scale) : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %y = onnx.MatMul(%n, %w) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  // expected-remark @below {{is not smoothed: the values are a result of the model}}
  %m = onnx.RMSNormalization(%y, %scale) : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  return %y, %m : tensor<?x2xf32>, tensor<?x2xf32>
}

// -----

// Rows of 4 and 1, columns of 1 and 4: both become 2. The bias goes along.
// CHECK-LABEL: @relu
// CHECK-DAG: onnx.Constant dense<{{\[}}[2.000000e+00, 2.000000e+00], [1.000000e+00, -2.000000e+00]]>
// CHECK-DAG: onnx.Constant dense<[3.000000e+00, 6.000000e+00]>
// CHECK-DAG: onnx.Constant dense<{{\[}}[2.000000e+00, -1.000000e+00], [2.000000e+00, 2.000000e+00]]>
// NORMS-LABEL: @relu
// NORMS: onnx.Constant dense<{{\[}}[4.000000e+00, 1.000000e+00], [2.000000e+00, -1.000000e+00]]>
func.func @relu(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %w1 = onnx.Constant dense<[[4.0, 1.0], [2.0, -1.0]]> : tensor<2x2xf32>
  %b = onnx.Constant dense<[6.0, 3.0]> : tensor<2xf32>
  %w2 = onnx.Constant dense<[[1.0, -0.5], [4.0, 4.0]]> : tensor<2x2xf32>
  %0 = onnx.MatMul(%x, %w1) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %1 = onnx.Add(%0, %b) : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %2 = onnx.Relu(%1) : (tensor<?x2xf32>) -> tensor<?x2xf32>
  %3 = onnx.MatMul(%2, %w2) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %3 : tensor<?x2xf32>
}

// -----

// Only `up` is linear in a gated MLP; a channel that nothing writes stays.
// CHECK-LABEL: @gated
// CHECK-DAG: %[[GATE:.*]] = onnx.Constant dense<{{\[}}[1.000000e+00, 9.000000e+00]]>
// CHECK-DAG: %[[UP:.*]] = onnx.Constant dense<{{\[}}[2.000000e+00, 0.000000e+00]]>
// CHECK-DAG: %[[DOWN:.*]] = onnx.Constant dense<{{\[}}[2.000000e+00], [5.000000e+00]]>
func.func @gated(%x: tensor<?x1xf32>) -> tensor<?x1xf32> {
  %wg = onnx.Constant dense<[[1.0, 9.0]]> : tensor<1x2xf32>
  %wu = onnx.Constant dense<[[4.0, 0.0]]> : tensor<1x2xf32>
  %wd = onnx.Constant dense<[[1.0], [5.0]]> : tensor<2x1xf32>
  %g = onnx.MatMul(%x, %wg) : (tensor<?x1xf32>, tensor<1x2xf32>) -> tensor<?x2xf32>
  %s = onnx.Swish(%g) : (tensor<?x2xf32>) -> tensor<?x2xf32>
  %u = onnx.MatMul(%x, %wu) : (tensor<?x1xf32>, tensor<1x2xf32>) -> tensor<?x2xf32>
  %m = onnx.Mul(%s, %u) : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  %d = onnx.MatMul(%m, %wd) : (tensor<?x2xf32>, tensor<2x1xf32>) -> tensor<?x1xf32>
  return %d : tensor<?x1xf32>
}

// -----

// One value head for two query heads: the largest of both counts, and both are
// multiplied by the same factors.
// CHECK-LABEL: @heads
// CHECK-DAG: onnx.Constant dense<{{\[}}[2.000000e+00, 1.000000e+00]]>
// CHECK-DAG: onnx.Constant dense<{{\[}}[2.000000e+00], [1.000000e+00], [1.000000e+00], [5.000000e-01]]>
func.func @heads(%q: tensor<1x2x?x2xf32>, %k: tensor<1x1x?x2xf32>, %x: tensor<1x?x1xf32>) -> tensor<1x?x1xf32> {
  %none = onnx.NoValue
  %split = onnx.Constant dense<[1, -1, 1, 2]> : tensor<4xi64>
  %merge = onnx.Constant dense<[1, -1, 4]> : tensor<3xi64>
  %wv = onnx.Constant dense<[[4.0, 1.0]]> : tensor<1x2xf32>
  %wo = onnx.Constant dense<[[1.0], [1.0], [0.5], [0.5]]> : tensor<4x1xf32>
  %v = onnx.MatMul(%x, %wv) : (tensor<1x?x1xf32>, tensor<1x2xf32>) -> tensor<1x?x2xf32>
  %r = onnx.Reshape(%v, %split) : (tensor<1x?x2xf32>, tensor<4xi64>) -> tensor<1x?x1x2xf32>
  %t = onnx.Transpose(%r) {perm = array<i64: 0, 2, 1, 3>} : (tensor<1x?x1x2xf32>) -> tensor<1x1x?x2xf32>
  %a, %pk, %pv, %qk = onnx.Attention(%q, %k, %t, %none, %none, %none, %none) : (tensor<1x2x?x2xf32>, tensor<1x1x?x2xf32>, tensor<1x1x?x2xf32>, none, none, none, none) -> (tensor<1x2x?x2xf32>, none, none, none)
  %u = onnx.Transpose(%a) {perm = array<i64: 0, 2, 1, 3>} : (tensor<1x2x?x2xf32>) -> tensor<1x?x2x2xf32>
  %m = onnx.Reshape(%u, %merge) : (tensor<1x?x2x2xf32>, tensor<3xi64>) -> tensor<1x?x4xf32>
  %o = onnx.MatMul(%m, %wo) : (tensor<1x?x4xf32>, tensor<4x1xf32>) -> tensor<1x?x1xf32>
  return %o : tensor<1x?x1xf32>
}

// -----

// What reads the values of a norm must be layers: not a sum, as after the norms
// of BERT, nor something else. Nothing is changed then.
// CHECK-LABEL: @refusals
// CHECK: %[[TWO:.*]] = onnx.Constant dense<2.000000e+00>
// CHECK: onnx.RMSNormalization(%{{.*}}, %[[TWO]])
// CHECK: onnx.RMSNormalization(%{{.*}}, %[[TWO]])
// expected-warning @-8 {{there are no channels to smooth}}
func.func @refusals(%x: tensor<?x2xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>) {
  %two = onnx.Constant dense<2.0> : tensor<2xf32>
  %w = onnx.Constant dense<1.0> : tensor<2x2xf32>
  // expected-remark @unknown {{'a' (onnx.RMSNormalization) is not smoothed: 'sum' (onnx.Add) adds something else to the values}}
  %a = onnx.RMSNormalization(%x, %two) : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32> loc("a")
  %u = onnx.MatMul(%a, %w) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %s = onnx.Add(%a, %u) : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32> loc("sum")
  // expected-remark @below {{is not smoothed: 'act' (onnx.Swish) reads the values and does not pass on factors}}
  %b = onnx.RMSNormalization(%x, %two) {epsilon = 1.0e-3 : f32} : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %r = onnx.Swish(%b) : (tensor<?x2xf32>) -> tensor<?x2xf32> loc("act")
  %v = onnx.MatMul(%r, %w) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %s, %v : tensor<?x2xf32>, tensor<?x2xf32>
}
