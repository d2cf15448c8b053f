//===- quant-opt.cpp - the optimizer driver -------------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/LowbitDialect.h"
#include "lowbit/InitAllDialects.h"
#include "lowbit/InitAllPasses.h"
#include "lowbit/Support/OutputFile.h"
#include "lowbit/Tools/ModuleFile.h"
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

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
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
      [cliConfig, output = outputPath](PassManager &pm) -> LogicalResult {
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
