//===- QuantizeSpqr.cpp - error feedback, with outliers apart -------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LayerPass.h"
#include "QuantizeOnInputs.h"
#include "lowbit/Calibration/Passes.h"
#include "lowbit/Dialect/Lowbit/IR/ElementTypes.h"
#include "lowbit/Quantize/Spqr.h"

namespace lowbit {
#define GEN_PASS_DEF_QUANTIZESPQR
#include "lowbit/Calibration/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

namespace {
struct QuantizeSpqrPass final
    : LayerPass<lowbit::impl::QuantizeSpqrBase<QuantizeSpqrPass>> {
  using LayerPass::LayerPass;

  llvm::Error runOnLayers() override;
};
} // namespace

llvm::Error QuantizeSpqrPass::runOnLayers() {
  llvm::Expected<ElementType> type =
      parseFloatOption("outlier-type", outlierType);
  if (!type)
    return type.takeError();
  SpqrOptions options;
  options.threshold = threshold;
  options.simplified = simplified;
  options.actOrder = actOrder;
  options.blockSize = blockSize;
  options.threads = threads;
  if (llvm::Error error = options.check())
    return error;
  GptqOptions factor;
  factor.damping = damping;
  factor.actOrder = actOrder;
  factor.threads = threads;
  llvm::Expected<CalibrationOptions> calibrationOptions =
      getCalibrationOptions();
  if (!calibrationOptions)
    return calibrationOptions.takeError();
  std::string solver;
  llvm::raw_string_ostream(solver)
      << "spqr " << threshold << ' ' << simplified << ' ' << outlierType;
  llvm::Expected<unsigned> count = quantizeOnInputs(
      getOperation(),
      {getFormatOptions(), getFilter(), report, *calibrationOptions, factor,
       errorPropagation, state, solver},
      [&](QuantFormatAttrInterface format, ConstMatrixView weights,
          const GptqFactor &hessian,
          const RangeSearch &search) -> llvm::Expected<SolverResult> {
        const SparseOutliersFormat storage =
            llvm::cantFail(SparseOutliersFormat::get(
                cast<SparseOutliersAttr>(format).getSpec()));
        return spqr(storage, weights, hessian, search, options);
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
