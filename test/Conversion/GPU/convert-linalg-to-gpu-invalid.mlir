// RUN: quant-opt %s --convert-linalg-to-gpu -verify-diagnostics

func.func @tensors(%a: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{must be bufferized before it can become a kernel}}
  %0 = linalg.copy ins(%a : tensor<4xf32>) outs(%b : tensor<4xf32>)
    -> tensor<4xf32>
  return %0 : tensor<4xf32>
}
