// RUN: quant-opt %s --convert-qvec-to-x86="level=amx" | FileCheck %s --check-prefix=AMX
// RUN: quant-opt %s --convert-qvec-to-vector | FileCheck %s --check-prefix=VECTOR

// The configuration: palette 1; rows of 64 bytes but in tiles 4 and 5, which
// have 48; 16 rows but in tiles 6 and 7, which have 12.
// AMX-LABEL: @half
// AMX: llvm.mlir.constant(dense<[1, 0, {{[0, ]+}}0, 64, 0, 64, 0, 64, 0, 64, 0, 48, 0, 48, 0, 64, 0, 64, 0, {{[0, ]+}}0, 16, 16, 16, 16, 16, 16, 12, 12, {{.*}}]>
// AMX: %[[CONFIG:.+]] = llvm.alloca {{.*}} x vector<64xi8> {alignment = 64 : i64}
// AMX: llvm.call_intrinsic "llvm.x86.ldtilecfg"(%[[CONFIG]])
// All eight registers; a tile is loaded once.
// AMX-COUNT-4: "llvm.x86.tilezero"
// AMX-NOT: tilezero
// AMX: "llvm.x86.tileloadd64"
// AMX: "llvm.x86.tileloadd64"
// AMX: "llvm.x86.tdpbssd"
// AMX: "llvm.x86.tileloadd64"
// AMX: "llvm.x86.tdpbssd"
// AMX: "llvm.x86.tileloadd64"
// AMX: "llvm.x86.tdpbssd"
// AMX: "llvm.x86.tdpbssd"
// AMX-NOT: tileloadd64
// AMX-COUNT-4: "llvm.x86.tilestored64"
// AMX: "llvm.x86.tilerelease"
// AMX-NOT: qvec
// VECTOR-LABEL: @half
// VECTOR: scf.for
// VECTOR: arith.extsi {{.*}} : vector<16xi8> to vector<16xi32>
// VECTOR-NOT: qvec
func.func @half(%x: memref<2x1x16x48xi8>, %w: memref<2x1x12x64xi8>, %sums: memref<32x2x16xi32>) {
  qvec.tiles depth = 48 {
    qvec.tile_dot %x, %w, %sums : memref<2x1x16x48xi8>, memref<2x1x12x64xi8>, memref<32x2x16xi32>
  }
  return
}

// Many tiles are a loop.
// AMX-LABEL: @long
// AMX: "llvm.x86.tilezero"
// AMX-NOT: tilezero
// AMX: scf.for
// AMX: "llvm.x86.tdpbsud"
// AMX-NOT: tdp
// AMX: return
// VECTOR-LABEL: @long
// VECTOR: arith.extui {{.*}} : vector<16xi8> to vector<16xi32>
func.func @long(%x: memref<1x9x16x64xi8>, %w: memref<1x9x16x64xi8>, %sums: memref<16x1x16xi32>) {
  qvec.tiles depth = 64 {
    qvec.tile_dot %x, %w, %sums {rhs_unsigned} : memref<1x9x16x64xi8>, memref<1x9x16x64xi8>, memref<16x1x16xi32>
  }
  return
}

// Three parts of the left operand for a tile of the right one, which is loaded
// once.
// AMX-LABEL: @floats
// AMX-COUNT-2: "llvm.x86.tilezero"
// AMX: "llvm.x86.tileloadd64"
// AMX: "llvm.x86.tileloadd64"
// AMX: "llvm.x86.tdpbf16ps"
// AMX: "llvm.x86.tileloadd64"
// AMX: "llvm.x86.tdpbf16ps"
// AMX: "llvm.x86.tileloadd64"
// AMX-NEXT: "llvm.x86.tdpbf16ps"
// AMX-NOT: tdpbssd
// AMX: "llvm.x86.tilestored64"
// VECTOR-LABEL: @floats
// VECTOR: scf.for {{.*}} -> (vector<16xf32>, vector<16xf32>)
// VECTOR: arith.extf {{.*}} : vector<16xbf16> to vector<16xf32>
// VECTOR-COUNT-2: vector.fma
// VECTOR: arith.addf
// VECTOR: arith.addf
// VECTOR-NOT: qvec
func.func @floats(%x: memref<2x3x16x32xbf16>, %w: memref<1x1x16x32xbf16>, %sums: memref<32x1x16xf32>) {
  qvec.tiles depth = 64 {
    qvec.tile_dot %x, %w, %sums : memref<2x3x16x32xbf16>, memref<1x1x16x32xbf16>, memref<32x1x16xf32>
  }
  return
}
