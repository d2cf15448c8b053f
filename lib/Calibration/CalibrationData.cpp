//===- CalibrationData.cpp - what a model is calibrated on ----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Calibration/CalibrationData.h"
#include "lowbit/Dialect/Lowbit/IR/QuantizableOpInterface.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/Support/xxhash.h"
#include <algorithm>

using namespace mlir;
using namespace lowbit;

namespace {
/// What an argument of a model is for, as far as calibration is concerned.
enum class Role { Main, Mask, Positions, Cache };
} // namespace

static StringRef getArgumentName(func::FuncOp function, unsigned index) {
  auto name = function.getArgAttrOfType<StringAttr>(index, "onnx.name");
  return name ? name.getValue() : StringRef();
}

static RankedTensorType getArgumentType(func::FuncOp function, unsigned index) {
  return cast<RankedTensorType>(function.getArgument(index).getType());
}

/// Exporters agree on the names: attention_mask, position_ids,
/// past_key_values.0.key.
static Role getRole(func::FuncOp function, unsigned index) {
  StringRef name = getArgumentName(function, index);
  if (name.contains("mask"))
    return Role::Mask;
  if (name.contains("position"))
    return Role::Positions;
  if (name.starts_with("past"))
    return Role::Cache;
  return Role::Main;
}

/// The main inputs; there must be one.
static llvm::Expected<SmallVector<unsigned>>
findMainInputs(func::FuncOp function) {
  SmallVector<unsigned> inputs;
  for (unsigned i = 0, e = function.getNumArguments(); i < e; ++i) {
    if (!isa<RankedTensorType>(function.getArgument(i).getType()))
      return makeError("input '" + getArgumentName(function, i) +
                       "' of the model is no tensor of known rank");
    if (getRole(function, i) == Role::Main)
      inputs.push_back(i);
  }
  if (inputs.empty())
    return makeError("the model has no input to calibrate with");
  return inputs;
}

/// The embedding from which an input chooses rows, or null.
static QuantizableOpInterface findEmbedding(BlockArgument input) {
  // It reaches the embedding directly or through a conversion.
  SmallVector<Value> worklist = {input};
  while (!worklist.empty()) {
    Value value = worklist.pop_back_val();
    for (Operation *user : value.getUsers()) {
      auto layer = dyn_cast<QuantizableOpInterface>(user);
      if (layer && layer.isQuantizable() &&
          layer.getQuantizableKind() == QuantizableKind::Embedding &&
          layer.getQuantizableInput().get() == value)
        return layer;
      if (!layer && user->getNumOperands() == 1 && user->getNumResults() == 1 &&
          isa<ShapedType>(user->getResult(0).getType()) &&
          cast<ShapedType>(user->getResult(0).getType()).getShape() ==
              cast<ShapedType>(value.getType()).getShape())
        worklist.push_back(user->getResult(0));
    }
  }
  return nullptr;
}

static std::optional<int64_t> getNumRows(QuantizableOpInterface embedding) {
  if (!embedding)
    return std::nullopt;
  return embedding.getWeightMatrixShape().front();
}

QuantizableOpInterface lowbit::findTokenEmbedding(func::FuncOp function) {
  llvm::Expected<SmallVector<unsigned>> inputs = findMainInputs(function);
  if (!inputs) {
    llvm::consumeError(inputs.takeError());
    return nullptr;
  }
  if (inputs->size() != 1)
    return nullptr;
  return findEmbedding(function.getArgument(inputs->front()));
}

std::optional<int64_t> lowbit::getVocabularySize(func::FuncOp function) {
  return getNumRows(findTokenEmbedding(function));
}

/// Token windows, or other integers, as the model's input type has them.
static llvm::Expected<Tensor> convertIntegers(const Tensor &tokens, bool to64,
                                              std::optional<int64_t> rows,
                                              StringRef source) {
  const bool from64 = tokens.getType() == ElementType::I64;
  Tensor converted(to64 ? ElementType::I64 : ElementType::I32,
                   tokens.getShape());
  const int64_t length = tokens.getNumElements() / tokens.getShape()[0];
  for (int64_t i = 0, e = tokens.getNumElements(); i < e; ++i) {
    const int64_t token =
        from64 ? tokens.data<int64_t>()[i] : tokens.data<int32_t>()[i];
    if (rows && (token < 0 || token >= *rows))
      return makeError(source + ": token " + Twine(token) + " in sample " +
                       Twine(i / length) + " is outside the vocabulary of " +
                       Twine(*rows));
    if (!to64 && token != static_cast<int32_t>(token))
      return makeError(source + ": " + Twine(token) + " in sample " +
                       Twine(i / length) + " is no int32");
    if (to64)
      converted.data<int64_t>()[i] = token;
    else
      converted.data<int32_t>()[i] = static_cast<int32_t>(token);
  }
  return converted;
}

