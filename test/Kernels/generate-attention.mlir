// RUN: quant-opt %s -split-input-file --lowbit-generate-kernels="target=avx512vnni" --canonicalize --cse | FileCheck %s --check-prefixes=CHECK,WIDE
// RUN: quant-opt %s -split-input-file --lowbit-generate-kernels="target=neon parallel=false" --canonicalize --cse | FileCheck %s --check-prefixes=CHECK,NARROW

// Equal layers share a kernel; another scale gets its own.
// CHECK-LABEL: @layers
// CHECK: call @lowbit_attention(
// CHECK: call @lowbit_attention(
// CHECK: call @lowbit_attention_0(
func.func @layers(%q: memref<?x8x?x24xf32>, %k: memref<?x2x?x24xf32>, %v: memref<?x2x?x40xf32>,
                  %n: index, %y: memref<?x8x?x40xf32>) {
  lowbit.attention ins(%q : memref<?x8x?x24xf32>)
      key(%k : memref<?x2x?x24xf32>) value(%v : memref<?x2x?x40xf32>)
      causal(%n) outs(%y : memref<?x8x?x40xf32>) {scale = 0.25 : f32}
  lowbit.attention ins(%q : memref<?x8x?x24xf32>)
      key(%k : memref<?x2x?x24xf32>) value(%v : memref<?x2x?x40xf32>)
      causal(%n) outs(%y : memref<?x8x?x40xf32>) {scale = 0.25 : f32}
  lowbit.attention ins(%q : memref<?x8x?x24xf32>)
      key(%k : memref<?x2x?x24xf32>) value(%v : memref<?x2x?x40xf32>)
      causal(%n) outs(%y : memref<?x8x?x40xf32>) {scale = 0.5 : f32}
  return
}

// The memory of a job does not depend on the number of tokens: 64 rows (16
// tokens of 4 heads) by 64 keys.
// CHECK-LABEL: func.func private @lowbit_attention(
// CHECK-NOT: memref.alloc{{a?}}(%
// WIDE: omp.parallel
// NARROW-NOT: omp.
// CHECK-DAG: memref.alloca() {alignment = 64 : i64} : memref<64x24xf32>
// CHECK-DAG: memref.alloca() {alignment = 64 : i64} : memref<24x64xf32>
// CHECK-DAG: memref.alloca() {alignment = 64 : i64} : memref<64x64xf32>
// CHECK-DAG: memref.alloca() {alignment = 64 : i64} : memref<64x40xf32>
// CHECK-NOT: memref.alloc{{a?}}(%
// Blocks of keys, transposed.
// CHECK: vector.shuffle
// Tiles of scores: one fused multiply-add for each vector and step.
// WIDE: vector.fma {{.*}} : vector<64xf32>
// NARROW: vector.fma {{.*}} : vector<16xf32>
// The softmax of each row, so far.
// CHECK: arith.maxnumf
// CHECK: math.exp {{.*}} : vector<16xf32>
// CHECK: math.exp {{.*}} : vector<16xf32>
// Times the values; 40 columns are not a multiple of 16.
// CHECK: vector.fma {{.*}} : vector<16xf32>
// CHECK: vector.fma {{.*}} : vector<8xf32>
// CHECK: arith.divf
// CHECK-NOT: memref.alloc{{a?}}(%

// -----

// Masks are read in place, also where they end within a vector.
// CHECK-LABEL: @masked
func.func @masked(%q: memref<?x1x?x16xf32>, %k: memref<?x1x?x16xf32>, %m: memref<?x1x?x?xi8>, %y: memref<?x1x?x16xf32>) {
  lowbit.attention ins(%q : memref<?x1x?x16xf32>)
      key(%k : memref<?x1x?x16xf32>) value(%k : memref<?x1x?x16xf32>)
      mask(%m : memref<?x1x?x?xi8>) outs(%y : memref<?x1x?x16xf32>) {scale = 0.25 : f32, softcap = 20.0 : f32}
  return
}
// CHECK-LABEL: func.func private @lowbit_attention(
// CHECK: math.tanh {{.*}} : vector<16xf32>
// CHECK: vector.load {{.*}}, vector<16xi8>
// CHECK: vector.maskedload {{.*}} : {{.*}}vector<16xi8>
// CHECK: arith.cmpi ne, {{.*}} : vector<16xi8>
// CHECK: return

// -----

// Codes become floats in registers: keys where they are transposed, the values of
// a block in the memory of the job. Eight bytes hold sixteen codes of four bits.
// CHECK-LABEL: @quantized
func.func @quantized(%q: memref<1x4x?x48xf32>,
                     %kc: memref<1x2x?x24xi8>, %ks: memref<1x2x?x2xf16>, %kz: memref<1x2x?x1xi8>,
                     %vc: memref<1x2x?x48xi8>, %vs: memref<1x2x?x1xf16>, %n: index, %y: memref<1x4x?x48xf32>) {
  lowbit.attention ins(%q : memref<1x4x?x48xf32>)
      key(%kc, %ks, %kz : memref<1x2x?x24xi8>, memref<1x2x?x2xf16>, memref<1x2x?x1xi8>
          as !lowbit.tensor<1x2x?x48xf32, #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = u4, pad>>)
      value(%vc, %vs : memref<1x2x?x48xi8>, memref<1x2x?x1xf16>
            as !lowbit.tensor<1x2x?x48xf32, #lowbit.uniform<s8, group = [1, *], scale = f16, zero = none>>)
      causal(%n) outs(%y : memref<1x4x?x48xf32>) {scale = 0.25 : f32}
  return
}
// CHECK-LABEL: func.func private @lowbit_attention(
// CHECK-NOT: memref.alloc{{a?}}(%
// CHECK: vector.load %{{.+}} : {{.+}}, vector<8xi8>
// CHECK: vector.shuffle {{.+}} [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7] : vector<8xi8>, vector<8xi8>
// CHECK: arith.shrui {{.+}} : vector<16xi32>
// CHECK: arith.subi {{.+}} : vector<16xi32>
// CHECK: arith.extf {{.+}} : f16 to f32
// CHECK: arith.mulf {{.+}} : vector<16xf32>
// CHECK: vector.shuffle {{.+}} : vector<16xf32>, vector<16xf32>
// CHECK: vector.load %{{.+}} : {{.+}}, vector<16xi8>
// CHECK: arith.extsi {{.+}} : vector<16xi8> to vector<16xi32>
// CHECK: vector.store %{{.+}} : memref<64x48xf32>, vector<16xf32>
// CHECK: vector.fma
// CHECK-NOT: memref.alloc{{a?}}(%
