// Which inputs can be scaled, and why others cannot.
// RUN: %python %S/../Integration/Inputs/make_npz.py %t.npy "x=np.array([[[1, -2], [3, 4]]], np.float32)"
// RUN: quant-opt %s --awq="calibration=%t.npy bits=3 points=4 clip=false head" -split-input-file -verify-diagnostics | FileCheck %s

// What cannot be folded behind an activation function is multiplied.
// CHECK-LABEL: @gelu
// CHECK: %[[GELU:.*]] = onnx.Gelu
// CHECK: %[[FACTORS:.*]] = onnx.Constant dense<{{.*}}> : tensor<2xf32>
// CHECK: %[[SCALED:.*]] = onnx.Mul(%[[GELU]], %[[FACTORS]])
// CHECK: onnx.MatMul(%[[SCALED]],
func.func @gelu(%x: tensor<1x?x2xf32> {onnx.name = "x"}) -> tensor<1x?x2xf32> {
  %w1 = onnx.Constant dense<[[9.0, 1.0], [1.0, 1.0]]> : tensor<2x2xf32>
  %w2 = onnx.Constant dense<[[0.3, -0.4], [1.0, 0.2]]> : tensor<2x2xf32>
  // expected-remark-re @below {{the input of layer '{{.*}}' is not scaled: no norm and no linear layer makes its input}}
  %0 = onnx.MatMul(%x, %w1) : (tensor<1x?x2xf32>, tensor<2x2xf32>) -> tensor<1x?x2xf32>
  %1 = onnx.Gelu(%0) : (tensor<1x?x2xf32>) -> tensor<1x?x2xf32>
  %2 = onnx.MatMul(%1, %w2) : (tensor<1x?x2xf32>, tensor<2x2xf32>) -> tensor<1x?x2xf32>
  return %2 : tensor<1x?x2xf32>
}

// -----

// The norm's output is read by more than layers.
// CHECK-LABEL: @residual_after_norm
func.func @residual_after_norm(%x: tensor<1x?x2xf32> {onnx.name = "x"}) -> tensor<1x?x2xf32> {
  %scale = onnx.Constant dense<[4.0, 0.5]> : tensor<2xf32>
  %w = onnx.Constant dense<[[0.3, -0.4], [1.0, 0.2]]> : tensor<2x2xf32>
  // CHECK: onnx.Constant dense<[4.000000e+00, 5.000000e-01]>
  %n = onnx.RMSNormalization(%x, %scale) : (tensor<1x?x2xf32>, tensor<2xf32>) -> tensor<1x?x2xf32>
  // expected-remark-re @below {{the input of layer '{{.*}}' is not scaled: onnx.Add adds something else to the values}}
  %y = onnx.MatMul(%n, %w) : (tensor<1x?x2xf32>, tensor<2x2xf32>) -> tensor<1x?x2xf32>
  %z = onnx.Add(%n, %y) : (tensor<1x?x2xf32>, tensor<1x?x2xf32>) -> tensor<1x?x2xf32>
  return %z : tensor<1x?x2xf32>
}

// -----

// Values that a cache keeps are not scaled, and neither is the layer after them.
// CHECK-LABEL: @cache
func.func @cache(%x: tensor<1x?x2xf32> {onnx.name = "x"}) -> (tensor<1x?x2xf32>, tensor<1x1x?x2xf32>) {
  %none = onnx.NoValue
  %scale = onnx.Constant dense<[4.0, 0.5]> : tensor<2xf32>
  %wv = onnx.Constant dense<[[0.3, -0.4], [1.0, 0.2]]> : tensor<2x2xf32>
  %wo = onnx.Constant dense<[[0.3, 0.4], [-1.0, 0.2]]> : tensor<2x2xf32>
  %n = onnx.RMSNormalization(%x, %scale) : (tensor<1x?x2xf32>, tensor<2xf32>) -> tensor<1x?x2xf32>
  %v = onnx.MatMul(%n, %wv) : (tensor<1x?x2xf32>, tensor<2x2xf32>) -> tensor<1x?x2xf32>
  %a, %k, %p, %q = onnx.Attention(%x, %x, %v, %none, %none, %none, %none) {q_num_heads = 1 : i64, kv_num_heads = 1 : i64}
      : (tensor<1x?x2xf32>, tensor<1x?x2xf32>, tensor<1x?x2xf32>, none, none, none, none)
      -> (tensor<1x?x2xf32>, none, tensor<1x1x?x2xf32>, none)
  // expected-remark-re @below {{the input of layer '{{.*}}' is not scaled: onnx.Attention keeps the values in a cache}}
  %o = onnx.MatMul(%a, %wo) : (tensor<1x?x2xf32>, tensor<2x2xf32>) -> tensor<1x?x2xf32>
  return %o, %p : tensor<1x?x2xf32>, tensor<1x1x?x2xf32>
}

// -----

// A channel of zeros stays finite.
// CHECK-LABEL: @zeros
// CHECK: onnx.Constant dense<[{{[0-9.e+-]+}}, 0.000000e+00]>
// CHECK-NOT: 0x7F
func.func @zeros(%x: tensor<1x?x2xf32> {onnx.name = "x"}) -> tensor<1x?x2xf32> {
  %scale = onnx.Constant dense<[4.0, 0.0]> : tensor<2xf32>
  %w = onnx.Constant dense<[[0.3, -0.4], [1.0, 0.2]]> : tensor<2x2xf32>
  %n = onnx.RMSNormalization(%x, %scale) : (tensor<1x?x2xf32>, tensor<2xf32>) -> tensor<1x?x2xf32>
  %y = onnx.MatMul(%n, %w) : (tensor<1x?x2xf32>, tensor<2x2xf32>) -> tensor<1x?x2xf32>
  return %y : tensor<1x?x2xf32>
}
