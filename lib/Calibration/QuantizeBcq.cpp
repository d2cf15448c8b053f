//===- QuantizeBcq.cpp - binary-coding quantization -----------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LayerPass.h"
#include "QuantizeLayers.h"
#include "lowbit/Calibration/Passes.h"
#include "lowbit/Quantize/BcqFormat.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/Support/FormatVariadic.h"

namespace lowbit {
#define GEN_PASS_DEF_QUANTIZEBCQ
#include "lowbit/Calibration/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

namespace {
struct QuantizeBcqPass final
    : LayerPass<lowbit::impl::QuantizeBcqBase<QuantizeBcqPass>> {
  using LayerPass::LayerPass;

  llvm::Error runOnLayers() override;
  std::string spellFormat() const;
};
} // namespace

std::string QuantizeBcqPass::spellFormat() const {
  return llvm::formatv("#lowbit.bcq<bits = {0}, group = [1, {1}], scale = "
                       "{2}{3}>",
                       bits.getValue(),
                       groupSize == -1 ? std::string("*")
                                       : std::to_string(groupSize),
                       scaleType, offset ? ", offset" : "");
}

llvm::Error QuantizeBcqPass::runOnLayers() {
  llvm::Expected<ElementType> type = parseFloatOption("scale-type", scaleType);
  if (!type)
    return type.takeError();
  FormatOptions options;
  options.format = spellFormat();
  llvm::Expected<unsigned> count = quantizeLayers(
      getOperation(), options, getFilter(), report,
      [&](QuantizableOpInterface, const BlockFormat &blockFormat,
          ConstMatrixView weights,
          const RangeSearch &search) -> llvm::Expected<SolverResult> {
        auto *bcq = dynamic_cast<const BcqFormat *>(&blockFormat);
        if (!bcq)
          return makeError("binary-coding quantization fits scaled signs, "
                           "which the format " +
                           blockFormat.describe() + " does not have");
        BcqFormat::Spec spec = bcq->getSpec();
        spec.rounds = rounds;
        return roundToNearest(llvm::cantFail(BcqFormat::get(spec)), weights,
                              search, threads);
      });
  if (!count)
    return count.takeError();
  numLayers += *count;
  return llvm::Error::success();
}
