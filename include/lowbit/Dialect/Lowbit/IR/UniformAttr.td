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
                                 "buildEncodeWithScale",
                                 "getScaledCodes", "unpackScaledCodes"]>]> {
  let summary = "Integer codes with a scale, and perhaps a zero point, per group";
  let description = [{
    An element is `scale * (code - zero)`. Codes are unsigned (`u1` to `u8`) or
    signed (`s2` to `s8`). A group of `[rows, columns]` elements shares a scale
    and a zero point; `*` stands for the whole dimension, so `[1, 128]` is per
    group, `[1, *]` per row, `[*, *]` per tensor. Of a tensor with more than two
    dimensions the last is the columns, and the rows of a group are `1` or `*`.

    Scales are numbers of type `f32`, `f16`, `bf16`, `f8E8M0FNU` (powers of two)
    or `f8E4M3FN`, or have a number format of their own, for which they are a
    tensor with one element per group; `offset = f32` is as in
    `#lowbit.codebook`.

    Zero points are integers of the codes' type, floats (`f16`, `bf16` or `f32`),
    or `none`, which stands for 0. With floats the range of a group need not
    contain 0, and 0 need not be representable: what HQQ stores. Like scales,
    float zero points may have a number format of their own: SpQR stores scales
    and zero points of 16 groups, of rows that follow each other, in 3 bits.

    With `narrow`, signed codes are symmetric: `s8` goes from -127 to 127. A
    group that does not divide a dimension must say so with `pad`: the last
    group is then shorter, and nothing is stored for what it lacks.

    The components are

    | name     | shape                                   | type                |
    | -------- | --------------------------------------- | ------------------- |
    | `codes`  | rows x ceil(columns * bits / 8)         | `i8`                |
    | `scales` | row groups x column groups              | the scale type; `i8` for types of 8 bits |
    | `zeros`  | row groups x ceil(column groups * bits / 8) | `i8`; absent if `none` |
    |          | row groups x column groups, if floats   | the zero points' type |

    The components of scales and zero points in a number format have its names
    with the prefixes `scales_` and `zeros_`; `scales_offset`, of type
    `tensor<1xf32>`, follows those of the scales.

    Codes of a row fill bytes from the least significant bit: the code of column
    k occupies the bits from k * bits on (with four bits, the low nibble of a
    byte is the even column). Integer zero points are packed the same way.

    Example:

    ```mlir
    #lowbit.uniform<u4, group = [1, 128], scale = f16, zero = u4>
    #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none, narrow>
    #lowbit.uniform<u3, group = [1, 64], scale = bf16, zero = u3, pad>
    #lowbit.uniform<u4, group = [1, 64], scale = f16, zero = f16>
    // MXINT8
    #lowbit.uniform<s8, group = [1, 32], scale = f8E8M0FNU, zero = none>
    // SpQR
    #lowbit.uniform<u3, group = [1, 16],
        scale = #lowbit.uniform<u3, group = [16, 1], scale = f16, zero = f16>,
        zero = #lowbit.uniform<u3, group = [16, 1], scale = f16, zero = f16>>
    ```
  }];
  let parameters = (ins
    "unsigned":$bits,
    "bool":$isSigned,
    "int64_t":$groupRows,
    "int64_t":$groupCols,
    // A type or a format.
    "::mlir::Attribute":$scale,
    "bool":$hasOffset,
    "::lowbit::ZeroKind":$zero,
    // Null, unless zero points have one.
    "::lowbit::QuantFormatAttrInterface":$zeroFormat,
    "bool":$narrowRange,
    "bool":$padded
  );
  let builders = [
    // Of a format whose scales and zero points are numbers.
    AttrBuilder<(ins "const ::lowbit::UniformFormat::Spec &":$spec), [{
      return get($_ctxt, spec, /*padded=*/false);
    }]>,
    // The same, which states the padding that the shape needs.
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
    /// The type of the scales; null if a format stores them.
    ::mlir::Type getScaleType() const;
    /// Whether codes and zero points, if any, are integers, and scales f32, f16
    /// or bf16.
    bool isInteger() const;

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
