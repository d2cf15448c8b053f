// RUN: quant-opt %s -split-input-file \
// RUN:   -lowbit-lower-contractions="vector-bytes=64 vector-registers=32" \
// RUN:   | FileCheck %s
// RUN: quant-opt %s -split-input-file \
// RUN:   -lowbit-lower-contractions="vector-bytes=32 parallel=false" \
// RUN:   | FileCheck %s --check-prefix=AVX2

// Tiles of 6 rows by 4 registers of AVX-512, or by 2 of AVX2. The number of
// rows decides at run time between packing and reading in place.

// CHECK-LABEL: @matmul
// CHECK: %[[FEW:.+]] = arith.cmpi slt
// CHECK: scf.if %[[FEW]]
// CHECK: omp.parallel num_threads(
// CHECK-COUNT-8: vector.fma {{.*}} : vector<16xf32>
// CHECK: } else {
// CHECK: omp.parallel num_threads(
// CHECK: memref.alloca() {alignment = 64 : i64} : memref<256x64xf32>
// CHECK-COUNT-7: vector.fma {{.*}} : vector<64xf32>
// CHECK-NOT: vector.fma
// CHECK-NOT: linalg

// AVX2-LABEL: @matmul
// AVX2-NOT: omp
// AVX2: memref<256x16xf32>
// AVX2-COUNT-7: vector.fma {{.*}} : vector<16xf32>
func.func @matmul(%a: memref<?x1024xf32>, %b: memref<1024x512xf32>,
                  %c: memref<?x512xf32>) {
  linalg.matmul ins(%a, %b : memref<?x1024xf32>, memref<1024x512xf32>)
      outs(%c : memref<?x512xf32>)
  return
}

// -----

// With one row there is nothing to pack; a transposed weight is read along its
// rows.

// CHECK-LABEL: @one_row_transposed
// CHECK-NOT: memref.alloca
// The lanes are added by halves.
// CHECK: %[[LOW:.+]] = vector.extract_strided_slice %[[SUM:.+]] {offsets = [0], sizes = [8], strides = [1]} : vector<16xf32>
// CHECK: %[[HIGH:.+]] = vector.extract_strided_slice %[[SUM]] {offsets = [8], sizes = [8], strides = [1]}
// CHECK: arith.addf %[[LOW]], %[[HIGH]] : vector<8xf32>
// CHECK-NOT: linalg
func.func @one_row_transposed(%a: memref<1x64xf32>, %b: memref<40x64xf32>,
                              %c: memref<1x40xf32>) {
  linalg.matmul
      indexing_maps = [affine_map<(m, n, k) -> (m, k)>,
                       affine_map<(m, n, k) -> (n, k)>,
                       affine_map<(m, n, k) -> (m, n)>]
      ins(%a, %b : memref<1x64xf32>, memref<40x64xf32>)
      outs(%c : memref<1x40xf32>)
  return
}

// -----

// The last panel is narrower: its columns pass through a buffer.

// CHECK-LABEL: @partial_panel
// CHECK-DAG: memref.alloca() {alignment = 64 : i64} : memref<32x64xf32>
// CHECK-DAG: memref.alloca() {alignment = 64 : i64} : memref<64xf32>
func.func @partial_panel(%a: memref<8x32xf32>, %b: memref<32x70xf32>,
                         %c: memref<8x70xf32>) {
  linalg.matmul ins(%a, %b : memref<8x32xf32>, memref<32x70xf32>)
      outs(%c : memref<8x70xf32>)
  return
}

// -----

// If the rows of the result lie along m, the operands change their roles.

// CHECK-LABEL: @transposed_result
// CHECK: vector.load %{{.*}} : memref<64x16xf32>, vector<64xf32>
// CHECK-NOT: linalg
func.func @transposed_result(%a: memref<16x32xf32>, %b: memref<32x64xf32>,
                             %c: memref<64x16xf32>) {
  linalg.generic {indexing_maps = [affine_map<(m, n, k) -> (m, k)>,
                                   affine_map<(m, n, k) -> (k, n)>,
                                   affine_map<(m, n, k) -> (n, m)>],
                  iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : memref<16x32xf32>, memref<32x64xf32>)
      outs(%c : memref<64x16xf32>) {
  ^bb0(%x: f32, %y: f32, %sum: f32):
    %0 = arith.mulf %x, %y : f32
    %1 = arith.addf %sum, %0 : f32
    linalg.yield %1 : f32
  }
  return
}

// -----

// CHECK-LABEL: @no_match_integers
// CHECK: linalg.matmul
func.func @no_match_integers(%a: memref<8x32xi32>, %b: memref<32x64xi32>,
                             %c: memref<8x64xi32>) {
  linalg.matmul ins(%a, %b : memref<8x32xi32>, memref<32x64xi32>)
      outs(%c : memref<8x64xi32>)
  return
}

// -----

// CHECK-LABEL: @no_match_tensors
// CHECK: linalg.matmul
func.func @no_match_tensors(%a: tensor<8x32xf32>, %b: tensor<32x64xf32>,
                            %c: tensor<8x64xf32>) -> tensor<8x64xf32> {
  %0 = linalg.matmul ins(%a, %b : tensor<8x32xf32>, tensor<32x64xf32>)
      outs(%c : tensor<8x64xf32>) -> tensor<8x64xf32>
  return %0 : tensor<8x64xf32>
}
