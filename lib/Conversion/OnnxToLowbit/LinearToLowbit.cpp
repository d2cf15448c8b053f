//===- LinearToLowbit.cpp - float linear layers to lowbit -----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Conversion/OnnxToLowbit/LowbitLinear.h"
#include "lowbit/Conversion/OnnxToLowbit/Passes.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "lowbit/Dialect/Lowbit/IR/PanelsGeometry.h"
#include "mlir/IR/Matchers.h"

namespace lowbit {
#define GEN_PASS_DEF_CONVERTLINEARTOLOWBIT
#include "lowbit/Conversion/OnnxToLowbit/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

namespace {
struct ConvertLinearToLowbitPass final
    : lowbit::impl::ConvertLinearToLowbitBase<ConvertLinearToLowbitPass> {
  using ConvertLinearToLowbitBase::ConvertLinearToLowbitBase;

  void runOnOperation() override {
    SmallVector<QuantizableOpInterface> layers;
    getOperation().walk([&](QuantizableOpInterface op) {
      if (op.isQuantizable() &&
          op.getQuantizableKind() == QuantizableKind::Linear)
        layers.push_back(op);
    });
    for (QuantizableOpInterface op : layers)
      convert(op);
  }

private:
  void convert(QuantizableOpInterface op) {
    Value weight = op.getQuantizableWeight().get();
    auto type = cast<RankedTensorType>(weight.getType());
    Attribute values;
    if (type.getRank() != 2 || !type.getElementType().isF32() ||
        !matchPattern(weight, m_Constant(&values)))
      return;
    const int64_t outputs = type.getDimSize(op.getOutputChannelAxis());
    const int64_t inputs = type.getDimSize(op.getInputChannelAxis());
    if (outputs < PanelsGeometry::rowsPerPanel || inputs == 0)
      return;
    OpBuilder builder(op);
    auto stored = QuantTensorType::get(
        {outputs, inputs}, type.getElementType(),
        FloatFormatAttr::get(&getContext(), type.getElementType(),
                             /*transposed=*/op.getOutputChannelAxis() == 1));
    Value constant = ConstantOp::create(builder, op.getLoc(), stored,
                                        {cast<TypedAttr>(values)});
    replaceQuantizable(op, buildLowbitLinear(builder, op,
                                             op.getQuantizableInput().get(),
                                             constant));
    ++numConverted;
  }
};
} // namespace
