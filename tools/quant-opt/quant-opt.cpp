//===- quant-opt.cpp - the optimizer driver -------------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/LowbitDialect.h"
#include "lowbit/Dialect/Lowbit/IR/NodeName.h"
#include "lowbit/InitAllDialects.h"
#include "lowbit/InitAllPasses.h"
#include "lowbit/Support/OutputFile.h"
#include "lowbit/Support/ProcessGroup.h"
#include "lowbit/Tools/ModuleFile.h"
#include "lowbit/Tools/OutOfMemory.h"
#include "mlir/Pass/Pass.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/WithColor.h"

using namespace mlir;
using namespace lowbit;

static int fail(const Twine &message) {
  llvm::WithColor::error(llvm::errs(), "quant-opt") << message << '\n';
  return 1;
}

/// Reports in the way of all tools what has no line in the input: a module that
/// was imported names nodes instead.
static void reportWithoutLines(MLIRContext &context, StringRef input) {
  const ProcessGroup &group = ProcessGroup::get();
  std::string tool = "quant-opt";
  // Errors of any process are shown: the first one may have none.
  if (!group.isFirst())
    tool += " (process " + std::to_string(group.getRank()) + ")";
  auto report = [tool, isFirst = group.isFirst(),
                 input = input.str()](Diagnostic &diagnostic) {
    if (!isFirst && diagnostic.getSeverity() != DiagnosticSeverity::Error)
      return success();
    Location location = diagnostic.getLocation();
    if (location->findInstanceOf<FileLineColLoc>())
      return failure();
    std::string message = diagnostic.str();
    // The parser of options has said it already.
    if (message.empty())
      return success();
    llvm::raw_ostream &os = llvm::errs();
    switch (diagnostic.getSeverity()) {
    case DiagnosticSeverity::Error:
      llvm::WithColor::error(os, tool);
      break;
    case DiagnosticSeverity::Warning:
      llvm::WithColor::warning(os, tool);
      break;
    case DiagnosticSeverity::Remark:
      llvm::WithColor::remark(os, tool);
      break;
    case DiagnosticSeverity::Note:
      llvm::WithColor::note(os, tool);
      break;
    }
    os << "'" << input << "': ";
    StringRef node = getNodeName(location);
    if (!node.empty() && !StringRef(message).contains(node))
      os << "node '" << node << "': ";
    os << message << '\n';
    return success();
  };
  context.getDiagEngine().registerHandler(report);
}

static int run(int argc, char **argv) {
  lowbit::registerAllPasses();
  DialectRegistry registry;
  lowbit::registerAllDialects(registry);
  std::string inputPath, outputPath;
  std::tie(inputPath, outputPath) = registerAndParseCLIOptions(
      argc, argv, "Lowbit's quantization optimizer driver\n", registry);
  if (llvm::Error error = ProcessGroup::join())
    return fail(llvm::toString(std::move(error)));
  // Weights that other processes write go away.
  if (!ProcessGroup::get().isFirst())
    outputPath = "/dev/null";

  auto store = std::make_shared<WeightStore>();
  configureWeightStore(*store, inputPath, outputPath);
  attachWeightStore(registry, store);

  MlirOptMainConfig cliConfig = MlirOptMainConfig::createFromCLOptions();
  MlirOptMainConfig config = cliConfig;
  config.setPassPipelineSetupFn(
      [cliConfig, input = inputPath,
       output = outputPath](PassManager &pm) -> LogicalResult {
        if (!cliConfig.shouldVerifyDiagnostics())
          reportWithoutLines(*pm.getContext(), input);
        pm.addPass(createProtectWeightsPass());
        if (failed(cliConfig.setupPassPipeline(pm)))
          return failure();
        pm.addPass(createRebaseWeightsPass(output));
        return success();
      });

  std::string message;
  std::unique_ptr<llvm::MemoryBuffer> input =
      openInputFile(inputPath, &message);
  if (!input)
    return fail(message);
  if (StringRef(inputPath).ends_with(".onnx"))
    return fail("'" + inputPath +
                "' is no MLIR; import it first: quant-translate --import-onnx");
  keepNodeNames(input->getBuffer());
  llvm::Expected<OutputFile> output = OutputFile::create(outputPath);
  if (!output)
    return fail(llvm::toString(output.takeError()));
  if (failed(MlirOptMain(output->os(), std::move(input), registry, config)))
    return 1;
  if (llvm::Error error = store->commitOutput())
    return fail(llvm::toString(std::move(error)));
  if (llvm::Error error = output->commit())
    return fail(llvm::toString(std::move(error)));
  return 0;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  exitWhenOutOfMemory("quant-opt");
  const int status = run(argc, argv);
  ProcessGroup::get().leave(status);
  return status;
}
