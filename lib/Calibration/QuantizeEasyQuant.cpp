//===- QuantizeEasyQuant.cpp - outliers apart, scales by least squares
//------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LayerPass.h"
#include "QuantizeLayers.h"
#include "lowbit/Calibration/Passes.h"
#include "lowbit/Dialect/Lowbit/IR/ElementTypes.h"
#include "lowbit/Quantize/EasyQuant.h"

namespace lowbit {
#define GEN_PASS_DEF_QUANTIZEEASYQUANT
#include "lowbit/Calibration/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

namespace {
struct QuantizeEasyQuantPass final
    : LayerPass<lowbit::impl::QuantizeEasyQuantBase<QuantizeEasyQuantPass>> {
  using LayerPass::LayerPass;

  llvm::Error runOnLayers() override;
};
} // namespace

llvm::Error QuantizeEasyQuantPass::runOnLayers() {
  llvm::Expected<ElementType> type =
      parseFloatOption("outlier-type", outlierType);
  if (!type)
    return type.takeError();
  const EasyQuantOptions options{sigma, fraction, iterations, threads};
  llvm::Expected<unsigned> count = quantizeLayers(
      getOperation(), getFormatOptions(), getFilter(), report,
      [&](QuantizableOpInterface, const BlockFormat &blockFormat,
          ConstMatrixView weights, const RangeSearch &search) {
        return easyQuant(blockFormat, weights, search, options);
      },
      [&](QuantFormatAttrInterface dense) -> QuantFormatAttrInterface {
        if (dense.getDenseFormat())
          return dense;
        // The solver finds out how many outliers there are.
        return SparseOutliersAttr::get(&getContext(), dense, /*count=*/0,
                                       /*fraction=*/{},
                                       getFloatType(&getContext(), *type));
      });
  if (!count)
    return count.takeError();
  numLayers += *count;
  return llvm::Error::success();
}
