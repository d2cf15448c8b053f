//===- quant-translate.cpp - between modules and other model formats ------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/LowbitDialect.h"
#include "lowbit/Support/WeightStore.h"
#include "lowbit/Target/Onnx/ImportOnnx.h"
#include "lowbit/Tools/ModuleFile.h"
#include "lowbit/Tools/OutOfMemory.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/WithColor.h"

using namespace mlir;
using namespace lowbit;
namespace cl = llvm::cl;

static cl::OptionCategory category("Translation options");

static cl::opt<std::string> inputPath(cl::Positional, cl::Required,
                                      cl::desc("<input file>"),
                                      cl::cat(category));
static cl::opt<std::string> outputPath("o", cl::init("-"),
                                       cl::value_desc("file"),
                                       cl::desc("Output file; - is standard "
                                                "output"),
                                       cl::cat(category));
static cl::opt<bool> importOnnxFlag("import-onnx", cl::Required,
                                    cl::desc("From an ONNX model to MLIR"),
                                    cl::cat(category));
static cl::opt<bool> emitBytecode("emit-bytecode",
                                  cl::desc("Write MLIR bytecode, not text"),
                                  cl::cat(category));

static int fail(llvm::Error error) {
  llvm::WithColor::error(llvm::errs(), "quant-translate")
      << llvm::toString(std::move(error)) << '\n';
  return 1;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  exitWhenOutOfMemory("quant-translate");
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(
      argc, argv, "Lowbit's translator between MLIR and other model formats\n");

  DialectRegistry registry;
  auto store = std::make_shared<WeightStore>();
  configureWeightStore(*store, inputPath, outputPath);
  attachWeightStore(registry, store);
  MLIRContext context(registry);

  llvm::Expected<OwningOpRef<ModuleOp>> module = importOnnx(inputPath, context);
  if (!module)
    return fail(module.takeError());
  if (llvm::Error error = saveModule(**module, outputPath, emitBytecode))
    return fail(std::move(error));
  return 0;
}
