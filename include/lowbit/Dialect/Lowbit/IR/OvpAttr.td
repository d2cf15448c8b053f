//===- OvpAttr.td - outlier-victim pairs -------------------*- tablegen -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_LOWBIT_IR_OVPATTR_TD
#define LOWBIT_DIALECT_LOWBIT_IR_OVPATTR_TD

include "lowbit/Dialect/Lowbit/IR/LowbitDialect.td"
include "lowbit/Dialect/Lowbit/IR/QuantFormatInterface.td"

def Lowbit_OvpAttr : Lowbit_Attr<"Ovp", "ovp", [
    DeclareAttrInterfaceMethods<QuantFormatAttrInterface,
                                ["adaptToShape", "buildEncodeWithScale",
                                 "getScaledCodes",
                                 "unpackScaledCodes"]>]> {
  let summary = "Outlier-victim pairs: outliers take the place of a neighbour";
  let description = [{
    OliVe (Guo et al., ISCA 2023, arXiv 2304.07493). An element is `scale * level`.
    Columns 2i and 2i + 1 are a pair, in the order in which they are stored. Both
    have normal levels, or one is an outlier and the other its victim, which is 0
    and has the *identifier* as its code: the bits `10...0`, which no normal
    level and no outlier has.

    | normal levels | bits | magnitudes                | codes                          |
    | ------------- | ---- | ------------------------- | ------------------------------ |
    | `int4`        | 4    | 0, 1, ... 7               | two's complement               |
    | `flint4`      | 4    | 0, 1, 2, 3, 4, 6, 8, 16   | sign, then 0, 1, 2, 3, 6, 7, 5, 4: the first-one code of ANT |
    | `int8`        | 8    | 0, 1, ... 127             | two's complement               |

    An outlier is an *abfloat*: a sign, exponent bits and mantissa bits M that
    stand for `(2^M + mantissa) * 2^(exponent + bias)`. Of both signs, exponent
    and mantissa 0 are not used.

    | normal levels | outliers | bias | magnitudes                  |
    | ------------- | -------- | ---- | --------------------------- |
    | `int4`        | `e2m1`   | 2    | 12, 16, 24, 32, 48, 64, 96  |
    | `flint4`      | `e2m1`   | 3    | 24, 32, 48, 64, 96, 128, 192 |
    | `int8`        | `e4m3`   | 4    | 144, 160, ... 240, 256, 288, ... 7864320 |
    | `int8`        | `e2m5`   | 2    | 132, 136, ... 252, 256, 264, ... 2016 |

    `e4m3` is that of the paper and the default; the authors' code has two
    exponent bits at every width, which is `outliers = e2m5`.

    Values take the nearest level, in the middle of two the greater magnitude. An
    outlier makes its neighbour a victim. If both are outliers, the one of the
    larger value stays, the left one if they are equal; with `keep = left`, as
    in the authors' code, always the left one.

    A group of `[rows, columns]` elements shares a scale; `*` stands for the
    whole dimension. Groups have an even number of columns, so that they do not
    cut pairs. With `pad` the last group may be shorter, and the last pair of an
    odd number of columns has a second element that is 0 and not part of the
    tensor. What scales are stored as is said as in `#lowbit.codebook`. The scale
    of a group is searched by its squared error: the largest normal level stands
    for 0.75, 0.77, ... or 1.49 times the larger magnitude of mean + 3 sigma
    and mean - 3 sigma.

    Columns of a pair are coded together, so that solvers that code single
    columns refuse this format.

    The components are

    | name     | shape                                      | type                           |
    | -------- | ------------------------------------------ | ------------------------------ |
    | `codes`  | rows x 2 ceil(columns / 2) * bits / 8      | `i8`                           |
    | `scales` | row groups x column groups                 | the scale type; `i8` for types of 8 bits |

    Of a pair of four-bit codes the left one, of the even column, has the *high*
    nibble, as the paper writes pairs: of `int4`, the byte `1000 1111` is 0 and
    -96. A pair of eight-bit codes is two bytes.

    Example:

    ```mlir
    #lowbit.ovp<int4, group = [1, *], scale = f16>
    #lowbit.ovp<flint4, group = [1, 128], scale = f32, keep = left, pad>
    #lowbit.ovp<int8, outliers = e2m5, group = [*, *], scale = bf16>
    ```
  }];
  let parameters = (ins
    "::lowbit::OvpNormals":$normals,
    "::lowbit::OvpOutliers":$outliers,
    "int64_t":$groupRows,
    "int64_t":$groupCols,
    // A type or a format.
    "::mlir::Attribute":$scale,
    "bool":$hasOffset,
    "bool":$keepsLeft,
    "bool":$padded
  );
  let extraClassDeclaration = [{
    /// The same as plain C++. There, too, a group size of 0 stands for the
    /// whole dimension.
    ::lowbit::OvpFormat::Spec getSpec() const;
  }];
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

#endif // LOWBIT_DIALECT_LOWBIT_IR_OVPATTR_TD
