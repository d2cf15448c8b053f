//===- TransformMark.cpp - what transforms did to a layer -----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/TransformMark.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace lowbit;

static constexpr llvm::StringLiteral kTransformed = "lowbit.transformed";
static constexpr llvm::StringLiteral kFingerprint = "lowbit.fingerprint";

static std::optional<TransformMark> readMark(FusedLocWith<DictionaryAttr> loc) {
  auto transformed = loc.getMetadata().getAs<StringAttr>(kTransformed);
  auto fingerprint = loc.getMetadata().getAs<IntegerAttr>(kFingerprint);
  if (!transformed || !fingerprint ||
      !fingerprint.getType().isSignlessInteger(64))
    return std::nullopt;
  return TransformMark{transformed.getValue() == "outputs",
                       fingerprint.getValue().getZExtValue()};
}

std::optional<TransformMark> lowbit::getTransformMark(Location loc) {
  std::optional<TransformMark> mark;
  loc->walk([&](Location part) {
    if (auto fused = dyn_cast<FusedLocWith<DictionaryAttr>>(part))
      mark = readMark(fused);
    return mark ? WalkResult::interrupt() : WalkResult::advance();
  });
  return mark;
}

Location lowbit::setTransformMark(Location loc, TransformMark mark) {
  // A mark of ours has one location below it.
  if (auto fused = dyn_cast<FusedLocWith<DictionaryAttr>>(loc);
      fused && readMark(fused))
    loc = fused.getLocations().front();
  Builder builder(loc.getContext());
  auto metadata = builder.getDictionaryAttr(
      {builder.getNamedAttr(
           kTransformed,
           builder.getStringAttr(mark.outputs ? "outputs" : "weight")),
       builder.getNamedAttr(kFingerprint, builder.getI64IntegerAttr(
                                              int64_t(mark.fingerprint)))});
  return FusedLoc::get(ArrayRef(loc), metadata, loc.getContext());
}
