// Large components go to the weight file, each under a name of its own.

// RUN: rm -rf %t && mkdir %t
// RUN: quant-opt %s --lowbit-pack-weights="target=avx2" -o %t/packed.mlir
// RUN: FileCheck %s < %t/packed.mlir
// CHECK-DAG: #lowbit.external<"packed.safetensors", "weight.codes.packed1"> : tensor<64x64x64xi8>
// CHECK-DAG: #lowbit.external<"packed.safetensors", "weight.codes.packed2"> : tensor<64x64x64xi8>

!s4 = !lowbit.tensor<1024x512xf32, #lowbit.uniform<s4, group = [*, *], scale = f32, zero = none>>

func.func @two(%x: tensor<?x512xf32>)
    -> (tensor<?x1024xf32>, tensor<?x1024xf32>) {
  %v = lowbit.constant {codes = dense<0x21> : tensor<1024x256xi8>,
                        scales = dense<0.5> : tensor<1x1xf32>} : !s4
  %w = lowbit.constant {codes = dense<0x43> : tensor<1024x256xi8>,
                        scales = dense<0.5> : tensor<1x1xf32>} : !s4
  %y = lowbit.matmul %x, %v : (tensor<?x512xf32>, !s4) -> tensor<?x1024xf32>
  %z = lowbit.matmul %x, %w : (tensor<?x512xf32>, !s4) -> tensor<?x1024xf32>
  return %y, %z : tensor<?x1024xf32>, tensor<?x1024xf32>
}
