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
  let summary = "A uniform weight in panels of 16 rows";
  let description = [{
    The layout of the CPU kernels. Codes are stored unsigned in 2, 4 or 8 bits
    (the next size that holds the format's), 64 bytes to a *chunk* of 16 rows and
    32 / width columns: 32-bit lane r of a chunk belongs to row r of the panel,
    and the code of column 4s + j of the chunk is at bit 8j + width * s of it.
    Chunks do not cross groups; rows and columns that are missing are zero.
    Scales and zero points are repeated for each row.

    The components of an N x K weight are

    | name     | shape                  | type           |
    | -------- | ---------------------- | -------------- |
    | `codes`  | panels x chunks x 64   | `i8`           |
    | `scales` | panels x groups x 16   | the scale type |
    | `zeros`  | panels x groups x 16   | `i8`, unsigned; absent if the format has none |

    Example:

    ```mlir
    !lowbit.tensor<96x64xf32, #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = u4>, #lowbit.panels>
    ```
  }];
}

#endif // LOWBIT_DIALECT_LOWBIT_IR_PANELSATTR_TD
