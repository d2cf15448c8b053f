//===- SparseOutliersAttr.td - codes and a few exact elements -*- tablegen -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_LOWBIT_IR_SPARSEOUTLIERSATTR_TD
#define LOWBIT_DIALECT_LOWBIT_IR_SPARSEOUTLIERSATTR_TD

include "lowbit/Dialect/Lowbit/IR/LowbitDialect.td"
include "lowbit/Dialect/Lowbit/IR/QuantFormatInterface.td"

def Lowbit_SparseOutliersAttr : Lowbit_Attr<"SparseOutliers", "sparse_outliers", [
    DeclareAttrInterfaceMethods<QuantFormatAttrInterface,
        ["adaptToShape", "adaptToMatrix", "getDenseFormat"]>]> {
  let summary = "A matrix in another format plus a sparse matrix of outliers";
  let description = [{
    The storage of SpQR, SqueezeLLM and EasyQuant: an element is that of the
    matrix in the format `dense`, plus that of a sparse matrix, added in f32. So a
    product is the product with the dense part plus that with the sparse part.

    The encoder takes the `count` elements that are farthest from the mean of the
    matrix as outliers. The dense part has zeros in their places: they neither
    widen the range of their group nor take part in a search. The sparse part
    stores by how much they differ from what the dense part decodes to there,
    rounded to the type `value`: `f16`, `bf16` or `f32`. Where the dense part can
    represent zero, an outlier decodes to its own value, rounded to that type.

    `fraction`, from 0 to 1, stands for the count in a format that is applied to
    matrices of several shapes, and becomes a count for each. The type of a tensor
    states the count, because the shapes of the components depend on it.

    This is for matrices of static shape. The components of the dense part are
    followed by the sparse part in compressed rows (CSR),

    | name              | shape    | type                                    |
    | ----------------- | -------- | --------------------------------------- |
    | `outlier_offsets` | rows + 1 | `i32`                                   |
    | `outlier_columns` | count    | `i16` for up to 65536 columns, else `i32` |
    | `outlier_values`  | count    | the type of the values                  |

    The outliers of row r are those from `outlier_offsets[r]` to
    `outlier_offsets[r + 1]`, with columns, as unsigned numbers, in ascending
    order.

    Example:

    ```mlir
    // EasyQuant: 1 % of a matrix of 4096 x 4096
    #lowbit.sparse_outliers<dense = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>, count = 167772, value = f16>
    // In a pipeline
    #lowbit.sparse_outliers<dense = #lowbit.codebook<nf4, group = [1, 64], scale = f16>, fraction = 0.005, value = bf16>
    ```
  }];
  let parameters = (ins
    "::lowbit::QuantFormatAttrInterface":$dense,
    // Either is stated: a count, or a fraction.
    "int64_t":$count,
    "::mlir::FloatAttr":$fraction,
    "::mlir::Type":$valueType
  );
  let extraClassDeclaration = [{
    /// The same as plain C++.
    ::lowbit::SparseOutliersFormat::Spec getSpec() const;
    /// What the fraction is of so many elements.
    int64_t getCountOf(int64_t elements) const {
      return static_cast<int64_t>(getFraction().getValueAsDouble() *
                                  static_cast<double>(elements));
    }
  }];
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

#endif // LOWBIT_DIALECT_LOWBIT_IR_SPARSEOUTLIERSATTR_TD
