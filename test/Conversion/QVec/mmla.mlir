// RUN: quant-opt %s --convert-qvec-to-arm="level=sve-i8mm" | FileCheck %s --check-prefix=ARM
// RUN: quant-opt %s --convert-qvec-to-vector | FileCheck %s --check-prefix=VECTOR
// RUN: quant-opt %s --convert-qvec-to-arm | FileCheck %s --check-prefix=NEON

// One instruction for each register of sums.
// ARM-LABEL: @nibbles
// ARM: llvm.intr.vector.extract {{.*}}[0] : vector<4xi32> from vector<8xi32>
// ARM: llvm.intr.vector.extract {{.*}}[0] : vector<16xi8> from vector<32xi8>
// ARM: llvm.call_intrinsic "llvm.aarch64.neon.smmla.v4i32.v16i8"
// ARM: llvm.intr.vector.extract {{.*}}[16] : vector<16xi8> from vector<32xi8>
// ARM: llvm.call_intrinsic "llvm.aarch64.neon.smmla.v4i32.v16i8"
// ARM-NOT: smmla
// VECTOR-LABEL: @nibbles
// VECTOR: vector.shuffle {{.*}} [0, 0, 8, 8, 16, 16, 24, 24]
// VECTOR: vector.shuffle {{.*}} [0, 8, 0, 8, 0, 8, 0, 8]
// VECTOR-NOT: qvec
// NEON-LABEL: @nibbles
// NEON: qvec.mmla
func.func @nibbles(%acc: vector<8xi32>, %a: vector<32xi8>, %b: vector<16xi8>) -> vector<8xi32> {
  %0 = qvec.mmla %acc, %a, %b {lhs_max = 15 : i32} : vector<8xi32>, vector<32xi8>
  return %0 : vector<8xi32>
}

// ARM-LABEL: @bytes
// ARM: "llvm.aarch64.neon.usmmla.v4i32.v16i8"
func.func @bytes(%acc: vector<4xi32>, %a: vector<16xi8>, %b: vector<16xi8>) -> vector<4xi32> {
  %0 = qvec.mmla %acc, %a, %b : vector<4xi32>, vector<16xi8>
  return %0 : vector<4xi32>
}

// Every 128 bits of a scalable register meet the same two rows.
// ARM-LABEL: @scalable
// ARM: %[[FIRST:.+]] = llvm.intr.vector.insert {{.*}}[0] : vector<16xi8> into vector<[16]xi8>
// ARM: %[[ROWS:.+]] = llvm.call_intrinsic "llvm.aarch64.sve.dupq.lane.nxv16i8"(%[[FIRST]], {{.*}}) : (vector<[16]xi8>, i64) -> vector<[16]xi8>
// ARM: "llvm.aarch64.sve.smmla.nxv4i32"({{.*}}, %[[ROWS]])
// ARM: "llvm.aarch64.sve.smmla.nxv4i32"({{.*}}, %[[ROWS]])
// VECTOR-LABEL: @scalable
// VECTOR: qvec.mmla
func.func @scalable(%acc: vector<[8]xi32>, %a: vector<[32]xi8>, %b: vector<16xi8>) -> vector<[8]xi32> {
  %0 = qvec.mmla %acc, %a, %b {lhs_max = 15 : i32} : vector<[8]xi32>, vector<[32]xi8>
  return %0 : vector<[8]xi32>
}

// Arm shifts bytes.
// ARM-LABEL: @nibble
// ARM: %[[BYTES:.+]] = vector.bitcast %{{.*}} : vector<4xi32> to vector<16xi8>
// ARM: arith.shrui %[[BYTES]], %{{.*}} : vector<16xi8>
// ARM-NOT: arith.andi
func.func @nibble(%codes: vector<4xi32>) -> vector<4xi32> {
  %four = arith.constant dense<4> : vector<4xi32>
  %mask = arith.constant dense<0x0f0f0f0f> : vector<4xi32>
  %0 = arith.shrui %codes, %four : vector<4xi32>
  %1 = arith.andi %0, %mask : vector<4xi32>
  return %1 : vector<4xi32>
}

// But these bits are not the upper ones of a byte.
// ARM-LABEL: @pair
// ARM: arith.shrui %{{.*}} : vector<4xi32>
// ARM: arith.andi
func.func @pair(%codes: vector<4xi32>) -> vector<4xi32> {
  %two = arith.constant dense<2> : vector<4xi32>
  %mask = arith.constant dense<0x03030303> : vector<4xi32>
  %0 = arith.shrui %codes, %two : vector<4xi32>
  %1 = arith.andi %0, %mask : vector<4xi32>
  return %1 : vector<4xi32>
}
