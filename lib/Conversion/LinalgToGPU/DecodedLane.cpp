//===- DecodedLane.cpp - units of weights in any format -------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// The format decodes each element from the stored components. Elements are
// decoded a few at a time without a loop around each, so that what neighbours
// have in common (scales, the headers of blocks) is read once for all: the
// backend sees that it is the same.

#include "WarpRowKernel.h"

using namespace mlir;
using namespace lowbit;

/// What is decoded at once; half of the shortest blocks in use.
static constexpr int64_t kRun = 8;

namespace {
class DecodedLane final : public WarpRowLane {
public:
  using WarpRowLane::WarpRowLane;

protected:
  SmallVector<Value> addUnit(Value unit, ValueRange sums) override {
    return loop(
        index(0), index(kUnit), kRun, sums,
        [&](Value firstOfRun, ValueRange sums) {
          SmallVector<Value> results(sums);
          Value position =
              buildMulAdd(*this, getLoc(), unit, kUnit, firstOfRun);
          for (int64_t k = 0; k < kRun; k += kVector) {
            SmallVector<Value> weights;
            for (int64_t i = 0; i < kVector; ++i)
              weights.push_back(
                  decode(arith::AddIOp::create(*this, position, index(k + i))));
            addVector(weights,
                      arith::AddIOp::create(*this, firstOfRun, index(k)),
                      results);
          }
          return results;
        });
  }
};
} // namespace

WarpRowKind lowbit::getDecodedKind(const WarpRowProduct &product) {
  return {
      {}, [&product](OpBuilder &builder, gpu::LaunchOp launch, int64_t tokens) {
        return std::make_unique<DecodedLane>(builder, launch, product, tokens);
      }};
}
