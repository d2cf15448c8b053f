//===- ModelEdits.cpp - changes to constants, made all at once ------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Transforms/ModelEdits.h"
#include "lowbit/Dialect/Lowbit/IR/ElementTypes.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "lowbit/Dialect/Lowbit/IR/NodeName.h"
#include "lowbit/Dialect/Onnx/IR/OnnxOps.h"
#include "lowbit/Quantize/FloatStorage.h"
#include "lowbit/Support/OutputFile.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/xxhash.h"
#include <cmath>

using namespace mlir;
using namespace lowbit;

std::string lowbit::describe(Operation *op) {
  const StringRef name = getNodeName(op->getLoc());
  const std::string kind = op->getName().getStringRef().str();
  return name.empty() ? kind : "'" + name.str() + "' (" + kind + ")";
}

std::optional<int64_t> lowbit::getConstantChannels(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || type.getRank() == 0 || !type.hasStaticShape() ||
      !getStoredFloatType(type.getElementType()) ||
      !matchPattern(value, m_Constant()))
    return std::nullopt;
  return type.getShape().back();
}

Value lowbit::makeChannelConstant(OpBuilder &builder, Location loc,
                                  Type elementType, ArrayRef<float> values) {
  const ElementType stored = *getStoredFloatType(elementType);
  std::vector<char> bytes(values.size() * getByteSize(stored));
  for (auto [i, value] : llvm::enumerate(values))
    storeFloat(stored, value,
               reinterpret_cast<uint8_t *>(bytes.data()) +
                   i * getByteSize(stored));
  return onnx::ConstantOp::create(
      builder, loc,
      DenseElementsAttr::getFromRawBuffer(
          RankedTensorType::get(values.size(), elementType), bytes));
}

//===----------------------------------------------------------------------===//
// Collecting
//===----------------------------------------------------------------------===//

ModelEdits::Constant &ModelEdits::getConstant(OpOperand &use) {
  return constants[&use];
}

TransformMark &ModelEdits::getMark(Operation *layer) {
  auto [found, isNew] = marks.try_emplace(layer);
  if (isNew)
    found->second = getTransformMark(layer->getLoc()).value_or(TransformMark());
  return found->second;
}

/// Makes the mark depend on what a constant of the layer has become.
static void addToFingerprint(TransformMark &mark, ArrayRef<char> bytes) {
  const uint64_t parts[] = {
      mark.fingerprint,
      llvm::xxh3_64bits(ArrayRef(
          reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()))};
  mark.fingerprint = llvm::xxh3_64bits(
      ArrayRef(reinterpret_cast<const uint8_t *>(parts), sizeof(parts)));
}

void ModelEdits::editWeight(QuantizableOpInterface op, MatrixEdit edit) {
  OpOperand *use = &op.getQuantizableWeight();
  if (use->getOwner() != op && !use->getOwner()->hasOneUse()) {
    // The op through which several layers see one constant becomes this
    // layer's own. That changes nothing yet.
    OpBuilder builder(op);
    Operation *own = builder.clone(*use->getOwner());
    for (OpOperand &operand : op->getOpOperands())
      if (operand.get() == use->getOwner()->getResult(0))
        operand.set(own->getResult(0));
    use = &op.getQuantizableWeight();
  }
  Constant &constant = getConstant(*use);
  constant.layer = op;
  constant.edits.push_back(std::move(edit));
  // The rows of a table are what its lookups return.
  getMark(op).outputs |= op.getQuantizableKind() == QuantizableKind::Embedding;
}

void ModelEdits::editOutputs(QuantizableOpInterface op,
                             const MatrixEdit &edit) {
  getMark(op).outputs = true;
  editWeight(op, [edit](MatrixView weight) {
    edit(MatrixView(weight.getData(), weight.getCols(), weight.getRows(),
                    weight.getColStride(), weight.getRowStride()));
  });
  if (OpOperand *bias = op.getQuantizableBias())
    editConstant(*bias, edit);
  if (auto pending = biases.find(op); pending != biases.end())
    edit(MatrixView(pending->second.data(), 1, pending->second.size()));
}

