// RUN: quant-opt %s -split-input-file -verify-diagnostics

func.func @dynamic(%x: tensor<4x?xf32>) {
  // expected-error @below {{needs an input whose last dimension is static, got 'tensor<4x?xf32>'}}
  %0 = lowbit.hadamard %x {block = 4 : i64} : tensor<4x?xf32>
  return
}

// -----

func.func @scalar(%x: tensor<f32>) {
  // expected-error @below {{needs an input whose last dimension is static, got 'tensor<f32>'}}
  %0 = lowbit.hadamard %x {block = 1 : i64} : tensor<f32>
  return
}

// -----

func.func @indivisible(%x: tensor<4x24xf32>) {
  // expected-error @below {{block must divide the 24 channels of the input, got 16}}
  %0 = lowbit.hadamard %x {block = 16 : i64} : tensor<4x24xf32>
  return
}

// -----

func.func @negative(%x: tensor<4x24xf32>) {
  // expected-error @below {{block must divide the 24 channels of the input, got -8}}
  %0 = lowbit.hadamard %x {block = -8 : i64} : tensor<4x24xf32>
  return
}

// -----

func.func @noMatrix(%x: tensor<4x172xf32>) {
  // expected-error @below {{has no matrix of order 172; the largest order that divides it is 4}}
  %0 = lowbit.hadamard %x {block = 172 : i64} : tensor<4x172xf32>
  return
}

// -----

func.func @integers(%x: tensor<4x8xi32>) {
  // expected-error @below {{must be ranked tensor of floating-point values}}
  %0 = lowbit.hadamard %x {block = 8 : i64} : tensor<4x8xi32>
  return
}
