// RUN: quant-opt %s --convert-qvec-to-x86="level=avx512vnni" | FileCheck %s --check-prefix=AVX512
// RUN: quant-opt %s --convert-qvec-to-x86 | FileCheck %s --check-prefix=AVX2
// RUN: quant-opt %s --convert-qvec-to-arm | FileCheck %s --check-prefix=ARM
// RUN: quant-opt %s --convert-qvec-to-vector | FileCheck %s --check-prefix=VECTOR

// The table is repeated in each 128-bit lane.
// AVX512-LABEL: @bytes
// AVX512: %[[TABLES:.+]] = vector.shuffle {{.*}} : vector<16xi8>, vector<16xi8>
// AVX512: llvm.call_intrinsic "llvm.x86.avx512.pshuf.b.512"(%[[TABLES]], %{{.+}}) : (vector<64xi8>, vector<64xi8>) -> vector<64xi8>
// AVX2-LABEL: @bytes
// AVX2-COUNT-2: llvm.call_intrinsic "llvm.x86.avx2.pshuf.b"({{.*}}) : (vector<32xi8>, vector<32xi8>) -> vector<32xi8>
// AVX2-NOT: pshuf
// ARM-LABEL: @bytes
// ARM-COUNT-4: llvm.call_intrinsic "llvm.aarch64.neon.tbl1.v16i8"({{.*}}) : (vector<16xi8>, vector<16xi8>) -> vector<16xi8>
// ARM-NOT: tbl
// VECTOR-LABEL: @bytes
// VECTOR-COUNT-15: arith.cmpi eq, {{.*}} : vector<64xi8>
// VECTOR-NOT: qvec
func.func @bytes(%table: vector<16xi8>, %indices: vector<64xi8>) -> vector<64xi8> {
  %0 = qvec.lookup %table, %indices : vector<16xi8>, vector<64xi8>
  return %0 : vector<64xi8>
}

// AVX512-LABEL: @one_lane
// AVX512: "llvm.x86.ssse3.pshuf.b.128"(%{{.*}}, %{{.*}}) : (vector<16xi8>, vector<16xi8>) -> vector<16xi8>
// AVX2-LABEL: @one_lane
// AVX2: "llvm.x86.ssse3.pshuf.b.128"
// ARM-LABEL: @one_lane
// ARM: "llvm.aarch64.neon.tbl1.v16i8"
func.func @one_lane(%table: vector<16xi8>, %indices: vector<16xi8>) -> vector<16xi8> {
  %0 = qvec.lookup %table, %indices : vector<16xi8>, vector<16xi8>
  return %0 : vector<16xi8>
}

// Three lanes of 16 fit no register of 32.
// AVX2-LABEL: @three_lanes
// AVX2-COUNT-3: "llvm.x86.ssse3.pshuf.b.128"
// AVX2-NOT: pshuf
func.func @three_lanes(%table: vector<16xi8>, %indices: vector<48xi8>) -> vector<48xi8> {
  %0 = qvec.lookup %table, %indices : vector<16xi8>, vector<48xi8>
  return %0 : vector<48xi8>
}

// AVX512-LABEL: @floats
// AVX512: llvm.call_intrinsic "llvm.x86.avx512.permvar.sf.512"(%{{.+}}, %{{.+}}) : (vector<16xf32>, vector<16xi32>) -> vector<16xf32>
// AVX2-LABEL: @floats
// AVX2-COUNT-4: llvm.call_intrinsic "llvm.x86.avx2.permps"({{.*}}) : (vector<8xf32>, vector<8xi32>) -> vector<8xf32>
// ARM-LABEL: @floats
// ARM-COUNT-4: llvm.call_intrinsic "llvm.aarch64.neon.tbl4.v16i8"
// VECTOR-LABEL: @floats
// VECTOR-COUNT-15: arith.select {{.*}} : vector<16xi1>, vector<16xf32>
func.func @floats(%table: vector<16xf32>, %indices: vector<16xi32>) -> vector<16xf32> {
  %0 = qvec.lookup %table, %indices : vector<16xf32>, vector<16xi32>
  return %0 : vector<16xf32>
}

// vpermps reads the low bits of an index and no more: three of eight entries.
// AVX512-LABEL: @masked
// AVX512-NOT: arith.andi
// AVX512: "llvm.x86.avx512.permvar.sf.512"(%{{.+}}, %arg0)
// AVX2-LABEL: @masked
// AVX2-NOT: arith.andi
// AVX2: %[[LOW:.+]] = vector.extract_strided_slice %arg0
// AVX2: "llvm.x86.avx2.permps"(%{{.+}}, %[[LOW]])
// AVX2-NOT: arith.select
// ARM-LABEL: @masked
// ARM: arith.andi
func.func @masked(%codes: vector<16xi32>) -> vector<16xf32> {
  %table = arith.constant dense<[0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0,
                                 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]> : vector<16xf32>
  %mask = arith.constant dense<15> : vector<16xi32>
  %indices = arith.andi %codes, %mask : vector<16xi32>
  %0 = qvec.lookup %table, %indices : vector<16xf32>, vector<16xi32>
  return %0 : vector<16xf32>
}

// A mask that leaves less than that is needed.
// AVX2-LABEL: @narrow_mask
// AVX512-LABEL: @narrow_mask
// AVX512: arith.andi
func.func @narrow_mask(%table: vector<16xf32>, %codes: vector<16xi32>) -> vector<16xf32> {
  %mask = arith.constant dense<7> : vector<16xi32>
  %indices = arith.andi %codes, %mask : vector<16xi32>
  %0 = qvec.lookup %table, %indices : vector<16xf32>, vector<16xi32>
  return %0 : vector<16xf32>
}
