//===- SplitStaticOutliers.cpp - channels with outliers apart -------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Calibration.h"
#include "LayerPass.h"
#include "lowbit/Calibration/LayerWeight.h"
#include "lowbit/Calibration/Passes.h"
#include "lowbit/Dialect/Onnx/IR/OnnxOps.h"
#include "lowbit/Support/OutputFile.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include <cmath>
#include <cstring>

namespace lowbit {
#define GEN_PASS_DEF_SPLITSTATICOUTLIERS
#include "lowbit/Calibration/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

namespace {
/// A tensor without some channels, and these.
struct SplitInput {
  Value rest, selected;
};

struct SplitStaticOutliersPass final
    : LayerPass<
          lowbit::impl::SplitStaticOutliersBase<SplitStaticOutliersPass>> {
  using LayerPass::LayerPass;

  llvm::Error runOnLayers() override;

private:
  llvm::Expected<std::vector<int64_t>>
  findOutliers(const GraphWalk::Visit &visit, int64_t width) const;
  static SplitInput splitInput(Value input, ArrayRef<int64_t> channels);
  static llvm::Error splitLayer(const QuantizableLayer &layer,
                                const SplitInput &input,
                                ArrayRef<int64_t> channels);
};
} // namespace

/// The channels that hold an outlier in any sample, in ascending order.
llvm::Expected<std::vector<int64_t>>
SplitStaticOutliersPass::findOutliers(const GraphWalk::Visit &visit,
                                      int64_t width) const {
  const auto limit = static_cast<float>(threshold);
  std::vector<bool> isOutlier(width);
  std::optional<int64_t> notFinite;
  llvm::Error error =
      forEachInput(visit, width, [&](ConstMatrixView rows, int64_t) {
        for (int64_t row = 0; row < rows.getRows(); ++row)
          for (int64_t col = 0; col < width; ++col) {
            const float value = rows(row, col);
            if (!std::isfinite(value) && !notFinite)
              notFinite = col;
            if (std::abs(value) >= limit)
              isOutlier[col] = true;
          }
      });
  if (error)
    return std::move(error);
  if (notFinite)
    return makeError("channel " + Twine(*notFinite) +
                     " of its input is not finite in all calibration data");
  std::vector<int64_t> channels;
  for (int64_t col = 0; col < width; ++col)
    if (isOutlier[col])
      channels.push_back(col);
  if (static_cast<int64_t>(channels.size()) == width)
    return makeError("all of its " + Twine(width) +
                     " input channels hold outliers; raise the threshold, or "
                     "exclude the layer");
  return channels;
}

/// The parts of a layer's input, right behind its definition.
SplitInput SplitStaticOutliersPass::splitInput(Value input,
                                               ArrayRef<int64_t> channels) {
  ImplicitLocOpBuilder b(input.getLoc(), input.getContext());
  b.setInsertionPointAfterValue(input);
  auto type = cast<RankedTensorType>(input.getType());
  const int64_t width = type.getShape().back();
  SmallVector<bool> stays(width, true);
  for (int64_t channel : channels)
    stays[channel] = false;
  auto constant = [&](TypedAttr value) -> Value {
    return onnx::ConstantOp::create(b, value);
  };
  Value others = constant(DenseElementsAttr::get(
      RankedTensorType::get(width, b.getI1Type()), stays));
  Value zero = constant(
      DenseElementsAttr::get(RankedTensorType::get({}, type.getElementType()),
                             b.getZeroAttr(type.getElementType())));
  Value indices = constant(b.getI64TensorAttr(channels));
  SmallVector<int64_t> shape(type.getShape());
  shape.back() = channels.size();
  Value rest = onnx::WhereOp::create(b, type, others, input, zero);
  Value selected = onnx::GatherOp::create(b, type.clone(shape), input, indices,
                                          b.getI64IntegerAttr(-1));
  return {rest, selected};
}

/// A float constant in the weight store.
static llvm::Expected<Value> makeConstant(OpBuilder &builder, Location loc,
                                          const Twine &name,
                                          RankedTensorType type,
                                          ArrayRef<char> bytes) {
  llvm::Expected<TypedAttr> stored = storeConstant(name.str(), type, bytes);
  if (!stored)
    return stored.takeError();
  return onnx::ConstantOp::create(builder, loc, *stored).getResult();
}

llvm::Error SplitStaticOutliersPass::splitLayer(const QuantizableLayer &layer,
                                                const SplitInput &input,
                                                ArrayRef<int64_t> channels) {
  QuantizableOpInterface op = layer.op;
  const Location loc = op.getLoc();
  OpBuilder builder(op);
  llvm::Expected<LayerWeight> weight = LayerWeight::get(op);
  if (!weight)
    return weight.takeError();
  const ConstMatrixView matrix = weight->getMatrix();
  const int64_t outputs = matrix.getRows();
  const size_t size = weight->getElementType().getWidth() / 8;
  const int64_t count = channels.size();
  std::vector<char> rest(weight->getBytes());
  std::vector<char> selected(outputs * count * size);
  for (int64_t row = 0; row < outputs; ++row)
    for (auto [place, channel] : llvm::enumerate(channels)) {
      char *element = &rest[(row * matrix.getRowStride() +
                             channel * matrix.getColStride()) *
                            size];
      std::memcpy(&selected[(place * outputs + row) * size], element, size);
      std::memset(element, 0, size);
    }
  Value old = op.getQuantizableWeight().get();
  llvm::Expected<Value> restWeight =
      makeConstant(builder, old.getLoc(), layer.name + ".rest",
                   cast<RankedTensorType>(old.getType()), rest);
  if (!restWeight)
    return restWeight.takeError();
  auto type = RankedTensorType::get({count, outputs}, weight->getElementType());
  llvm::Expected<Value> selectedWeight = makeConstant(
      builder, old.getLoc(), layer.name + ".outliers", type, selected);
  if (!selectedWeight)
    return selectedWeight.takeError();

  op.getQuantizableInput().set(input.rest);
  op.getQuantizableWeight().set(*restWeight);
  if (old.use_empty())
    old.getDefiningOp()->erase();
  builder.setInsertionPointAfter(op);
  Value result = op->getResult(0);
  const Location apart =
      NameLoc::get(builder.getStringAttr(layer.name + ".outliers"));
  auto product = onnx::MatMulOp::create(builder, apart, result.getType(),
                                        input.selected, *selectedWeight);
  product->setDiscardableAttr(LowbitDialect::formatAttrName,
                              builder.getStringAttr(LowbitDialect::keepFloat));
  auto sum =
      onnx::AddOp::create(builder, loc, result.getType(), result, product);
  result.replaceAllUsesExcept(sum, sum);
  return llvm::Error::success();
}

llvm::Error SplitStaticOutliersPass::runOnLayers() {
  if (std::isnan(threshold) || threshold < 0)
    return makeError("threshold is " + std::to_string(threshold) +
                     ", but must be 0 or more");
  llvm::Expected<SmallVector<QuantizableLayer>> layers =
      selectLayers(getOperation(), {include, exclude, head});
  if (!layers)
    return layers.takeError();
  llvm::erase_if(*layers, [](QuantizableLayer &layer) {
    return layer.op.getQuantizableKind() != QuantizableKind::Linear;
  });
  if (layers->empty())
    return llvm::Error::success();
  llvm::Expected<Calibration> model = prepareCalibration(*layers);
  if (!model)
    return model.takeError();
  return model->walk([&](const GraphWalk::Visit &visit)
                         -> llvm::Expected<std::vector<Tensor>> {
    const QuantizableLayer &first = (*layers)[visit.layers.front()];
    QuantizableOpInterface op = first.op;
    llvm::Expected<std::vector<int64_t>> channels =
        findOutliers(visit, op.getWeightMatrixShape().back());
    if (!channels)
      return makeError("cannot cut layer '" + first.name +
                       "': " + llvm::toString(channels.takeError()));
    // The layers that follow see what they see in the float model.
    std::vector<Tensor> weights(visit.layers.size());
    if (channels->empty())
      return weights;
    const SplitInput input =
        splitInput(op.getQuantizableInput().get(), *channels);
    for (unsigned index : visit.layers) {
      if (llvm::Error error = splitLayer((*layers)[index], input, *channels))
        return std::move(error);
      ++numLayers;
      numChannels += channels->size();
    }
    return weights;
  });
}
