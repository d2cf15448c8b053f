//===- QuantizeHqq.cpp - fits zero points to weights with outliers --------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LayerPass.h"
#include "QuantizeLayers.h"
#include "lowbit/Calibration/Passes.h"
#include "lowbit/Quantize/Hqq.h"

namespace lowbit {
#define GEN_PASS_DEF_QUANTIZEHQQ
#include "lowbit/Calibration/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

namespace {
struct QuantizeHqqPass final
    : LayerPass<lowbit::impl::QuantizeHqqBase<QuantizeHqqPass>> {
  using LayerPass::LayerPass;

  llvm::Error runOnLayers() override;
};
} // namespace

llvm::Error QuantizeHqqPass::runOnLayers() {
  const HqqOptions options{p, beta, kappa, iterations, threads};
  llvm::Expected<unsigned> count =
      quantizeLayers(getOperation(), getFormatOptions(), getFilter(), report,
                     [&](QuantizableOpInterface, const BlockFormat &blockFormat,
                         ConstMatrixView weights, const RangeSearch &search) {
                       return hqq(blockFormat, weights, search, options);
                     });
  if (!count)
    return count.takeError();
  numLayers += *count;
  return llvm::Error::success();
}
