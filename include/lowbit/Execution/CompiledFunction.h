//===- CompiledFunction.h - compiled functions of tensors ----- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_EXECUTION_COMPILEDFUNCTION_H
#define LOWBIT_EXECUTION_COMPILEDFUNCTION_H

#include "lowbit/Execution/JitEngine.h"
#include "lowbit/Execution/Signature.h"
#include "llvm/ADT/StringMap.h"

namespace lowbit {

/// Calls an entry point with tensors, which are not checked. What the code
/// finds wrong with them while it runs is an error.
llvm::Expected<std::vector<Tensor>> callEntry(EntryFn entry,
                                              const Signature &signature,
                                              llvm::ArrayRef<Tensor> inputs);

/// One function of tensors, compiled on its own.
class CompiledFunction {
public:
  CompiledFunction(Signature signature, std::unique_ptr<CompiledModule> code,
                   EntryFn entry)
      : signature(std::move(signature)), code(std::move(code)), entry(entry) {}

  const Signature &getSignature() const { return signature; }
  /// The inputs in the order of the signature; their elements are not modified
  /// but for those that are updated.
  llvm::Expected<std::vector<Tensor>> run(llvm::ArrayRef<Tensor> inputs) const;

private:
  Signature signature;
  std::unique_ptr<CompiledModule> code;
  EntryFn entry;
};

/// Compiles functions and keeps them by their structure, so that the equal
/// layers of a model are compiled once.
class FunctionCache {
public:
  explicit FunctionCache(std::shared_ptr<JitEngine> engine)
      : engine(std::move(engine)) {}

  /// `module` holds one function, of any name, on tensors, in the dialects that
  /// `--lowbit-lower-to-cpu` takes. It is not modified. The result lives as
  /// long as the cache.
  llvm::Expected<const CompiledFunction *> get(mlir::ModuleOp module);

  size_t size() const { return functions.size(); }

private:
  std::shared_ptr<JitEngine> engine;
  llvm::StringMap<std::unique_ptr<CompiledFunction>> functions;
};

} // namespace lowbit

#endif // LOWBIT_EXECUTION_COMPILEDFUNCTION_H
