// RUN: quant-opt %s -split-input-file -verify-diagnostics

func.func @length(%acc: vector<4xi32>, %a: vector<8xi8>) -> vector<4xi32> {
  // expected-error @below {{takes four 8-bit elements for each 32-bit lane: 'vector<4xi32>' goes with 'vector<16xi8>', got 'vector<8xi8>'}}
  %0 = qvec.dot %acc, %a, %a : vector<4xi32>, vector<8xi8>
  return %0 : vector<4xi32>
}

// -----

func.func @bound(%acc: vector<4xi32>, %a: vector<16xi8>) -> vector<4xi32> {
  // expected-error @below {{lhs_max must be from 1 to 255, got 256}}
  %0 = qvec.dot %acc, %a, %a {lhs_max = 256 : i32} : vector<4xi32>, vector<16xi8>
  return %0 : vector<4xi32>
}

// -----

func.func @scalable(%acc: vector<[4]xi32>, %a: vector<16xi8>) -> vector<[4]xi32> {
  // expected-error @below {{'vector<[4]xi32>' goes with 'vector<[16]xi8>', got 'vector<16xi8>'}}
  %0 = qvec.dot %acc, %a, %a : vector<[4]xi32>, vector<16xi8>
  return %0 : vector<[4]xi32>
}

// -----

func.func @one_row(%acc: vector<2xi32>, %a: vector<8xi8>, %b: vector<16xi8>) -> vector<2xi32> {
  // expected-error @below {{takes a multiple of four sums, got 'vector<2xi32>'}}
  %0 = qvec.mmla %acc, %a, %b : vector<2xi32>, vector<8xi8>
  return %0 : vector<2xi32>
}

// -----

func.func @rows(%acc: vector<8xi32>, %a: vector<16xi8>) -> vector<8xi32> {
  // expected-error @below {{takes four 8-bit elements for each 32-bit lane: 'vector<8xi32>' goes with 'vector<32xi8>', got 'vector<16xi8>'}}
  %0 = qvec.mmla %acc, %a, %a : vector<8xi32>, vector<16xi8>
  return %0 : vector<8xi32>
}

// -----

func.func @narrow_indices(%table: vector<16xf32>, %indices: vector<16xi8>) {
  // expected-error @below {{takes indices as wide as the entries of 'vector<16xf32>', got 'vector<16xi8>'}}
  %0 = qvec.lookup %table, %indices : vector<16xf32>, vector<16xi8>
  return
}

// -----

func.func @few_indices(%table: vector<16xi8>, %indices: vector<8xi8>) {
  // expected-error @below {{takes a multiple of 16 indices, got 'vector<8xi8>'}}
  %0 = qvec.lookup %table, %indices : vector<16xi8>, vector<8xi8>
  return
}

// -----

func.func @short_table(%table: vector<8xi8>, %indices: vector<16xi8>) {
  // expected-error @below {{operand #0 must be vector of 8-bit signless integer or 32-bit float values of length 16, but got 'vector<8xi8>'}}
  %0 = qvec.lookup %table, %indices : vector<8xi8>, vector<16xi8>
  return
}

// -----

func.func @depth() {
  // expected-error @below {{depth must be a multiple of 4 up to 64, got 66}}
  qvec.tiles depth = 66 {
  }
  return
}

// -----

func.func @no_tiles(%x: memref<1x1x16x64xi8>, %sums: memref<16x1x16xi32>) {
  // expected-error @below {{must be in a qvec.tiles}}
  qvec.tile_dot %x, %x, %sums : memref<1x1x16x64xi8>, memref<1x1x16x64xi8>, memref<16x1x16xi32>
  return
}

// -----

func.func @dynamic(%x: memref<1x?x16x64xi8>, %sums: memref<16x1x16xi32>) {
  qvec.tiles depth = 64 {
    // expected-error @below {{takes buffers of static shape, got 'memref<1x?x16x64xi8>'}}
    qvec.tile_dot %x, %x, %sums : memref<1x?x16x64xi8>, memref<1x?x16x64xi8>, memref<16x1x16xi32>
  }
  return
}

// -----

