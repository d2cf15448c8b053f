//===- OvpFormat.cpp - Outlier-victim pairs with scales -------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/OvpFormat.h"
#include "OvpEncoder.h"
#include "lowbit/Quantize/BitPacking.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <limits>

using namespace lowbit;

llvm::Expected<OvpFormat> OvpFormat::get(const Spec &spec) {
  if (llvm::Error error = checkGroup(spec.groupRows, spec.groupCols))
    return std::move(error);
  if (spec.groupCols % 2 != 0)
    return makeError("groups of " + llvm::Twine(spec.groupCols) +
                     " columns cut outlier-victim pairs; an even number, or "
                     "whole rows, does not");
  const bool hasWideOutliers = spec.outliers != OvpOutliers::E2M1;
  if (hasWideOutliers != (spec.normals == OvpNormals::Int8))
    return makeError("the outliers of " + getName(spec.normals) + " are " +
                     (hasWideOutliers ? "e2m1" : "e4m3 or e2m5") + ", not " +
                     getName(spec.outliers));
  if (llvm::Error error = spec.scales.check())
    return std::move(error);
  return OvpFormat(spec);
}

std::string OvpFormat::describe() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "ovp " << getName(spec.normals);
  if (spec.normals == OvpNormals::Int8)
    os << ' ' << getName(spec.outliers);
  os << ' ' << describeGroup() << ' ' << spec.scales.describe();
  if (spec.keepsLeft)
    os << " keep left";
  return text;
}

llvm::SmallVector<ComponentSpec, 3>
OvpFormat::getComponents(int64_t rows, int64_t cols) const {
  llvm::SmallVector<ComponentSpec, 3> specs =
      spec.scales.getComponents(getNumRowGroups(rows), getNumColGroups(cols));
  specs.insert(specs.begin(),
               {"codes",
                ElementType::I8,
                {rows, getPackedBytes(getPaddedCols(cols), grid.getBits())}});
  return specs;
}

llvm::Expected<std::unique_ptr<MatrixEncoder>>
OvpFormat::createEncoder(ConstMatrixView weights, const RangeSearch &) const {
  if (llvm::Error error = checkFinite(weights))
    return std::move(error);
  const int64_t rows = weights.getRows(), cols = weights.getCols();
  const int64_t rowGroups = getNumRowGroups(rows);
  const int64_t colGroups = getNumColGroups(cols);
  const int64_t groupCols = getGroupCols(cols);
  std::vector<float> scales(rowGroups * colGroups);
  for (int64_t group = 0; group < colGroups; ++group) {
    const int64_t first = group * groupCols;
    ConstMatrixView values =
        weights.block(0, first, rows, std::min(groupCols, cols - first));
    // A type wants to know how large scales are, and a format what they are.
    const llvm::SmallVector<float> found = spec.scales.isFormat()
                                               ? searchScales(values, {})
                                               : getTypicalScales(values);
    for (int64_t row = 0; row < rowGroups; ++row)
      scales[row * colGroups + group] = found[row];
  }
  llvm::Expected<std::unique_ptr<ScaleEncoder>> scaleEncoder =
      spec.scales.createEncoder(
          ConstMatrixView(scales.data(), rowGroups, colGroups));
  if (!scaleEncoder)
    return scaleEncoder.takeError();
  return std::make_unique<OvpEncoder>(*this, std::move(*scaleEncoder), rows,
                                      cols);
}

namespace {
struct OvpLevels final : ScaledLevels {
  explicit OvpLevels(const OvpFormat &format) : format(format) {}

  float getRangeEnd() const override {
    return format.getGrid().getLargestNormal();
  }
  bool hasOutliers() const override { return true; }
  void round(llvm::ArrayRef<float> values,
             llvm::MutableArrayRef<float> levels) const override;
  float roundScale(float scale) const override {
    return format.getSpec().scales.round(
        std::max(scale, std::numeric_limits<float>::denorm_min()));
  }

  const OvpFormat format;
};
} // namespace

void OvpLevels::round(llvm::ArrayRef<float> values,
                      llvm::MutableArrayRef<float> levels) const {
  // Pairs are taken apart, so that the rounding vectorizes.
  constexpr size_t count = 128;
  float sides[2][count], rounded[2][count];
  for (size_t first = 0; first < values.size(); first += 2 * count) {
    const size_t size = std::min(2 * count, values.size() - first);
    const size_t pairs = (size + 1) / 2;
    sides[1][pairs - 1] = 0;
    for (size_t i = 0; i < size; ++i)
      sides[i % 2][i / 2] = values[first + i];
    format.roundPairs(static_cast<int64_t>(pairs), sides[0], sides[1],
                      rounded[0], rounded[1]);
    for (size_t i = 0; i < size; ++i)
      levels[first + i] = rounded[i % 2][i / 2];
  }
}

std::unique_ptr<ScaledLevels> OvpFormat::getScaledLevels() const {
  if (!isOneGroup() || !spec.scales.isPlain())
    return nullptr;
  return std::make_unique<OvpLevels>(*this);
}

llvm::Error
OvpFormat::decode(llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components,
                  MatrixView decoded) const {
  const int64_t rows = decoded.getRows(), cols = decoded.getCols();
  if (llvm::Error error = checkComponentSizes(components, rows, cols))
    return error;
  if (rows == 0 || cols == 0)
    return llvm::Error::success();

  const int64_t colGroups = getNumColGroups(cols);
  std::vector<float> scaleValues(getNumRowGroups(rows) * colGroups);
  MatrixView scales(scaleValues.data(), getNumRowGroups(rows), colGroups);
  if (llvm::Error error = spec.scales.decode(components.drop_front(), scales))
    return error;

  const int64_t groupRows = getGroupRows(rows), groupCols = getGroupCols(cols);
  std::vector<uint8_t> codes(getPaddedCols(cols));
  const int64_t rowBytes = getPackedBytes(codes.size(), grid.getBits());
  for (int64_t row = 0; row < rows; ++row) {
    unpackBits(components.front().slice(row * rowBytes, rowBytes),
               grid.getBits(), codes);
    for (int64_t col = 0; col < cols; ++col)
      decoded(row, col) =
          scales(row / groupRows, col / groupCols) *
          grid.decode(codes[getPlace(col)], codes[getPlace(col ^ 1)]);
  }
  return llvm::Error::success();
}
