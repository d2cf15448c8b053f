// RUN: quant-opt %s -lowbit-lower-weights -verify-diagnostics

func.func @not_bufferized() -> tensor<2xf32> {
  // expected-error @below {{'lowbit.weight' op must have a contiguous buffer as result to be reached by its address}}
  %0 = lowbit.weight dense<[1.0, 2.0]> : tensor<2xf32>
  return %0 : tensor<2xf32>
}