void ModelEdits::addBias(QuantizableOpInterface op, ArrayRef<float> bias) {
  TransformMark &mark = getMark(op);
  mark.outputs = true;
  addToFingerprint(mark, {reinterpret_cast<const char *>(bias.data()),
                          bias.size() * sizeof(float)});
  std::vector<float> &sum = biases[op];
  sum.resize(bias.size());
  for (auto [to, from] : llvm::zip_equal(sum, bias))
    to += from;
}

void ModelEdits::editConstant(OpOperand &use, MatrixEdit edit) {
  getConstant(use).edits.push_back(std::move(edit));
}

//===----------------------------------------------------------------------===//
// Reading and writing
//===----------------------------------------------------------------------===//

llvm::Expected<ModelEdits::Values>
ModelEdits::load(OpOperand &use, const Constant &constant) const {
  auto type = cast<RankedTensorType>(use.get().getType());
  std::optional<ElementType> stored = getStoredFloatType(type.getElementType());
  Attribute value;
  if (!stored || !matchPattern(use.get(), m_Constant(&value)))
    return makeError(describe(use.getOwner()) +
                     " has a weight that is no constant of f32, f16 or bf16");
  SmallVector<char> expanded;
  llvm::Expected<ArrayRef<char>> bytes = getConstantBytes(value, expanded);
  if (!bytes)
    return bytes.takeError();
  Values values;
  values.storage.resize(type.getNumElements());
  const auto *from = reinterpret_cast<const uint8_t *>(bytes->data());
  for (auto [i, to] : llvm::enumerate(values.storage)) {
    to = loadFloat(*stored, from + i * getByteSize(*stored));
    // One of them would spoil whole channels.
    if (!std::isfinite(to))
      return makeError(describe(use.getOwner()) +
                       " has a constant whose element " + Twine(i) + " is " +
                       (std::isnan(to) ? "NaN" : "infinite"));
  }

  const int64_t cols = type.getShape().back();
  if (QuantizableOpInterface layer = constant.layer;
      layer && layer.getQuantizableKind() == QuantizableKind::Linear) {
    const int64_t out = layer.getOutputChannelAxis();
    const int64_t in = layer.getInputChannelAxis();
    const int64_t strides[] = {cols, 1};
    values.matrix = MatrixView(values.storage.data(), type.getDimSize(out),
                               type.getDimSize(in), strides[out], strides[in]);
  } else {
    values.matrix = MatrixView(values.storage.data(),
                               cols ? type.getNumElements() / cols : 0, cols);
  }
  for (const MatrixEdit &edit : constant.edits)
    edit(values.matrix);
  return values;
}

llvm::Expected<ModelEdits::Values> ModelEdits::read(QuantizableOpInterface op) {
  OpOperand &use = op.getQuantizableWeight();
  Constant unchanged;
  unchanged.layer = op;
  auto found = constants.find(&use);
  return load(use, found == constants.end() ? unchanged : found->second);
}

llvm::Expected<ModelEdits::Values> ModelEdits::read(OpOperand &use) {
  auto found = constants.find(&use);
  return load(use, found == constants.end() ? Constant() : found->second);
}

/// A name that tells the layer and what was done to its weight, again and
/// again.
std::string ModelEdits::makeName(OpOperand &use, const Constant &constant) {
  QuantizableOpInterface layer = constant.layer;
  Operation *owner = layer ? layer.getOperation() : use.getOwner();
  std::string base = getNodeName(owner->getLoc()).str();
  if (base.empty())
    base = owner->getName().stripDialect().str();
  Attribute value;
  matchPattern(use.get(), m_Constant(&value));
  auto external = dyn_cast_or_null<ExternalAttr>(value);
  if (external && external.getKey().starts_with(base + "."))
    base = external.getKey().str();
  const std::string name = base + "." + suffix;
  std::string unique = name;
  for (int number = 1; !names.insert(unique).second; ++number)
    unique = name + "." + std::to_string(number);
  return unique;
}

