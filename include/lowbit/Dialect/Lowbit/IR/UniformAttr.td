//===- UniformAttr.td - integers with a scale per group ----*- tablegen -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_LOWBIT_IR_UNIFORMATTR_TD
#define LOWBIT_DIALECT_LOWBIT_IR_UNIFORMATTR_TD

include "lowbit/Dialect/Lowbit/IR/LowbitDialect.td"
include "lowbit/Dialect/Lowbit/IR/QuantFormatInterface.td"

def Lowbit_UniformAttr : Lowbit_Attr<"Uniform", "uniform", [
    DeclareAttrInterfaceMethods<QuantFormatAttrInterface,
                                ["adaptToShape", "buildEncode",
                                 "getScaledCodes"]>]> {
  let summary = "Integer codes with a scale, and perhaps a zero point, per group";
  let description = [{
    An element is `scale * (code - zero)`. Codes are unsigned (`u1` to `u8`) or
    signed (`s2` to `s8`). A group of `[rows, columns]` elements shares a scale
    and a zero point; `*` stands for the whole dimension, so `[1, 128]` is per
    group, `[1, *]` per row, `[*, *]` per tensor. Of a tensor with more than two
    dimensions the last is the columns, and the rows of a group are `1` or `*`.

    Zero points are integers of the codes' type, floats (`f16`, `bf16` or `f32`),
    or `none`, which stands for 0. With floats the range of a group need not
    contain 0, and 0 need not be representable: what HQQ stores.
    With `narrow`, signed codes are symmetric: `s8` goes from -127 to 127. A
    group that does not divide a dimension must say so with `pad`: the last
    group is then shorter, and nothing is stored for what it lacks.

    The components are

    | name     | shape                                   | type                |
    | -------- | --------------------------------------- | ------------------- |
    | `codes`  | rows x ceil(columns * bits / 8)         | `i8`                |
    | `scales` | row groups x column groups              | the scale type      |
    | `zeros`  | row groups x ceil(column groups * bits / 8) | `i8`; absent if `none` |
    |          | row groups x column groups, if floats   | the zero points' type |

    Codes of a row fill bytes from the least significant bit: the code of column
    k occupies the bits from k * bits on (with four bits, the low nibble of a
    byte is the even column). Integer zero points are packed the same way.

    Example:

    ```mlir
    #lowbit.uniform<u4, group = [1, 128], scale = f16, zero = u4>
    #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none, narrow>
    #lowbit.uniform<u3, group = [1, 64], scale = bf16, zero = u3, pad>
    #lowbit.uniform<u4, group = [1, 64], scale = f16, zero = f16>
    ```
  }];
  let parameters = (ins
    "unsigned":$bits,
    "bool":$isSigned,
    "int64_t":$groupRows,
    "int64_t":$groupCols,
    "::mlir::Type":$scaleType,
    "::lowbit::ZeroKind":$zero,
    "bool":$narrowRange,
    "bool":$padded
  );
  let builders = [
    AttrBuilder<(ins "const ::lowbit::UniformFormat::Spec &":$spec), [{
      return get($_ctxt, spec, /*padded=*/false);
    }]>,
    // States the padding that the shape needs.
    AttrBuilder<(ins "const ::lowbit::UniformFormat::Spec &":$spec,
                     "::llvm::ArrayRef<int64_t>":$shape), [{
      return llvm::cast<UniformAttr>(get($_ctxt, spec).adaptToShape(shape));
    }]>
  ];
  let extraClassDeclaration = [{
    /// The same as plain C++. There, too, a group size of 0 stands for the
    /// whole dimension.
    ::lowbit::UniformFormat::Spec getSpec() const;
    bool getHasZeroPoint() const {
      return getZero() != ::lowbit::ZeroKind::None;
    }
    /// Whether codes and zero points, if any, are integers, and scales floats
    /// that processors compute with: what kernels are written for.
    bool isInteger() const {
      return !::lowbit::getFloatType(getZero());
    }

  private:
    static UniformAttr get(::mlir::MLIRContext *context,
                           const ::lowbit::UniformFormat::Spec &spec,
                           bool padded);

  public:
  }];
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

#endif // LOWBIT_DIALECT_LOWBIT_IR_UNIFORMATTR_TD
