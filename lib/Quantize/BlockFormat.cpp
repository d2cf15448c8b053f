//===- BlockFormat.cpp - A number format as solvers see it ----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/BlockFormat.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace lowbit;

AffineParameters::~AffineParameters() = default;
MatrixEncoder::~MatrixEncoder() = default;
ScaledLevels::~ScaledLevels() = default;

BlockFormat::~BlockFormat() = default;

/// Whether all values are; visits them as they lie in memory.
static bool areFinite(ConstMatrixView weights) {
  if (weights.getRowStride() < weights.getColStride())
    weights =
        ConstMatrixView(weights.getData(), weights.getCols(), weights.getRows(),
                        weights.getColStride(), weights.getRowStride());
  for (int64_t row = 0; row < weights.getRows(); ++row)
    for (int64_t col = 0; col < weights.getCols(); ++col)
      if (!std::isfinite(weights(row, col)))
        return false;
  return true;
}

llvm::Error BlockFormat::checkFinite(ConstMatrixView weights) {
  if (areFinite(weights))
    return llvm::Error::success();
  for (int64_t row = 0; row < weights.getRows(); ++row)
    for (int64_t col = 0; col < weights.getCols(); ++col)
      if (!std::isfinite(weights(row, col)))
        return makeError("the weight in row " + llvm::Twine(row) + ", column " +
                         llvm::Twine(col) + " is " +
                         (std::isnan(weights(row, col)) ? "NaN" : "infinite") +
                         "; only finite weights can be quantized");
  return llvm::Error::success();
}

llvm::Error BlockFormat::checkComponentSizes(
    llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components, int64_t rows,
    int64_t cols) const {
  llvm::SmallVector<ComponentSpec, 3> specs = getComponents(rows, cols);
  if (components.size() != specs.size())
    return makeError("a matrix of format " + describe() + " has " +
                     llvm::Twine(specs.size()) + " components, but " +
                     llvm::Twine(components.size()) + " are given");
  for (auto [spec, bytes] : llvm::zip_equal(specs, components))
    if (static_cast<int64_t>(bytes.size()) != spec.getByteSize())
      return makeError("the component '" + spec.name + "' of a " +
                       llvm::Twine(rows) + " x " + llvm::Twine(cols) +
                       " matrix of format " + describe() + " has " +
                       llvm::Twine(bytes.size()) + " bytes, but takes " +
                       llvm::Twine(spec.getByteSize()));
  return llvm::Error::success();
}