llvm::Error CalibrationData::add(unsigned index, const Tensor &samples,
                                 StringRef source) {
  BlockArgument input = function.getArgument(index);
  RankedTensorType type = getArgumentType(function, index);
  const std::string inputName = getArgumentName(function, index).str();
  bool shapeFits =
      samples.getRank() == type.getRank() && samples.getNumElements() != 0;
  // The first axis is that of the samples.
  for (int64_t axis = 1; shapeFits && axis < type.getRank(); ++axis)
    shapeFits = type.isDynamicDim(axis) ||
                type.getDimSize(axis) == samples.getShape()[axis];
  if (!shapeFits || samples.getRank() == 0) {
    std::string text;
    llvm::raw_string_ostream(text) << type;
    return makeError(source + " holds " + samples.describe() +
                     ", which are no samples for the input '" + inputName +
                     "' of type " + text);
  }
  const ElementType stored = samples.getType();
  Type element = type.getElementType();
  if (element.isInteger(64) || element.isInteger(32)) {
    if (stored != ElementType::I32 && stored != ElementType::I64)
      return makeError(source + " holds " + samples.describe() +
                       ", but tokens must be int32 or int64");
    llvm::Expected<Tensor> converted =
        convertIntegers(samples, element.isInteger(64),
                        getNumRows(findEmbedding(input)), source);
    if (!converted)
      return converted.takeError();
    given[index] = std::move(*converted);
    return llvm::Error::success();
  }
  const bool fits = (element.isF32() && stored == ElementType::F32) ||
                    (element.isInteger(1) && stored == ElementType::Bool);
  if (!fits)
    return makeError(source + " holds " + samples.describe() +
                     ", but the input '" + inputName + "' takes " +
                     (element.isF32()        ? "float32"
                      : element.isInteger(1) ? "bool"
                                             : "other values"));
  given[index] = samples;
  return llvm::Error::success();
}

llvm::Expected<CalibrationData>
CalibrationData::get(const NamedTensors &samples, func::FuncOp function,
                     StringRef source) {
  llvm::Expected<SmallVector<unsigned>> mainInputs = findMainInputs(function);
  if (!mainInputs)
    return mainInputs.takeError();
  if (samples.empty())
    return makeError(source + " holds no arrays");
  CalibrationData data(function);
  data.given.resize(function.getNumArguments());
  data.main = mainInputs->front();
  auto quote = [&](auto indices) {
    std::string names;
    for (unsigned index : indices)
      names += (names.empty() ? "'" : ", '") +
               getArgumentName(function, index).str() + "'";
    return names;
  };

  if (samples.front().first.empty()) {
    if (mainInputs->size() != 1)
      return makeError("the model has the inputs " + quote(*mainInputs) +
                       ", but " + source +
                       " is for one; give an .npz file with an array for each");
    if (llvm::Error error = data.add(data.main, samples.front().second, source))
      return std::move(error);
    return data;
  }
  auto all = llvm::seq<unsigned>(0, function.getNumArguments());
  for (const auto &[name, tensor] : samples) {
    auto found = llvm::find_if(all, [&, &name = name](unsigned index) {
      return getArgumentName(function, index) == name;
    });
    if (found == all.end())
      return makeError(source + " has an array '" + name +
                       "', but the inputs of the model are " + quote(all));
    if (llvm::Error error = data.add(
            *found, tensor, (source + ", array '" + name + "',").str()))
      return std::move(error);
  }
  for (unsigned index : *mainInputs)
    if (!data.given[index].getBytes())
      return makeError(source + " has no array '" +
                       getArgumentName(function, index) +
                       "' for that input of the model");
  for (unsigned index : all)
    if (data.given[index].getBytes() &&
        data.given[index].getShape()[0] != data.getNumSamples())
      return makeError(source + " has " + Twine(data.getNumSamples()) +
                       " samples for '" + getArgumentName(function, data.main) +
                       "', but " + Twine(data.given[index].getShape()[0]) +
                       " for '" + getArgumentName(function, index) + "'");
  return data;
}

