//===- WidenOp.cpp - levels of codes as bytes -----------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "llvm/Support/Format.h"
#include <cmath>

using namespace mlir;
using namespace lowbit;

/// What codes stand for.
static SmallVector<float> getLevels(const ScaledCodes &codes) {
  SmallVector<float> levels(codes.levels.begin(), codes.levels.end());
  if (codes.pairs)
    llvm::append_range(levels, codes.pairs->levels);
  if (!levels.empty())
    return levels;
  const int lowest = codes.isSigned ? -(1 << (codes.bits - 1)) : 0;
  for (int code = 0; code < 1 << codes.bits; ++code)
    levels.push_back(lowest + code);
  return levels;
}

QuantTensorType WidenOp::getWidened(QuantTensorType type, std::string &reason) {
  std::optional<ScaledCodes> codes = type.getFormat().getScaledCodes();
  if (!codes || codes->zeroType || codes->areSigns || codes->terms != 1 ||
      codes->offsetType || codes->factorType || codes->ownStorage ||
      codes->codeType || !isa<FloatType>(codes->scaleType) ||
      codes->scaleType.getIntOrFloatBitWidth() < 16) {
    reason = "activations are no scaled codes without zero points";
    return {};
  }
  for (float level : getLevels(*codes))
    if (level != std::nearbyint(level) || level < -128 || level > 127) {
      llvm::raw_string_ostream(reason)
          << "activations have the level " << llvm::format("%g", level)
          << ", which is no signed byte";
      return {};
    }
  UniformFormat::Spec spec;
  spec.bits = 8;
  spec.isSigned = true;
  spec.zero = ZeroKind::None;
  spec.scales = ScaleType::F32;
  spec.groupRows = codes->groupRows;
  spec.groupCols = codes->groupCols;
  return QuantTensorType::get(
      type.getShape(), type.getElementType(),
      UniformAttr::get(type.getContext(), spec, type.getShape()));
}

LogicalResult WidenOp::verify() {
  QuantTensorType from = getInput().getType();
  std::string reason;
  if (from.getLayout())
    reason = "it is packed";
  QuantTensorType expected =
      from.getLayout() ? QuantTensorType() : getWidened(from, reason);
  if (!expected)
    return emitOpError() << "cannot store the levels of the input as bytes: "
                         << reason << ", got " << from;
  if (getType() != expected)
    return emitOpError() << "result must be " << expected << ", got "
                         << getType();
  return success();
}
