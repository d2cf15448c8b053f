// RUN: quant-opt %s --rotate -split-input-file -verify-diagnostics
// RUN: not quant-opt %s --rotate=online=up 2>&1 | FileCheck %s --check-prefix=ONLINE
// ONLINE: rotate: online is 'up', but must be none, down or all

// expected-error @below {{cannot rotate: there is no residual stream, that is, no norm with a constant scale that reads a sum}}
module {
  func.func @no_stream(%x: tensor<?x2xf32>) -> tensor<?x2xf32> {
    %scale = onnx.Constant dense<1.0> : tensor<2xf32>
    %y = onnx.RMSNormalization(%x, %scale) : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
    return %y : tensor<?x2xf32>
  }
}

// -----

func.func @result(%t: tensor<?xi64>) -> (tensor<?x1xf32>, tensor<?x2xf32>) {
  %table = onnx.Constant dense<1.0> : tensor<1x2xf32>
  %scale = onnx.Constant dense<1.0> : tensor<2xf32>
  %head = onnx.Constant dense<1.0> : tensor<2x1xf32>
  %x = onnx.Gather(%table, %t) : (tensor<1x2xf32>, tensor<?xi64>) -> tensor<?x2xf32>
  // expected-error @unknown {{cannot rotate: 'sum' (onnx.Add) makes the residual stream a result of the model}}
  %c = onnx.Add(%x, %x) : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32> loc("sum")
  %d = onnx.RMSNormalization(%c, %scale) : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %y = onnx.MatMul(%d, %head) : (tensor<?x2xf32>, tensor<2x1xf32>) -> tensor<?x1xf32>
  return %y, %c : tensor<?x1xf32>, tensor<?x2xf32>
}

// -----

func.func @reader(%t: tensor<?xi64>) -> (tensor<?x1xf32>, tensor<?x2xf32>) {
  %table = onnx.Constant dense<1.0> : tensor<1x2xf32>
  %scale = onnx.Constant dense<1.0> : tensor<2xf32>
  %head = onnx.Constant dense<1.0> : tensor<2x1xf32>
  %x = onnx.Gather(%table, %t) : (tensor<1x2xf32>, tensor<?xi64>) -> tensor<?x2xf32>
  %c = onnx.Add(%x, %x) : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  // expected-error @unknown {{cannot rotate: 'act' (onnx.Relu) reads the residual stream and is neither a norm nor a linear layer}}
  %r = onnx.Relu(%c) : (tensor<?x2xf32>) -> tensor<?x2xf32> loc("act")
  %d = onnx.RMSNormalization(%c, %scale) : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %y = onnx.MatMul(%d, %head) : (tensor<?x2xf32>, tensor<2x1xf32>) -> tensor<?x1xf32>
  return %y, %r : tensor<?x1xf32>, tensor<?x2xf32>
}

// -----

