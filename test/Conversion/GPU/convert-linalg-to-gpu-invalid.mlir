// RUN: quant-opt %s --convert-linalg-to-gpu --split-input-file -verify-diagnostics

func.func @tensors(%a: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error @below {{must be bufferized before it can become a kernel}}
  %0 = linalg.copy ins(%a : tensor<4xf32>) outs(%b : tensor<4xf32>)
    -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

#w = #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = none>
func.func @layout(%x: memref<?x64xf32>, %codes: memref<1x8x64xi8>,
                  %scales: memref<1x2x16xf16>, %y: memref<?x16xf32>) {
  // expected-error @below {{has no GPU kernel for a packed weight: '!lowbit.tensor<16x64xf32}}
  lowbit.packed_matmul ins(%x : memref<?x64xf32>)
      weight(%codes, %scales : memref<1x8x64xi8>, memref<1x2x16xf16>
             as !lowbit.tensor<16x64xf32, #w, #lowbit.panels>)
      outs(%y : memref<?x16xf32>)
  return
}

// -----

#w = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
#x = #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none, narrow>
func.func @quantized_input(%x: memref<?x64xi8>, %xs: memref<?x1xf32>,
                           %codes: memref<3x32xi8>, %scales: memref<3x1xf16>,
                           %y: memref<?x3xf32>) {
  // expected-error @below {{has no GPU kernel for a quantized input}}
  lowbit.packed_matmul ins(%x, %xs : memref<?x64xi8>, memref<?x1xf32> as !lowbit.tensor<?x64xf32, #x>)
      weight(%codes, %scales : memref<3x32xi8>, memref<3x1xf16> as !lowbit.tensor<3x64xf32, #w>)
      outs(%y : memref<?x3xf32>)
  return
}

// -----

#w = #lowbit.float<f16>
func.func @doubles(%x: memref<?x64xf64>, %values: memref<3x64xf16>, %y: memref<?x3xf64>) {
  // expected-error @below {{has no GPU kernel for elements of type 'f64'}}
  lowbit.packed_matmul ins(%x : memref<?x64xf64>)
      weight(%values : memref<3x64xf16> as !lowbit.tensor<3x64xf64, #w>)
      outs(%y : memref<?x3xf64>)
  return
}
