//===- Awq.h - Scales and ranges by what activations show -------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Lin et al., "AWQ: Activation-aware Weight Quantization for LLM Compression
// and Acceleration", MLSys 2024, arXiv 2306.00978: weights that meet large
// activations are multiplied before they are rounded, and the activations
// divided; then the weights of each group are clamped to where rounding costs
// least.
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_AWQ_H
#define LOWBIT_QUANTIZE_AWQ_H

#include "lowbit/Quantize/BlockFormat.h"
#include "lowbit/Quantize/Hessian.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include <algorithm>
#include <vector>

namespace lowbit {

/// The scales a^alpha of channels whose mean magnitudes are `means`, at least
/// 1e-4 each, divided by the geometric mean of the least and the greatest.
std::vector<float> getAwqScales(llvm::ArrayRef<float> means, double alpha);

/// What is lost with candidate `index`. As soon as it is sure to be more than
/// `bound`, any number greater than that will do.
using CandidateLoss =
    llvm::function_ref<llvm::Expected<double>(int64_t index, double bound)>;

/// The candidate, of 0 to `count` - 1, with the least loss; the first of equal
/// ones. A loss that is NaN is greater than all others. Fails if all are, or
/// infinite.
llvm::Expected<int64_t> findLeastLoss(int64_t count, CandidateLoss loss);

/// What weights decode to that are multiplied by a scale for each column,
/// rounded to the nearest codes and divided again. `decoded` is laid out as the
/// weights are.
llvm::Error roundScaled(const BlockFormat &format, ConstMatrixView weights,
                        llvm::ArrayRef<float> scales, const RangeSearch &search,
                        MatrixView decoded, unsigned threads = 0);

/// The magnitude to which the weights of each group are clamped.
struct ClipLimits {
  /// Columns of a group; the last one may have fewer.
  int64_t groupCols = 0;
  int64_t groups = 0;
  /// [rows, groups]
  std::vector<float> values;

  float clamp(int64_t row, int64_t col, float value) const {
    const float limit = values[row * groups + col / groupCols];
    return std::clamp(value, -limit, limit);
  }
  void clamp(MatrixView weights) const;
};

/// Tries, for each group, its greatest magnitude less 0, 5, ... 45 % and keeps
/// what loses least of tr(D H Dᵀ), where D is what clamping and rounding change
/// in the group, and H the Hessian of its columns. Rows whose parameters the
/// format stores together are shrunk alike.
llvm::Expected<ClipLimits> searchClipLimits(const BlockFormat &format,
                                            ConstMatrixView weights,
                                            const Hessian &hessian,
                                            const RangeSearch &search,
                                            unsigned threads = 0);

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_AWQ_H
