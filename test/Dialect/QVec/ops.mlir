// RUN: quant-opt %s | quant-opt | FileCheck %s
// RUN: quant-opt %s --mlir-print-op-generic | quant-opt | FileCheck %s
// RUN: quant-opt %s --emit-bytecode | quant-opt | FileCheck %s

// CHECK-LABEL: @dot
// CHECK: qvec.dot %{{.*}}, %{{.*}}, %{{.*}} : vector<4xi32>, vector<16xi8>
// CHECK: qvec.dot %{{.*}}, %{{.*}}, %{{.*}} {lhs_max = 15 : i32} : vector<4xi32>, vector<16xi8>
func.func @dot(%acc: vector<4xi32>, %a: vector<16xi8>, %b: vector<16xi8>) -> vector<4xi32> {
  %0 = qvec.dot %acc, %a, %b : vector<4xi32>, vector<16xi8>
  %1 = qvec.dot %0, %a, %b {lhs_max = 15 : i32} : vector<4xi32>, vector<16xi8>
  return %1 : vector<4xi32>
}

// CHECK-LABEL: @lookup
// CHECK: qvec.lookup %{{.+}}, %{{.+}} : vector<16xi8>, vector<64xi8>
// CHECK: qvec.lookup %{{.+}}, %{{.+}} : vector<16xf32>, vector<16xi32>
func.func @lookup(%t: vector<16xi8>, %i: vector<64xi8>, %u: vector<16xf32>, %j: vector<16xi32>)
    -> (vector<64xi8>, vector<16xf32>) {
  %0 = qvec.lookup %t, %i : vector<16xi8>, vector<64xi8>
  %1 = qvec.lookup %u, %j : vector<16xf32>, vector<16xi32>
  return %0, %1 : vector<64xi8>, vector<16xf32>
}

// CHECK-LABEL: @mul_add
// CHECK: qvec.mul_add %{{.+}}, %{{.+}}, %{{.+}} : vector<16xi32>
func.func @mul_add(%a: vector<16xi32>, %b: vector<16xi32>, %c: vector<16xi32>) -> vector<16xi32> {
  %0 = qvec.mul_add %a, %b, %c : vector<16xi32>
  return %0 : vector<16xi32>
}

// CHECK-LABEL: @float_tiles
// CHECK: qvec.tile_dot %{{.*}}, %{{.*}}, %{{.*}} : memref<2x9x16x16xbf16>, memref<1x3x8x32xbf16>, memref<32x1x16xf32>
func.func @float_tiles(%x: memref<2x9x16x16xbf16>, %w: memref<1x3x8x32xbf16>, %sums: memref<32x1x16xf32>) {
  qvec.tiles depth = 32 {
    qvec.tile_dot %x, %w, %sums : memref<2x9x16x16xbf16>, memref<1x3x8x32xbf16>, memref<32x1x16xf32>
  }
  return
}

// CHECK-LABEL: @tiles
// CHECK: qvec.tiles depth = 32 {
// CHECK: qvec.tile_dot %{{.*}}, %{{.*}}, %{{.*}} : memref<2x3x16x32xi8>, memref<1x3x8x64xi8>, memref<32x1x16xi32>
// CHECK: qvec.tile_dot %{{.*}}, %{{.*}}, %{{.*}} {rhs_unsigned} : memref<2x3x16x32xi8>, memref<1x3x8x64xi8>, memref<32x1x16xi32>
func.func @tiles(%x: memref<2x3x16x32xi8>, %w: memref<1x3x8x64xi8>, %sums: memref<32x1x16xi32>) {
  qvec.tiles depth = 32 {
    qvec.tile_dot %x, %w, %sums : memref<2x3x16x32xi8>, memref<1x3x8x64xi8>, memref<32x1x16xi32>
    qvec.tile_dot %x, %w, %sums {rhs_unsigned} : memref<2x3x16x32xi8>, memref<1x3x8x64xi8>, memref<32x1x16xi32>
  }
  return
}
