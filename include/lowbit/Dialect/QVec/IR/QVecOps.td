//===- QVecOps.td - register-level operations ----------- -*- tablegen -*--===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_QVEC_IR_QVECOPS_TD
#define LOWBIT_DIALECT_QVEC_IR_QVECOPS_TD

include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/IR/OpBase.td"

def QVec_Dialect : Dialect {
  let name = "qvec";
  let cppNamespace = "::lowbit::qvec";
  let summary = "Register-level operations that kernels need and MLIR lacks";
  let description = [{
    The `qvec` dialect holds the few operations on vector registers, and on the
    tiles of matrix units, that quantized kernels are made of and that the upstream `vector` dialect lacks
    on some target. Kernel generators emit `vector` and `qvec`; one conversion
    for each target turns `qvec` into that target's instructions, and
    `--convert-qvec-to-vector` expands it everywhere else.
  }];
}

class QVec_Op<string mnemonic, list<Trait> traits = []>
    : Op<QVec_Dialect, mnemonic, traits>;

def QVec_DotOp : QVec_Op<"dot", [Pure, AllTypesMatch<["acc", "result"]>,
                                 AllTypesMatch<["lhs", "rhs"]>]> {
  let summary = "Dot products of four 8-bit products into each 32-bit lane";
  let description = [{
    `result[i] = acc[i] + sum(lhs[4i+j] * rhs[4i+j] for j in 0..3)` in 32-bit
    arithmetic. `lhs` is unsigned and at most `lhs_max`, which is what quantized
    codes are; `rhs` is signed, which is what quantized activations are. The
    bound lets a target choose an instruction that would saturate, or that reads
    both sides as signed, for larger values. The vectors may be scalable.

    Example:

    ```mlir
    %r = qvec.dot %acc, %codes, %activations {lhs_max = 15 : i32}
        : vector<16xi32>, vector<64xi8>
    ```
  }];
  let arguments = (ins
    VectorOfRankAndType<[1], [I32]>:$acc,
    VectorOfRankAndType<[1], [I8]>:$lhs,
    VectorOfRankAndType<[1], [I8]>:$rhs,
    DefaultValuedAttr<I32Attr, "255">:$lhs_max
  );
  let results = (outs VectorOfRankAndType<[1], [I32]>:$result);
  let assemblyFormat = [{
    $acc `,` $lhs `,` $rhs attr-dict `:` type($acc) `,` type($lhs)
  }];
  let builders = [
    OpBuilder<(ins "::mlir::Value":$acc, "::mlir::Value":$lhs,
                   "::mlir::Value":$rhs, "uint32_t":$lhsMax), [{
      build($_builder, $_state, acc.getType(), acc, lhs, rhs, lhsMax);
    }]>
  ];
  let hasVerifier = 1;
}

def QVec_MmlaOp : QVec_Op<"mmla", [
    Pure, AllTypesMatch<["acc", "result"]>,
    TypesMatchWith<"rhs is two rows of eight bytes", "lhs", "rhs",
      "::mlir::VectorType::get({16}, "
      "::llvm::cast<::mlir::VectorType>($_self).getElementType())">]> {
  let summary = "Product of rows of eight bytes and two such rows";
  let description = [{
    `result[2i+j] = acc[2i+j] + sum(lhs[8i+k] * rhs[8j+k] for k in 0..7)` in
    32-bit arithmetic, for all rows `i` of `lhs` and the two rows `j` of `rhs`.
    As in `qvec.dot`, `lhs` holds codes, which are unsigned and at most
    `lhs_max`, and `rhs` activations, which are signed; here they are those of
    two tokens. Both `acc` and `lhs` may be scalable.

    Example:

    ```mlir
    %r = qvec.mmla %acc, %codes, %activations {lhs_max = 15 : i32}
        : vector<16xi32>, vector<64xi8>
    ```
  }];
  let arguments = (ins
    VectorOfRankAndType<[1], [I32]>:$acc,
    VectorOfRankAndType<[1], [I8]>:$lhs,
    VectorOfRankAndType<[1], [I8]>:$rhs,
    DefaultValuedAttr<I32Attr, "255">:$lhs_max
  );
  let results = (outs VectorOfRankAndType<[1], [I32]>:$result);
  let assemblyFormat = [{
    $acc `,` $lhs `,` $rhs attr-dict `:` type($acc) `,` type($lhs)
  }];
  let builders = [
    OpBuilder<(ins "::mlir::Value":$acc, "::mlir::Value":$lhs,
                   "::mlir::Value":$rhs, "uint32_t":$lhsMax), [{
      build($_builder, $_state, acc.getType(), acc, lhs, rhs, lhsMax);
    }]>
  ];
  let hasVerifier = 1;
}

