//===- Ptx.cpp - models to PTX ----------------------------------------------===//
//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Compile/Ptx.h"
#include "lowbit/Conversion/LowbitToNvptx/LowbitToNvptx.h"
#include "lowbit/Execution/Lowering.h"
#include "lowbit/Support/OutputFile.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;
using namespace lowbit;

llvm::Expected<std::string> lowbit::getPtx(ModuleOp module, StringRef chip) {
  LowerToNvptxOptions options;
  options.chip = chip.str();
  options.stopAfter = NvptxStop::Ptx;
  PassManager pm(module.getContext());
  std::string message;
  auto keepError = [&](const Twine &error) {
    message = error.str();
    return failure();
  };
  if (failed(buildLowerToNvptx(pm, options, keepError)))
    return makeError(message);
  if (llvm::Error error = runPasses(pm, module, "cannot compile: "))
    return error;
  std::string text;
  for (auto binary : module.getOps<gpu::BinaryOp>())
    for (Attribute object : binary.getObjects())
      text += cast<gpu::ObjectAttr>(object).getObject().getValue().rtrim('\0');
  if (text.empty())
    return makeError("the model has no operation that runs on a GPU");
  return text;
}