func.func @writer(%t: tensor<?xi64>, %z: tensor<?x2xf32>) -> tensor<?x1xf32> {
  %table = onnx.Constant dense<1.0> : tensor<1x2xf32>
  %scale = onnx.Constant dense<1.0> : tensor<2xf32>
  %head = onnx.Constant dense<1.0> : tensor<2x1xf32>
  %x = onnx.Gather(%table, %t) : (tensor<1x2xf32>, tensor<?xi64>) -> tensor<?x2xf32>
  // expected-error @unknown {{cannot rotate: 'act' (onnx.Relu) writes the residual stream and is neither a linear layer nor an embedding}}
  %r = onnx.Relu(%z) : (tensor<?x2xf32>) -> tensor<?x2xf32> loc("act")
  %c = onnx.Add(%x, %r) : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  %d = onnx.RMSNormalization(%c, %scale) : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %y = onnx.MatMul(%d, %head) : (tensor<?x2xf32>, tensor<2x1xf32>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}

// -----

// expected-error @below {{has an argument that is part of the residual stream}}
func.func @argument(%t: tensor<?xi64>, %z: tensor<?x2xf32>) -> tensor<?x1xf32> {
  %table = onnx.Constant dense<1.0> : tensor<1x2xf32>
  %scale = onnx.Constant dense<1.0> : tensor<2xf32>
  %head = onnx.Constant dense<1.0> : tensor<2x1xf32>
  %x = onnx.Gather(%table, %t) : (tensor<1x2xf32>, tensor<?xi64>) -> tensor<?x2xf32>
  %c = onnx.Add(%x, %z) : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  %d = onnx.RMSNormalization(%c, %scale) : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %y = onnx.MatMul(%d, %head) : (tensor<?x2xf32>, tensor<2x1xf32>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}

// -----

// After quantization it is too late.
func.func @quantized(%t: tensor<?xi64>, %w: !lowbit.tensor<2x2xf32, #lowbit.float<f16>>, %z: tensor<?x2xf32>) -> tensor<?x1xf32> {
  %table = onnx.Constant dense<1.0> : tensor<1x2xf32>
  %scale = onnx.Constant dense<1.0> : tensor<2xf32>
  %head = onnx.Constant dense<1.0> : tensor<2x1xf32>
  %x = onnx.Gather(%table, %t) : (tensor<1x2xf32>, tensor<?xi64>) -> tensor<?x2xf32>
  // expected-error @unknown {{cannot rotate: 'down' (lowbit.matmul) writes the residual stream and is neither}}
  %r = lowbit.matmul %z, %w : (tensor<?x2xf32>, !lowbit.tensor<2x2xf32, #lowbit.float<f16>>) -> tensor<?x2xf32> loc("down")
  %c = onnx.Add(%x, %r) : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  %d = onnx.RMSNormalization(%c, %scale) : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %y = onnx.MatMul(%d, %head) : (tensor<?x2xf32>, tensor<2x1xf32>) -> tensor<?x1xf32>
  return %y : tensor<?x1xf32>
}

// -----

// The sum after a norm, as in BERT, cannot be rotated with its scale.
func.func @post_norm(%t: tensor<?xi64>) -> tensor<?x2xf32> {
  %table = onnx.Constant dense<1.0> : tensor<1x2xf32>
  %scale = onnx.Constant dense<1.0> : tensor<2xf32>
  %w = onnx.Constant dense<1.0> : tensor<2x2xf32>
  %x = onnx.Gather(%table, %t) : (tensor<1x2xf32>, tensor<?xi64>) -> tensor<?x2xf32>
  %c = onnx.Add(%x, %x) : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  // expected-error @unknown {{cannot rotate: 'norm' (onnx.RMSNormalization) normalizes the residual stream, but its scale cannot be folded: 'sum' (onnx.Add) adds something else to the values}}
  %d = onnx.RMSNormalization(%c, %scale) : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32> loc("norm")
  %m = onnx.MatMul(%d, %w) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  %y = onnx.Add(%d, %m) : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32> loc("sum")
  return %y : tensor<?x2xf32>
}

// -----

func.func @activation(%t: tensor<?xi64>) -> tensor<?x2xf32> {
  %table = onnx.Constant dense<1.0> : tensor<1x2xf32>
  %scale = onnx.Constant dense<1.0> : tensor<2xf32>
  %w = onnx.Constant dense<1.0> : tensor<2x2xf32>
  %x = onnx.Gather(%table, %t) : (tensor<1x2xf32>, tensor<?xi64>) -> tensor<?x2xf32>
  %c = onnx.Add(%x, %x) : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  // expected-error @below {{its scale cannot be folded: 'relu' (onnx.Relu) passes on positive factors only}}
  %d = onnx.RMSNormalization(%c, %scale) : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %r = onnx.Relu(%d) : (tensor<?x2xf32>) -> tensor<?x2xf32> loc("relu")
  %y = onnx.MatMul(%r, %w) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// A layer that reads the stream without a norm sees its mean.
func.func @mean(%t: tensor<?xi64>) -> (tensor<?x1xf32>, tensor<?x1xf32>) {
  %none = onnx.NoValue
  %table = onnx.Constant dense<1.0> : tensor<1x2xf32>
  %scale = onnx.Constant dense<1.0> : tensor<2xf32>
  %head = onnx.Constant dense<1.0> : tensor<2x1xf32>
  %x = onnx.Gather(%table, %t) : (tensor<1x2xf32>, tensor<?xi64>) -> tensor<?x2xf32>
  %c = onnx.Add(%x, %x) : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  %d, %m, %s = onnx.LayerNormalization(%c, %scale, %none) : (tensor<?x2xf32>, tensor<2xf32>, none) -> (tensor<?x2xf32>, none, none)
  %y = onnx.MatMul(%d, %head) : (tensor<?x2xf32>, tensor<2x1xf32>) -> tensor<?x1xf32>
  // expected-error @unknown {{cannot rotate: 'probe' (onnx.MatMul) reads the mean of the residual stream}}
  %p = onnx.MatMul(%c, %head) : (tensor<?x2xf32>, tensor<2x1xf32>) -> tensor<?x1xf32> loc("probe")
  return %y, %p : tensor<?x1xf32>, tensor<?x1xf32>
}

// -----

func.func @mixed(%t: tensor<?xi64>) -> (tensor<?x1xf32>, tensor<?x1xf32>) {
  %none = onnx.NoValue
  %table = onnx.Constant dense<1.0> : tensor<1x2xf32>
  %scale = onnx.Constant dense<1.0> : tensor<2xf32>
  %head = onnx.Constant dense<1.0> : tensor<2x1xf32>
  %x = onnx.Gather(%table, %t) : (tensor<1x2xf32>, tensor<?xi64>) -> tensor<?x2xf32>
  %c = onnx.Add(%x, %x) : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  // expected-error-re @below {{{{.*}}takes the mean out of the residual stream, or does not, and another norm does otherwise}}
  %d, %m, %s = onnx.LayerNormalization(%c, %scale, %none) : (tensor<?x2xf32>, tensor<2xf32>, none) -> (tensor<?x2xf32>, none, none)
  %r = onnx.RMSNormalization(%c, %scale) : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %y = onnx.MatMul(%d, %head) : (tensor<?x2xf32>, tensor<2x1xf32>) -> tensor<?x1xf32>
  %p = onnx.MatMul(%r, %head) : (tensor<?x2xf32>, tensor<2x1xf32>) -> tensor<?x1xf32>
  return %y, %p : tensor<?x1xf32>, tensor<?x1xf32>
}
