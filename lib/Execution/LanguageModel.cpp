//===- LanguageModel.cpp - feeding tokens to a language model -------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Execution/LanguageModel.h"
#include "lowbit/Support/Npy.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ADT/APFloat.h"
#include <random>

using namespace lowbit;
using llvm::StringRef;
using llvm::Twine;

//===----------------------------------------------------------------------===//
// Token files
//===----------------------------------------------------------------------===//

template <typename T>
static std::vector<int64_t> widen(const Tensor &tensor) {
  const T *values = reinterpret_cast<const T *>(tensor.getBytes());
  return {values, values + tensor.getNumElements()};
}

static llvm::Expected<std::vector<int64_t>> readIntegers(const Tensor &tensor,
                                                         StringRef path) {
  switch (tensor.getType()) {
  case ElementType::I8:
    return widen<int8_t>(tensor);
  case ElementType::U8:
    return widen<uint8_t>(tensor);
  case ElementType::I16:
    return widen<int16_t>(tensor);
  case ElementType::U16:
    return widen<uint16_t>(tensor);
  case ElementType::I32:
    return widen<int32_t>(tensor);
  case ElementType::U32:
    return widen<uint32_t>(tensor);
  case ElementType::I64:
    return widen<int64_t>(tensor);
  default:
    return makeError("'" + path + "' must hold integer tokens, got " +
                     tensor.describe());
  }
}

llvm::Expected<std::vector<int64_t>> TokenWindows::readFlat(StringRef path) {
  llvm::Expected<Tensor> tensor = readNpy(path);
  if (!tensor)
    return tensor.takeError();
  if (tensor->getRank() != 1 || tensor->getNumElements() == 0)
    return makeError("'" + path +
                     "' must hold one or more tokens as a flat array, got " +
                     tensor->describe());
  return readIntegers(*tensor, path);
}

llvm::Expected<TokenWindows> TokenWindows::read(StringRef path,
                                                int64_t context) {
  llvm::Expected<Tensor> tensor = readNpy(path);
  if (!tensor)
    return tensor.takeError();
  auto tokens = readIntegers(*tensor, path);
  if (!tokens)
    return tokens.takeError();
  TokenWindows windows;
  windows.tokens = std::move(*tokens);
  if (tensor->getRank() == 2) {
    windows.length = tensor->getShape()[1];
  } else if (tensor->getRank() == 1) {
    if (context <= 0)
      return makeError("'" + path +
                       "' is a flat array of tokens; --context "
                       "must say into windows of which length to cut it");
    windows.length = context;
    windows.tokens.resize(windows.tokens.size() / context * context);
  } else {
    return makeError("'" + path +
                     "' must hold tokens as [windows, length] or "
                     "as a flat array, got " +
                     tensor->describe());
  }
  if (windows.length < 2 || windows.tokens.empty())
    return makeError("'" + path +
                     "' holds no window of two tokens or more, "
                     "got " +
                     tensor->describe());
  return windows;
}

//===----------------------------------------------------------------------===//
// Language models
//===----------------------------------------------------------------------===//

static bool isInteger(ElementType type) {
  return type == ElementType::I32 || type == ElementType::I64;
}

static void setInteger(Tensor &tensor, int64_t index, int64_t value) {
  if (tensor.getType() == ElementType::I64)
    tensor.data<int64_t>()[index] = value;
  else
    tensor.data<int32_t>()[index] = int32_t(value);
}

static bool isPastLength(const TensorSpec &spec) {
  return spec.name == "past_length" && spec.dims.empty() &&
         isInteger(spec.type);
}

/// [batch, heads, length, head size] of past keys or values.
bool LanguageModel::isCache(const TensorSpec &spec) {
  return spec.dims.size() == 4 &&
         (spec.isUpdated || StringRef(spec.name).starts_with("past"));
}

llvm::Expected<LanguageModel> LanguageModel::get(const Signature &signature) {
  std::optional<size_t> tokens;
  for (auto [index, spec] : llvm::enumerate(signature.inputs)) {
    bool isPerToken = spec.dims.size() == 2 && isInteger(spec.type);
    if (spec.name == "input_ids" && isPerToken)
      tokens = index;
    else if (!(spec.name == "attention_mask" && isPerToken) &&
             !(spec.name == "position_ids" && isPerToken) &&
             !isPastLength(spec) && !isCache(spec))
      return makeError("not a language model that quant-run can feed: input '" +
                       spec.name + "' (" + spec.describe() +
                       ") is none of input_ids, attention_mask, position_ids "
                       "(integers of two dimensions), past_length (one "
                       "integer), past_key_values.* (four dimensions)");
  }
  if (!tokens)
    return makeError("not a language model: it has no input 'input_ids'");
  std::optional<size_t> logits;
  for (auto [index, spec] : llvm::enumerate(signature.outputs)) {
    bool fits = spec.dims.size() == 3 && spec.type == ElementType::F32;
    if (fits && (spec.name == "logits" || !logits))
      logits = index;
  }
  if (!logits)
    return makeError("not a language model: it has no output float32[batch, "
                     "sequence, vocabulary]");
  return LanguageModel(signature, *tokens, *logits);
}

