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
// CHECK: memref.load %[[SCALES]]{{\[}}
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

// A unit has a scale for each of its parts that may lie in different groups.

#w = #lowbit.uniform<u4, group = [1, 24], scale = f16, zero = f16, pad>

// CHECK-LABEL: func @parts
// CHECK-SAME: %[[CODES:[a-z0-9]+]]: memref<3x32xi8>, %[[SCALES:[a-z0-9]+]]: memref<3x3xf16>, %[[ZEROS:[a-z0-9]+]]: memref<3x3xf16>
// CHECK: gpu.launch
// CHECK: vector.load %[[CODES]][{{.*}}] {alignment = 16 : i64}
// CHECK: memref.load %[[SCALES]]{{\[}}
// CHECK: memref.load %[[ZEROS]]{{\[}}
// CHECK: memref.load %[[SCALES]]{{\[}}
// CHECK: memref.load %[[SCALES]]{{\[}}
// CHECK: memref.load %[[SCALES]]{{\[}}
// CHECK-NOT: memref.load %[[SCALES]]{{\[}}
// CHECK: gpu.launch
func.func @parts(%x: memref<?x64xf32>, %codes: memref<3x32xi8>,
                 %scales: memref<3x3xf16>, %zeros: memref<3x3xf16>,
                 %y: memref<?x3xf32>) {
  lowbit.packed_matmul ins(%x : memref<?x64xf32>)
      weight(%codes, %scales, %zeros : memref<3x32xi8>, memref<3x3xf16>, memref<3x3xf16>
             as !lowbit.tensor<3x64xf32, #w>)
      outs(%y : memref<?x3xf32>)
  return
}

// -----

// The levels of a table are copied to shared memory; scales in one byte are the
// exponents of floats.

#w = #lowbit.codebook<e2m1, group = [1, 32], scale = f8E8M0FNU>

// CHECK: memref.global "private" constant @[[TABLE:.*]] : memref<16xf32> = dense<[0.000000e+00, 5.000000e-01
// CHECK-LABEL: func @table
// CHECK-SAME: %[[CODES:[a-z0-9]+]]: memref<8x32xi8>, %[[SCALES:[a-z0-9]+]]: memref<8x2xi8>
// CHECK: %[[LEVELS:.*]] = memref.get_global @[[TABLE]]
// CHECK: gpu.launch
// CHECK-SAME: workgroup(%{{[a-z0-9]+}} : memref<1x32x36xf32, #gpu.address_space<workgroup>>, %[[SHARED:[a-z0-9]+]] : memref<16xf32, #gpu.address_space<workgroup>>)
// CHECK: %[[LEVEL:.*]] = memref.load %[[LEVELS]]
// CHECK: memref.store %[[LEVEL]], %[[SHARED]]
// CHECK: gpu.barrier
// CHECK: vector.load %[[CODES]][{{.*}}] {alignment = 16 : i64}
// CHECK: %[[SCALE:.*]] = memref.load %[[SCALES]]
// CHECK: %[[BYTE:.*]] = arith.extui %[[SCALE]]
// CHECK: arith.shli %[[BYTE]], %c23_i32
// CHECK: memref.load %[[SHARED]]{{\[}}
func.func @table(%x: memref<?x64xf32>, %codes: memref<8x32xi8>,
                 %scales: memref<8x2xi8>, %y: memref<?x8xf32>) {
  lowbit.packed_matmul ins(%x : memref<?x64xf32>)
      weight(%codes, %scales : memref<8x32xi8>, memref<8x2xi8>
             as !lowbit.tensor<8x64xf32, #w>)
      outs(%y : memref<?x8xf32>)
  return
}

// -----

// Sums of signs: a bit flips the sign of a term's scale.

#w = #lowbit.bcq<bits = 2, group = [1, 32], scale = f16, offset>

// CHECK-LABEL: func @signs
// CHECK-SAME: %[[PLANES:[a-z0-9]+]]: memref<2x8x8xi8>, %[[SCALES:[a-z0-9]+]]: memref<2x8x2xf16>, %[[OFFSETS:[a-z0-9]+]]: memref<8x2xf16>
// CHECK: vector.load %[[PLANES]][%c0{{.*}}, %{{.*}}, %{{.*}}] {alignment = 4 : i64} : memref<2x8x8xi8>, vector<4xi8>
// CHECK: vector.load %[[PLANES]][%c1{{.*}}, %{{.*}}, %{{.*}}] {alignment = 4 : i64} : memref<2x8x8xi8>, vector<4xi8>
// CHECK: memref.load %[[SCALES]][%c0
// CHECK: memref.load %[[SCALES]][%c1
// CHECK: memref.load %[[OFFSETS]]{{\[}}
// CHECK: arith.negf
// CHECK: arith.xori
func.func @signs(%x: memref<?x64xf32>, %planes: memref<2x8x8xi8>,
                 %scales: memref<2x8x2xf16>, %offsets: memref<8x2xf16>,
                 %y: memref<?x8xf32>) {
  lowbit.packed_matmul ins(%x : memref<?x64xf32>)
      weight(%planes, %scales, %offsets : memref<2x8x8xi8>, memref<2x8x2xf16>, memref<8x2xf16>
             as !lowbit.tensor<8x64xf32, #w>)
      outs(%y : memref<?x8xf32>)
  return
}

// -----

// Rows that cannot be read by units are decoded by the format, element by element:
// here of an odd number of bytes,

#w = #lowbit.uniform<u4, group = [1, *], scale = f16, zero = u4>

// CHECK-LABEL: func @odd_rows
// CHECK-SAME: %{{[a-z0-9]+}}: memref<?x37xf32>, %[[CODES:[a-z0-9]+]]: memref<3x19xi8>
// CHECK: %[[WHOLE:.*]] = memref.assume_alignment %[[CODES]], 16
// CHECK-NOT: vector.load %[[CODES]]{{\[}}
// CHECK: memref.load %[[WHOLE]]{{\[}}
// CHECK-NOT: vector.load %[[CODES]]{{\[}}
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

// here of groups that end within four codes,

#w = #lowbit.uniform<u4, group = [1, 6], scale = f16, zero = none, pad>

// CHECK-LABEL: func @odd_groups
// CHECK-SAME: %[[CODES:[a-z0-9]+]]: memref<3x32xi8>
// CHECK-NOT: vector.load %[[CODES]]{{\[}}
func.func @odd_groups(%x: memref<?x64xf32>, %codes: memref<3x32xi8>,
                      %scales: memref<3x11xf16>, %y: memref<?x3xf32>) {
  lowbit.packed_matmul ins(%x : memref<?x64xf32>)
      weight(%codes, %scales : memref<3x32xi8>, memref<3x11xf16>
             as !lowbit.tensor<3x64xf32, #w>)
      outs(%y : memref<?x3xf32>)
  return
}

// -----

// here a part of a larger buffer, which may start anywhere,

#w = #lowbit.uniform<u8, group = [1, *], scale = f32, zero = u8>

// CHECK-LABEL: func @strided
// CHECK-SAME: %[[CODES:[a-z0-9]+]]: memref<3x32xi8, strided<[40, 1], offset: ?>>
// CHECK-NOT: memref.assume_alignment %[[CODES]],
// CHECK-NOT: vector.load %[[CODES]]{{\[}}
// CHECK: memref.load %[[CODES]]{{\[}}
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

// -----

// here of a size that only the weight's type tells,

#w = #lowbit.uniform<u4, group = [1, *], scale = f16, zero = none>

// CHECK-LABEL: func @lost_shape
// CHECK-SAME: %{{[a-z0-9]+}}: memref<?x38xf32>, %[[CODES:[a-z0-9]+]]: memref<?x?xi8>
// CHECK: %[[CAST:.*]] = memref.cast %[[CODES]] : memref<?x?xi8> to memref<3x19xi8>
// CHECK: %[[WHOLE:.*]] = memref.assume_alignment %[[CAST]], 16
// CHECK-NOT: vector.load %[[CAST]]{{\[}}
// CHECK: memref.load %[[WHOLE]]{{\[}}
func.func @lost_shape(%x: memref<?x38xf32>, %codes: memref<?x?xi8>,
                      %scales: memref<3x1xf16>, %y: memref<?x3xf32>) {
  lowbit.packed_matmul ins(%x : memref<?x38xf32>)
      weight(%codes, %scales : memref<?x?xi8>, memref<3x1xf16>
             as !lowbit.tensor<3x38xf32, #w>)
      outs(%y : memref<?x3xf32>)
  return
}

// -----

// and here a format that is no plain codes. A lane decodes eight neighbours at a time;
// a table is a buffer on the device. All that bufferization would do is done.

#w = #lowbit.codebook<nf4, group = [1, 32], scale = #lowbit.codebook<e4m3, group = [*, *], scale = f32>>

// CHECK-LABEL: func @decoded
// CHECK-SAME: %[[X:[a-z0-9]+]]: memref<?x64xf32>, %[[CODES:[a-z0-9]+]]: memref<8x32xi8>, %[[SCALES:[a-z0-9]+]]: memref<8x2xi8>, %[[OUTER:[a-z0-9]+]]: memref<1x1xf32>
// CHECK-DAG: %[[LEVELS:.*]] = memref.get_global @__constant_16xf32
// CHECK-DAG: %[[FLOATS:.*]] = memref.get_global @__constant_256xf32
// CHECK: gpu.launch
// CHECK: %[[WHOLE:.*]] = memref.assume_alignment %[[CODES]], 16
// CHECK-NOT: to_tensor
// CHECK-NOT: tensor.extract
// CHECK: scf.for {{.*}} = %c0{{[_0-9]*}} to %c32{{[_0-9]*}} step %c8
// CHECK-COUNT-8: memref.load %[[WHOLE]]{{\[}}
// CHECK-NOT: memref.load %[[WHOLE]]{{\[}}
// CHECK: } else {
// CHECK: gpu.launch
func.func @decoded(%x: memref<?x64xf32>, %codes: memref<8x32xi8>,
                   %scales: memref<8x2xi8>, %outer: memref<1x1xf32>,
                   %y: memref<?x8xf32>) {
  lowbit.packed_matmul ins(%x : memref<?x64xf32>)
      weight(%codes, %scales, %outer : memref<8x32xi8>, memref<8x2xi8>, memref<1x1xf32>
             as !lowbit.tensor<8x64xf32, #w>)
      outs(%y : memref<?x8xf32>)
  return
}
