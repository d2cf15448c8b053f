// RUN: quant-opt %s -split-input-file -verify-diagnostics

func.func @scalar(%x: tensor<f32>) {
  // expected-error @below {{input must have at least one dimension, got 'tensor<f32>'}}
  %0 = lowbit.find_outliers %x {threshold = 6.0 : f32} : tensor<f32> -> tensor<?xi32>
  return
}

// -----

func.func @negative(%x: tensor<2x4xf32>) {
  // expected-error @below {{threshold must be 0 or more, got -1.000000e+00 : f32}}
  %0 = lowbit.find_outliers %x {threshold = -1.0 : f32} : tensor<2x4xf32> -> tensor<?xi32>
  return
}

// -----

func.func @nan(%x: tensor<2x4xf32>) {
  // expected-error @below {{threshold must be 0 or more, got 0x7FC00000 : f32}}
  %0 = lowbit.find_outliers %x {threshold = 0x7FC00000 : f32} : tensor<2x4xf32> -> tensor<?xi32>
  return
}

// -----

func.func @known_number(%x: tensor<2x4xf32>) {
  // expected-error @below {{columns must be of unknown number, got 'tensor<4xi32>'}}
  %0 = lowbit.find_outliers %x {threshold = 6.0 : f32} : tensor<2x4xf32> -> tensor<4xi32>
  return
}

// -----

func.func @rows(%x: tensor<2x4xf32>, %c: tensor<?xi32>) {
  // expected-error @below {{selected and input must have the same dimensions but for the last one, got 'tensor<3x?xf32>' and 'tensor<2x4xf32>'}}
  %0, %1 = lowbit.split_columns %x, %c : tensor<2x4xf32>, tensor<?xi32> -> tensor<3x?xf32>
  return
}

// -----

func.func @type(%x: tensor<2x4xf32>, %c: tensor<?xi32>) {
  // expected-error @below {{selected and input must have the same element type, got 'tensor<2x?xf16>' and 'tensor<2x4xf32>'}}
  %0, %1 = lowbit.split_columns %x, %c : tensor<2x4xf32>, tensor<?xi32> -> tensor<2x?xf16>
  return
}

// -----

func.func @count(%x: tensor<2x4xf32>, %c: tensor<3xi32>) {
  // expected-error @below {{the last dimension of selected must be the number of columns, got 'tensor<2x2xf32>' and 'tensor<3xi32>'}}
  %0, %1 = lowbit.split_columns %x, %c : tensor<2x4xf32>, tensor<3xi32> -> tensor<2x2xf32>
  return
}

// -----

#s8 = #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none>
func.func @init(%x: tensor<2x?xf32>, %c: tensor<?xi32>, %w: !lowbit.tensor<3x4xf32, #s8>, %y: tensor<5x3xf32>) {
  // expected-error @below {{input and init must have the same dimensions but for the last one, got 'tensor<2x?xf32>' and 'tensor<5x3xf32>'}}
  %0 = lowbit.column_matmul %x, %c, %w add %y : tensor<2x?xf32>, tensor<?xi32>, !lowbit.tensor<3x4xf32, #s8>, tensor<5x3xf32>
  return
}

// -----

#s8 = #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none>
func.func @outputs(%x: tensor<2x?xf32>, %c: tensor<?xi32>, %w: !lowbit.tensor<3x4xf32, #s8>, %y: tensor<2x5xf32>) {
  // expected-error @below {{weight must be a matrix of 5 output channels that expresses 'f32', got '!lowbit.tensor<3x4xf32,}}
  %0 = lowbit.column_matmul %x, %c, %w add %y : tensor<2x?xf32>, tensor<?xi32>, !lowbit.tensor<3x4xf32, #s8>, tensor<2x5xf32>
  return
}

// -----

#nf4 = #lowbit.codebook<nf4, group = [1, *], scale = f32>
func.func @layout(%x: tensor<2x?xf32>, %c: tensor<?xi32>, %w: !lowbit.tensor<16x4xf32, #nf4, #lowbit.panels>, %y: tensor<2x16xf32>) {
  // expected-error @below {{weight has a layout of which single columns cannot be read, got '!lowbit.tensor<16x4xf32,}}
  %0 = lowbit.column_matmul %x, %c, %w add %y : tensor<2x?xf32>, tensor<?xi32>, !lowbit.tensor<16x4xf32, #nf4, #lowbit.panels>, tensor<2x16xf32>
  return
}
