// A tuning decides over the tiles of a kernel, on the target that it is for.

// RUN: split-file %s %t
// RUN: quant-opt %t/tuned.mlir --lowbit-generate-kernels="target=avx512vnni" --canonicalize | FileCheck %s
// RUN: quant-opt %t/tuned.mlir --lowbit-generate-kernels="target=avx512vnni" --remark-format=emitRemark \
// RUN:   --remarks-filter=lowbit-kernels 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK
// RUN: quant-opt %t/tuned.mlir --lowbit-generate-kernels="target=avx2" --canonicalize | FileCheck %s --check-prefix=OTHER
// RUN: quant-opt %t/tuned.mlir --lowbit-generate-kernels="target=avx512vnni strategy=dot" --canonicalize \
// RUN:   | FileCheck %s --check-prefix=OTHER

// What one tile takes is a product of its own.
// CHECK-LABEL: func.func @main(
// CHECK: call @lowbit_matmul(
// CHECK: call @lowbit_matmul_0(
// Three tokens, two panels and two slices of a chunk, then one token and two
// panels by lookup.
// CHECK-LABEL: func.func private @lowbit_matmul(
// CHECK-NOT: memref.prefetch
// CHECK-COUNT-12: qvec.dot {{.*}} {lhs_max = 15
// CHECK-NOT: {lhs_max = 15
// CHECK: qvec.lookup
// CHECK-NOT: {lhs_max = 15
// CHECK: return
// The cost model's.
// CHECK-LABEL: func.func private @lowbit_matmul_0(
// CHECK-NOT: qvec.lookup
// CHECK: memref.prefetch
// CHECK: return

// REMARK: remark: {{.*}}as was measured: dot 3 x 2, lut 1 x 2
// REMARK: remark: {{.*}}cycles for 1024 weights

// OTHER-NOT: qvec.lookup
// OTHER: memref.prefetch

// RUN: sed 's/lut 1 x 2/dequantize 1 x 2/' %t/tuned.mlir | not quant-opt - --lowbit-generate-kernels="target=avx512vnni" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=STRATEGY
// STRATEGY: error: 'lowbit.packed_matmul' op tuning for 'avx512vnni': tile 'dequantize 1 x 2' needs float activations: the weight is #lowbit.uniform<u4, {{.*}}>, the input #lowbit.uniform<s8,

// RUN: sed 's/dot 3 x 2/dot 16 x 2/' %t/tuned.mlir | not quant-opt - --lowbit-generate-kernels="target=avx512vnni" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=TOKENS
// TOKENS: tile 'dot 16 x 2' needs more registers than there are: with 2 panels at most 15 tokens fit: the weight is

// RUN: sed 's/lut 1 x 2/lut 1 x 64/' %t/tuned.mlir | not quant-opt - --lowbit-generate-kernels="target=avx512vnni" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=PANELS
// PANELS: tile 'lut 1 x 64' needs more registers than there are: the weight is

// RUN: sed 's/dot 3 x 2/lut 3 x 2/' %t/tuned.mlir | not quant-opt - --lowbit-generate-kernels="target=avx512vnni" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=LUT
// LUT: tile 'lut 3 x 2' needs more registers than there are: with 2 panels at most 1 token fits: the weight is

// RUN: sed 's/dot 3 x 2/tiles 16 x 2/' %t/tuned.mlir | not quant-opt - --lowbit-generate-kernels="target=avx512vnni" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=UNIT
// UNIT: tile 'tiles 16 x 2' needs a CPU with a matrix unit: the weight is

// RUN: sed 's/dot 3 x 2/tiles 8 x 2/; s/avx512vnni/amx/' %t/tuned.mlir | not quant-opt - --lowbit-generate-kernels="target=amx" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=SHAPE
// SHAPE: tile 'tiles 8 x 2' must be 'tiles 16 x 2', which is what the matrix unit multiplies: the weight is

// A matrix unit multiplies float activations in any case.
// RUN: not quant-opt %t/float.mlir --lowbit-generate-kernels="target=amx" 2>&1 | FileCheck %s --check-prefix=WITHOUT
// WITHOUT: error: 'lowbit.packed_matmul' op tuning for 'amx': must begin with 'tiles 16 x 2', which adds up floats in an order of its own: the weight is {{.*}}, the input f32
// RUN: sed 's/\[deq/[tiles 16 x 2, deq/' %t/float.mlir | quant-opt - --lowbit-generate-kernels="target=amx" | FileCheck %s --check-prefix=WITH
// WITH: qvec.tile_dot
// RUN: sed 's/\[deq/[tiles 16 x 2, deq/; s/amx/avx2/' %t/float.mlir | not quant-opt - --lowbit-generate-kernels="target=avx2" 2>&1 \
// RUN:   | FileCheck %s --check-prefix=NO-UNIT
// NO-UNIT: must do without 'tiles 16 x 2'

//--- tuned.mlir
#s8 = #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none, narrow>
!w = !lowbit.tensor<256x64xf32, #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = u4>, #lowbit.panels>
func.func @main(%x: memref<?x64xi8>, %xs: memref<?x1xf32>, %c: memref<16x8x64xi8>, %s: memref<16x2x16xf16>,
                %z: memref<16x2x16xi8>, %y: memref<?x256xf32>) {
  lowbit.packed_matmul ins(%x, %xs : memref<?x64xi8>, memref<?x1xf32> as !lowbit.tensor<?x64xf32, #s8>)
    weight(%c, %s, %z : memref<16x8x64xi8>, memref<16x2x16xf16>, memref<16x2x16xi8> as !w)
    outs(%y : memref<?x256xf32>)
    {tunings = [#lowbit.matmul_tuning<"avx512vnni", [dot 3 x 2, lut 1 x 2], prefetch = 0>]}
  lowbit.packed_matmul ins(%x, %xs : memref<?x64xi8>, memref<?x1xf32> as !lowbit.tensor<?x64xf32, #s8>)
    weight(%c, %s, %z : memref<16x8x64xi8>, memref<16x2x16xf16>, memref<16x2x16xi8> as !w)
    outs(%y : memref<?x256xf32>)
  return
}

//--- float.mlir
!w = !lowbit.tensor<256x64xf32, #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = u4>, #lowbit.panels>
func.func @main(%x: memref<?x64xf32>, %c: memref<16x8x64xi8>, %s: memref<16x2x16xf16>, %z: memref<16x2x16xi8>,
                %y: memref<?x256xf32>) {
  lowbit.packed_matmul ins(%x : memref<?x64xf32>)
    weight(%c, %s, %z : memref<16x8x64xi8>, memref<16x2x16xf16>, memref<16x2x16xi8> as !w)
    outs(%y : memref<?x256xf32>)
    {tunings = [#lowbit.matmul_tuning<"amx", [dequantize 2 x 2, dequantize 1 x 4], prefetch = 768>]}
  return
}
