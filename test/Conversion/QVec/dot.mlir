// RUN: quant-opt %s --convert-qvec-to-x86="level=avx512vnni" | FileCheck %s --check-prefix=VNNI
// RUN: quant-opt %s --convert-qvec-to-x86 | FileCheck %s --check-prefix=AVX2
// RUN: quant-opt %s --convert-qvec-to-arm | FileCheck %s --check-prefix=ARM
// RUN: quant-opt %s --convert-qvec-to-arm="level=i8mm" | FileCheck %s --check-prefix=I8MM
// RUN: quant-opt %s --convert-qvec-to-arm="level=sve" | FileCheck %s --check-prefix=SVE
// RUN: quant-opt %s --convert-qvec-to-vector | FileCheck %s --check-prefix=VECTOR

// Nibbles fit every instruction.
// VNNI-LABEL: @nibbles
// VNNI: llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"
// AVX2-LABEL: @nibbles
// AVX2-COUNT-2: llvm.call_intrinsic "llvm.x86.avx2.pmadd.ub.sw"
// AVX2-NOT: pmadd.ub.sw
// ARM-LABEL: @nibbles
// ARM-COUNT-4: arm_neon.intr.sdot
// ARM-NOT: sdot
// I8MM-LABEL: @nibbles
// I8MM-COUNT-4: arm_neon.intr.sdot
// I8MM-NOT: usdot
// Not every processor with SVE has dot products of NEON.
// SVE-LABEL: @nibbles
// SVE: %[[ACC:.+]] = llvm.intr.vector.insert {{.*}} : vector<4xi32> into vector<[4]xi32>
// SVE: %[[SUMS:.+]] = llvm.call_intrinsic "llvm.aarch64.sve.sdot.nxv4i32"(%[[ACC]]
// SVE: llvm.intr.vector.extract %[[SUMS]][0] : vector<4xi32> from vector<[4]xi32>
// SVE-NOT: arm_neon
// VECTOR-LABEL: @nibbles
// VECTOR-NOT: qvec
func.func @nibbles(%acc: vector<16xi32>, %a: vector<64xi8>, %b: vector<64xi8>) -> vector<16xi32> {
  %0 = qvec.dot %acc, %a, %b {lhs_max = 15 : i32} : vector<16xi32>, vector<64xi8>
  return %0 : vector<16xi32>
}

// Whole bytes would saturate vpmaddubsw and be negative for sdot.
// VNNI-LABEL: @bytes
// VNNI: vpdpbusd.256
// AVX2-LABEL: @bytes
// AVX2: arith.shrui
// AVX2-COUNT-2: pmadd.ub.sw
// ARM-LABEL: @bytes
// ARM: arith.andi
// ARM-COUNT-4: arm_neon.intr.sdot
// I8MM-LABEL: @bytes
// I8MM-NOT: arith.andi
// I8MM-COUNT-2: llvm.call_intrinsic "llvm.aarch64.neon.usdot.v4i32.v16i8"
func.func @bytes(%acc: vector<8xi32>, %a: vector<32xi8>, %b: vector<32xi8>) -> vector<8xi32> {
  %0 = qvec.dot %acc, %a, %b : vector<8xi32>, vector<32xi8>
  return %0 : vector<8xi32>
}
