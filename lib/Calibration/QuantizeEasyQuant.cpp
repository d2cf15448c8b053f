//===- QuantizeEasyQuant.cpp - outliers apart, scales by least squares ------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "QuantizeLayers.h"
#include "lowbit/Calibration/Passes.h"
#include "lowbit/Dialect/Lowbit/IR/ElementTypes.h"
#include "lowbit/Dialect/Onnx/Transforms/Pipelines.h"
#include "lowbit/Quantize/EasyQuant.h"
#include "mlir/Pass/PassManager.h"

namespace lowbit {
#define GEN_PASS_DEF_QUANTIZEEASYQUANT
#include "lowbit/Calibration/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

namespace {
struct QuantizeEasyQuantPass final
    : lowbit::impl::QuantizeEasyQuantBase<QuantizeEasyQuantPass> {
  using QuantizeEasyQuantBase::QuantizeEasyQuantBase;

  void runOnOperation() override;
};
} // namespace

void QuantizeEasyQuantPass::runOnOperation() {
  std::optional<ElementType> type = parseFloatType(outlierType);
  if (!type) {
    emitError(getOperation().getLoc())
        << "outlier-type is '" << outlierType
        << "', but must be f16, bf16 or f32";
    return signalPassFailure();
  }
  // Only a normalized graph shows its layers and their shapes.
  OpPassManager normalize(ModuleOp::getOperationName());
  onnx::buildNormalizePipeline(normalize);
  if (failed(runPipeline(normalize, getOperation())))
    return signalPassFailure();
  const EasyQuantOptions options{sigma, fraction, iterations, threads};
  const FormatOptions formatOptions{format,    bits,     groupSize, symmetric,
                                    scaleType, zeroType, mse};
  FailureOr<unsigned> count = quantizeLayers(
      getOperation(), formatOptions, {include, exclude, head, embeddings},
      report,
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
  if (failed(count))
    return signalPassFailure();
  numLayers += *count;
}
