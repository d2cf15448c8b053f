//===- QuantizeGptq.cpp - rounding with error feedback --------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LayerPass.h"
#include "QuantizeOnInputs.h"
#include "lowbit/Calibration/Passes.h"
#include "lowbit/Support/OutputFile.h"

namespace lowbit {
#define GEN_PASS_DEF_QUANTIZEGPTQ
#include "lowbit/Calibration/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

namespace {
struct QuantizeGptqPass final
    : LayerPass<lowbit::impl::QuantizeGptqBase<QuantizeGptqPass>> {
  using LayerPass::LayerPass;

  llvm::Error runOnLayers() override;

private:
  llvm::Expected<GptqOptions> getOptions() const;
};
} // namespace

llvm::Expected<GptqOptions> QuantizeGptqPass::getOptions() const {
  GptqOptions options;
  options.damping = damping;
  options.actOrder = actOrder;
  options.staticGroups = staticGroups;
  options.blockSize = blockSize;
  options.refinements = refinements;
  options.keepZeros = keepZeros;
  options.threads = threads;
  if (!sparsity.hasValue() && pattern.empty())
    return options;
  if (actOrder && !pattern.empty())
    return makeError("a pattern is one of adjacent input channels, which "
                     "act-order separates");
  llvm::Expected<PruningOptions> pruning = getPruningOptions();
  if (!pruning)
    return pruning.takeError();
  options.pruning = *pruning;
  return options;
}

llvm::Error QuantizeGptqPass::runOnLayers() {
  llvm::Expected<GptqOptions> options = getOptions();
  if (!options)
    return options.takeError();
  llvm::Expected<CalibrationOptions> calibrationOptions =
      getCalibrationOptions();
  if (!calibrationOptions)
    return calibrationOptions.takeError();
  std::string solver;
  llvm::raw_string_ostream(solver)
      << "gptq " << staticGroups << ' ' << refinements << ' ' << keepZeros
      << ' ' << options->pruning.has_value() << ' ' << sparsity << ' '
      << pattern;
  llvm::Expected<unsigned> count = quantizeOnInputs(
      getOperation(),
      {getFormatOptions(), getFilter(), report, *calibrationOptions, *options,
       errorPropagation, state, solver},
      [&](QuantFormatAttrInterface format, ConstMatrixView weights,
          const GptqFactor &factor,
          const RangeSearch &search) -> llvm::Expected<SolverResult> {
        return gptq(*format.getBlockFormat(), weights, factor, search,
                    *options);
      });
  if (!count)
    return count.takeError();
  numLayers += *count;
  return llvm::Error::success();
}
