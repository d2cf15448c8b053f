// RUN: quant-opt %s --convert-qvec-to-x86="level=avx512vnni" | FileCheck %s --check-prefix=VNNI
// RUN: quant-opt %s --convert-qvec-to-x86 | FileCheck %s --check-prefix=AVX2
// RUN: quant-opt %s --convert-qvec-to-arm | FileCheck %s --check-prefix=LANES
// RUN: quant-opt %s --convert-qvec-to-vector | FileCheck %s --check-prefix=LANES

// Pairs of halves, of which the upper ones add nothing.
// VNNI-LABEL: @mul_add
// VNNI: %[[MASK:.+]] = arith.constant dense<65535> : vector<16xi32>
// VNNI: arith.andi %{{.+}}, %[[MASK]]
// VNNI: llvm.call_intrinsic "llvm.x86.avx512.vpdpwssd.512"
// VNNI-NOT: arith.muli
// AVX2-LABEL: @mul_add
// AVX2-COUNT-2: llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"
// AVX2-NOT: arith.muli
// LANES-LABEL: @mul_add
// LANES: %[[PRODUCT:.+]] = arith.muli
// LANES: arith.addi %{{.+}}, %[[PRODUCT]]
func.func @mul_add(%acc: vector<16xi32>, %a: vector<16xi32>, %b: vector<16xi32>) -> vector<16xi32> {
  %0 = qvec.mul_add %acc, %a, %b : vector<16xi32>
  return %0 : vector<16xi32>
}
