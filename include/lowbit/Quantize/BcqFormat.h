//===- BcqFormat.h - Sums of scaled signs -----------------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_BCQFORMAT_H
#define LOWBIT_QUANTIZE_BCQFORMAT_H

#include "lowbit/Quantize/GroupedFormat.h"

namespace lowbit {

/// Binary-coding quantization (Xu et al. 2018; LUT-GEMM, Park et al. 2024):
/// value = the sum of +scale[i] or -scale[i] over the bits i of a code, added
/// up in this order in f32, perhaps to an offset. A group has a scale for each
/// bit, and one offset.
///
/// The fit is greedy at first: sign i is that of what signs 0 to i - 1 leave (+
/// for 0), scale i the mean of its magnitude. Then, `rounds` times, scales (and
/// the offset, if there is one) become those of least squares, and signs those
/// of the nearest sum. Scales are positive and descend.
class BcqFormat final : public GroupedFormat {
public:
  struct Spec {
    /// 1 to 4.
    unsigned bits = 3;
    /// The shape of a group; 0 stands for the whole dimension.
    int64_t groupRows = 1;
    int64_t groupCols = 128;
    /// Of scales and offsets.
    ElementType scaleType = ElementType::F16;
    bool hasOffset = false;
    /// How a fit goes on after the greedy one; decoding does not depend on it.
    unsigned rounds = 15;
  };

  /// Fails with a message that names the wrong value.
  static llvm::Expected<BcqFormat> get(const Spec &spec);

  const Spec &getSpec() const { return spec; }

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
  explicit BcqFormat(const Spec &spec)
      : GroupedFormat(spec.groupRows, spec.groupCols), spec(spec) {}

  Spec spec;
};

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_BCQFORMAT_H
