//===- LowbitLinear.cpp - a linear layer on a stored weight ---------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Conversion/OnnxToLowbit/LowbitLinear.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "lowbit/Dialect/Onnx/IR/OnnxOps.h"

using namespace mlir;
using namespace lowbit;

/// Whether `value` can be the bias of a `lowbit.matmul`: one number per output.
static bool isBiasVector(Value value, int64_t outputs) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getRank() == 1 && type.getDimSize(0) == outputs;
}

Value lowbit::buildLowbitLinear(OpBuilder &builder, QuantizableOpInterface op,
                                Value input, Value weight) {
  const Location loc = op.getLoc();
  Type type = op->getResult(0).getType();
  Value bias;
  if (OpOperand *operand = op.getQuantizableBias())
    bias = operand->get();
  const int64_t outputs = cast<QuantTensorType>(weight.getType()).getDimSize(0);
  if (!bias || isBiasVector(bias, outputs))
    return MatmulOp::create(builder, loc, type, input, weight, bias,
                            /*tunings=*/{});
  Value product = MatmulOp::create(builder, loc, type, input, weight,
                                   /*bias=*/{}, /*tunings=*/{});
  return onnx::AddOp::create(builder, loc, type, product, bias);
}

void lowbit::replaceQuantizable(QuantizableOpInterface op, Value output) {
  Operation *constant = op.getQuantizableWeight().get().getDefiningOp();
  op->getResult(0).replaceAllUsesWith(output);
  op->erase();
  if (constant->use_empty())
    constant->erase();
}
