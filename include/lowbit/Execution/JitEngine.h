//===- JitEngine.h - compiles modules into this process ------- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_EXECUTION_JITENGINE_H
#define LOWBIT_EXECUTION_JITENGINE_H

#include "lowbit/Conversion/LowbitToCpu/KvCache.h"
#include "lowbit/Execution/CpuTarget.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/Error.h"
#include <memory>

namespace lowbit {

/// `void lowbit_entry(void **descriptors)`: one memref descriptor for each
/// input and then for each result.
using EntryFn = void (*)(void **descriptors);

/// Code in this process. It is unmapped when the object goes away.
class CompiledModule {
public:
  virtual ~CompiledModule();
  virtual llvm::Expected<void *> lookup(llvm::StringRef symbol) = 0;
};

struct JitOptions {
  CpuTarget target;
  /// As in -O0 .. -O3.
  unsigned optimizationLevel = 2;
  /// The GPU that runs the kernels, as `--lower-to-nvptx` names it, or
  /// kEmulatedGpu; empty if the CPU runs everything.
  std::string gpu = {};
  KvCache kvCache = KvCache::AsIs;
};

/// A just-in-time compiler. It may be used from one thread at a time; the code
/// that it makes may run in any.
class JitEngine {
public:
  static llvm::Expected<std::shared_ptr<JitEngine>> create(JitOptions options);
  ~JitEngine();

  const JitOptions &getOptions() const { return options; }

  /// Compiles a module of the LLVM dialect, as `--lowbit-lower-to-cpu` makes
  /// it. The table of its weights points into the weight store of the module's
  /// context, which must outlive the result.
  llvm::Expected<std::unique_ptr<CompiledModule>>
  compile(mlir::ModuleOp module);

  /// Lowers `module`, in place, to the LLVM dialect, with `entry` behind
  /// `lowbit_entry`, and compiles it. It may contain ops of the onnx and lowbit
  /// dialects and what `--lowbit-lower-to-cpu` takes.
  llvm::Expected<std::unique_ptr<CompiledModule>>
  lowerAndCompile(mlir::ModuleOp module, llvm::StringRef entry,
                  bool parallel = true);

private:
  struct Impl;
  JitEngine(JitOptions options, std::unique_ptr<Impl> impl);

  JitOptions options;
  std::shared_ptr<Impl> impl;
};

/// Sets the number of threads of parallel loops; 0 stands for all cores.
llvm::Error setThreads(unsigned threads);

} // namespace lowbit

#endif // LOWBIT_EXECUTION_JITENGINE_H
