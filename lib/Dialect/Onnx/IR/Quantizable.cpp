//===- Quantizable.cpp - onnx ops with weights ----------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Onnx/IR/OnnxOps.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace lowbit;
using namespace lowbit::onnx;

/// A matrix of floats that stands in the model.
static bool isConstantFloatMatrix(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getRank() == 2 && isa<FloatType>(type.getElementType()) &&
         matchPattern(value, m_Constant());
}

//===----------------------------------------------------------------------===//
// MatMul: A [..., K] x B [K, N], or the transposition of a constant [N, K]
//===----------------------------------------------------------------------===//

/// The transposition through which a product sees its weight. It need not be
/// carried out: it says along which axis of the constant the channels lie.
static TransposeOp getWeightTransposition(MatMulOp op) {
  auto transpose = op.getB().getDefiningOp<TransposeOp>();
  bool isSwap = transpose && (!transpose.getPerm() ||
                              *transpose.getPerm() == ArrayRef<int64_t>{1, 0});
  return isSwap && isConstantFloatMatrix(transpose.getData()) ? transpose
                                                              : TransposeOp();
}

bool MatMulOp::isQuantizable() {
  return isConstantFloatMatrix(getB()) || getWeightTransposition(*this);
}
QuantizableKind MatMulOp::getQuantizableKind() {
  return QuantizableKind::Linear;
}
OpOperand &MatMulOp::getQuantizableWeight() {
  TransposeOp transpose = getWeightTransposition(*this);
  return transpose ? transpose.getDataMutable() : getBMutable();
}
OpOperand &MatMulOp::getQuantizableInput() { return getAMutable(); }
int64_t MatMulOp::getInputChannelAxis() {
  return getWeightTransposition(*this) ? 1 : 0;
}
int64_t MatMulOp::getOutputChannelAxis() {
  return getWeightTransposition(*this) ? 0 : 1;
}

//===----------------------------------------------------------------------===//
// Gemm: A [M, K] x B [K, N], or B [N, K] with transB
//===----------------------------------------------------------------------===//

/// Factors and a transposed activation would have to be undone first, which the
/// canonical form of an exported linear layer never needs.
bool GemmOp::isQuantizable() {
  return !getTransA() && getAlpha() == 1.0f && getBeta() == 1.0f &&
         isConstantFloatMatrix(getB());
}
QuantizableKind GemmOp::getQuantizableKind() { return QuantizableKind::Linear; }
OpOperand &GemmOp::getQuantizableWeight() { return getBMutable(); }
OpOperand &GemmOp::getQuantizableInput() { return getAMutable(); }
OpOperand *GemmOp::getQuantizableBias() {
  return isPresent(getC()) ? &getCMutable() : nullptr;
}
int64_t GemmOp::getInputChannelAxis() { return getTransB() ? 1 : 0; }
int64_t GemmOp::getOutputChannelAxis() { return getTransB() ? 0 : 1; }

//===----------------------------------------------------------------------===//
// Gather: rows of an embedding table [rows, channels]
//===----------------------------------------------------------------------===//

bool GatherOp::isQuantizable() {
  return getAxis() == 0 && isConstantFloatMatrix(getData());
}
QuantizableKind GatherOp::getQuantizableKind() {
  return QuantizableKind::Embedding;
}
OpOperand &GatherOp::getQuantizableWeight() { return getDataMutable(); }
OpOperand &GatherOp::getQuantizableInput() { return getIndicesMutable(); }
int64_t GatherOp::getInputChannelAxis() { return 1; }
int64_t GatherOp::getOutputChannelAxis() { return 0; }
