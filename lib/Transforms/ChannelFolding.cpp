//===- ChannelFolding.cpp - factors moved between operations --------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Transforms/ChannelFolding.h"
#include "lowbit/Dialect/Onnx/IR/OnnxOps.h"
#include "lowbit/Support/OutputFile.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/DenseSet.h"
#include <cmath>

using namespace mlir;
using namespace lowbit;

//===----------------------------------------------------------------------===//
// Matching
//===----------------------------------------------------------------------===//

/// The last dimension, or nothing if it is not known.
static std::optional<int64_t> getLastDim(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || type.getRank() == 0 || type.isDynamicDim(type.getRank() - 1))
    return std::nullopt;
  return type.getShape().back();
}

/// One number for each of `channels`.
static bool isChannelVector(Value value, int64_t channels) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && getConstantChannels(value) == channels &&
         type.getNumElements() == channels;
}

static bool isNormOfLast(Value input, int64_t axis) {
  auto type = dyn_cast<RankedTensorType>(input.getType());
  return type && (axis == -1 || axis == type.getRank() - 1) &&
         getLastDim(input);
}

std::optional<Norm> lowbit::matchNorm(Operation *op) {
  if (auto rms = dyn_cast<onnx::RMSNormalizationOp>(op)) {
    if (!isNormOfLast(rms.getX(), rms.getAxis()) ||
        !isChannelVector(rms.getScale(), *getLastDim(rms.getX())))
      return std::nullopt;
    return Norm{op,
                rms.getX(),
                rms.getY(),
                &rms.getScaleMutable(),
                /*bias=*/nullptr,
                /*centers=*/false};
  }
  auto layerNorm = dyn_cast<onnx::LayerNormalizationOp>(op);
  if (!layerNorm || !isNormOfLast(layerNorm.getX(), layerNorm.getAxis()) ||
      !layerNorm.getMean().use_empty() || !layerNorm.getInvStdDev().use_empty())
    return std::nullopt;
  const int64_t channels = *getLastDim(layerNorm.getX());
  const bool hasBias = onnx::isPresent(layerNorm.getB());
  if (!isChannelVector(layerNorm.getScale(), channels) ||
      (hasBias && !isChannelVector(layerNorm.getB(), channels)))
    return std::nullopt;
  return Norm{op,
              layerNorm.getX(),
              layerNorm.getY(),
              &layerNorm.getScaleMutable(),
              hasBias ? &layerNorm.getBMutable() : nullptr,
              /*centers=*/true};
}

static bool isOneNumber(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.hasStaticShape() && type.getNumElements() == 1 &&
         matchPattern(value, m_Constant());
}

Value lowbit::matchNumberProduct(Value value) {
  Operation *op = value.getDefiningOp();
  Value factor;
  if (auto mul = dyn_cast_or_null<onnx::MulOp>(op))
    factor = isOneNumber(mul.getA())   ? mul.getB()
             : isOneNumber(mul.getB()) ? mul.getA()
                                       : Value();
  else if (auto div = dyn_cast_or_null<onnx::DivOp>(op))
    factor = isOneNumber(div.getB()) ? div.getA() : Value();
  return factor && factor.getType() == value.getType() ? factor : Value();
}

//===----------------------------------------------------------------------===//
// Walking from the producer to its consumers
//===----------------------------------------------------------------------===//

namespace {
/// How the channels lie in a value: along the last dimension, or split into
/// heads, whose number is another dimension.
struct Layout {
  std::optional<int64_t> headAxis;
  int64_t repeats = 1;
};

class SiteFinder {
public:
  SiteFinder(FoldSite &site, ChannelChange change)
      : site(site), change(change) {}

