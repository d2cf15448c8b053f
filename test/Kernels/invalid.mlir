// RUN: not quant-opt %s --lowbit-pack-weights="target=avr" 2>&1 | FileCheck %s --check-prefix=TARGET
// RUN: not quant-opt %s --lowbit-generate-kernels="target=avr" 2>&1 | FileCheck %s --check-prefix=TARGET
// RUN: not quant-opt %s --lowbit-generate-kernels 2>&1 | FileCheck %s --check-prefix=STRIDE

// TARGET: error: unknown target 'avr': expected avx2, avx512vnni or neon

!w = !lowbit.tensor<16x64xf32, #lowbit.uniform<s4, group = [1, *], scale = f32, zero = none>, #lowbit.panels>

func.func @columns_apart(%x: memref<?x64xf32, strided<[?, 2]>>, %c: memref<1x8x64xi8>,
                         %s: memref<1x1x16xf32>, %y: memref<?x16xf32>) {
  // STRIDE: error: {{.*}}a kernel's operand must have unit stride, got 'memref<?x64xf32, strided<[?, 2]>>'
  lowbit.packed_matmul ins(%x : memref<?x64xf32, strided<[?, 2]>>)
    weight(%c, %s : memref<1x8x64xi8>, memref<1x1x16xf32> as !w)
    outs(%y : memref<?x16xf32>)
  return
}
