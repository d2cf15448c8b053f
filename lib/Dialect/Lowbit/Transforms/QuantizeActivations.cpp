//===- QuantizeActivations.cpp - dynamic quantization of inputs -----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "lowbit/Dialect/Lowbit/IR/NodeName.h"
#include "lowbit/Dialect/Lowbit/Transforms/Passes.h"
#include "lowbit/Support/NameFilter.h"
#include <optional>
#include <string>

namespace lowbit {
#define GEN_PASS_DEF_QUANTIZEACTIVATIONS
#include "lowbit/Dialect/Lowbit/Transforms/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

namespace {
struct QuantizeActivationsPass final
    : lowbit::impl::QuantizeActivationsBase<QuantizeActivationsPass> {
  using QuantizeActivationsBase::QuantizeActivationsBase;

  void runOnOperation() override {
    llvm::Expected<NameFilter> names = NameFilter::get(include, exclude);
    if (!names) {
      (void)fail(llvm::toString(names.takeError()));
      return signalPassFailure();
    }
    if (failed(checkOptions()))
      return signalPassFailure();
    // Keyed by the float value and what it is quantized to.
    DenseMap<std::pair<Value, Type>, Value> quantized;
    getOperation()->walk([&](MatmulOp op) {
      auto input = dyn_cast<TypedValue<RankedTensorType>>(op.getInput());
      if (!input || !names->matches(getNodeName(op.getLoc())))
        return;
      std::string reason;
      if (!multipliesIntegers(op.getWeight().getType(), reason)) {
        op.emitRemark("the input stays float: ") << reason;
        return;
      }
      QuantTensorType type = getQuantizedType(op, input.getType());
      Value &value = quantized[{input, type}];
      if (!value) {
        // Right after its definition it dominates all uses.
        OpBuilder builder(op);
        builder.setInsertionPointAfterValue(input);
        value = DynamicQuantizeOp::create(builder, op.getLoc(), type, input);
        ++numQuantized;
      }
      op.getInputMutable().assign(value);
      ++numMatmuls;
    });
  }

private:
  LogicalResult fail(const Twine &message) {
    return emitError(UnknownLoc::get(&getContext()))
           << "quantize-activations: " << message;
  }

  LogicalResult checkOptions() {
    if (bits < 2 || bits > 8)
      return fail("bits is " + Twine(bits) + ", but must be 2 to 8");
    if (granularity != "group" && granularity != "row")
      return fail("granularity is '" + granularity +
                  "', but must be 'group' or 'row'");
    return success();
  }

  /// Whether kernels could make use of integers: not if the codes of a weight
  /// stand for other numbers.
  static bool multipliesIntegers(QuantTensorType weight, std::string &reason) {
    std::optional<ScaledCodes> codes = weight.getFormat().getScaledCodes();
    return !codes || codes->levels.empty() || getByteLevels(*codes, reason);
  }

  QuantTensorType getQuantizedType(MatmulOp op, RankedTensorType input) {
    QuantTensorType weight = op.getWeight().getType();
    UniformFormat::Spec spec;
    spec.bits = bits;
    spec.isSigned = true;
    spec.zero = ZeroKind::None;
    spec.narrowRange = true;
    spec.scales = ScaleType::F32;
    spec.groupRows = 1;
    spec.groupCols = 0;
    if (granularity == "group") {
      int64_t group = weight.getFormat().getGroupCols(weight.getShape());
      if (group < weight.getDimSize(1))
        spec.groupCols = group;
    }
    return QuantTensorType::get(
        input.getShape(), input.getElementType(),
        UniformAttr::get(&getContext(), spec, input.getShape()));
  }
};
} // namespace
