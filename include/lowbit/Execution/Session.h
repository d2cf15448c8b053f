//===- Session.h - a model, ready to run ---------------------- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_EXECUTION_SESSION_H
#define LOWBIT_EXECUTION_SESSION_H

#include "lowbit/Execution/JitEngine.h"
#include "lowbit/Execution/Signature.h"

namespace lowbit {

/// A model with its code, whether that was compiled just now or lies in a
/// shared library.
class Session {
public:
  /// Compiles the model in `module`, of any level from onnx to linalg on
  /// tensors: its public function. The module is lowered in place; its context,
  /// with the weight store, must outlive the session.
  static llvm::Expected<std::unique_ptr<Session>>
  compile(mlir::ModuleOp module, std::shared_ptr<JitEngine> engine);

  /// Loads what `quant-compile` made.
  static llvm::Expected<std::unique_ptr<Session>> open(llvm::StringRef path);

  const Signature &getSignature() const { return signature; }

  /// Runs the model. A missing or unknown name, a wrong element type, rank or
  /// dimension is an error that names the input.
  llvm::Expected<NamedTensors> run(const NamedTensors &inputs) const;
  /// The same with inputs and outputs in the order of the signature.
  llvm::Expected<std::vector<Tensor>> run(llvm::ArrayRef<Tensor> inputs) const;

private:
  Session(Signature signature, std::shared_ptr<void> code, EntryFn entry)
      : signature(std::move(signature)), code(std::move(code)), entry(entry) {}

  Signature signature;
  std::shared_ptr<void> code;
  EntryFn entry;
};

} // namespace lowbit

#endif // LOWBIT_EXECUTION_SESSION_H