  llvm::Error visitUses(Value value, Layout layout);

private:
  llvm::Error visit(OpOperand &use, Layout layout);
  llvm::Error visitReshape(OpOperand &use, onnx::ReshapeOp op, Layout layout);
  llvm::Error visitTranspose(OpOperand &use, onnx::TransposeOp op,
                             Layout layout);
  llvm::Error visitAttention(OpOperand &use, onnx::AttentionOp op,
                             Layout layout);
  llvm::Error visitLayer(OpOperand &use, QuantizableOpInterface op,
                         Layout layout);
  llvm::Error visitAdd(OpOperand &use, onnx::AddOp op, Layout layout);
  llvm::Error visitMul(OpOperand &use, onnx::MulOp op, Layout layout);

  /// Channels that lie along the last dimension of a value.
  int64_t getWidth(Layout layout) const {
    return site.channels * layout.repeats;
  }
  bool isScaling() const {
    return change == ChannelChange::Scale ||
           change == ChannelChange::ScalePositive;
  }
  llvm::Error setHeadSize(OpOperand &use, int64_t size);
  static llvm::Error refuse(OpOperand &use, const llvm::Twine &why) {
    return makeError(describe(use.getOwner()) + " " + why);
  }

  FoldSite &site;
  ChannelChange change;
  llvm::DenseSet<Value> visited;
};
} // namespace

llvm::Error SiteFinder::visitUses(Value value, Layout layout) {
  if (!visited.insert(value).second)
    return makeError(describe(value.getDefiningOp()) +
                     " depends on the values more than once");
  for (OpOperand &use : value.getUses())
    if (llvm::Error error = visit(use, layout))
      return error;
  return llvm::Error::success();
}

llvm::Error SiteFinder::visit(OpOperand &use, Layout layout) {
  Operation *op = use.getOwner();
  if (auto layer = dyn_cast<QuantizableOpInterface>(op);
      layer && layer.isQuantizable())
    return visitLayer(use, layer, layout);
  if (auto reshape = dyn_cast<onnx::ReshapeOp>(op))
    return visitReshape(use, reshape, layout);
  if (auto transpose = dyn_cast<onnx::TransposeOp>(op))
    return visitTranspose(use, transpose, layout);
  if (auto attention = dyn_cast<onnx::AttentionOp>(op))
    return visitAttention(use, attention, layout);
  if (auto add = dyn_cast<onnx::AddOp>(op))
    return visitAdd(use, add, layout);
  if (op->getNumResults() == 1 &&
      matchNumberProduct(op->getResult(0)) == use.get())
    return visitUses(op->getResult(0), layout);
  if (auto mul = dyn_cast<onnx::MulOp>(op))
    return visitMul(use, mul, layout);
  if (isa<onnx::ReluOp>(op)) {
    if (change != ChannelChange::ScalePositive)
      return refuse(use, "passes on positive factors only");
    return visitUses(op->getResult(0), layout);
  }
  // What only asks for the shape does not care.
  if (isa<onnx::ShapeOp>(op))
    return llvm::Error::success();
  if (op->hasTrait<OpTrait::IsTerminator>())
    return makeError("the values are a result of the model");
  return refuse(use, "reads the values and does not pass on factors");
}

llvm::Error SiteFinder::visitLayer(OpOperand &use, QuantizableOpInterface op,
                                   Layout layout) {
  if (&use != &op.getQuantizableInput() ||
      op.getQuantizableKind() != QuantizableKind::Linear || layout.headAxis)
    return refuse(use, "reads the values otherwise than as input channels");
  auto weight =
      cast<RankedTensorType>(op.getQuantizableWeight().get().getType());
  if (weight.getDimSize(op.getInputChannelAxis()) != getWidth(layout))
    return refuse(use, "reads the values as other channels");
  site.consumers.push_back({op, layout.repeats});
  return llvm::Error::success();
}

llvm::Error SiteFinder::setHeadSize(OpOperand &use, int64_t size) {
  if (change == ChannelChange::Mix)
    return refuse(use, "keeps heads apart");
  if (site.headSize != site.channels && site.headSize != size)
    return refuse(use, "splits the channels into other heads");
  site.headSize = size;
  return llvm::Error::success();
}

