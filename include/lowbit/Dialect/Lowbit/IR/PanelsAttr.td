//===- PanelsAttr.td - weights in panels of sixteen rows - -*- tablegen -*--===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_LOWBIT_IR_PANELSATTR_TD
#define LOWBIT_DIALECT_LOWBIT_IR_PANELSATTR_TD

include "lowbit/Dialect/Lowbit/IR/LowbitDialect.td"
include "lowbit/Dialect/Lowbit/IR/QuantFormatInterface.td"

def Lowbit_PanelsAttr : Lowbit_Attr<"Panels", "panels", [
    DeclareAttrInterfaceMethods<PackedLayoutAttrInterface>]> {
  let summary = "A weight in panels of 16 rows";
  let description = [{
    The layout of the CPU kernels. Codes that have scales, as those of
    `#lowbit.uniform`, `#lowbit.codebook` and `#lowbit.ggml`, are stored unsigned,
    in *chunks* of 16 rows and some columns. The bits of a code are split into *planes* of 1, 2, 4
    or 8 bits, the widest with the lowest bits first: 3 = 2 + 1, 5 = 4 + 1,
    6 = 4 + 2, 7 = 4 + 2 + 1. A chunk has as many columns as 64 bytes hold of the
    narrowest plane, 32 / width, and its planes follow each other. (Where groups
    are so short that padding them to such chunks would take more bytes than the
    next width that is a power of two, there is one plane of that width.)

    A plane is a sequence of blocks of 64 bytes for 16 rows and 32 / width
    columns: 32-bit lane r of a block belongs to row r of the panel, and the bits
    of column 4s + j of the block are at bit 8j + width * s of it. So a shift and
    a mask yield 16 x 4 bytes that a dot-product instruction multiplies.

    Codes that stand for levels are stored as such codes. Both codes of a pair,
    columns 2i and 2i + 1, are adjacent bytes of one lane, the left one first; the
    second code of the last pair is there even where the column is not.

    Chunks do not cross groups; rows and columns that are missing are zero.
    Scales, zero points and offsets are repeated for each row. Where the scales of
    a format are quantized themselves, they stay small: a scale is a byte, an
    integer or f8E4M3FN, times a *factor* that several groups of the row share; so
    is an offset. (Scales that are coded in another way are expanded to f32.)

    The components of such an N x K weight are

    | name             | shape                | type |
    | ---------------- | -------------------- | ---- |
    | `codes`          | panels x chunks x bytes of a chunk | `i8` |
    | `scales`         | panels x groups x 16 | the scale type; `i8` for types of 8 bits |
    | `factors`        | panels x factors x 16 | their float type; absent if scales have none |
    | `zeros`          | panels x groups x 16 | `i8`, unsigned, or a float type; absent if the format has none |
    | `offsets`        | panels x groups x 16 | their type, or `i8`; absent if the format has none |
    | `offset_factors` | panels x factors x 16 | their float type; absent if offsets have none |

    Weights of floats are in panels, too: a block of 64 bytes has one column of
    f32, or two of f16 or bf16, whose lanes hold the even column in the low half.
    Their one component is

    | name     | shape                                    | type           |
    | -------- | ---------------------------------------- | -------------- |
    | `values` | panels x blocks x 16 * columns of a block | the float type |

    Example:

    ```mlir
    !lowbit.tensor<96x64xf32, #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = u4>, #lowbit.panels>
    // One byte for the scale and one for the offset of 32 columns, and two f16 for 256
    !lowbit.tensor<96x512xf32, #lowbit.ggml<q4_K>, #lowbit.panels>
    ```
  }];
}

#endif // LOWBIT_DIALECT_LOWBIT_IR_PANELSATTR_TD
