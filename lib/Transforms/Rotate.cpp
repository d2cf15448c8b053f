//===- Rotate.cpp - activations and weights in another basis --------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Activations are rows: a rotation Q makes x Q of x. What writes x is
// multiplied by Q along its output channels; a layer that computes x W^T
// computes the same as (x Q) (W Q)^T, so the rows of W are multiplied by Q,
// too.
//
//===----------------------------------------------------------------------===//

#include "ResidualStream.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "lowbit/Dialect/Onnx/IR/OnnxOps.h"
#include "lowbit/Dialect/Onnx/Transforms/Pipelines.h"
#include "lowbit/Quantize/Hadamard.h"
#include "lowbit/Transforms/Passes.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/StringSwitch.h"

namespace lowbit {
#define GEN_PASS_DEF_ROTATE
#include "lowbit/Transforms/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

namespace {
enum class Online { None, Down, All };

struct Settings {
  Online online;
  std::optional<uint64_t> seed;
  unsigned threads;
};

struct RotateCounts {
  unsigned streams = 0, heads = 0, online = 0;
};

/// Rotates one function. Nothing is changed before all is known to be possible.
class Rotator {
public:
  Rotator(FunctionOpInterface function, const Settings &options)
      : function(function), options(options) {}

  /// Whether there was anything to rotate.
  FailureOr<bool> run();
  const RotateCounts &getCounts() const { return counts; }

private:
  LogicalResult rotateStream(const ResidualStream &stream);
  LogicalResult foldNorms(const ResidualStream &stream);
  void reportSharedTables(const ResidualStream &stream);
  void rotateHeads();
  void rotateOnline(QuantizableOpInterface layer);
  MatrixEdit makeEdit(Operation *op, int64_t width, int64_t block,
                      std::optional<uint64_t> seed = std::nullopt);
  /// The largest order that divides `width`; says so if that is not all of it.
  int64_t getBlock(Operation *op, int64_t width);
  LogicalResult fail(Operation *op, const llvm::Twine &why) {
    return emitError(op->getLoc())
           << "cannot rotate: " << describe(op) << " " << why;
  }

