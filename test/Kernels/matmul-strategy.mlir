// RUN: quant-opt %s --lowbit-generate-kernels="target=avx512vnni" --remark-format=emitRemark \
// RUN:   --remarks-filter=lowbit-kernels 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK
// RUN: quant-opt %s --lowbit-generate-kernels="target=avx512vnni" 2>&1 | FileCheck %s --implicit-check-not=remark
// RUN: quant-opt %s --lowbit-generate-kernels="strategy=dot" | FileCheck %s
// RUN: not quant-opt %s --lowbit-generate-kernels="strategy=dequantize" 2>&1 | FileCheck %s --check-prefix=DEQUANTIZE
// RUN: not quant-opt %s --lower-to-x86="strategy=dequantize" 2>&1 | FileCheck %s --check-prefix=DEQUANTIZE
// RUN: not quant-opt %s --lower-to-arm="strategy=dequantize" 2>&1 | FileCheck %s --check-prefix=DEQUANTIZE
// RUN: not quant-opt %s --lowbit-generate-kernels="strategy=magic" 2>&1 | FileCheck %s --check-prefix=MAGIC

// RUN: not quant-opt %s --lowbit-generate-kernels="target=avx512vnni strategy=tiles" 2>&1 | FileCheck %s --check-prefix=TILES
// RUN: quant-opt %s --lowbit-generate-kernels="target=amx strategy=tiles" | FileCheck %s --check-prefix=AMX
// RUN: quant-opt %s --lowbit-generate-kernels="target=amx strategy=dot" | FileCheck %s --implicit-check-not=qvec.tile
// RUN: quant-opt %s --lowbit-generate-kernels="target=amx" --remark-format=emitRemark \
// RUN:   --remarks-filter=lowbit-kernels 2>&1 >/dev/null | FileCheck %s --check-prefix=UNIT

// The costs are printed only when asked for; the best strategy for each number
// of tokens comes first.
// REMARK: remark: {{.*}}matmul-strategy{{.*}}computing / reading from memory; by 12: dot {{[0-9.]+}} / {{[0-9.]+}}; by 8: {{.*}}; by 1: dot
// UNIT: remark: {{.*}}computing / reading from memory; by 16: tiles 2.0 / {{[0-9.]+}}; by 12: dot

// TILES: error: 'lowbit.packed_matmul' op strategy 'tiles' needs a CPU with a matrix unit: the weight is
// AMX: qvec.tile_dot
// AMX: qvec.dot
// DEQUANTIZE: error: 'lowbit.packed_matmul' op strategy 'dequantize' needs float activations: the weight is #lowbit.uniform<u4, {{.*}}>, the input #lowbit.uniform<s8, {{.*}}>
// MAGIC: strategy option: Cannot find option named 'magic'

// CHECK-LABEL: func.func private @lowbit_matmul(
// CHECK: qvec.dot
func.func @main(%x: memref<?x64xi8>, %xs: memref<?x1xf32>, %c: memref<16x8x64xi8>, %s: memref<16x2x16xf16>,
                %z: memref<16x2x16xi8>, %y: memref<?x256xf32>) {
  lowbit.packed_matmul ins(%x, %xs : memref<?x64xi8>, memref<?x1xf32>
      as !lowbit.tensor<?x64xf32, #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none, narrow>>)
    weight(%c, %s, %z : memref<16x8x64xi8>, memref<16x2x16xf16>, memref<16x2x16xi8>
      as !lowbit.tensor<256x64xf32, #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = u4>, #lowbit.panels>)
    outs(%y : memref<?x256xf32>)
  return
}