llvm::Error SiteFinder::visitReshape(OpOperand &use, onnx::ReshapeOp op,
                                     Layout layout) {
  if (&use != &op.getDataMutable())
    return refuse(use, "reads the values as a shape");
  auto from = dyn_cast<RankedTensorType>(use.get().getType());
  auto to = dyn_cast<RankedTensorType>(op.getResult().getType());
  if (!from || !to)
    return refuse(use, "has an unknown shape");
  // Neighbours in memory stay neighbours, so the last dimensions tell.
  ArrayRef<int64_t> toShape = to.getShape();
  const bool mergesHeads =
      layout.headAxis && *layout.headAxis == from.getRank() - 2;
  if ((!layout.headAxis || mergesHeads) && to.getRank() >= 1 &&
      toShape.back() == getWidth(layout))
    return visitUses(op.getResult(), {std::nullopt, layout.repeats});
  if (!layout.headAxis && to.getRank() >= 2 &&
      !ShapedType::isDynamic(toShape.back()) &&
      !ShapedType::isDynamic(toShape[to.getRank() - 2]) &&
      toShape[to.getRank() - 2] * toShape.back() == getWidth(layout)) {
    if (llvm::Error error = setHeadSize(use, toShape.back()))
      return error;
    return visitUses(op.getResult(), {to.getRank() - 2, layout.repeats});
  }
  return refuse(use, "moves the channels");
}

llvm::Error SiteFinder::visitTranspose(OpOperand &use, onnx::TransposeOp op,
                                       Layout layout) {
  std::optional<ArrayRef<int64_t>> perm = op.getPerm();
  const int64_t rank = perm ? perm->size() : 0;
  if (!perm || rank == 0 || perm->back() != rank - 1)
    return refuse(use, "moves the channels");
  if (layout.headAxis)
    layout.headAxis = llvm::find(*perm, *layout.headAxis) - perm->begin();
  return visitUses(op.getResult(), layout);
}

llvm::Error SiteFinder::visitAttention(OpOperand &use, onnx::AttentionOp op,
                                       Layout layout) {
  if (&use != &op.getVMutable())
    return refuse(use, "reads the values as queries, keys or a mask");
  if (onnx::isPresent(op.getPastValue()) || !op.getPresentValue().use_empty())
    return refuse(use, "keeps the values in a cache");
  auto query = dyn_cast<RankedTensorType>(op.getQ().getType());
  auto value = dyn_cast<RankedTensorType>(op.getV().getType());
  if (!query || !value)
    return refuse(use, "has an unknown shape");
  int64_t queryHeads, valueHeads;
  // One head is all channels, with or without a dimension for it.
  if (value.getRank() == 4 && query.getRank() == 4 &&
      (layout.headAxis == 1 ||
       (!layout.headAxis && value.getDimSize(1) == 1))) {
    queryHeads = query.getDimSize(1);
    valueHeads = value.getDimSize(1);
    layout.headAxis = 1;
  } else if (!layout.headAxis && value.getRank() == 3 && op.getQNumHeads() &&
             op.getKvNumHeads()) {
    queryHeads = *op.getQNumHeads();
    valueHeads = *op.getKvNumHeads();
  } else {
    return refuse(use, "reads the values otherwise than as heads");
  }
  if (layout.repeats != 1 || queryHeads < 1 || valueHeads < 1 ||
      site.channels % valueHeads != 0 || queryHeads % valueHeads != 0)
    return refuse(use, "reads the values as other heads");
  if (llvm::Error error = setHeadSize(use, site.channels / valueHeads))
    return error;
  site.throughAttention = true;
  layout.repeats = queryHeads / valueHeads;
  return visitUses(op.getY(), layout);
}