  FunctionOpInterface function;
  const Settings &options;
  ModelEdits edits = ModelEdits("rotated");
  RotateCounts counts;
  /// Layers whose inputs are rotated.
  llvm::DenseSet<Operation *> rotated;
  /// Layers whose outputs are rotated within heads.
  llvm::DenseSet<Operation *> valueLayers;
  llvm::DenseSet<int64_t> reportedWidths;
};
} // namespace

int64_t Rotator::getBlock(Operation *op, int64_t width) {
  const int64_t block = HadamardMatrix::getLargestOrder(width);
  if (block != width && reportedWidths.insert(width).second)
    emitRemark(op->getLoc())
        << describe(op) << ": " << width
        << " channels are rotated in blocks of " << block
        << ", for lack of a Hadamard matrix of order " << width;
  return block;
}

MatrixEdit Rotator::makeEdit(Operation *op, int64_t width, int64_t block,
                             std::optional<uint64_t> seed) {
  auto rotation = std::make_shared<HadamardRotation>(width, block, seed);
  return [rotation, threads = options.threads](MatrixView rows) {
    rotation->applyToRows(rows, threads);
  };
}

//===----------------------------------------------------------------------===//
// The residual stream
//===----------------------------------------------------------------------===//

/// Takes the mean from each row.
static void center(MatrixView rows) {
  for (int64_t row = 0; row < rows.getRows(); ++row) {
    double sum = 0;
    for (int64_t col = 0; col < rows.getCols(); ++col)
      sum += rows(row, col);
    const auto mean = static_cast<float>(sum / rows.getCols());
    for (int64_t col = 0; col < rows.getCols(); ++col)
      rows(row, col) -= mean;
  }
}

/// With channels of mean 0 and without a bias, it computes the same.
static void replaceByRMSNorm(onnx::LayerNormalizationOp op) {
  OpBuilder builder(op);
  Value norm = onnx::RMSNormalizationOp::create(
      builder, op.getLoc(), op.getY().getType(), op.getX(), op.getScale(),
      op.getAxisAttr(), op.getEpsilonAttr(), op.getStashTypeAttr());
  op.getY().replaceAllUsesWith(norm);
  op.erase();
}

LogicalResult Rotator::foldNorms(const ResidualStream &stream) {
  const bool centers = stream.norms.front().centers;
  for (auto [norm, site] : llvm::zip_equal(stream.norms, stream.sites)) {
    if (norm.centers != centers)
      return fail(norm.op,
                  "takes the mean out of the residual stream, or does not, and "
                  "another norm does otherwise");
    llvm::Expected<ModelEdits::Values> scale = edits.read(*norm.scale);
    if (!scale)
      return fail(norm.op, llvm::toString(scale.takeError()));
    if (llvm::Error error = foldNormBias(norm, site, edits))
      return fail(norm.op, llvm::toString(std::move(error)));
    foldScales(site, scale->storage, edits);
  }
  if (!centers)
    return success();
  if (!stream.readers.empty())
    return fail(stream.readers.front(),
                "reads the mean of the residual stream, which a rotation of "
                "layer norms takes out");
  for (QuantizableOpInterface layer : stream.layers)
    edits.editOutputs(layer, center);
  for (QuantizableOpInterface embedding : stream.embeddings)
    edits.editWeight(embedding, center);
  for (OpOperand *constant : stream.constants)
    edits.editConstant(*constant, center);
  for (const Norm &norm : stream.norms)
    edits.rewrite([op = cast<onnx::LayerNormalizationOp>(norm.op)] {
      replaceByRMSNorm(op);
    });
  return success();
}

void Rotator::reportSharedTables(const ResidualStream &stream) {
  for (QuantizableOpInterface embedding : stream.embeddings) {
    Value table = embedding.getQuantizableWeight().get();
    if (table.hasOneUse())
      continue;
    emitRemark(embedding.getLoc())
        << describe(embedding)
        << " shares its table with other operations and gets one of its own: "
        << ExternalAttr::getByteSize(cast<RankedTensorType>(table.getType()))
        << " bytes more";
  }
}

LogicalResult Rotator::rotateStream(const ResidualStream &stream) {
  if (failed(foldNorms(stream)))
    return failure();
  reportSharedTables(stream);
  Operation *first = stream.norms.front().op;
  MatrixEdit rotate = makeEdit(first, stream.width,
                               getBlock(first, stream.width), options.seed);
  for (QuantizableOpInterface layer : stream.layers)
    edits.editOutputs(layer, rotate);
  for (QuantizableOpInterface embedding : stream.embeddings)
    edits.editWeight(embedding, rotate);
  for (OpOperand *constant : stream.constants)
    edits.editConstant(*constant, rotate);
  for (const FoldSite &site : stream.sites)
    for (const FoldSite::Consumer &consumer : site.consumers) {
      edits.editWeight(consumer.layer, rotate);
      rotated.insert(consumer.layer);
    }
  for (QuantizableOpInterface reader : stream.readers) {
    edits.editWeight(reader, rotate);
    rotated.insert(reader);
  }
  ++counts.streams;
  return success();
}

//===----------------------------------------------------------------------===//
// Heads and inputs of layers
//===----------------------------------------------------------------------===//

/// What `value` is, but for its shape and a constant that is added.
static Value skipMoves(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<onnx::ReshapeOp, onnx::TransposeOp, onnx::AddOp>(op))
      break;
    const bool isConstantFirst =
        isa<onnx::AddOp>(op) && matchPattern(op->getOperand(0), m_Constant());
    if (isa<onnx::AddOp>(op) && !isConstantFirst &&
        !matchPattern(op->getOperand(1), m_Constant()))
      break;
    value = op->getOperand(isConstantFirst);
  }
  return value;
}

