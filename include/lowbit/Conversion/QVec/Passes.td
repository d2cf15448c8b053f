//===- Passes.td - conversions out of the qvec dialect -- -*- tablegen -*--===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_CONVERSION_QVEC_PASSES_TD
#define LOWBIT_CONVERSION_QVEC_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertQVecToX86 : Pass<"convert-qvec-to-x86"> {
  let summary = "Turn qvec operations into AVX2, AVX-512 VNNI or AMX instructions";
  let description = [{
    `qvec.dot` becomes `vpdpbusd` with AVX-512 VNNI, and `vpmaddubsw` with
    `vpmaddwd` with AVX2. The latter saturates at 16 bits, so codes above 127
    are split into their top bit and the rest, which are exact. `qvec.lookup`
    becomes `vpshufb` for bytes, and for floats one `vpermps` of 16 with AVX-512
    or two of eight and a blend with AVX2. With AMX, `qvec.tile_dot` becomes
    `tdpbssd` or `tdpbsud` on all eight tile registers, and `qvec.tiles`
    configures them; other levels have no tiles.

    Before:

    ```mlir
    %r = qvec.dot %acc, %a, %b {lhs_max = 15 : i32} : vector<16xi32>, vector<64xi8>
    ```

    After (`level=avx512vnni`):

    ```mlir
    %r = llvm.call_intrinsic "llvm.x86.avx512.vpdpbusd.512"(%acc, %a, %b)
        : (vector<16xi32>, vector<64xi8>, vector<64xi8>) -> vector<16xi32>
    ```
  }];
  let options = [
    Option<"level", "level", "std::string", "\"avx2\"",
           "Instruction set: avx2, avx512vnni or amx">
  ];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect",
                           "::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

def ConvertQVecToArm : Pass<"convert-qvec-to-arm"> {
  let summary = "Turn qvec operations into NEON or SVE instructions";
  let description = [{
    `qvec.dot` becomes `sdot` where the codes fit 7 bits, `usdot` where they do
    not and i8mm is there, and two `sdot` otherwise. With i8mm, `qvec.mmla`
    becomes `smmla` or `usmmla`. `qvec.lookup` becomes `tbl`. Scalable vectors
    become registers of SVE, others of NEON, whose `sdot` needs the dotprod
    feature.

    Before:

    ```mlir
    %r = qvec.mmla %acc, %a, %b {lhs_max = 15 : i32} : vector<4xi32>, vector<16xi8>
    ```

    After (`level=i8mm`):

    ```mlir
    %r = llvm.call_intrinsic "llvm.aarch64.neon.smmla.v4i32.v16i8"(%acc, %a, %b)
        : (vector<4xi32>, vector<16xi8>, vector<16xi8>) -> vector<4xi32>
    ```
  }];
  let options = [
    Option<"level", "level", "std::string", "\"neon\"",
           "Instruction set: neon, i8mm, sve or sve-i8mm">
  ];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect",
                           "::mlir::arm_neon::ArmNeonDialect",
                           "::mlir::arith::ArithDialect",
                           "::mlir::vector::VectorDialect"];
}

def ConvertQVecToVector : Pass<"convert-qvec-to-vector"> {
  let summary = "Expand qvec operations into vector and arith operations";
  let description = [{
    The meaning of the dialect in upstream operations: the oracle of the target
    conversions, and the fallback where no instruction fits.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

#endif // LOWBIT_CONVERSION_QVEC_PASSES_TD
