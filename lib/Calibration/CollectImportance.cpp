//===- CollectImportance.cpp - what errors of weights cost ----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Calibration.h"
#include "LayerPass.h"
#include "lowbit/Calibration/Passes.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "lowbit/Support/OutputFile.h"

namespace lowbit {
#define GEN_PASS_DEF_COLLECTIMPORTANCE
#include "lowbit/Calibration/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

namespace {
struct CollectImportancePass final
    : LayerPass<lowbit::impl::CollectImportanceBase<CollectImportancePass>> {
  using LayerPass::LayerPass;

  llvm::Error runOnLayers() override;
};
} // namespace

llvm::Error CollectImportancePass::runOnLayers() {
  LayerFilter filter{include, exclude, /*head=*/true};
  llvm::Expected<SmallVector<QuantizableLayer>> layers =
      selectLinearLayers(getOperation(), filter);
  if (!layers)
    return layers.takeError();
  if (layers->empty())
    return llvm::Error::success();
  llvm::Expected<Calibration> model = prepareCalibration(*layers);
  if (!model)
    return model.takeError();
  numLayers += layers->size();
  return model->walk([&](const GraphWalk::Visit &visit)
                         -> llvm::Expected<std::vector<Tensor>> {
    const QuantizableLayer &first = (*layers)[visit.layers.front()];
    QuantizableOpInterface op = first.op;
    const int64_t width = op.getWeightMatrixShape().back();
    llvm::Expected<std::vector<float>> means = measureMeanSquares(visit, width);
    if (!means)
      return makeError("cannot measure the input of layer '" + first.name +
                       "': " + llvm::toString(means.takeError()));
    auto type = RankedTensorType::get(width, Float32Type::get(&getContext()));
    llvm::Expected<TypedAttr> value =
        storeConstant(first.name + ".importance", type,
                      ArrayRef(reinterpret_cast<const char *>(means->data()),
                               means->size() * sizeof(float)));
    if (!value)
      return value.takeError();
    for (unsigned index : visit.layers)
      (*layers)[index].op->setDiscardableAttr(LowbitDialect::importanceAttrName,
                                              *value);
    // The layers that follow see what they see in the float model.
    return std::vector<Tensor>(visit.layers.size());
  });
}
