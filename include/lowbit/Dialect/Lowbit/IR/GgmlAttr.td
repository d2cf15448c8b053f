//===- GgmlAttr.td - the block types of GGML ---------------*- tablegen -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_LOWBIT_IR_GGMLATTR_TD
#define LOWBIT_DIALECT_LOWBIT_IR_GGMLATTR_TD

include "lowbit/Dialect/Lowbit/IR/LowbitDialect.td"
include "lowbit/Dialect/Lowbit/IR/QuantFormatInterface.td"

def Lowbit_GgmlAttr : Lowbit_Attr<"Ggml", "ggml", [
    DeclareAttrInterfaceMethods<QuantFormatAttrInterface,
      ["getScaledCodes", "unpackScaledCodes"]>]> {
  let summary = "The block types of GGML and GGUF files";
  let description = [{
    Rows are cut into blocks of 32 or 256 columns, and a block is stored as GGML
    stores it, byte for byte. The columns must divide into blocks. The only
    component is

    | name     | shape                                           | type |
    | -------- | ----------------------------------------------- | ---- |
    | `blocks` | rows x (columns / block columns * block bytes)  | `i8` |

    Quantizing takes the scales that GGML's reference code finds, and gives its
    bytes; a range search has no say. `d`, `dmin` and `m` below are f16. Codes
    `q` are unsigned, and group j of a block has the scale `s` and the min `n`:

    | type     | block | bytes | an element is             | groups of | bytes of the block, in order |
    | -------- | ----- | ----- | ------------------------- | --------- | ---------------------------- |
    | `q4_0`   | 32    | 18    | `d (q - 8)`               | 32 | `d`, `q` in 16 |
    | `q4_1`   | 32    | 20    | `d q + m`                 | 32 | `d`, `m`, `q` in 16 |
    | `q5_0`   | 32    | 22    | `d (q - 16)`              | 32 | `d`, high bits in 4, low in 16 |
    | `q5_1`   | 32    | 24    | `d q + m`                 | 32 | `d`, `m`, high bits in 4, low in 16 |
    | `q8_0`   | 32    | 34    | `d q`, q signed           | 32 | `d`, `q` in 32 |
    | `q2_K`   | 256   | 84    | `d s q - dmin n`          | 16 | `s` and `n` in 16, `q` in 64, `d`, `dmin` |
    | `q3_K`   | 256   | 110   | `d (s - 32) (q - 4)`      | 16 | high bits in 32, low in 64, `s` in 12, `d` |
    | `q4_K`   | 256   | 144   | `d s q - dmin n`          | 32 | `d`, `dmin`, `s` and `n` in 12, `q` in 128 |
    | `q5_K`   | 256   | 176   | `d s q - dmin n`          | 32 | `d`, `dmin`, `s` and `n` in 12, high bits in 32, low in 128 |
    | `q6_K`   | 256   | 210   | `d s (q - 32)`, s signed  | 16 | low bits in 128, high in 64, `s` in 16, `d` |
    | `iq4_nl` | 32    | 18    | `d T[q]`                  | 32 | `d`, `q` in 16 |
    | `iq4_xs` | 256   | 136   | `d (s - 32) T[q]`         | 32 | `d`, high bits of `s` in 2, low in 4, `q` in 128 |

    `T` is -127 -104 -83 -65 -49 -35 -22 -10 1 13 25 38 53 69 89 113.

    Bits that are fewer than eight share bytes in planes: of a plane of b bits
    and stride t, the first t values occupy the lowest b bits of its first t
    bytes, the next t values the bits above, and so on; full bytes are followed by
    the next t. The strides are

    | plane     | bits | stride | types                                      |
    | --------- | ---- | ------ | ------------------------------------------ |
    | codes     | 4    | 16     | `q4_0`, `q4_1`, `iq4_nl`, `iq4_xs`         |
    | codes     | 4    | 32     | `q4_K`                                     |
    | codes     | 2    | 32     | `q2_K`                                     |
    | low bits  | 4    | 16     | `q5_0`, `q5_1`                             |
    | low bits  | 4    | 32     | `q5_K`                                     |
    | low bits  | 2    | 32     | `q3_K`                                     |
    | low bits  | 4    | 64     | `q6_K`                                     |
    | high bits | 1    | 1      | `q5_0`, `q5_1`                             |
    | high bits | 1    | 32     | `q3_K`, `q5_K`                             |
    | high bits | 2    | 32     | `q6_K`                                     |
    | `s`, `n`  | 4    | 16     | `q2_K`, all `s`, then all `n`              |
    | `s`       | 4, 2 | 8, 4   | `q3_K`: low bits in 8 bytes, high in 4     |
    | `s`       | 4, 2 | 1, 1   | `iq4_xs`                                   |

    In `q4_K` and `q5_K` the first four `s` and then the first four `n` are the
    low six bits of bytes 0 to 7 of the twelve. The other four pairs have their low
    nibbles in bytes 8 to 11, `s` below `n`, and their upper two bits on top of
    bytes 0 to 3 (`s`) and 4 to 7 (`n`).

    Example:

    ```mlir
    #lowbit.ggml<q4_0>
    #lowbit.ggml<q4_K>
    #lowbit.ggml<iq4_xs>
    ```
  }];
  let parameters = (ins "::lowbit::GgmlType":$type);
  let extraClassDeclaration = [{
    const ::lowbit::GgmlLayout &getLayout() const {
      return ::lowbit::getGgmlLayout(getType());
    }
  }];
  let hasCustomAssemblyFormat = 1;
}

#endif // LOWBIT_DIALECT_LOWBIT_IR_GGMLATTR_TD