def QVec_LookupOp : QVec_Op<"lookup", [Pure, InferTypeOpAdaptor]> {
  let summary = "Look up in a table of 16 entries";
  let description = [{
    `result[i] = table[indices[i]]`. Indices are below 16 and as wide as the
    entries: bytes for bytes, which is a byte shuffle on every target, or 32-bit
    integers for f32. Their number is a multiple of 16.

    Example:

    ```mlir
    %sums = qvec.lookup %table, %codes : vector<16xi8>, vector<64xi8>
    %values = qvec.lookup %codebook, %codes : vector<16xf32>, vector<16xi32>
    ```
  }];
  let arguments = (ins
    VectorOfLengthAndType<[16], [I8, F32]>:$table,
    VectorOfRankAndType<[1], [I8, I32]>:$indices
  );
  let results = (outs VectorOfRankAndType<[1], [I8, F32]>:$result);
  let assemblyFormat = [{
    $table `,` $indices attr-dict `:` type($table) `,` type($indices)
  }];
  let hasVerifier = 1;
}

def QVec_MulAddOp : QVec_Op<"mul_add", [Pure, SameOperandsAndResultType]> {
  let summary = "Multiply-add of small integers in 32-bit lanes";
  let description = [{
    `result[i] = acc[i] + lhs[i] * rhs[i]`, where `lhs` and `rhs` are from -32768
    to 32767. Some targets multiply halves of a lane faster than whole lanes.

    Example:

    ```mlir
    %r = qvec.mul_add %acc, %zeros, %sums : vector<16xi32>
    ```
  }];
  let arguments = (ins
    VectorOfRankAndType<[1], [I32]>:$acc,
    VectorOfRankAndType<[1], [I32]>:$lhs,
    VectorOfRankAndType<[1], [I32]>:$rhs
  );
  let results = (outs VectorOfRankAndType<[1], [I32]>:$result);
  let assemblyFormat = "$acc `,` $lhs `,` $rhs attr-dict `:` type($acc)";
}

def QVec_TilesOp : QVec_Op<"tiles", [SingleBlock, NoTerminator,
                                     RecursiveMemoryEffects]> {
  let summary = "Code that multiplies tiles of a certain depth";
  let description = [{
    `qvec.tile_dot` stands in the region of this operation and multiplies rows
    of `depth` bytes. On a target whose matrix unit has a state, that is set up
    here, for the thread at hand, and given back in the end; so the region should
    be large and call nothing.

    Example:

    ```mlir
    qvec.tiles depth = 64 {
      qvec.tile_dot %x, %codes, %sums
          : memref<2x4x16x64xi8>, memref<2x4x16x64xi8>, memref<32x2x16xi32>
    }
    ```
  }];
  let arguments = (ins ConfinedAttr<I64Attr, [IntPositive]>:$depth);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "`depth` `=` $depth attr-dict-with-keyword $body";
  let builders = [OpBuilder<(ins "int64_t":$depth)>];
  let skipDefaultBuilders = 1;
  let hasVerifier = 1;
}

def QVec_TileDotOp : QVec_Op<"tile_dot", [
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "Product of small matrices of bytes or bf16";
  let description = [{
    For each of 16 tokens in a row of tiles `m` and 16 channels in a row of tiles
    `n`:

    ```
    sums[16 * m + token, n, channel] =
        sum of lhs[m, t, token, k] * rhs[n, t, k / 4, 4 * channel + k % 4]
        for all tiles t and all k < depth
    ```

    in 32-bit arithmetic. There are one or two rows of tiles on both sides. `lhs`
    is signed, `rhs` is signed or, with `rhs_unsigned`, not. Four columns of 16
    channels stand together in `rhs`, which is how `#lowbit.panels` has them.

    Elements of type bf16 take two bytes, so half as many fit: k goes to depth / 2,
    and two columns stand together. For each tile of `rhs` there may be several of
    `lhs`, the first of each row of tiles first, which are parts of the same
    number: all of them are multiplied by it. The sums are f32. Of each product of
    tiles, those over even and over odd k are summed separately, from zero on, then
    added to each other, then to the sum so far. Targets may take numbers below the
    smallest normal one for zero.

    Example:

    ```mlir
    qvec.tile_dot %x, %codes, %sums {rhs_unsigned}
        : memref<2x4x16x64xi8>, memref<1x4x16x64xi8>, memref<32x1x16xi32>
    qvec.tile_dot %parts, %values, %totals
        : memref<2x12x16x32xbf16>, memref<1x4x16x32xbf16>, memref<32x1x16xf32>
    ```
  }];
  let arguments = (ins
    MemRefRankOf<[I8, BF16], [4]>:$lhs,
    MemRefRankOf<[I8, BF16], [4]>:$rhs,
    MemRefRankOf<[I32, F32], [3]>:$sums,
    UnitAttr:$rhs_unsigned
  );
  let extraClassDeclaration = [{
    /// Whether bf16 is multiplied, not bytes.
    bool isFloat() { return getSums().getType().getElementType().isF32(); }
    /// Tiles of `lhs` for each of `rhs`.
    int64_t getNumParts() {
      return getLhs().getType().getDimSize(1) / getRhs().getType().getDimSize(1);
    }
  }];
  let assemblyFormat = [{
    $lhs `,` $rhs `,` $sums attr-dict
        `:` type($lhs) `,` type($rhs) `,` type($sums)
  }];
  let hasVerifier = 1;
}

#endif // LOWBIT_DIALECT_QVEC_IR_QVECOPS_TD


