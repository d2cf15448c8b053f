// RUN: quant-opt %s --rotate=randomize=false -split-input-file -verify-diagnostics | FileCheck %s
// RUN: quant-opt %s --rotate="randomize=false online=none" -split-input-file 2>/dev/null | FileCheck %s --check-prefix=NONE
// RUN: quant-opt %s --rotate="randomize=false online=all" -split-input-file 2>/dev/null | FileCheck %s --check-prefix=ALL
// RUN: quant-opt %s --rotate -split-input-file 2>/dev/null | FileCheck %s --check-prefix=RANDOM

// H / 2 of order 4 has the rows ++++, +-+-, ++--, +--+, over 2. Scales go into
// the layers: the head is (2, 0, 0, 0) before it is rotated.
// CHECK-LABEL: @root_mean_square
// CHECK: %[[TABLE:.*]] = onnx.Constant dense<{{\[}}[1.000000e+00, 1.000000e+00, 1.000000e+00, 1.000000e+00], [1.000000e+00, -1.000000e+00, 1.000000e+00, -1.000000e+00]]>
// CHECK: onnx.Gather(%[[TABLE]]
// CHECK: onnx.RMSNormalization(%{{.*}}, %{{.*}})
// CHECK: %[[ONES:.*]] = onnx.Constant dense<1.000000e+00> : tensor<4xf32>
// CHECK: onnx.RMSNormalization(%{{.*}}, %[[ONES]])
// CHECK: %[[HEAD:.*]] = onnx.Constant dense<1.000000e+00> : tensor<4x1xf32>
// CHECK: onnx.MatMul(%{{.*}}, %[[HEAD]])
// CHECK-NOT: lowbit.hadamard
// RANDOM-LABEL: @root_mean_square
// RANDOM-NOT: dense<{{\[}}[1.000000e+00, 1.000000e+00, 1.000000e+00, 1.000000e+00], [1.000000e+00, -1.000000e+00, 1.000000e+00, -1.000000e+00]]>
// RANDOM: return
func.func @root_mean_square(%t: tensor<?xi64>) -> tensor<?x1xf32> {
  %table = onnx.Constant dense<[[2.0, 0.0, 0.0, 0.0], [0.0, 2.0, 0.0, 0.0]]> : tensor<2x4xf32>
  %s1 = onnx.Constant dense<[1.0, -2.0, 3.0, 0.0]> : tensor<4xf32>
  %s2 = onnx.Constant dense<2.0> : tensor<4xf32>
  %w = onnx.Constant dense<0.5> : tensor<4x4xf32>
  %head = onnx.Constant dense<[[1.0], [0.0], [0.0], [0.0]]> : tensor<4x1xf32>
  %x = onnx.Gather(%table, %t) : (tensor<2x4xf32>, tensor<?xi64>) -> tensor<?x4xf32>
  %a = onnx.RMSNormalization(%x, %s1) : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %b = onnx.MatMul(%a, %w) : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32>
  %c = onnx.Add(%x, %b) : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %d = onnx.RMSNormalization(%c, %s2) : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %y = onnx.MatMul(%d, %head) : (tensor<?x4xf32>, tensor<4x1xf32>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}

// -----

// Writers lose their mean, so that the root mean square is the deviation. The
// bias of the norm goes through the head.
// CHECK-LABEL: @layer_norm
// CHECK: onnx.Constant dense<{{\[}}[0.000000e+00, 1.000000e+00, 1.000000e+00, 1.000000e+00]]>
// CHECK: onnx.Add(
// CHECK-NOT: onnx.LayerNormalization
// CHECK: %[[NORM:.*]] = onnx.RMSNormalization(%{{.*}}, %{{.*}}) {epsilon = 1.000000e-03 : f32}
// CHECK: %[[Y:.*]] = onnx.MatMul(%[[NORM]]
// CHECK: %[[BIAS:.*]] = onnx.Constant dense<[5.000000e+00, 2.000000e+00]>
// CHECK: %[[SUM:.*]] = onnx.Add(%[[Y]], %[[BIAS]])
// CHECK: return %[[SUM]]
func.func @layer_norm(%t: tensor<?xi64>) -> tensor<?x2xf32> {
  %table = onnx.Constant dense<[[2.0, 0.0, 0.0, 0.0]]> : tensor<1x4xf32>
  %scale = onnx.Constant dense<1.0> : tensor<4xf32>
  %bias = onnx.Constant dense<[1.0, 0.0, 2.0, 0.0]> : tensor<4xf32>
  %head = onnx.Constant dense<[[1.0, 0.0], [0.0, 7.0], [2.0, 1.0], [0.0, 8.0]]> : tensor<4x2xf32>
  %x = onnx.Gather(%table, %t) : (tensor<1x4xf32>, tensor<?xi64>) -> tensor<?x4xf32>
  %c = onnx.Add(%x, %x) : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %d, %mean, %dev = onnx.LayerNormalization(%c, %scale, %bias) {epsilon = 1.0e-3 : f32} : (tensor<?x4xf32>, tensor<4xf32>, tensor<4xf32>) -> (tensor<?x4xf32>, none, none)
  %y = onnx.MatMul(%d, %head) : (tensor<?x4xf32>, tensor<4x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// Values within heads (of 4 channels), the input of the last layer while the
// model runs. 6 channels are 3 blocks of 2.
// CHECK-LABEL: @block
// CHECK: onnx.Constant dense<1.000000e+00> : tensor<1x4xf32>
// CHECK: onnx.Attention
// CHECK-NOT: lowbit.hadamard
// CHECK: %[[R:.*]] = onnx.Relu
// CHECK: %[[H:.*]] = lowbit.hadamard %[[R]] {block = 2 : i64} : tensor<1x?x6xf32>
// CHECK: onnx.MatMul(%[[H]]
// NONE-LABEL: @block
// NONE: onnx.Constant dense<1.000000e+00> : tensor<1x4xf32>
// NONE-NOT: lowbit.hadamard
// ALL-LABEL: @block
// ALL: onnx.Constant dense<{{\[}}[2.000000e+00, 0.000000e+00, 0.000000e+00, 0.000000e+00]]>
// ALL: onnx.Attention
// ALL: lowbit.hadamard %{{.*}} {block = 8 : i64} : tensor<1x?x8xf32>
// ALL: onnx.MatMul
// ALL: lowbit.hadamard %{{.*}} {block = 2 : i64} : tensor<1x?x6xf32>
func.func @block(%q: tensor<1x2x?x4xf32>, %k: tensor<1x1x?x4xf32>, %t: tensor<1x?xi64>, %z: tensor<1x?x1xf32>) -> tensor<1x?x1xf32> {
  %none = onnx.NoValue
  %split = onnx.Constant dense<[1, -1, 1, 4]> : tensor<4xi64>
  %merge = onnx.Constant dense<[1, -1, 8]> : tensor<3xi64>
  %table = onnx.Constant dense<1.0> : tensor<1x2xf32>
  %scale = onnx.Constant dense<1.0> : tensor<2xf32>
  %wv = onnx.Constant dense<[[2.0, 0.0, 0.0, 0.0]]> : tensor<1x4xf32>
  %wo = onnx.Constant dense<1.0> : tensor<8x2xf32>
  %wu = onnx.Constant dense<1.0> : tensor<2x6xf32>
  %wd = onnx.Constant dense<1.0> : tensor<6x2xf32>
  %head = onnx.Constant dense<1.0> : tensor<2x1xf32>
  %x = onnx.Gather(%table, %t) : (tensor<1x2xf32>, tensor<1x?xi64>) -> tensor<1x?x2xf32>
  %v = onnx.MatMul(%z, %wv) : (tensor<1x?x1xf32>, tensor<1x4xf32>) -> tensor<1x?x4xf32>
  %v4 = onnx.Reshape(%v, %split) : (tensor<1x?x4xf32>, tensor<4xi64>) -> tensor<1x?x1x4xf32>
  %vt = onnx.Transpose(%v4) {perm = array<i64: 0, 2, 1, 3>} : (tensor<1x?x1x4xf32>) -> tensor<1x1x?x4xf32>
  %a, %pk, %pv, %qk = onnx.Attention(%q, %k, %vt, %none, %none, %none, %none) : (tensor<1x2x?x4xf32>, tensor<1x1x?x4xf32>, tensor<1x1x?x4xf32>, none, none, none, none) -> (tensor<1x2x?x4xf32>, none, none, none)
  %at = onnx.Transpose(%a) {perm = array<i64: 0, 2, 1, 3>} : (tensor<1x2x?x4xf32>) -> tensor<1x?x2x4xf32>
  %am = onnx.Reshape(%at, %merge) : (tensor<1x?x2x4xf32>, tensor<3xi64>) -> tensor<1x?x8xf32>
  %o = onnx.MatMul(%am, %wo) : (tensor<1x?x8xf32>, tensor<8x2xf32>) -> tensor<1x?x2xf32>
  %x1 = onnx.Add(%x, %o) : (tensor<1x?x2xf32>, tensor<1x?x2xf32>) -> tensor<1x?x2xf32>
  %n = onnx.RMSNormalization(%x1, %scale) : (tensor<1x?x2xf32>, tensor<2xf32>) -> tensor<1x?x2xf32>
  %u = onnx.MatMul(%n, %wu) : (tensor<1x?x2xf32>, tensor<2x6xf32>) -> tensor<1x?x6xf32>
  %r = onnx.Relu(%u) : (tensor<1x?x6xf32>) -> tensor<1x?x6xf32>
  // expected-remark @unknown {{'down' (onnx.MatMul): 6 channels are rotated in blocks of 2, for lack of a Hadamard matrix of order 6}}
  %d = onnx.MatMul(%r, %wd) : (tensor<1x?x6xf32>, tensor<6x2xf32>) -> tensor<1x?x2xf32> loc("down")
  %x2 = onnx.Add(%x1, %d) : (tensor<1x?x2xf32>, tensor<1x?x2xf32>) -> tensor<1x?x2xf32>
  %y = onnx.MatMul(%x2, %head) : (tensor<1x?x2xf32>, tensor<2x1xf32>) -> tensor<1x?x1xf32>
  return %y : tensor<1x?x1xf32>
}

// -----

// A table that is the head, too, becomes two: the scale and the rotation are not
// the same on both sides.
// CHECK-LABEL: @tied
// CHECK: %[[TABLE:.*]] = onnx.Constant dense<1.000000e+00> : tensor<1x4xf32>
// CHECK: onnx.Gather(%[[TABLE]]
// CHECK: %[[HEAD:.*]] = onnx.Constant dense<3.000000e+00> : tensor<{{1x4|4x1}}xf32>
func.func @tied(%t: tensor<?xi64>) -> tensor<?x1xf32> {
  %table = onnx.Constant dense<[[2.0, 0.0, 0.0, 0.0]]> : tensor<1x4xf32>
  %scale = onnx.Constant dense<3.0> : tensor<4xf32>
  %none = onnx.NoValue
  // expected-remark @unknown {{'embedding' (onnx.Gather) shares its table with other operations and gets one of its own: 16 bytes more}}
  %x = onnx.Gather(%table, %t) : (tensor<1x4xf32>, tensor<?xi64>) -> tensor<?x4xf32> loc("embedding")
  %c = onnx.Add(%x, %x) : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %d = onnx.RMSNormalization(%c, %scale) : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %y = onnx.Gemm(%d, %table, %none) {transB = 1 : i64} : (tensor<?x4xf32>, tensor<1x4xf32>, none) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}

// -----

// A cache of values is a result of the model, which stays what it is.
// CHECK-LABEL: @cache
// CHECK: onnx.Constant dense<{{\[}}[2.000000e+00, 0.000000e+00]]>
func.func @cache(%q: tensor<1x1x?x2xf32>, %k: tensor<1x1x?x2xf32>, %t: tensor<1x?xi64>, %z: tensor<1x?x1xf32>, %past: tensor<1x1x?x2xf32>) -> (tensor<1x?x1xf32>, tensor<1x1x?x2xf32>) {
  %none = onnx.NoValue
  %split = onnx.Constant dense<[1, 1, -1, 2]> : tensor<4xi64>
  %merge = onnx.Constant dense<[1, -1, 2]> : tensor<3xi64>
  %table = onnx.Constant dense<1.0> : tensor<1x2xf32>
  %scale = onnx.Constant dense<1.0> : tensor<2xf32>
  %wv = onnx.Constant dense<[[2.0, 0.0]]> : tensor<1x2xf32>
  %wo = onnx.Constant dense<1.0> : tensor<2x2xf32>
  %head = onnx.Constant dense<1.0> : tensor<2x1xf32>
  %x = onnx.Gather(%table, %t) : (tensor<1x2xf32>, tensor<1x?xi64>) -> tensor<1x?x2xf32>
  %v = onnx.MatMul(%z, %wv) : (tensor<1x?x1xf32>, tensor<1x2xf32>) -> tensor<1x?x2xf32>
  %v4 = onnx.Reshape(%v, %split) : (tensor<1x?x2xf32>, tensor<4xi64>) -> tensor<1x1x?x2xf32>
  %all = onnx.Concat(%past, %v4) {axis = 2 : i64} : (tensor<1x1x?x2xf32>, tensor<1x1x?x2xf32>) -> tensor<1x1x?x2xf32> loc("concat")
  // expected-remark @unknown {{'attention' (onnx.Attention): its values stay as they are: 'concat' (onnx.Concat) is neither a norm}}
  %a, %pk, %pv, %qk = onnx.Attention(%q, %k, %all, %none, %none, %none, %none) : (tensor<1x1x?x2xf32>, tensor<1x1x?x2xf32>, tensor<1x1x?x2xf32>, none, none, none, none) -> (tensor<1x1x?x2xf32>, none, none, none) loc("attention")
  %am = onnx.Reshape(%a, %merge) : (tensor<1x1x?x2xf32>, tensor<3xi64>) -> tensor<1x?x2xf32>
  %o = onnx.MatMul(%am, %wo) : (tensor<1x?x2xf32>, tensor<2x2xf32>) -> tensor<1x?x2xf32>
  %x1 = onnx.Add(%x, %o) : (tensor<1x?x2xf32>, tensor<1x?x2xf32>) -> tensor<1x?x2xf32>
  %n = onnx.RMSNormalization(%x1, %scale) : (tensor<1x?x2xf32>, tensor<2xf32>) -> tensor<1x?x2xf32>
  %y = onnx.MatMul(%n, %head) : (tensor<1x?x2xf32>, tensor<2x1xf32>) -> tensor<1x?x1xf32>
  return %y, %all : tensor<1x?x1xf32>, tensor<1x1x?x2xf32>
}
