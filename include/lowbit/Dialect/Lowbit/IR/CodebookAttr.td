//===- CodebookAttr.td - levels of a table with scales -----*- tablegen -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_LOWBIT_IR_CODEBOOKATTR_TD
#define LOWBIT_DIALECT_LOWBIT_IR_CODEBOOKATTR_TD

include "lowbit/Dialect/Lowbit/IR/LowbitDialect.td"
include "lowbit/Dialect/Lowbit/IR/QuantFormatInterface.td"

def Lowbit_CodebookAttr : Lowbit_Attr<"Codebook", "codebook", [
    DeclareAttrInterfaceMethods<QuantFormatAttrInterface,
                                ["adaptToShape", "getScaledCodes",
                                 "unpackScaledCodes"]>]> {
  let summary = "Codes that name the levels of a table, with a scale per group";
  let description = [{
    An element is `scale * level[code]`. The table is one of these,

    | name       | bits | levels                                                  |
    | ---------- | ---- | ------------------------------------------------------- |
    | `nf4`      | 4    | NF4 of QLoRA: quantiles of the normal distribution      |
    | `fp4`      | 4    | FP4 of bitsandbytes: 0, 1/192, 1/6, 1/4, 1/3, 1/2, 2/3 and 1 of both signs |
    | `e2m1`     | 4    | FP4 of OCP Microscaling: 0, 0.5, 1, 1.5, 2, 3, 4 and 6 of both signs |
    | `e4m3`     | 8    | f8E4M3FN, up to 448                                     |
    | `e5m2`     | 8    | f8E5M2, up to 57344                                     |
    | `dynamic8` | 8    | the signed dynamic map of bitsandbytes                  |

    or a list of 2 to 16 finite floats that ascend, whose codes have 4 bits.

    A group of `[rows, columns]` elements shares a scale; `*` stands for the
    whole dimension, and `pad` lets the last group be shorter, as in
    `#lowbit.uniform`. The scale is the greatest magnitude of the group divided by
    the largest level. With scales of type `f8E8M0FNU` it is the power of two
    that OCP Microscaling prescribes, with which the greatest magnitudes can be
    clipped. Values take the nearest level; minifloats round ties to even, other
    tables to the lower level, `fp4` to the one nearer to zero. The codes of
    minifloats are their bit patterns; infinities and NaN do not occur.

    Scales are numbers of type `f32`, `f16`, `bf16`, `f8E8M0FNU` or `f8E4M3FN`,
    or have a number format of their own, for which they are a tensor with one
    element per group. Codes are then chosen with the scales as that format
    stores them. With `offset = f32` the format stores how much the scales differ
    from their mean, and codes are chosen with the scales as they were. This is
    the double quantization of QLoRA, with one difference: bitsandbytes cuts the
    flattened tensor into blocks of 64, and the list of their scales into blocks of
    256. Here groups do not continue in the next row. Where a row has 64 scales,
    `[4, 64]` is 256 scales that follow each other; the two are the same if the
    columns divide into groups of 64 and the scales of whole rows into 256.

    The components are

    | name     | shape                         | type                           |
    | -------- | ----------------------------- | ------------------------------ |
    | `codes`  | rows x ceil(columns * bits / 8) | `i8`                         |
    | `scales` | row groups x column groups    | the scale type; `i8` for types of 8 bits |

    Four-bit codes of even columns are in the low nibbles. The components of
    scales in a number format have its names with the prefix `scales_`, and
    `scales_offset`, of type `tensor<1xf32>`, follows them.

    Example:

    ```mlir
    #lowbit.codebook<nf4, group = [1, 64], scale = f16>
    #lowbit.codebook<[-1.0, -0.3, 0.0, 0.4, 1.0], group = [1, 64], scale = f32, pad>
    // mxfp4 and mxfp8
    #lowbit.codebook<e2m1, group = [1, 32], scale = f8E8M0FNU>
    #lowbit.codebook<e4m3, group = [1, 32], scale = f8E8M0FNU>
    // nvfp4
    #lowbit.codebook<e2m1, group = [1, 16], scale = #lowbit.codebook<e4m3, group = [*, *], scale = f32>>
    // fp8 with a scale per output channel
    #lowbit.codebook<e4m3, group = [1, *], scale = f32>
    // QLoRA, for rows of 4096
    #lowbit.codebook<nf4, group = [1, 64], scale = #lowbit.codebook<dynamic8, group = [4, 64], scale = f32>, offset = f32>
    ```
  }];
  let parameters = (ins
    StringRefParameter<"name of the table; empty for levels of its own">:$table,
    // Null for a table that has a name.
    "::mlir::DenseF32ArrayAttr":$levels,
    "int64_t":$groupRows,
    "int64_t":$groupCols,
    // A type or a format.
    "::mlir::Attribute":$scale,
    "bool":$hasOffset,
    "bool":$padded
  );
  let extraClassDeclaration = [{
    /// The same as plain C++. There, too, a group size of 0 stands for the
    /// whole dimension.
    ::lowbit::CodebookFormat::Spec getSpec() const;
  }];
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

#endif // LOWBIT_DIALECT_LOWBIT_IR_CODEBOOKATTR_TD
