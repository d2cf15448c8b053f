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
  auto report = [input = input.str()](Diagnostic &diagnostic) {
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
      llvm::WithColor::error(os, "quant-opt");
      break;
    case DiagnosticSeverity::Warning:
      llvm::WithColor::warning(os, "quant-opt");
      break;
    case DiagnosticSeverity::Remark:
      llvm::WithColor::remark(os, "quant-opt");
      break;
    case DiagnosticSeverity::Note:
      llvm::WithColor::note(os, "quant-opt");
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

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  exitWhenOutOfMemory("quant-opt");
  lowbit::registerAllPasses();
  DialectRegistry registry;
  lowbit::registerAllDialects(registry);
  auto [inputPath, outputPath] = registerAndParseCLIOptions(
      argc, argv, "Lowbit's quantization optimizer driver\n", registry);

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
