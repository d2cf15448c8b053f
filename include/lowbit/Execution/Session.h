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
  virtual ~Session();

  /// Compiles the model in `module`, of any level from onnx to linalg on
  /// tensors: its public function. The module is lowered in place; its context,
  /// with the weight store, must outlive the session.
  static llvm::Expected<std::unique_ptr<Session>>
  compile(mlir::ModuleOp module, std::shared_ptr<JitEngine> engine);

  /// Loads what `quant-compile` made for this machine.
  static llvm::Expected<std::unique_ptr<Session>> open(llvm::StringRef path);

  const Signature &getSignature() const { return signature; }

  /// Runs the model. A missing or unknown name, a wrong element type, rank or
  /// dimension is an error that names the input; so is a failure of the GPU.
  llvm::Expected<NamedTensors> run(const NamedTensors &inputs) const;
  /// The same with inputs and outputs in the order of the signature. Elements
  /// of inputs that are updated change.
  llvm::Expected<std::vector<Tensor>> run(llvm::ArrayRef<Tensor> inputs) const;

  /// Sets the number of threads; 0 stands for all cores.
  virtual llvm::Error setThreads(unsigned threads) = 0;

protected:
  explicit Session(Signature signature) : signature(std::move(signature)) {}

  /// Runs on inputs that fit the signature.
  virtual llvm::Expected<std::vector<Tensor>>
  execute(llvm::ArrayRef<Tensor> inputs) const = 0;

private:
  Signature signature;
};

} // namespace lowbit

#endif // LOWBIT_EXECUTION_SESSION_H
