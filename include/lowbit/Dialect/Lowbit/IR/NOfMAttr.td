//===- NOfMAttr.td - some elements of every block --------------*- tablegen -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_LOWBIT_IR_NOFMATTR_TD
#define LOWBIT_DIALECT_LOWBIT_IR_NOFMATTR_TD

include "lowbit/Dialect/Lowbit/IR/LowbitDialect.td"
include "lowbit/Dialect/Lowbit/IR/QuantFormatInterface.td"

def Lowbit_NOfMAttr : Lowbit_Attr<"NOfM", "n_of_m", [
    DeclareAttrInterfaceMethods<QuantFormatAttrInterface, ["adaptToShape"]>]> {
  let summary = "N values of every M elements, and where they are";
  let description = [{
    Of every M adjacent elements of a row N are stored, in any other format, and
    the others are zero: N:M sparsity, of which 2:4 is what sparse tensor cores
    take. M is 2 to 256. The stored values are a tensor whose last dimension is
    `ceil(columns / M) * N`; groups of their format count stored values, and must
    be whole blocks. The encoder keeps the elements with the greatest magnitudes.

    The components are those of the values, followed by

    | name      | shape                                          | type |
    | --------- | ---------------------------------------------- | ---- |
    | `indices` | rows x ceil(stored columns * index bits / 8)   | `i8` |

    An index of ceil(log2 M) bits for each value says where it is in its block.
    Indices ascend in a block, and are packed as codes are in `#lowbit.uniform`.
    If the last block of a row is short, values behind its end count for nothing.

    Example:

    ```mlir
    // 9/16 of f16
    #lowbit.n_of_m<2:4, values = #lowbit.float<f16>>
    #lowbit.n_of_m<2:4, values = #lowbit.uniform<s4, group = [1, 64], scale = f16, zero = none>>
    ```
  }];
  let parameters = (ins
    "int64_t":$kept,
    "int64_t":$block,
    "::lowbit::QuantFormatAttrInterface":$values
  );
  let extraClassDeclaration = [{
    /// The same as plain C++.
    ::lowbit::NOfMFormat::Spec getSpec() const;
  }];
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

#endif // LOWBIT_DIALECT_LOWBIT_IR_NOFMATTR_TD
