//===- BcqAttr.td - sums of scaled signs -------------------*- tablegen -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_LOWBIT_IR_BCQATTR_TD
#define LOWBIT_DIALECT_LOWBIT_IR_BCQATTR_TD

include "lowbit/Dialect/Lowbit/IR/LowbitDialect.td"
include "lowbit/Dialect/Lowbit/IR/QuantFormatInterface.td"

def Lowbit_BcqAttr : Lowbit_Attr<"Bcq", "bcq", [
    DeclareAttrInterfaceMethods<QuantFormatAttrInterface, ["adaptToShape", "getScaledCodes"]>]> {
  let summary = "Sums of scaled signs per group";
  let description = [{
    Binary-coding quantization: an element is the sum of `+scale[i]` or
    `-scale[i]` over 1 to 4 `bits` i, added up in this order in f32, to an offset
    if the format has one. A group of `[rows, columns]` elements shares the
    scales and the offset; `*` stands for the whole dimension, and `pad` is said
    as in `#lowbit.uniform`. With an offset, every uniform format of up to 4 bits
    is a special case (LUT-GEMM, Park et al. 2024), and a product needs no
    multiplication by weights.

    The components are

    | name      | shape                                  | type           |
    | --------- | -------------------------------------- | -------------- |
    | `planes`  | bits x rows x ceil(columns / 8)        | `i8`           |
    | `scales`  | bits x row groups x column groups      | the scale type |
    | `offsets` | row groups x column groups             | the scale type |

    of which the last is there with `offset` only.

    A bit of 1 adds the scale, one of 0 subtracts it. Bits of a row fill bytes
    from the least significant one.

    The fit is greedy, and then alternates 15 times between scales of least
    squares and nearest signs (Xu et al. 2018).

    Example:

    ```mlir
    #lowbit.bcq<bits = 3, group = [1, 128], scale = f16>
    #lowbit.bcq<bits = 4, group = [1, 64], scale = f32, offset, pad>
    ```
  }];
  let parameters = (ins
    "unsigned":$bits,
    "int64_t":$groupRows,
    "int64_t":$groupCols,
    "::mlir::Type":$scaleType,
    "bool":$hasOffset,
    "bool":$padded
  );
  let extraClassDeclaration = [{
    /// The same as plain C++.
    ::lowbit::BcqFormat::Spec getSpec() const;
  }];
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

#endif // LOWBIT_DIALECT_LOWBIT_IR_BCQATTR_TD