llvm::Error SiteFinder::visitAdd(OpOperand &use, onnx::AddOp op,
                                 Layout layout) {
  OpOperand &other =
      &use == &op.getAMutable() ? op.getBMutable() : op.getAMutable();
  if (!matchPattern(other.get(), m_Constant()))
    return refuse(use, "adds something else to the values");
  if (layout.headAxis || layout.repeats != 1 ||
      getConstantChannels(other.get()) != site.channels ||
      getLastDim(op.getResult()) != site.channels)
    return refuse(use, "adds a constant of another shape than the channels");
  site.constants.push_back(&other);
  return visitUses(op.getResult(), layout);
}

llvm::Error SiteFinder::visitMul(OpOperand &use, onnx::MulOp op,
                                 Layout layout) {
  if (!isScaling())
    return refuse(use, "multiplies each channel by itself alone");
  Value other = &use == &op.getAMutable() ? op.getB() : op.getA();
  if (other == use.get() || op.getResult().getType() != use.get().getType())
    return refuse(use, "is no product of the values with others");
  return visitUses(op.getResult(), layout);
}

static llvm::Expected<FoldSite> checkConsumers(FoldSite site) {
  if (site.consumers.empty())
    return makeError("no layer reads the values of " + describe(site.producer));
  return site;
}

llvm::Expected<FoldSite> lowbit::findFoldSite(Operation *producer,
                                              ChannelChange change) {
  FoldSite site;
  site.producer = producer;
  Value output;
  if (std::optional<Norm> norm = matchNorm(producer)) {
    output = norm->output;
    site.channels = *getLastDim(norm->input);
    site.constants.push_back(norm->scale);
    if (norm->bias)
      site.constants.push_back(norm->bias);
  } else if (auto layer = dyn_cast<QuantizableOpInterface>(producer);
             layer && layer.isQuantizable() &&
             layer.getQuantizableKind() == QuantizableKind::Linear) {
    output = producer->getResult(0);
    auto weight =
        cast<RankedTensorType>(layer.getQuantizableWeight().get().getType());
    site.channels = weight.getDimSize(layer.getOutputChannelAxis());
    if (OpOperand *bias = layer.getQuantizableBias();
        bias && getConstantChannels(bias->get()) != site.channels)
      return makeError(describe(producer) +
                       " has a bias that is no constant per channel");
    site.layer = layer;
  } else {
    return makeError(describe(producer) +
                     " is neither a norm with constant parameters nor a "
                     "linear layer with a constant weight");
  }
  site.headSize = site.channels;
  if (llvm::Error error = SiteFinder(site, change).visitUses(output, Layout()))
    return std::move(error);
  return checkConsumers(std::move(site));
}

llvm::Expected<FoldSite> lowbit::findMultiplySite(Value value) {
  FoldSite site;
  site.producer = value.getDefiningOp();
  site.multiplied = value;
  std::optional<int64_t> channels = getLastDim(value);
  if (!site.producer || !channels)
    return makeError("the values have no known number of channels");
  site.channels = site.headSize = *channels;
  SiteFinder finder(site, ChannelChange::ScalePositive);
  if (llvm::Error error = finder.visitUses(value, Layout()))
    return std::move(error);
  return checkConsumers(std::move(site));
}

std::vector<float> FoldSite::spread(const Consumer &consumer,
                                    ArrayRef<float> values) const {
  std::vector<float> result(channels * consumer.repeats);
  for (auto [channel, value] : llvm::enumerate(result))
    value = values[getSource(consumer, channel)];
  return result;
}

//===----------------------------------------------------------------------===//
// Folding
//===----------------------------------------------------------------------===//

std::vector<float> lowbit::getColumnRanges(ConstMatrixView matrix) {
  std::vector<float> ranges(matrix.getCols());
  for (int64_t row = 0; row < matrix.getRows(); ++row)
    for (int64_t col = 0; col < matrix.getCols(); ++col)
      ranges[col] = std::max(ranges[col], std::abs(matrix(row, col)));
  return ranges;
}

