//===- Lanes.cpp - how many partial results a reduction has ---------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Kernels/Lanes.h"

using namespace mlir;

Value lowbit::combineLanes(ImplicitLocOpBuilder &b, vector::CombiningKind kind,
                           Value lanes, Value init) {
  int64_t count = cast<VectorType>(lanes.getType()).getNumElements();
  while (count > 1) {
    count /= 2;
    auto half = [&](int64_t offset) -> Value {
      return vector::ExtractStridedSliceOp::create(
          b, lanes, ArrayRef<int64_t>{offset}, ArrayRef<int64_t>{count},
          ArrayRef<int64_t>{1});
    };
    lanes =
        vector::makeArithReduction(b, b.getLoc(), kind, half(0), half(count));
  }
  Value whole = vector::ExtractOp::create(b, lanes, ArrayRef<int64_t>{0});
  return vector::makeArithReduction(b, b.getLoc(), kind, init, whole);
}
