//===- Elementwise.h - ops that treat each element alike --------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CONVERSION_ONNXTOLINALG_ELEMENTWISE_H
#define LOWBIT_LIB_CONVERSION_ONNXTOLINALG_ELEMENTWISE_H

#include "ElementOps.h"
#include "OnnxLowering.h"
#include "Structured.h"

namespace lowbit::onnx::lowering {

/// Lowers an op of which each result element depends on one element of each
/// operand, in the way that `emit` computes it.
template <typename OpTy,
          Value (*emit)(OpTy, ImplicitLocOpBuilder &, mlir::ValueRange)>
class ElementwiseLowering final : public OnnxLowering<OpTy> {
public:
  using OnnxLowering<OpTy>::OnnxLowering;

  LoweredResults lower(OpTy op, typename OpTy::Adaptor adaptor,
                       LoweringBuilder &b) const override {
    auto type = mlir::cast<mlir::TensorType>(op->getResult(0).getType());
    mlir::Value result = createElementwise(
        b, adaptor.getOperands(), getSignlessType(type.getElementType()),
        [&](ImplicitLocOpBuilder &nested, mlir::ValueRange elements) {
          return emit(op, nested, elements);
        });
    return llvm::SmallVector<mlir::Value>{result};
  }
};

} // namespace lowbit::onnx::lowering

#endif // LOWBIT_LIB_CONVERSION_ONNXTOLINALG_ELEMENTWISE_H
