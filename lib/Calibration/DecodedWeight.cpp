//===- DecodedWeight.cpp - the values of any layer's weight ---------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Calibration/DecodedWeight.h"
#include "lowbit/Calibration/LayerWeight.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "lowbit/Dialect/Onnx/IR/OnnxOps.h"
#include "lowbit/Support/OutputFile.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/BitVector.h"

using namespace mlir;
using namespace lowbit;

static llvm::Expected<DecodedWeight> decodeFloats(QuantizableOpInterface op) {
  llvm::Expected<LayerWeight> weight = LayerWeight::get(op);
  if (!weight)
    return weight.takeError();
  const ConstMatrixView matrix = weight->getMatrix();
  DecodedWeight decoded;
  decoded.rows = matrix.getRows();
  decoded.cols = matrix.getCols();
  decoded.values.reserve(matrix.size());
  for (int64_t row = 0; row < matrix.getRows(); ++row)
    for (int64_t col = 0; col < matrix.getCols(); ++col)
      decoded.values.push_back(matrix(row, col));
  llvm::raw_string_ostream(decoded.format) << weight->getElementType();
  decoded.bitsPerWeight = weight->getElementType().getWidth();
  weight->release();
  return decoded;
}

/// The channels that `value` takes from another value, if it is a permutation
/// of channels along its last dimension.
static std::optional<SmallVector<int64_t>> matchPermutation(Value value,
                                                            int64_t channels) {
  auto gather = value.getDefiningOp<onnx::GatherOp>();
  auto type = dyn_cast<RankedTensorType>(value.getType());
  Attribute constant;
  if (!gather || !type || !isa<FloatType>(type.getElementType()) ||
      type.getRank() == 0 || type.getShape().back() != channels ||
      (gather.getAxis() != type.getRank() - 1 && gather.getAxis() != -1) ||
      !matchPattern(gather.getIndices(), m_Constant(&constant)))
    return std::nullopt;
  auto indices = dyn_cast<DenseIntElementsAttr>(constant);
  if (!indices || indices.getNumElements() != channels)
    return std::nullopt;
  SmallVector<int64_t> order;
  llvm::BitVector seen(channels);
  for (const APInt &index : indices) {
    if (index.isNegative() || index.sge(channels))
      return std::nullopt;
    order.push_back(index.getSExtValue());
    seen.set(order.back());
  }
  return seen.all() ? std::optional(order) : std::nullopt;
}

/// Puts columns where the inputs that they multiply have been before they were
/// put in order: a solver that stores columns in another order has them
/// gathered so.
static void undoPermutations(Operation *layer, DecodedWeight &weight) {
  for (Value input : layer->getOperands())
    while (auto order = matchPermutation(input, weight.cols)) {
      std::vector<float> row(weight.cols);
      for (auto first = weight.values.begin(); first != weight.values.end();
           first += weight.cols) {
        for (auto [stored, channel] : llvm::enumerate(*order))
          row[channel] = first[stored];
        llvm::copy(row, first);
      }
      input = input.getDefiningOp<onnx::GatherOp>().getData();
    }
}

static llvm::Expected<DecodedWeight> decodeConstant(ConstantOp constant) {
  QuantTensorType type = constant.getType();
  if (type.getLayout())
    return makeError("it is packed for a target");
  if (type.getShape().size() != 2)
    return makeError("its weight is no matrix");
  SmallVector<TypedAttr> values = constant.getComponentValues();
  std::vector<SmallVector<char, 0>> expanded(values.size());
  SmallVector<ArrayRef<uint8_t>> components;
  uint64_t bytes = 0;
  for (auto [value, storage] : llvm::zip_equal(values, expanded)) {
    llvm::Expected<ArrayRef<char>> stored = getConstantBytes(value, storage);
    if (!stored)
      return stored.takeError();
    components.push_back(
        {reinterpret_cast<const uint8_t *>(stored->data()), stored->size()});
    bytes += stored->size();
  }
  DecodedWeight decoded;
  decoded.rows = type.getShape()[0];
  decoded.cols = type.getShape()[1];
  decoded.values.resize(decoded.rows * decoded.cols);
  std::shared_ptr<const BlockFormat> format = type.getFormat().getBlockFormat();
  if (llvm::Error error =
          format->decode(components, MatrixView(decoded.values.data(),
                                                decoded.rows, decoded.cols)))
    return std::move(error);
  decoded.format = format->describe();
  decoded.bitsPerWeight = 8.0 * double(bytes) / double(decoded.values.size());
  return decoded;
}

static llvm::Expected<DecodedWeight> decode(Operation *layer) {
  if (auto op = dyn_cast<QuantizableOpInterface>(layer))
    return decodeFloats(op);
  for (Value operand : layer->getOperands())
    if (auto constant = operand.getDefiningOp<ConstantOp>())
      return decodeConstant(constant);
  return makeError("it has no constant weight");
}

llvm::Expected<DecodedWeight> lowbit::decodeWeight(Operation *layer) {
  llvm::Expected<DecodedWeight> weight = decode(layer);
  if (weight)
    undoPermutations(layer, *weight);
  return weight;
}