void Rotator::rotateHeads() {
  function.walk([&](onnx::AttentionOp attention) {
    Operation *producer = skipMoves(attention.getV()).getDefiningOp();
    if (!producer)
      producer = attention;
    llvm::Expected<FoldSite> site =
        findFoldSite(producer, ChannelChange::MixHeads);
    if (!site) {
      emitRemark(attention.getLoc())
          << describe(attention) << ": its values stay as they are: "
          << llvm::toString(site.takeError());
      return;
    }
    auto layer = dyn_cast<QuantizableOpInterface>(producer);
    if (!layer || !site->throughAttention || !valueLayers.insert(layer).second)
      return;
    const int64_t block = getBlock(layer, site->headSize);
    if (block == 1)
      return;
    MatrixEdit rotate = makeEdit(layer, site->channels, block);
    edits.editOutputs(layer, rotate);
    for (OpOperand *constant : site->constants)
      edits.editConstant(*constant, rotate);
    for (const FoldSite::Consumer &consumer : site->consumers) {
      edits.editWeight(
          consumer.layer,
          makeEdit(layer, site->channels * consumer.repeats, block));
      rotated.insert(consumer.layer);
    }
    ++counts.heads;
  });
}

void Rotator::rotateOnline(QuantizableOpInterface layer) {
  auto weight =
      cast<RankedTensorType>(layer.getQuantizableWeight().get().getType());
  const int64_t width = weight.getDimSize(layer.getInputChannelAxis());
  auto input =
      cast<RankedTensorType>(layer.getQuantizableInput().get().getType());
  if (input.getShape().back() != width)
    return;
  const int64_t block = getBlock(layer, width);
  if (block == 1)
    return;
  edits.editWeight(layer, makeEdit(layer, width, block));
  edits.rewrite([layer, block]() mutable {
    OpBuilder builder(layer);
    OpOperand &input = layer.getQuantizableInput();
    input.set(HadamardOp::create(builder, layer.getLoc(), input.get(), block,
                                 /*transposed=*/false));
  });
  rotated.insert(layer);
  ++counts.online;
}

FailureOr<bool> Rotator::run() {
  Obstacle obstacle;
  FailureOr<std::vector<ResidualStream>> streams =
      findResidualStreams(function, obstacle);
  if (failed(streams))
    return fail(obstacle.op, obstacle.message);
  if (streams->empty())
    return false;
  for (const ResidualStream &stream : *streams)
    if (failed(rotateStream(stream)))
      return failure();
  if (options.online != Online::All)
    rotateHeads();
  if (options.online != Online::None)
    for (const ResidualStream &stream : *streams)
      for (QuantizableOpInterface layer : stream.layers)
        if (!rotated.contains(layer) &&
            (options.online == Online::All ||
             !skipMoves(layer.getQuantizableInput().get())
                  .getDefiningOp<onnx::AttentionOp>()))
          rotateOnline(layer);
  if (llvm::Error error = edits.commit())
    return emitError(function.getLoc())
           << "cannot rotate: " << llvm::toString(std::move(error));
  return true;
}

//===----------------------------------------------------------------------===//
// Pass
//===----------------------------------------------------------------------===//

namespace {
struct RotatePass final : lowbit::impl::RotateBase<RotatePass> {
  using RotateBase::RotateBase;

  LogicalResult initialize(MLIRContext *context) override {
    std::optional<Online> parsed =
        llvm::StringSwitch<std::optional<Online>>(online)
            .Case("none", Online::None)
            .Case("down", Online::Down)
            .Case("all", Online::All)
            .Default(std::nullopt);
    if (!parsed)
      return emitError(UnknownLoc::get(context))
             << "rotate: online is '" << online
             << "', but must be none, down or all";
    settings = {*parsed,
                randomize ? std::optional<uint64_t>(seed) : std::nullopt,
                threads};
    return success();
  }

  void runOnOperation() override {
    // Only a normalized graph shows its norms and layers.
    OpPassManager normalize(ModuleOp::getOperationName());
    onnx::buildNormalizePipeline(normalize);
    if (failed(runPipeline(normalize, getOperation())))
      return signalPassFailure();
    bool isRotated = false;
    for (auto function : getOperation().getOps<FunctionOpInterface>()) {
      Rotator rotator(function, settings);
      FailureOr<bool> done = rotator.run();
      if (failed(done))
        return signalPassFailure();
      isRotated |= *done;
      numStreams += rotator.getCounts().streams;
      numHeads += rotator.getCounts().heads;
      numOnline += rotator.getCounts().online;
    }
    if (!isRotated) {
      emitError(getOperation().getLoc())
          << "cannot rotate: there is no residual stream, that is, no norm "
             "with "
             "a constant scale that reads a sum";
      signalPassFailure();
    }
  }

private:
  Settings settings;
};
} // namespace
