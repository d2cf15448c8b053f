//===- CodebookFormat.h - Levels of a table with scales ---------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_CODEBOOKFORMAT_H
#define LOWBIT_QUANTIZE_CODEBOOKFORMAT_H

#include "lowbit/Quantize/Codebook.h"
#include "lowbit/Quantize/GroupedFormat.h"
#include "lowbit/Quantize/ScaleStorage.h"
#include <cmath>

namespace lowbit {

/// value = scale * level[code], with a table of levels that all groups share.
///
/// A group is a block of `groupRows` x `groupCols` values with one scale: the
/// greatest magnitude in the group, divided by the largest level. Scales that
/// are powers of two (f8E8M0FNU) follow the rule of OCP Microscaling instead:
/// 2^(floor(log2(greatest magnitude)) - floor(log2(largest level))), with which
/// values above the largest level are clipped. The scale is rounded to its
/// storage first, and codes are computed against the rounded scale, except
/// where `ScaleStorage` says otherwise. A group of zeros has the scale 0, or
/// 2^-127 where there is no 0.
///
/// The code is that of the level nearest to value * (1 / scale), as in
/// bitsandbytes; `Codebook` says what is done with ties.
class CodebookFormat final : public GroupedFormat {
public:
  struct Spec {
    Codebook codebook;
    /// The shape of a group; 0 stands for the whole dimension.
    int64_t groupRows = 1;
    int64_t groupCols = 64;
    ScaleStorage scales = ScaleType::F16;
  };

  /// Fails with a message that names the wrong value.
  static llvm::Expected<CodebookFormat> get(const Spec &spec);

  const Spec &getSpec() const { return spec; }

  /// The scale, not rounded, of a group of values up to `greatest`.
  float getScale(float greatest) const;
  /// The code nearest to a finite value; `inverse` is 1 / scale, and 0 if the
  /// scale is 0.
  uint8_t encodeValue(float value, float scale, float inverse) const {
    // The inverse of a subnormal number can be infinite.
    return spec.codebook.encode(std::isinf(inverse) ? value / scale
                                                    : value * inverse);
  }
  static float getInverse(float scale) { return scale == 0 ? 0 : 1 / scale; }

  std::string describe() const override;
  llvm::SmallVector<ComponentSpec, 3>
  getComponents(int64_t rows, int64_t cols) const override;
  llvm::Expected<std::unique_ptr<MatrixEncoder>>
  createEncoder(ConstMatrixView weights,
                const RangeSearch &search) const override;
  using BlockFormat::decode;
  llvm::Error decode(llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components,
                     MatrixView decoded) const override;

private:
  explicit CodebookFormat(const Spec &spec)
      : GroupedFormat(spec.groupRows, spec.groupCols), spec(spec) {}

  Spec spec;
};

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_CODEBOOKFORMAT_H