llvm::Expected<std::vector<float>> lowbit::getReaderRanges(const FoldSite &site,
                                                           ModelEdits &edits) {
  std::vector<float> ranges(site.channels);
  for (const FoldSite::Consumer &consumer : site.consumers) {
    llvm::Expected<ModelEdits::Values> weight = edits.read(consumer.layer);
    if (!weight)
      return weight.takeError();
    for (auto [channel, range] :
         llvm::enumerate(getColumnRanges(weight->matrix))) {
      float &most = ranges[site.getSource(consumer, channel)];
      most = std::max(most, range);
    }
  }
  return ranges;
}

/// Multiplies the channels by the inverses of `scales`: for AWQ's
/// ScaledActivation.
static void multiply(Value value, ArrayRef<float> scales) {
  OpBuilder builder(value.getContext());
  builder.setInsertionPointAfterValue(value);
  std::vector<float> factors;
  for (float scale : scales)
    factors.push_back(scale == 0 ? 0 : 1 / scale);
  auto type = cast<RankedTensorType>(value.getType());
  Value constant = makeChannelConstant(builder, value.getLoc(),
                                       type.getElementType(), factors);
  Value product =
      onnx::MulOp::create(builder, value.getLoc(), type, value, constant);
  value.replaceAllUsesExcept(product, product.getDefiningOp());
}

void lowbit::foldScales(const FoldSite &site, ArrayRef<float> scales,
                        ModelEdits &edits) {
  assert(int64_t(scales.size()) == site.channels && "a scale per channel");
  // What a channel of scale 0 becomes does not matter, if it is finite: its
  // consumers multiply it by 0. A norm's own scale becomes 1.
  auto divideBy = [scales = scales.vec()](float forZero) -> MatrixEdit {
    return [scales, forZero](MatrixView rows) {
      for (int64_t row = 0; row < rows.getRows(); ++row)
        for (int64_t col = 0; col < rows.getCols(); ++col)
          rows(row, col) =
              scales[col] == 0 ? forZero : rows(row, col) / scales[col];
    };
  };
  if (site.layer)
    edits.editOutputs(site.layer, divideBy(0));
  if (site.multiplied)
    edits.rewrite([value = site.multiplied, scales = scales.vec()] {
      multiply(value, scales);
    });
  const std::optional<Norm> norm = matchNorm(site.producer);
  for (OpOperand *constant : site.constants)
    edits.editConstant(*constant,
                       divideBy(norm && constant == norm->scale ? 1 : 0));
  for (const FoldSite::Consumer &consumer : site.consumers) {
    edits.editWeight(consumer.layer, [factors = site.spread(consumer, scales)](
                                         MatrixView weight) {
      for (int64_t row = 0; row < weight.getRows(); ++row)
        for (int64_t col = 0; col < weight.getCols(); ++col)
          weight(row, col) *= factors[col];
    });
  }
}

llvm::Error lowbit::foldNormBias(const Norm &norm, const FoldSite &site,
                                 ModelEdits &edits) {
  if (!norm.bias)
    return llvm::Error::success();
  llvm::Expected<ModelEdits::Values> bias = edits.read(*norm.bias);
  if (!bias)
    return bias.takeError();
  for (const FoldSite::Consumer &consumer : site.consumers) {
    llvm::Expected<ModelEdits::Values> weight = edits.read(consumer.layer);
    if (!weight)
      return weight.takeError();
    std::vector<float> sums(weight->matrix.getRows());
    for (auto [row, sum] : llvm::enumerate(sums)) {
      double exact = 0;
      for (int64_t col = 0; col < site.channels; ++col)
        exact += double(weight->matrix(row, col)) * bias->storage[col];
      sum = static_cast<float>(exact);
    }
    edits.addBias(consumer.layer, sums);
  }
  edits.editConstant(*norm.bias, [](MatrixView rows) {
    for (int64_t col = 0; col < rows.getCols(); ++col)
      rows(0, col) = 0;
  });
  return llvm::Error::success();
}
