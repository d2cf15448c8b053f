//===- Spqr.h - Error feedback, with outliers apart ------------- -*- C++
//-*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_SPQR_H
#define LOWBIT_QUANTIZE_SPQR_H

#include "lowbit/Quantize/Gptq.h"
#include "lowbit/Quantize/SparseOutliersFormat.h"

namespace lowbit {

struct SpqrOptions {
  /// The loss from which on a weight is an outlier, relative to the mean of
  /// Var(W[:, k]) / U_kk² over the columns k, with U of GPTQ. Infinity for no
  /// outliers.
  double threshold = 0.2;
  /// Fits the parameters of groups to all of their weights.
  bool simplified = false;
  /// As for GPTQ, and as the factor was made with: columns in the order of
  /// their importance are stored in that order.
  bool actOrder = false;
  int64_t blockSize = 128;
  /// 0 takes all processors. Results do not depend on it.
  unsigned threads = 0;

  /// An error that names the first option that is out of its range.
  llvm::Error check() const;
};

/// SpQR (Dettmers et al., "SpQR: A Sparse-Quantized Representation for
/// Near-Lossless LLM Weight Compression", 2023, arXiv 2306.03078): GPTQ in
/// which weights whose rounding would cost more than a threshold T are stored
/// apart.
///
/// When a group is reached, each of its weights is left out once: if that
/// lowers the sum of the squared errors of the group, each divided by U_kk², by
/// more than T, the parameters of the group are fitted without this weight: the
/// mean of the others takes its place. For these errors codes span the values,
/// and parameters are not rounded or quantized themselves. Then, column by
/// column, the weights with (w - ŵ)² / U_kk² > T become outliers, and leave no
/// error for the columns that follow but that of the outliers' type; their
/// codes are those of zero.
///
/// Whatever number of outliers `format` names, the result has as many as there
/// are. The bilevel quantization of SpQR is a matter of the dense part's
/// format. Where no input was seen, weights are rounded to the nearest. Fails
/// for a dense part whose groups are not of one row with a scale, unless
/// `simplified`.
llvm::Expected<GptqResult> spqr(const SparseOutliersFormat &format,
                                ConstMatrixView weights,
                                const GptqFactor &factor,
                                const RangeSearch &search,
                                const SpqrOptions &options);

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_SPQR_H
