//===- LowbitTypes.td - lowbit types -----------------------*- tablegen -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_LOWBIT_IR_LOWBITTYPES_TD
#define LOWBIT_DIALECT_LOWBIT_IR_LOWBITTYPES_TD

include "lowbit/Dialect/Lowbit/IR/LowbitDialect.td"
include "mlir/IR/BuiltinTypeInterfaces.td"

def Lowbit_QuantTensor : Lowbit_Type<"QuantTensor", "tensor",
                                     [ShapedTypeInterface]> {
  let summary = "A tensor that is stored in a number format";
  let description = [{
    The logical shape, the float type that the elements express, and how they
    are stored: a format (any attribute with `QuantFormatAttrInterface`) and, for
    a weight that has been packed for a kernel, the layout of its bytes (any
    attribute with `PackedLayoutAttrInterface`). One value of this type stands
    for all components of the format; scales are data, not part of the type.

    A weight of a linear layer has the shape output channels x input channels.

    Example:

    ```mlir
    !lowbit.tensor<4096x11008xf32, #lowbit.uniform<u4, group = [1, 128], scale = f16, zero = u4>>
    !lowbit.tensor<?x4096xf32, #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none, narrow>>
    ```
  }];
  let parameters = (ins
    ArrayRefParameter<"int64_t">:$shape,
    "::mlir::Type":$elementType,
    "::lowbit::QuantFormatAttrInterface":$format,
    DefaultValuedParameter<"::lowbit::PackedLayoutAttrInterface", "{}">:$layout
  );
  let builders = [
    TypeBuilderWithInferredContext<(ins
        "::llvm::ArrayRef<int64_t>":$shape, "::mlir::Type":$elementType,
        "::lowbit::QuantFormatAttrInterface":$format,
        CArg<"::lowbit::PackedLayoutAttrInterface", "{}">:$layout), [{
      return $_get(format.getContext(), shape, elementType, format, layout);
    }]>
  ];
  let extraClassDeclaration = [{
    bool hasRank() const { return true; }
    ::mlir::ShapedType
    cloneWith(std::optional<::llvm::ArrayRef<int64_t>> shape,
              ::mlir::Type elementType) const;

    /// The tensor with the same shape and element type, not quantized.
    ::mlir::RankedTensorType getExpressedType() const {
      return ::mlir::RankedTensorType::get(getShape(), getElementType());
    }
    /// The tensors that store this one.
    ::llvm::SmallVector<::lowbit::FormatComponent> getComponents() const;
    ::llvm::SmallVector<::mlir::Type> getComponentTypes() const;
  }];
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let skipDefaultBuilders = 1;
}

#endif // LOWBIT_DIALECT_LOWBIT_IR_LOWBITTYPES_TD
