//===- FloatFormatAttr.td - floats, unscaled ---------------*- tablegen -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_LOWBIT_IR_FLOATFORMATATTR_TD
#define LOWBIT_DIALECT_LOWBIT_IR_FLOATFORMATATTR_TD

include "lowbit/Dialect/Lowbit/IR/LowbitDialect.td"
include "lowbit/Dialect/Lowbit/IR/QuantFormatInterface.td"

def Lowbit_FloatFormatAttr : Lowbit_Attr<"FloatFormat", "float", [
    DeclareAttrInterfaceMethods<QuantFormatAttrInterface, ["buildEncode"]>]> {
  let summary = "Floats of some type, without a scale";
  let description = [{
    An element is the nearest number of the type: `f32`, `f16` or `bf16`. A
    float weight in this format goes through the same packed layouts and kernels
    as weights of few bits. With `transposed` the elements of a column, not
    those of a row, are next to each other, as in the weight of `onnx.MatMul`;
    this is for matrices.

    The only component is

    | name     | shape                                            | type     |
    | -------- | ------------------------------------------------ | -------- |
    | `values` | that of the tensor; columns x rows if transposed | the type |

    Example:

    ```mlir
    #lowbit.float<bf16>
    #lowbit.float<f32, transposed>
    ```
  }];
  let parameters = (ins
    "::mlir::Type":$type,
    DefaultValuedParameter<"bool", "false">:$transposed
  );
  let extraClassDeclaration = [{
    /// The same as plain C++.
    ::lowbit::FloatFormat::Spec getSpec() const;
  }];
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

#endif // LOWBIT_DIALECT_LOWBIT_IR_FLOATFORMATATTR_TD
