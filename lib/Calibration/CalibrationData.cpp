//===- CalibrationData.cpp - what a model is calibrated on ----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Calibration/CalibrationData.h"
#include "lowbit/Dialect/Lowbit/IR/QuantizableOpInterface.h"
#include "lowbit/Support/Npy.h"
#include "lowbit/Support/OutputFile.h"
#include <cstring>

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

static llvm::Expected<unsigned> findMainInput(func::FuncOp function) {
  std::optional<unsigned> main;
  for (unsigned i = 0, e = function.getNumArguments(); i < e; ++i) {
    if (!isa<RankedTensorType>(function.getArgument(i).getType()))
      return makeError("input '" + getArgumentName(function, i) +
                       "' of the model is no tensor of known rank");
    if (getRole(function, i) != Role::Main)
      continue;
    if (main)
      return makeError("the model has the inputs '" +
                       getArgumentName(function, *main) + "' and '" +
                       getArgumentName(function, i) +
                       "', but calibration data is for one");
    main = i;
  }
  if (!main)
    return makeError("the model has no input to calibrate with");
  return *main;
}

QuantizableOpInterface lowbit::findTokenEmbedding(func::FuncOp function) {
  llvm::Expected<unsigned> main = findMainInput(function);
  if (!main) {
    llvm::consumeError(main.takeError());
    return nullptr;
  }
  // The tokens reach the embedding directly or through a conversion.
  SmallVector<Value> worklist = {function.getArgument(*main)};
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

std::optional<int64_t> lowbit::getVocabularySize(func::FuncOp function) {
  QuantizableOpInterface embedding = findTokenEmbedding(function);
  if (!embedding)
    return std::nullopt;
  return embedding.getWeightMatrixShape().front();
}

/// Token windows as the model's input type has them.
static llvm::Expected<Tensor> convertTokens(const Tensor &tokens, bool to64,
                                            std::optional<int64_t> vocabulary,
                                            StringRef name) {
  const bool from64 = tokens.getType() == ElementType::I64;
  Tensor converted(to64 ? ElementType::I64 : ElementType::I32,
                   tokens.getShape());
  const int64_t length = tokens.getNumElements() / tokens.getShape()[0];
  for (int64_t i = 0, e = tokens.getNumElements(); i < e; ++i) {
    const int64_t token =
        from64 ? tokens.data<int64_t>()[i] : tokens.data<int32_t>()[i];
    if (token < 0 || (vocabulary && token >= *vocabulary))
      return makeError(name + ": token " + Twine(token) + " in sample " +
                       Twine(i / length) + " is outside the vocabulary" +
                       (vocabulary ? " of " + Twine(*vocabulary) : Twine()));
    if (to64)
      converted.data<int64_t>()[i] = token;
    else
      converted.data<int32_t>()[i] = static_cast<int32_t>(token);
  }
  return converted;
}

llvm::Expected<CalibrationData> CalibrationData::get(const Tensor &samples,
                                                     func::FuncOp function,
                                                     StringRef name) {
  llvm::Expected<unsigned> main = findMainInput(function);
  if (!main)
    return main.takeError();
  auto type = cast<RankedTensorType>(function.getArgument(*main).getType());
  StringRef inputName = getArgumentName(function, *main);
  auto fits = [&](int64_t axis) {
    return type.isDynamicDim(axis) ||
           type.getDimSize(axis) == samples.getShape()[axis];
  };
  bool shapeFits =
      samples.getRank() == type.getRank() && samples.getNumElements() != 0;
  // The first axis is that of the samples.
  for (int64_t axis = 1; shapeFits && axis < type.getRank(); ++axis)
    shapeFits = fits(axis);
  if (!shapeFits) {
    std::string text;
    llvm::raw_string_ostream(text) << type;
    return makeError(name + " holds " + samples.describe() +
                     ", which are no samples for the input '" + inputName +
                     "' of type " + text);
  }
  const ElementType stored = samples.getType();
  Type element = type.getElementType();
  if (element.isInteger(64) || element.isInteger(32)) {
    if (stored != ElementType::I32 && stored != ElementType::I64)
      return makeError(name + " holds " + samples.describe() +
                       ", but tokens must be int32 or int64");
    llvm::Expected<Tensor> tokens = convertTokens(
        samples, element.isInteger(64), getVocabularySize(function), name);
    if (!tokens)
      return tokens.takeError();
    return CalibrationData(function, std::move(*tokens));
  }
  if (!element.isF32() || stored != ElementType::F32)
    return makeError(name + " holds " + samples.describe() +
                     ", but the input '" + inputName + "' takes other values");
  return CalibrationData(function, samples);
}

llvm::Expected<CalibrationData> CalibrationData::read(StringRef path,
                                                      func::FuncOp function,
                                                      int64_t maxSamples) {
  llvm::Expected<Tensor> samples = readNpy(path);
  if (!samples)
    return samples.takeError();
  const std::string name = ("calibration file '" + path + "'").str();
  llvm::Expected<CalibrationData> data = get(*samples, function, name);
  if (!data || maxSamples == 0 || data->getNumSamples() <= maxSamples)
    return data;
  SmallVector<int64_t> shape(data->samples.getShape());
  const uint64_t sampleBytes = data->samples.getByteSize() / shape[0];
  const int64_t available = std::exchange(shape[0], maxSamples);
  Tensor chosen(data->samples.getType(), shape);
  for (int64_t i = 0; i < maxSamples; ++i)
    std::memcpy(chosen.getBytes() + i * sampleBytes,
                data->samples.getBytes() +
                    i * available / maxSamples * sampleBytes,
                sampleBytes);
  return CalibrationData(function, std::move(chosen));
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

llvm::Expected<std::vector<Tensor>>
CalibrationData::makeInputs(func::FuncOp function, const Tensor &main) {
  const int64_t batch = main.getShape()[0];
  const int64_t length = main.getRank() > 1 ? main.getShape()[1] : 1;
  std::vector<Tensor> inputs;
  for (unsigned i = 0, e = function.getNumArguments(); i < e; ++i) {
    const Role role = getRole(function, i);
    if (role == Role::Main) {
      inputs.push_back(main);
      continue;
    }
    auto type = cast<RankedTensorType>(function.getArgument(i).getType());
    SmallVector<int64_t> shape(type.getShape());
    // [batch, length], or for a cache [batch, heads, past, width].
    for (auto [axis, size] : llvm::enumerate(shape))
      if (ShapedType::isDynamic(size))
        size = axis == 0 ? batch : role == Role::Cache ? 0 : length;
    Type element = type.getElementType();
    const bool positions = role == Role::Positions;
    if (element.isInteger(64))
      inputs.push_back(
          makeCounting<int64_t>(ElementType::I64, shape, positions));
    else if (element.isInteger(32))
      inputs.push_back(
          makeCounting<int32_t>(ElementType::I32, shape, positions));
    else if (element.isInteger(1))
      inputs.push_back(makeCounting<bool>(ElementType::Bool, shape, false));
    else if (element.isF32() && role == Role::Cache)
      inputs.emplace_back(ElementType::F32, shape);
    else if (element.isF32())
      inputs.push_back(makeCounting<float>(ElementType::F32, shape, positions));
    else
      return makeError("input '" + getArgumentName(function, i) +
                       "' of the model has elements that calibration cannot "
                       "make up");
  }
  return inputs;
}

llvm::Expected<std::vector<std::vector<Tensor>>>
CalibrationData::makeBatches(int64_t size) const {
  assert(getNumSamples() % size == 0 && "batches must be of one size");
  SmallVector<int64_t> shape(samples.getShape());
  const uint64_t sampleBytes = samples.getByteSize() / shape[0];
  shape[0] = size;
  auto owner = std::make_shared<Tensor>(samples);
  std::vector<std::vector<Tensor>> batches;
  for (int64_t first = 0; first < getNumSamples(); first += size) {
    Tensor part(samples.getType(), shape,
                samples.getBytes() + first * sampleBytes, owner);
    llvm::Expected<std::vector<Tensor>> inputs = makeInputs(function, part);
    if (!inputs)
      return inputs.takeError();
    batches.push_back(std::move(*inputs));
  }
  return batches;
}
