// RUN: quant-opt %s --convert-linalg-to-gpu --split-input-file | FileCheck %s

// Two kernels: one for a single token, one for tiles of four. The block copies
// inputs to shared memory between two barriers. Then a lane reads 32 codes by one
// load; the codes of four inputs are decoded at a time, by an or with the bits of
// 2^23 and a subtraction; a unit's products are scaled once.

#w = #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = u4>

// CHECK-LABEL: func @aligned
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<?x96xf32>, %[[CODES:[a-z0-9]+]]: memref<40x48xi8>, %[[SCALES:[a-z0-9]+]]: memref<40x3xf16>
// CHECK: %[[TOKENS:.*]] = memref.dim %[[X]], %c0
// CHECK: %[[SINGLE:.*]] = arith.cmpi eq, %[[TOKENS]], %c1
// CHECK: scf.if %[[SINGLE]]
// CHECK: gpu.launch {{.*}} in (%{{[a-z0-9]+}} = %c32, %{{[a-z0-9]+}} = %c8,
// CHECK-SAME: function(@quant_matmul_0) workgroup(%[[SHARED:[a-z0-9]+]] : memref<1x32x36xf32, #gpu.address_space<workgroup>>)
// CHECK: scf.for
// CHECK: gpu.barrier
// CHECK: %[[INPUTS:.*]] = vector.load %[[X]][{{.*}}] {alignment = 16 : i64} : memref<?x96xf32>, vector<4xf32>
// CHECK: vector.store %[[INPUTS]], %[[SHARED]][{{.*}}] {alignment = 16 : i64}
// CHECK: gpu.barrier
// CHECK: %[[BYTES:.*]] = vector.load %[[CODES]][{{.*}}] {alignment = 16 : i64} : memref<40x48xi8>, vector<16xi8>
// CHECK: vector.bitcast %[[BYTES]] : vector<16xi8> to vector<4xi32>
// CHECK: memref.load %[[SCALES]]
// CHECK: arith.ori %{{.*}}, %c1258291200_i32
// CHECK: arith.subf
// CHECK: vector.load %[[SHARED]][{{.*}}] {alignment = 16 : i64}
// CHECK-COUNT-5: gpu.shuffle{{ +}}xor
// CHECK-NOT: gpu.shuffle
// CHECK: } else {
// CHECK: gpu.launch
// CHECK-SAME: function(@quant_matmul_1) workgroup(%{{.*}} : memref<4x32x36xf32, #gpu.address_space<workgroup>>)
// CHECK-COUNT-20: gpu.shuffle{{ +}}xor
// CHECK-NOT: gpu.shuffle
// CHECK-NOT: lowbit.packed_matmul
func.func @aligned(%x: memref<?x96xf32>, %codes: memref<40x48xi8>,
                   %scales: memref<40x3xf16>, %zeros: memref<40x2xi8>,
                   %y: memref<?x40xf32>) {
  lowbit.packed_matmul ins(%x : memref<?x96xf32>)
      weight(%codes, %scales, %zeros : memref<40x48xi8>, memref<40x3xf16>, memref<40x2xi8>
             as !lowbit.tensor<40x96xf32, #w>)
      outs(%y : memref<?x40xf32>)
  return
}

// -----

// Three bits: 12 bytes are 32 codes, read by words of four bytes, and a code may
// straddle two words.

#w = #lowbit.uniform<s3, group = [1, 64], scale = f32, zero = none>

// CHECK-LABEL: func @three_bits
// CHECK-SAME: %{{[a-z0-9]+}}: memref<1x64xf32>, %[[CODES:[a-z0-9]+]]: memref<5x24xi8>
// CHECK-COUNT-3: vector.load %[[CODES]][{{.*}}] {alignment = 4 : i64} : memref<5x24xi8>, vector<4xi8>
// CHECK: arith.shli %{{.*}}, %c2_i32
func.func @three_bits(%x: memref<1x64xf32>, %codes: memref<5x24xi8>,
                      %scales: memref<5x1xf32>, %y: memref<1x5xf32>) {
  lowbit.packed_matmul ins(%x : memref<1x64xf32>)
      weight(%codes, %scales : memref<5x24xi8>, memref<5x1xf32>
             as !lowbit.tensor<5x64xf32, #w>)
      outs(%y : memref<1x5xf32>)
  return
}

// -----

// Rows that no unit suits are read byte by byte: here an odd number of bytes,

#w = #lowbit.uniform<u4, group = [1, *], scale = f16, zero = u4>

// CHECK-LABEL: func @odd_rows
// CHECK-SAME: %{{[a-z0-9]+}}: memref<?x37xf32>, %[[CODES:[a-z0-9]+]]: memref<3x19xi8>
// CHECK-NOT: vector.load
// CHECK: memref.load %[[CODES]]
// CHECK-NOT: vector.load
func.func @odd_rows(%x: memref<?x37xf32>, %codes: memref<3x19xi8>,
                    %scales: memref<3x1xf16>, %zeros: memref<3x1xi8>,
                    %y: memref<?x3xf32>) {
  lowbit.packed_matmul ins(%x : memref<?x37xf32>)
      weight(%codes, %scales, %zeros : memref<3x19xi8>, memref<3x1xf16>, memref<3x1xi8>
             as !lowbit.tensor<3x37xf32, #w>)
      outs(%y : memref<?x3xf32>)
  return
}

// -----

// here groups that end within a unit,

#w = #lowbit.uniform<u4, group = [1, 24], scale = f16, zero = u4, pad>

// CHECK-LABEL: func @odd_groups
// CHECK-NOT: vector.load
func.func @odd_groups(%x: memref<?x64xf32>, %codes: memref<3x32xi8>,
                      %scales: memref<3x3xf16>, %zeros: memref<3x2xi8>,
                      %y: memref<?x3xf32>) {
  lowbit.packed_matmul ins(%x : memref<?x64xf32>)
      weight(%codes, %scales, %zeros : memref<3x32xi8>, memref<3x3xf16>, memref<3x2xi8>
             as !lowbit.tensor<3x64xf32, #w>)
      outs(%y : memref<?x3xf32>)
  return
}

// -----

// here a part of a larger buffer, which may start anywhere.

#w = #lowbit.uniform<u8, group = [1, *], scale = f32, zero = u8>

// CHECK-LABEL: func @strided
// CHECK-NOT: vector.load
func.func @strided(%x: memref<?x32xf32, strided<[?, 1], offset: ?>>,
                   %codes: memref<3x32xi8, strided<[40, 1], offset: ?>>,
                   %scales: memref<3x1xf32>, %zeros: memref<3x1xi8>,
                   %y: memref<?x3xf32>) {
  lowbit.packed_matmul ins(%x : memref<?x32xf32, strided<[?, 1], offset: ?>>)
      weight(%codes, %scales, %zeros : memref<3x32xi8, strided<[40, 1], offset: ?>>, memref<3x1xf32>, memref<3x1xi8>
             as !lowbit.tensor<3x32xf32, #w>)
      outs(%y : memref<?x3xf32>)
  return
}