llvm::Error ModelEdits::store(OpOperand &use, const Constant &constant) {
  llvm::Expected<Values> values = load(use, constant);
  if (!values)
    return values.takeError();
  auto type = cast<RankedTensorType>(use.get().getType());
  const ElementType stored = *getStoredFloatType(type.getElementType());
  std::vector<char> bytes(values->storage.size() * getByteSize(stored));
  auto *to = reinterpret_cast<uint8_t *>(bytes.data());
  for (auto [i, value] : llvm::enumerate(values->storage)) {
    if (!std::isfinite(roundToType(stored, value)))
      return makeError(
          llvm::formatv("{0} gets a constant up to {1}, but {2} ends at {3}",
                        describe(use.getOwner()), value, type.getElementType(),
                        getLargest(stored))
              .str());
    storeFloat(stored, value, to + i * getByteSize(stored));
  }
  llvm::Expected<TypedAttr> attr =
      storeConstant(makeName(use, constant), type, bytes);
  if (!attr)
    return attr.takeError();
  QuantizableOpInterface layer = constant.layer;
  Operation *owner = layer ? layer.getOperation() : use.getOwner();
  if (auto mark = marks.find(owner); mark != marks.end())
    addToFingerprint(mark->second, bytes);
  OpBuilder builder(use.getOwner());
  Operation *before = use.get().getDefiningOp();
  use.set(onnx::ConstantOp::create(builder, before->getLoc(), *attr));
  if (before->use_empty())
    before->erase();
  return llvm::Error::success();
}

/// The constant that is added to the outputs of a layer and nothing else.
static OpOperand *findAddedConstant(QuantizableOpInterface op,
                                    int64_t channels) {
  Value result = op->getResult(0);
  if (!result.hasOneUse())
    return nullptr;
  auto add = dyn_cast<onnx::AddOp>(*result.user_begin());
  if (!add)
    return nullptr;
  OpOperand &other =
      add.getA() == result ? add.getBMutable() : add.getAMutable();
  return getConstantChannels(other.get()) == channels ? &other : nullptr;
}

void ModelEdits::commitBias(QuantizableOpInterface op, ArrayRef<float> bias) {
  OpOperand *added = op.getQuantizableBias();
  if (!added || getConstantChannels(added->get()) != int64_t(bias.size()))
    added = findAddedConstant(op, bias.size());
  if (added)
    return editConstant(*added, [bias = bias.vec()](MatrixView rows) {
      for (int64_t row = 0; row < rows.getRows(); ++row)
        for (int64_t col = 0; col < rows.getCols(); ++col)
          rows(row, col) += bias[col];
    });
  rewrite([op, bias = bias.vec()]() mutable {
    OpBuilder builder(op->getContext());
    builder.setInsertionPointAfter(op);
    Value result = op->getResult(0);
    auto type = cast<RankedTensorType>(result.getType());
    Value constant =
        makeChannelConstant(builder, op.getLoc(), type.getElementType(), bias);
    Value sum =
        onnx::AddOp::create(builder, op.getLoc(), type, result, constant);
    result.replaceAllUsesExcept(sum, sum.getDefiningOp());
  });
}

llvm::Error ModelEdits::commit() {
  for (auto &[op, bias] : biases)
    commitBias(cast<QuantizableOpInterface>(op), bias);
  for (auto &[use, constant] : constants)
    if (llvm::Error error = store(*use, constant))
      return error;
  for (auto &[layer, mark] : marks)
    layer->setLoc(setTransformMark(layer->getLoc(), mark));
  for (const std::function<void()> &action : rewrites)
    action();
  marks.clear();
  biases.clear();
  constants.clear();
  rewrites.clear();
  return llvm::Error::success();
}
