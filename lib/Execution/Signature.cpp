//===- Signature.cpp - the inputs and outputs of a compiled model ---------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Execution/Signature.h"
#include "lowbit/Dialect/Lowbit/IR/ElementTypes.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitDialect.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace lowbit;

std::string TensorSpec::describe() const {
  std::string text = lowbit::getName(type).str();
  llvm::raw_string_ostream os(text);
  os << '[';
  llvm::interleaveComma(dims, os, [&](const Dim &dim) {
    if (dim.size >= 0)
      os << dim.size;
    else
      os << (dim.name.empty() ? "?" : dim.name);
  });
  os << ']';
  return text;
}

static const TensorSpec *find(const std::vector<TensorSpec> &specs,
                              StringRef name) {
  auto found = llvm::find_if(
      specs, [&](const TensorSpec &spec) { return spec.name == name; });
  return found == specs.end() ? nullptr : &*found;
}

const TensorSpec *Signature::findInput(StringRef name) const {
  return find(inputs, name);
}

const TensorSpec *Signature::findOutput(StringRef name) const {
  return find(outputs, name);
}

//===----------------------------------------------------------------------===//
// From a function
//===----------------------------------------------------------------------===//

static llvm::Expected<TensorSpec> getSpec(Type type, DictionaryAttr attributes,
                                          const Twine &defaultName) {
  TensorSpec spec;
  auto name = attributes ? attributes.getAs<StringAttr>("onnx.name") : nullptr;
  spec.name = name ? name.str() : defaultName.str();
  auto tensor = dyn_cast<RankedTensorType>(type);
  std::optional<ElementType> element =
      tensor ? getElementType(tensor.getElementType()) : std::nullopt;
  if (!element) {
    std::string text;
    llvm::raw_string_ostream(text) << type;
    return makeError("'" + spec.name + "' has the type " + text +
                     "; models take and return tensors of known rank");
  }
  spec.type = *element;
  auto dimNames =
      attributes ? attributes.getAs<ArrayAttr>("onnx.dim_params") : nullptr;
  for (auto [index, size] : llvm::enumerate(tensor.getShape())) {
    TensorSpec::Dim dim;
    dim.size = ShapedType::isDynamic(size) ? -1 : size;
    if (dimNames && index < dimNames.size())
      if (auto dimName = dyn_cast<StringAttr>(dimNames[index]))
        dim.name = dimName.str();
    spec.dims.push_back(std::move(dim));
  }
  return spec;
}

llvm::Expected<Signature> Signature::get(func::FuncOp function) {
  Signature signature;
  auto add = [](std::vector<TensorSpec> &specs, Type type,
                DictionaryAttr attributes, const Twine &name) -> llvm::Error {
    llvm::Expected<TensorSpec> spec = getSpec(type, attributes, name);
    if (!spec)
      return spec.takeError();
    specs.push_back(std::move(*spec));
    return llvm::Error::success();
  };
  for (auto [index, type] : llvm::enumerate(function.getArgumentTypes()))
    if (llvm::Error error =
            add(signature.inputs, type, function.getArgAttrDict(index),
                "input" + Twine(index)))
      return error;
  for (auto [index, type] : llvm::enumerate(function.getResultTypes())) {
    if (auto argument = function.getResultAttrOfType<IntegerAttr>(
            index, LowbitDialect::updatesAttrName)) {
      signature.inputs[argument.getInt()].isUpdated = true;
      continue;
    }
    if (llvm::Error error =
            add(signature.outputs, type, function.getResultAttrDict(index),
                "output" + Twine(index)))
      return error;
  }
  return signature;
}

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

llvm::Error Signature::checkInputs(ArrayRef<Tensor> tensors) const {
  if (tensors.size() != inputs.size())
    return makeError("the model takes " + Twine(inputs.size()) +
                     " inputs, got " + Twine(tensors.size()));
  /// The first input that has a dimension of a name, and that dimension.
  llvm::StringMap<std::pair<StringRef, int64_t>> sizes;
  for (auto [spec, tensor] : llvm::zip_equal(inputs, tensors)) {
    auto fail = [&] {
      return makeError("input '" + spec.name + "' must be " + spec.describe() +
                       ", got " + tensor.describe());
    };
    if (tensor.getType() != spec.type ||
        tensor.getShape().size() != spec.dims.size())
      return fail();
    for (auto [index, dim] : llvm::enumerate(spec.dims)) {
      int64_t size = tensor.getShape()[index];
      if (dim.size >= 0 && dim.size != size)
        return fail();
      if (dim.size >= 0 || dim.name.empty())
        continue;
      auto [known, isNew] = sizes.try_emplace(dim.name, spec.name, size);
      if (!isNew && known->second.second != size)
        return makeError("'" + dim.name + "' is " +
                         Twine(known->second.second) + " in input '" +
                         known->second.first + "', but " + Twine(size) +
                         " in input '" + spec.name + "'");
    }
  }
  return llvm::Error::success();
}

llvm::Expected<std::vector<Tensor>>
Signature::orderInputs(const NamedTensors &tensors) const {
  for (auto it = tensors.begin(); it != tensors.end(); ++it) {
    const std::string &name = it->first;
    if (!findInput(name)) {
      std::string known;
      llvm::raw_string_ostream os(known);
      llvm::interleaveComma(inputs, os,
                            [&](const TensorSpec &spec) { os << spec.name; });
      return makeError("the model has no input '" + name + "'; it has " +
                       known);
    }
    if (llvm::any_of(llvm::make_range(std::next(it), tensors.end()),
                     [&](const auto &other) { return other.first == name; }))
      return makeError("input '" + name + "' is given twice");
  }
  std::vector<Tensor> ordered;
  for (const TensorSpec &spec : inputs) {
    auto found = llvm::find_if(
        tensors, [&](const auto &entry) { return entry.first == spec.name; });
    if (found == tensors.end())
      return makeError("input '" + spec.name + "' (" + spec.describe() +
                       ") is missing");
    ordered.push_back(found->second);
  }
  return ordered;
}
