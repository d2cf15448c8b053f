//===- QuantizeRtn.cpp - rounds weights to the nearest codes --------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LayerPass.h"
#include "QuantizeLayers.h"
#include "lowbit/Calibration/LayerWeight.h"
#include "lowbit/Calibration/Passes.h"

namespace lowbit {
#define GEN_PASS_DEF_QUANTIZERTN
#include "lowbit/Calibration/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

namespace {
struct QuantizeRtnPass final
    : LayerPass<lowbit::impl::QuantizeRtnBase<QuantizeRtnPass>> {
  using LayerPass::LayerPass;

  llvm::Error runOnLayers() override;
};
} // namespace

llvm::Error QuantizeRtnPass::runOnLayers() {
  SmallVector<FormatOptions> formats = {getFormatOptions()};
  if (!orFormat.empty()) {
    formats.push_back(formats.front());
    formats.back().format = orFormat;
    formats.back().formatOption = "or-format";
  }
  llvm::Expected<unsigned> count = quantizeLayers(
      getOperation(), formats, getFilter(), report,
      [&](QuantizableOpInterface layer, const BlockFormat &blockFormat,
          ConstMatrixView weights,
          const RangeSearch &search) -> llvm::Expected<SolverResult> {
        llvm::Expected<std::vector<float>> importance = getImportance(layer);
        if (!importance)
          return importance.takeError();
        return roundToNearest(blockFormat, weights, search, threads,
                              *importance);
      });
  if (!count)
    return count.takeError();
  numLayers += *count;
  return llvm::Error::success();
}
