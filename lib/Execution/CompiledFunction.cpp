//===- CompiledFunction.cpp - compiled functions of tensors ---------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Execution/CompiledFunction.h"
#include "GuardedRun.h"
#include "lowbit/Support/OutputFile.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include <cstdlib>

using namespace mlir;
using namespace lowbit;

namespace {
/// What MLIR's C ABI passes for a ranked memref: two pointers, the offset, the
/// sizes and the strides.
class Descriptor {
public:
  explicit Descriptor(size_t rank) : words(3 + 2 * rank) {}
  explicit Descriptor(const Tensor &tensor) : Descriptor(tensor.getRank()) {
    words[0] = words[1] = reinterpret_cast<int64_t>(tensor.getBytes());
    int64_t stride = 1;
    for (int64_t dim = tensor.getRank() - 1; dim >= 0; --dim) {
      words[3 + dim] = tensor.getShape()[dim];
      words[3 + tensor.getRank() + dim] = stride;
      stride *= tensor.getShape()[dim];
    }
  }

  void *get() { return words.data(); }

  /// Takes over the buffer, which is contiguous.
  Tensor takeTensor(ElementType type) const {
    ArrayRef<int64_t> shape(words.data() + 3, (words.size() - 3) / 2);
    auto *allocated = reinterpret_cast<void *>(words[0]);
    char *elements = reinterpret_cast<char *>(words[1]) +
                     words[2] * int64_t(getByteSize(type));
    return Tensor(type, shape, elements,
                  std::shared_ptr<void>(allocated, std::free));
  }

private:
  llvm::SmallVector<int64_t, 12> words;
};
} // namespace

llvm::Expected<std::vector<Tensor>>
lowbit::callEntry(EntryFn entry, const Signature &signature,
                  ArrayRef<Tensor> inputs) {
  std::vector<Descriptor> descriptors;
  for (const Tensor &input : inputs)
    descriptors.emplace_back(input);
  for (const TensorSpec &output : signature.outputs)
    descriptors.emplace_back(output.dims.size());
  std::vector<void *> pointers;
  for (Descriptor &descriptor : descriptors)
    pointers.push_back(descriptor.get());
  if (llvm::Error error = runGuarded([&] { entry(pointers.data()); }))
    return error;

  std::vector<Tensor> outputs;
  for (auto [spec, descriptor] : llvm::zip_equal(
           signature.outputs, ArrayRef(descriptors).drop_front(inputs.size())))
    outputs.push_back(descriptor.takeTensor(spec.type));
  return outputs;
}

llvm::Expected<std::vector<Tensor>>
CompiledFunction::run(ArrayRef<Tensor> inputs) const {
  if (llvm::Error error = signature.checkInputs(inputs))
    return error;
  return callEntry(entry, signature, inputs);
}

/// The text of the module without locations, with one name for the function:
/// equal for equal code.
static std::string getKey(ModuleOp module) {
  std::string key;
  llvm::raw_string_ostream os(key);
  module->print(os, OpPrintingFlags().useLocalScope().assumeVerified());
  return key;
}

llvm::Expected<const CompiledFunction *> FunctionCache::get(ModuleOp module) {
  auto found = module.getOps<func::FuncOp>();
  if (!llvm::hasSingleElement(found))
    return makeError("the module must hold one function to be compiled");
  OwningOpRef<ModuleOp> copy = module.clone();
  func::FuncOp function = *copy->getOps<func::FuncOp>().begin();
  function.setName("main");
  function.setPublic();
  std::string key = getKey(*copy);
  auto known = functions.find(key);
  if (known != functions.end())
    return known->second.get();

  llvm::Expected<Signature> signature = Signature::get(function);
  if (!signature)
    return signature.takeError();
  auto code = engine->lowerAndCompile(*copy, "main");
  if (!code)
    return code.takeError();
  llvm::Expected<void *> entry = (*code)->lookup("lowbit_entry");
  if (!entry)
    return entry.takeError();
  auto compiled = std::make_unique<CompiledFunction>(
      std::move(*signature), std::move(*code),
      reinterpret_cast<EntryFn>(*entry));
  return (functions[key] = std::move(compiled)).get();
}
