//===- ResidualStream.cpp - what blocks of a model read and add to --------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A stream is found from the norms that read a sum, by the closure over sums:
// both operands of an addition belong to it, and so does its result. Layers,
// embeddings and constants are where it begins; norms and layers where it ends.
//
//===----------------------------------------------------------------------===//

#include "ResidualStream.h"
#include "lowbit/Dialect/Onnx/IR/OnnxOps.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace lowbit;

namespace {
class StreamFinder {
public:
  StreamFinder(llvm::DenseSet<Operation *> &found, Obstacle &obstacle)
      : found(found), obstacle(obstacle) {}

  FailureOr<ResidualStream> find(const Norm &seed);

private:
  LogicalResult addWriter(Value value);
  LogicalResult addReader(OpOperand &use);
  llvm::LogicalResult refuse(Operation *op, const llvm::Twine &why) {
    obstacle = {op, why.str()};
    return failure();
  }

  ResidualStream stream;
  llvm::SetVector<Value> values;
  /// The norms of all streams, so that each is found once.
  llvm::DenseSet<Operation *> &found;
  Obstacle &obstacle;
};
} // namespace

/// Follows a value of the stream to what wrote it.
LogicalResult StreamFinder::addWriter(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op)
    return refuse(value.getParentBlock()->getParentOp(),
                  "has an argument that is part of the residual stream");
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || type.getRank() == 0 || type.getShape().back() != stream.width)
    return refuse(op, "adds values of other channels to the residual stream");
  if (auto add = dyn_cast<onnx::AddOp>(op)) {
    for (OpOperand &operand : op->getOpOperands()) {
      if (!matchPattern(operand.get(), m_Constant())) {
        values.insert(operand.get());
        continue;
      }
      if (getConstantChannels(operand.get()) != stream.width)
        return refuse(op, "adds a constant to the residual stream that has not "
                          "one number per channel");
      stream.constants.push_back(&operand);
    }
    return success();
  }
  if (Value factor = matchNumberProduct(value)) {
    values.insert(factor);
    return success();
  }
  auto layer = dyn_cast<QuantizableOpInterface>(op);
  if (!layer || !layer.isQuantizable() ||
      layer.getQuantizableKind() == QuantizableKind::Convolution)
    return refuse(op,
                  "writes the residual stream and is neither a linear layer "
                  "nor an embedding with a constant float weight");
  if (layer.getQuantizableKind() == QuantizableKind::Embedding) {
    stream.embeddings.push_back(layer);
    return success();
  }
  if (OpOperand *bias = layer.getQuantizableBias();
      bias && getConstantChannels(bias->get()) != stream.width)
    return refuse(op, "writes the residual stream and has a bias that is no "
                      "constant per channel");
  stream.layers.push_back(layer);
  return success();
}

LogicalResult StreamFinder::addReader(OpOperand &use) {
  Operation *op = use.getOwner();
  if (isa<onnx::AddOp>(op) ||
      (op->getNumResults() == 1 &&
       matchNumberProduct(op->getResult(0)) == use.get())) {
    values.insert(op->getResult(0));
    return success();
  }
  if (isa<onnx::ShapeOp>(op))
    return success();
  if (std::optional<Norm> norm = matchNorm(op);
      norm && norm->input == use.get()) {
    llvm::Expected<FoldSite> site = findFoldSite(op, ChannelChange::Mix);
    if (!site)
      return refuse(op, "normalizes the residual stream, but its scale cannot "
                        "be folded: " +
                            llvm::toString(site.takeError()));
    if (site->constants.size() != (norm->bias ? 2 : 1))
      return refuse(op, "normalizes the residual stream, and another constant "
                        "is added before the layers that read it");
    stream.norms.push_back(*norm);
    stream.sites.push_back(std::move(*site));
    found.insert(op);
    return success();
  }
  if (auto layer = dyn_cast<QuantizableOpInterface>(op);
      layer && layer.isQuantizable() &&
      layer.getQuantizableKind() == QuantizableKind::Linear &&
      &use == &layer.getQuantizableInput()) {
    stream.readers.push_back(layer);
    return success();
  }
  if (op->hasTrait<OpTrait::IsTerminator>())
    return refuse(use.get().getDefiningOp(),
                  "makes the residual stream a result of the model");
  return refuse(op, "reads the residual stream and is neither a norm nor a "
                    "linear layer with a constant float weight");
}

FailureOr<ResidualStream> StreamFinder::find(const Norm &seed) {
  stream.width = cast<RankedTensorType>(seed.input.getType()).getShape().back();
  values.insert(seed.input);
  for (size_t i = 0; i < values.size(); ++i) {
    Value value = values[i];
    if (failed(addWriter(value)))
      return failure();
    for (OpOperand &use : value.getUses())
      if (failed(addReader(use)))
        return failure();
  }
  return std::move(stream);
}

/// Whether a value is a sum of activations: a norm of one reads a stream. Norms
/// of other values, such as queries, do not.
static bool isSum(Value value) {
  auto add = value.getDefiningOp<onnx::AddOp>();
  return add && !matchPattern(add.getA(), m_Constant()) &&
         !matchPattern(add.getB(), m_Constant());
}

FailureOr<std::vector<ResidualStream>>
lowbit::findResidualStreams(FunctionOpInterface function, Obstacle &obstacle) {
  SmallVector<Norm> seeds;
  function.walk([&](Operation *op) {
    if (std::optional<Norm> norm = matchNorm(op); norm && isSum(norm->input))
      seeds.push_back(*norm);
  });
  std::vector<ResidualStream> streams;
  llvm::DenseSet<Operation *> found;
  for (const Norm &seed : seeds) {
    if (found.contains(seed.op))
      continue;
    FailureOr<ResidualStream> stream = StreamFinder(found, obstacle).find(seed);
    if (failed(stream))
      return failure();
    streams.push_back(std::move(*stream));
  }
  return streams;
}