int64_t LanguageModel::getVocabulary() const {
  return signature->outputs[logits].dims[2].size;
}

int64_t LanguageModel::getBatch() const {
  return signature->inputs[tokens].dims[0].size;
}

Tensor LanguageModel::makeCache(const TensorSpec &spec, int64_t batch,
                                int64_t rows) const {
  int64_t sizes[] = {batch, 1, rows, 1};
  for (auto [index, dim] : llvm::enumerate(spec.dims))
    if (dim.size >= 0)
      sizes[index] = dim.size;
  return Tensor(spec.type, sizes);
}

std::vector<Tensor> LanguageModel::makeInputs(llvm::ArrayRef<int64_t> ids,
                                              int64_t length,
                                              int64_t past) const {
  int64_t batch = ids.size() / length;
  std::vector<Tensor> inputs;
  for (const TensorSpec &spec : signature->inputs) {
    if (isPastLength(spec)) {
      inputs.emplace_back(spec.type, llvm::ArrayRef<int64_t>());
      setInteger(inputs.back(), 0, past);
      continue;
    }
    if (isCache(spec)) {
      inputs.push_back(
          makeCache(spec, batch, spec.isUpdated ? past + length : past));
      continue;
    }
    // A mask has a column for each past token, too.
    bool isMask = spec.name == "attention_mask";
    int64_t columns = isMask ? past + length : length;
    Tensor tensor(spec.type, {batch, columns});
    for (int64_t i = 0, e = batch * columns; i < e; ++i) {
      int64_t value = spec.name == "input_ids" ? ids[i]
                      : isMask                 ? 1
                                               : past + i % length;
      setInteger(tensor, i, value);
    }
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

//===----------------------------------------------------------------------===//
// Synthetic inputs
//===----------------------------------------------------------------------===//

/// The size of a dimension that is known at run time only.
static int64_t chooseSize(const TensorSpec &spec, size_t index,
                          int64_t tokens) {
  StringRef name = spec.dims[index].name;
  if (name.contains("past") && !name.contains("sequence +"))
    return 0;
  if (name.contains("batch"))
    return 1;
  size_t dynamic = llvm::count_if(
      spec.dims, [](const TensorSpec::Dim &dim) { return dim.size < 0; });
  return name.empty() && index == 0 && dynamic > 1 ? 1 : tokens;
}

llvm::Expected<std::vector<Tensor>>
lowbit::makeSyntheticInputs(const Signature &signature, int64_t tokens,
                            int64_t past) {
  // The same on every machine, which the distributions of <random> are not.
  std::mt19937 random(1);
  if (signature.findInput("input_ids")) {
    llvm::Expected<LanguageModel> model = LanguageModel::get(signature);
    if (!model)
      return model.takeError();
    int64_t vocabulary = model->getVocabulary();
    // The first tokens exist in every vocabulary.
    int64_t limit = vocabulary > 0 ? vocabulary : 64;
    int64_t batch = std::max<int64_t>(1, model->getBatch());
    std::vector<int64_t> ids(batch * tokens);
    for (int64_t &id : ids)
      id = random() % limit;
    return model->makeInputs(ids, tokens, past);
  }
  std::vector<Tensor> inputs;
  for (const TensorSpec &spec : signature.inputs) {
    llvm::SmallVector<int64_t> shape;
    for (auto [index, dim] : llvm::enumerate(spec.dims))
      shape.push_back(dim.size >= 0 ? dim.size
                                    : chooseSize(spec, index, tokens));
    Tensor tensor(spec.type, shape);
    if (spec.type == ElementType::F32)
      for (int64_t i = 0; i < tensor.getNumElements(); ++i)
        tensor.data<float>()[i] = float(random()) / float(1u << 31) - 1.0f;
    else if (spec.type != ElementType::Bool && !isInteger(spec.type))
      return makeError("input '" + spec.name + "' (" + spec.describe() +
                       ") has no synthetic values; give some by --inputs");
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}