func.func @three_rows(%x: memref<3x1x16x64xi8>, %w: memref<1x1x16x64xi8>, %sums: memref<48x1x16xi32>) {
  qvec.tiles depth = 64 {
    // expected-error @below {{takes one or two rows of tiles, got 'memref<3x1x16x64xi8>' as lhs}}
    qvec.tile_dot %x, %w, %sums : memref<3x1x16x64xi8>, memref<1x1x16x64xi8>, memref<48x1x16xi32>
  }
  return
}

// -----

func.func @other_depth(%x: memref<2x1x16x64xi8>, %w: memref<1x1x16x64xi8>, %sums: memref<32x1x16xi32>) {
  qvec.tiles depth = 32 {
    // expected-error @below {{needs 'memref<2x1x16x32xi8>' as lhs, got 'memref<2x1x16x64xi8>'}}
    qvec.tile_dot %x, %w, %sums : memref<2x1x16x64xi8>, memref<1x1x16x64xi8>, memref<32x1x16xi32>
  }
  return
}

// -----

func.func @sums(%x: memref<2x1x16x64xi8>, %w: memref<1x1x16x64xi8>, %sums: memref<16x1x16xi32>) {
  qvec.tiles depth = 64 {
    // expected-error @below {{needs 'memref<32x1x16xi32>' as sums, got 'memref<16x1x16xi32>'}}
    qvec.tile_dot %x, %w, %sums : memref<2x1x16x64xi8>, memref<1x1x16x64xi8>, memref<16x1x16xi32>
  }
  return
}

// -----

func.func @gaps(%x: memref<1x1x16x64xi8, strided<[2048, 2048, 128, 1]>>, %w: memref<1x1x16x64xi8>, %sums: memref<16x1x16xi32>) {
  qvec.tiles depth = 64 {
    // expected-error @below {{needs contiguous rows in lhs, got 'memref<1x1x16x64xi8, strided<[2048, 2048, 128, 1]>>'}}
    qvec.tile_dot %x, %w, %sums : memref<1x1x16x64xi8, strided<[2048, 2048, 128, 1]>>, memref<1x1x16x64xi8>, memref<16x1x16xi32>
  }
  return
}

// -----

func.func @mixed_elements(%x: memref<1x1x16x32xbf16>, %w: memref<1x1x16x32xbf16>, %sums: memref<16x1x16xi32>) {
  qvec.tiles depth = 64 {
    // expected-error @below {{multiplies i8 into i32 or bf16 into f32, got 'bf16' and 'bf16' into 'i32'}}
    qvec.tile_dot %x, %w, %sums : memref<1x1x16x32xbf16>, memref<1x1x16x32xbf16>, memref<16x1x16xi32>
  }
  return
}

// -----

func.func @unsigned_floats(%x: memref<1x1x16x32xbf16>, %w: memref<1x1x16x32xbf16>, %sums: memref<16x1x16xf32>) {
  qvec.tiles depth = 64 {
    // expected-error @below {{has rhs_unsigned, which is for bytes only}}
    qvec.tile_dot %x, %w, %sums {rhs_unsigned} : memref<1x1x16x32xbf16>, memref<1x1x16x32xbf16>, memref<16x1x16xf32>
  }
  return
}

// -----

func.func @parts_of_bytes(%x: memref<1x2x16x64xi8>, %w: memref<1x1x16x64xi8>, %sums: memref<16x1x16xi32>) {
  qvec.tiles depth = 64 {
    // expected-error @below {{needs 'memref<1x1x16x64xi8>' as lhs, got 'memref<1x2x16x64xi8>'}}
    qvec.tile_dot %x, %w, %sums : memref<1x2x16x64xi8>, memref<1x1x16x64xi8>, memref<16x1x16xi32>
  }
  return
}

// -----

func.func @part_of_parts(%x: memref<1x5x16x32xbf16>, %w: memref<1x2x16x32xbf16>, %sums: memref<16x1x16xf32>) {
  qvec.tiles depth = 64 {
    // expected-error @below {{needs 'memref<1x4x16x32xbf16>' as lhs, got 'memref<1x5x16x32xbf16>'}}
    qvec.tile_dot %x, %w, %sums : memref<1x5x16x32xbf16>, memref<1x2x16x32xbf16>, memref<16x1x16xf32>
  }
  return
}