std::optional<int64_t> CalibrationData::getFixedBatch() const {
  RankedTensorType type = getArgumentType(function, main);
  if (type.isDynamicDim(0))
    return std::nullopt;
  return type.getDimSize(0);
}

uint64_t CalibrationData::getFingerprint() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  for (const Tensor &tensor : given) {
    if (!tensor.getBytes()) {
      os << "-;";
      continue;
    }
    os << tensor.describe() << ' '
       << llvm::xxh3_64bits(llvm::ArrayRef(
              reinterpret_cast<const uint8_t *>(tensor.getBytes()),
              tensor.getByteSize()))
       << ';';
  }
  return llvm::xxh3_64bits(text);
}

/// An integer or boolean tensor of ones, or of positions along its last axis.
template <typename T>
static Tensor makeCounting(ElementType type, ArrayRef<int64_t> shape,
                           bool positions) {
  Tensor tensor(type, shape);
  auto *values = reinterpret_cast<T *>(tensor.getBytes());
  for (int64_t i = 0, e = tensor.getNumElements(); i < e; ++i)
    values[i] = static_cast<T>(positions ? i % shape.back() : 1);
  return tensor;
}

llvm::Expected<Tensor> CalibrationData::makeUp(unsigned index,
                                               int64_t batch) const {
  const Role role = getRole(function, index);
  const int64_t length =
      getSamples().getRank() > 1 ? getSamples().getShape()[1] : 1;
  RankedTensorType type = getArgumentType(function, index);
  SmallVector<int64_t> shape(type.getShape());
  // [batch, length], or for a cache [batch, heads, past, width].
  for (auto [axis, size] : llvm::enumerate(shape))
    if (ShapedType::isDynamic(size))
      size = axis == 0 ? batch : role == Role::Cache ? 0 : length;
  Type element = type.getElementType();
  const bool positions = role == Role::Positions;
  if (element.isInteger(64))
    return makeCounting<int64_t>(ElementType::I64, shape, positions);
  if (element.isInteger(32))
    return makeCounting<int32_t>(ElementType::I32, shape, positions);
  if (element.isInteger(1))
    return makeCounting<bool>(ElementType::Bool, shape, false);
  if (element.isF32() && role == Role::Cache)
    return Tensor(ElementType::F32, shape);
  if (element.isF32())
    return makeCounting<float>(ElementType::F32, shape, positions);
  return makeError("input '" + getArgumentName(function, index) +
                   "' of the model has elements that calibration cannot make "
                   "up");
}

llvm::Expected<std::vector<std::vector<Tensor>>>
CalibrationData::makeBatches(int64_t size) const {
  const int64_t count = getNumSamples();
  if (std::optional<int64_t> fixed = getFixedBatch()) {
    size = *fixed;
    if (size == 0 || count % size != 0)
      return makeError("the model takes " + Twine(size) +
                       " samples at once, but there are " + Twine(count) +
                       ", which is no multiple");
  }
  size = std::clamp<int64_t>(size, 1, count);
  while (count % size != 0)
    --size;
  std::vector<std::vector<Tensor>> batches(count / size);
  for (unsigned index = 0, e = given.size(); index < e; ++index) {
    if (!given[index].getBytes()) {
      llvm::Expected<Tensor> tensor = makeUp(index, size);
      if (!tensor)
        return tensor.takeError();
      for (std::vector<Tensor> &batch : batches)
        batch.push_back(*tensor);
      continue;
    }
    SmallVector<int64_t> shape(given[index].getShape());
    shape[0] = size;
    auto owner = std::make_shared<Tensor>(given[index]);
    const uint64_t bytes = owner->getByteSize() / batches.size();
    for (auto [i, batch] : llvm::enumerate(batches))
      batch.emplace_back(owner->getType(), shape, owner->getBytes() + i * bytes,
                         owner);
  }
  return batches;
}
