//===- Conversion.cpp - Exactly the same values in another format ---------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/Conversion.h"
#include "GroupSolver.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/Support/FormatVariadic.h"
#include <algorithm>

using namespace lowbit;

llvm::Expected<QuantizedMatrix>
lowbit::convertExactly(const BlockFormat &from, int64_t rows, int64_t cols,
                       llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components,
                       const BlockFormat &to, unsigned threads) {
  std::vector<float> expected(rows * cols), actual(rows * cols);
  const MatrixView values(expected.data(), rows, cols);
  if (llvm::Error error = from.decode(components, values))
    return std::move(error);
  const MinMaxSearch search;
  llvm::Expected<std::unique_ptr<MatrixEncoder>> encoder =
      to.createEncoder(values, search);
  if (!encoder)
    return encoder.takeError();
  QuantizedMatrix result =
      solveByGroups(**encoder, values, threads, [&](const RowsOfGroup &g) {
        (*encoder)->fitExactly(g.firstRow, g.group, g.values);
        (*encoder)->encode(g.firstRow, g.firstCol, g.values, g.decoded);
      }).matrix;
  if (llvm::Error error =
          to.decode(result, MatrixView(actual.data(), rows, cols)))
    return std::move(error);
  const auto [wrong, nearest] =
      std::mismatch(expected.begin(), expected.end(), actual.begin());
  if (wrong == expected.end())
    return std::move(result);
  const int64_t at = wrong - expected.begin();
  return makeError(
      llvm::formatv("the weight in row {0}, column {1} is {2:e8}, which {3} "
                    "would make {4:e8}",
                    at / cols, at % cols, *wrong, to.describe(), *nearest)
          .str());
}
