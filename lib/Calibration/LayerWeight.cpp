//===- LayerWeight.cpp - a layer's weight, in and out ---------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Calibration/LayerWeight.h"
#include "lowbit/Conversion/OnnxToLowbit/LowbitLinear.h"
#include "lowbit/Dialect/Lowbit/IR/ElementTypes.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitDialect.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "lowbit/Dialect/Onnx/IR/OnnxOps.h"
#include "lowbit/Quantize/FloatStorage.h"
#include "lowbit/Support/OutputFile.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>
#include <cstring>

using namespace mlir;
using namespace lowbit;

llvm::Expected<LayerWeight> LayerWeight::get(QuantizableOpInterface op) {
  Value value = op.getQuantizableWeight().get();
  auto type = cast<RankedTensorType>(value.getType());
  std::optional<ElementType> stored = getStoredFloatType(type.getElementType());
  Attribute constant;
  if (!stored || type.getRank() != 2 ||
      !matchPattern(value, m_Constant(&constant)))
    return makeError("its weight is no constant matrix of f32, f16 or bf16");

  LayerWeight weight;
  weight.elementType = cast<FloatType>(type.getElementType());
  weight.expanded = std::make_shared<llvm::SmallVector<char>>();
  llvm::Expected<llvm::ArrayRef<char>> bytes =
      getConstantBytes(constant, *weight.expanded);
  if (!bytes)
    return bytes.takeError();
  weight.bytes = *bytes;
  weight.constant = constant;

  const auto *values = reinterpret_cast<const float *>(weight.bytes.data());
  if (*stored != ElementType::F32) {
    weight.converted.resize(type.getNumElements());
    const auto *from = reinterpret_cast<const uint8_t *>(weight.bytes.data());
    for (auto [i, to] : llvm::enumerate(weight.converted))
      to = loadFloat(*stored, from + i * getByteSize(*stored));
    values = weight.converted.data();
  }
  const int64_t inAxis = op.getInputChannelAxis();
  const int64_t outAxis = op.getOutputChannelAxis();
  const int64_t strides[] = {type.getDimSize(1), 1};
  weight.matrix =
      ConstMatrixView(values, type.getDimSize(outAxis), type.getDimSize(inAxis),
                      strides[outAxis], strides[inAxis]);
  return weight;
}

void LayerWeight::release() const {
  if (auto external = dyn_cast<ExternalAttr>(constant))
    external.release();
}

std::pair<Tensor, MatrixView>
lowbit::makeFloatWeight(QuantizableOpInterface op) {
  auto type = cast<ShapedType>(op.getQuantizableWeight().get().getType());
  Tensor tensor(ElementType::F32, type.getShape());
  const int64_t inAxis = op.getInputChannelAxis();
  const int64_t outAxis = op.getOutputChannelAxis();
  const int64_t strides[] = {type.getDimSize(1), 1};
  MatrixView matrix(tensor.data<float>(), type.getDimSize(outAxis),
                    type.getDimSize(inAxis), strides[outAxis], strides[inAxis]);
  return {std::move(tensor), matrix};
}

llvm::Expected<std::vector<float>>
lowbit::getImportance(QuantizableOpInterface op) {
  std::vector<float> importance;
  Attribute attribute = op->getAttr(LowbitDialect::importanceAttrName);
  if (!attribute)
    return importance;
  SmallVector<char> storage;
  llvm::Expected<llvm::ArrayRef<char>> bytes =
      getConstantBytes(attribute, storage);
  if (!bytes)
    return bytes.takeError();
  importance.resize(bytes->size() / sizeof(float));
  std::memcpy(importance.data(), bytes->data(), bytes->size());
  for (float value : importance)
    if (!std::isfinite(value) || value < 0)
      return makeError(llvm::formatv("its lowbit.importance has the value {0}, "
                                     "but all must be finite and not negative",
                                     value)
                           .str());
  return importance;
}

llvm::Expected<Tensor> lowbit::decodeWeight(QuantizableOpInterface layer,
                                            const BlockFormat &format,
                                            const SolverResult &result) {
  const int64_t rows = result.matrix.rows, cols = result.matrix.cols;
  Tensor stored(ElementType::F32, {rows, cols});
  MatrixView values(stored.data<float>(), rows, cols);
  if (llvm::Error error = format.decode(result.matrix, values))
    return std::move(error);
  auto [weight, oriented] = makeFloatWeight(layer);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t col = 0; col < cols; ++col)
      oriented(row,
               result.columnOrder.empty() ? col : result.columnOrder[col]) =
          values(row, col);
  return weight;
}

llvm::Expected<Value>
lowbit::makeQuantizedConstant(OpBuilder &builder, Location loc,
                              llvm::StringRef name, QuantTensorType type,
                              const QuantizedMatrix &matrix) {
  SmallVector<TypedAttr> components;
  for (const FormatComponent &component : type.getComponents()) {
    const Component *stored = matrix.getComponent(component.name);
    assert(stored && "the solver made other components than the format has");
    llvm::Expected<TypedAttr> value = storeConstant(
        (name + "." + component.name).str(), component.type,
        ArrayRef(reinterpret_cast<const char *>(stored->bytes.data()),
                 stored->bytes.size()));
    if (!value)
      return value.takeError();
    components.push_back(*value);
  }
  return ConstantOp::create(builder, loc, type, components).getResult();
}

/// `input` with its last axis in another order.
static Value reorderChannels(OpBuilder &builder, Location loc, Value input,
                             llvm::ArrayRef<int64_t> order) {
  auto indices = DenseElementsAttr::get(
      RankedTensorType::get(order.size(), builder.getI64Type()), order);
  Value constant = onnx::ConstantOp::create(builder, loc, indices);
  const int64_t lastAxis = cast<ShapedType>(input.getType()).getRank() - 1;
  return onnx::GatherOp::create(builder, loc, input.getType(), input, constant,
                                lastAxis);
}

llvm::Error lowbit::replaceLayer(const QuantizableLayer &layer,
                                 QuantFormatAttrInterface format,
                                 const SolverResult &result) {
  QuantizableOpInterface op = layer.op;
  OpBuilder builder(op);
  auto floatType =
      cast<RankedTensorType>(op.getQuantizableWeight().get().getType());
  auto type = QuantTensorType::get({result.matrix.rows, result.matrix.cols},
                                   floatType.getElementType(),
                                   format.adaptToMatrix(result.matrix));
  llvm::Expected<Value> weight = makeQuantizedConstant(
      builder, op.getLoc(), layer.name, type, result.matrix);
  if (!weight)
    return weight.takeError();

  Value input = op.getQuantizableInput().get();
  Value output;
  if (op.getQuantizableKind() == QuantizableKind::Embedding) {
    assert(result.columnOrder.empty() && "an embedding sums over no columns");
    output = GatherOp::create(builder, op.getLoc(), op->getResult(0).getType(),
                              *weight, input);
  } else {
    if (!result.columnOrder.empty())
      input = reorderChannels(builder, op.getLoc(), input, result.columnOrder);
    output = buildLowbitLinear(builder, op, input, *weight);
  }
  replaceQuantizable(op, output);
  return llvm::Error::success();
}
