// RUN: quant-opt %s --lowbit-to-linalg -allow-unregistered-dialect -split-input-file -verify-diagnostics

!t = !lowbit.tensor<2x8xf32, #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none>>

// What the lowering does not know must not keep quantized tensors.
func.func @unknown(%w: !t) {
  // expected-error @below {{failed to legalize operation 'test.user'}}
  "test.user"(%w) : (!t) -> ()
  return
}
