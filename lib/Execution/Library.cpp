//===- Library.cpp - models in shared libraries ---------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Execution/Session.h"
#include "lowbit/Runtime/model.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/Support/DynamicLibrary.h"
#include "llvm/Support/FileSystem.h"

using namespace lowbit;
using llvm::ArrayRef;
using llvm::StringRef;
using llvm::Twine;
using llvm::sys::DynamicLibrary;

// The C interface numbers the types in the same order.
static_assert(int(ElementType::Bool) == LOWBIT_BOOL &&
              int(ElementType::U64) == LOWBIT_UINT64 &&
              int(ElementType::F16) == LOWBIT_FLOAT16 &&
              int(ElementType::F64) == LOWBIT_FLOAT64);

/// False if the library's table makes no sense.
static bool readSpecs(ArrayRef<lowbit_tensor_info> infos,
                      std::vector<TensorSpec> &specs) {
  for (const lowbit_tensor_info &info : infos) {
    if (!info.name || unsigned(info.type) > LOWBIT_FLOAT64 || info.rank < 0 ||
        info.rank > LOWBIT_MAX_RANK)
      return false;
    TensorSpec &spec =
        specs.emplace_back(TensorSpec{info.name, ElementType(info.type), {}});
    for (int dim = 0; dim < info.rank; ++dim)
      spec.dims.push_back(
          {info.shape[dim], info.dims[dim] ? info.dims[dim] : ""});
    spec.isUpdated = info.updated != 0;
  }
  return true;
}

namespace {
class LibrarySession final : public Session {
public:
  LibrarySession(Signature signature, std::shared_ptr<void> library,
                 const lowbit_model &model)
      : Session(std::move(signature)), library(std::move(library)),
        model(model) {}

  llvm::Error setThreads(unsigned threads) override {
    model.set_threads(int(threads));
    return llvm::Error::success();
  }

private:
  llvm::Expected<std::vector<Tensor>>
  execute(ArrayRef<Tensor> inputs) const override {
    std::vector<lowbit_tensor> arguments(inputs.size());
    for (auto [argument, input] : llvm::zip_equal(arguments, inputs)) {
      // The model changes only those inputs that the caller expects it to.
      argument.data = const_cast<char *>(input.getBytes());
      llvm::copy(input.getShape(), argument.shape);
    }
    std::vector<lowbit_tensor> results(getSignature().outputs.size());
    if (model.run(arguments.data(), results.data()))
      return makeError(model.error());

    std::vector<Tensor> outputs;
    for (auto [spec, result] :
         llvm::zip_equal(getSignature().outputs, results)) {
      auto release = [library = library, release = model.release,
                      result = result](void *) mutable { release(&result); };
      outputs.emplace_back(spec.type, ArrayRef(result.shape, spec.dims.size()),
                           static_cast<char *>(result.data),
                           std::shared_ptr<void>(result.data, release));
    }
    return outputs;
  }

  std::shared_ptr<void> library;
  const lowbit_model &model;
};
} // namespace

llvm::Expected<std::unique_ptr<Session>> Session::open(StringRef path) {
  // A bare name would be searched for in the system's folders.
  llvm::SmallString<128> absolute(path);
  llvm::sys::fs::make_absolute(absolute);
  std::string message;
  auto handle = std::make_shared<DynamicLibrary>(
      DynamicLibrary::getLibrary(absolute.c_str(), &message));
  if (!handle->isValid())
    return makeError("cannot load '" + path + "': " + message);
  auto close = [handle](void *) { DynamicLibrary::closeLibrary(*handle); };
  std::shared_ptr<void> library(handle.get(), close);

  auto *getModel = reinterpret_cast<lowbit_get_model_fn *>(
      handle->getAddressOfSymbol(LOWBIT_GET_MODEL));
  if (!getModel)
    return makeError("'" + path + "' is no compiled model: it lacks " +
                     LOWBIT_GET_MODEL);
  const lowbit_model &model = *getModel();
  if (model.version != LOWBIT_MODEL_VERSION)
    return makeError("'" + path + "' has version " + Twine(model.version) +
                     " of the interface; this program knows " +
                     Twine(LOWBIT_MODEL_VERSION));
  Signature signature;
  if (!readSpecs({model.inputs, size_t(model.num_inputs)}, signature.inputs) ||
      !readSpecs({model.outputs, size_t(model.num_outputs)}, signature.outputs))
    return makeError("'" + path + "' describes its inputs or outputs wrongly");
  return std::make_unique<LibrarySession>(std::move(signature),
                                          std::move(library), model);
}
