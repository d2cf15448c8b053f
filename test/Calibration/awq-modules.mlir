// What scales cost is measured behind the module that layers begin.
// RUN: %python %S/../Integration/Inputs/make_npz.py %t.npy "x=np.ones([1, 2], np.float32)"
// RUN: quant-opt %s --awq="calibration=%t.npy bits=2 scale-type=f32 points=2 clip=false" -split-input-file | FileCheck %s

// In two bits, and multiplied by activations of 16 and 1, the weights 0.3 and 1
// lose less when they are scaled, 1 and 1/3 when they are not. Added up, the former
// would decide; but nothing behind the module depends on them here.
// CHECK-LABEL: @second_output
// CHECK: onnx.Constant dense<[1.600000e+01, 1.000000e+00]> : tensor<2xf32>
// CHECK-NEXT: onnx.RMSNormalization
func.func @second_output(%x: tensor<?x2xf32> {onnx.name = "x"}) -> tensor<?x1xf32> {
  %scale = onnx.Constant dense<[16.0, 1.0]> : tensor<2xf32>
  %w = onnx.Constant dense<[[0.3, 1.0], [1.0, 0.333333343]]> : tensor<2x2xf32>
  %v = onnx.Constant dense<[[0.0], [1.0]]> : tensor<2x1xf32>
  %h = onnx.Constant dense<1.0> : tensor<1x1xf32>
  %n = onnx.RMSNormalization(%x, %scale) : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %a = onnx.MatMul(%n, %w) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32> loc("first")
  %b = onnx.Relu(%a) : (tensor<?x2xf32>) -> tensor<?x2xf32>
  %c = onnx.MatMul(%b, %v) : (tensor<?x2xf32>, tensor<2x1xf32>) -> tensor<?x1xf32> loc("second")
  %y = onnx.MatMul(%c, %h) : (tensor<?x1xf32>, tensor<1x1xf32>) -> tensor<?x1xf32> loc("head")
  return %y : tensor<?x1xf32>
}

// -----

// CHECK-LABEL: @first_output
// CHECK: onnx.Constant dense<[8.000000e+00, 2.000000e+00]> : tensor<2xf32>
// CHECK-NEXT: onnx.RMSNormalization
func.func @first_output(%x: tensor<?x2xf32> {onnx.name = "x"}) -> tensor<?x1xf32> {
  %scale = onnx.Constant dense<[16.0, 1.0]> : tensor<2xf32>
  %w = onnx.Constant dense<[[0.3, 1.0], [1.0, 0.333333343]]> : tensor<2x2xf32>
  %v = onnx.Constant dense<[[1.0], [0.0]]> : tensor<2x1xf32>
  %h = onnx.Constant dense<1.0> : tensor<1x1xf32>
  %n = onnx.RMSNormalization(%x, %scale) : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %a = onnx.MatMul(%n, %w) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32> loc("first")
  %b = onnx.Relu(%a) : (tensor<?x2xf32>) -> tensor<?x2xf32>
  %c = onnx.MatMul(%b, %v) : (tensor<?x2xf32>, tensor<2x1xf32>) -> tensor<?x1xf32> loc("second")
  %y = onnx.MatMul(%c, %h) : (tensor<?x1xf32>, tensor<1x1xf32>) -> tensor<?x1xf32> loc("head")
  return %y : tensor<?x1xf32>
}

// -----

// A layer whose output is added to something else is a module by itself, and what
// the next norm does to the sum plays no part.
// CHECK-LABEL: @residual
// CHECK: onnx.Constant dense<[8.000000e+00, 2.000000e+00]> : tensor<2xf32>
// CHECK-NEXT: onnx.RMSNormalization
func.func @residual(%x: tensor<?x2xf32> {onnx.name = "x"}) -> tensor<?x1xf32> {
  %scale = onnx.Constant dense<[16.0, 1.0]> : tensor<2xf32>
  %w = onnx.Constant dense<[[0.3, 1.0], [1.0, 0.333333343]]> : tensor<2x2xf32>
  %v = onnx.Constant dense<[[0.0], [1.0]]> : tensor<2x1xf32>
  %h = onnx.Constant dense<1.0> : tensor<1x1xf32>
  %n = onnx.RMSNormalization(%x, %scale) : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32>
  %a = onnx.MatMul(%n, %w) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32> loc("first")
  %b = onnx.Add(%x, %a) : (tensor<?x2xf32>, tensor<?x2xf32>) -> tensor<?x2xf32>
  %c = onnx.MatMul(%b, %v) : (tensor<?x2xf32>, tensor<2x1xf32>) -> tensor<?x1xf32> loc("second")
  %y = onnx.MatMul(%c, %h) : (tensor<?x1xf32>, tensor<1x1xf32>) -> tensor<?x1xf32> loc("head")
  return %y : tensor<?x1xf32>
}
