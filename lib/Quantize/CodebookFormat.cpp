//===- CodebookFormat.cpp - Levels of a table with scales -----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/CodebookFormat.h"
#include "CodebookEncoder.h"
#include "lowbit/Quantize/BitPacking.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>

using namespace lowbit;

llvm::Expected<CodebookFormat> CodebookFormat::get(const Spec &spec) {
  if (llvm::Error error = checkGroup(spec.groupRows, spec.groupCols))
    return std::move(error);
  if (llvm::Error error = spec.scales.check())
    return std::move(error);
  return CodebookFormat(spec);
}

float CodebookFormat::getScale(float greatest) const {
  if (greatest == 0)
    return 0;
  const float largest = spec.codebook.getLargest();
  if (!spec.scales.isFormat() && spec.scales.getType() == ScaleType::F8E8M0FNU)
    return std::ldexp(1.0f, std::ilogb(greatest) - std::ilogb(largest));
  return greatest / largest;
}

std::string CodebookFormat::describe() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (spec.codebook.getName().empty())
    os << spec.codebook.getLevels().size() << " levels";
  else
    os << spec.codebook.getName();
  os << ' ' << describeGroup() << ' ' << spec.scales.describe();
  return text;
}

llvm::SmallVector<ComponentSpec, 3>
CodebookFormat::getComponents(int64_t rows, int64_t cols) const {
  llvm::SmallVector<ComponentSpec, 3> specs =
      spec.scales.getComponents(getNumRowGroups(rows), getNumColGroups(cols));
  specs.insert(specs.begin(),
               {"codes",
                ElementType::I8,
                {rows, getPackedBytes(cols, spec.codebook.getBits())}});
  return specs;
}

llvm::Expected<std::unique_ptr<MatrixEncoder>>
CodebookFormat::createEncoder(ConstMatrixView weights,
                              const RangeSearch &search) const {
  if (llvm::Error error = checkFinite(weights))
    return std::move(error);
  const int64_t rows = weights.getRows(), cols = weights.getCols();
  const int64_t groupRows = getGroupRows(rows), groupCols = getGroupCols(cols);
  const int64_t colGroups = getNumColGroups(cols);
  std::vector<float> scales(getNumRowGroups(rows) * colGroups);
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t group = 0; group < colGroups; ++group) {
      float &greatest = scales[row / groupRows * colGroups + group];
      const int64_t end = std::min(cols, (group + 1) * groupCols);
      for (int64_t col = group * groupCols; col < end; ++col)
        greatest = std::max(greatest, std::fabs(weights(row, col)));
    }
  for (float &scale : scales)
    scale = getScale(scale);
  llvm::Expected<std::unique_ptr<ScaleEncoder>> scaleEncoder =
      spec.scales.createEncoder(
          ConstMatrixView(scales.data(), getNumRowGroups(rows), colGroups));
  if (!scaleEncoder)
    return scaleEncoder.takeError();
  return std::make_unique<CodebookEncoder>(*this, std::move(*scaleEncoder),
                                           rows, cols, search);
}

llvm::Error
CodebookFormat::decode(llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components,
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

  // A code without a level decodes to 0.
  const unsigned bits = spec.codebook.getBits();
  std::vector<float> levels(spec.codebook.getLevels().vec());
  levels.resize(1 << bits);
  const int64_t groupRows = getGroupRows(rows), groupCols = getGroupCols(cols);
  const int64_t codeBytes = getPackedBytes(cols, bits);
  std::vector<uint8_t> codes(cols);
  for (int64_t row = 0; row < rows; ++row) {
    unpackBits(components.front().slice(row * codeBytes, codeBytes), bits,
               codes);
    for (int64_t group = 0; group < colGroups; ++group) {
      const float scale = scales(row / groupRows, group);
      const int64_t end = std::min(cols, (group + 1) * groupCols);
      for (int64_t col = group * groupCols; col < end; ++col)
        decoded(row, col) = scale * levels[codes[col]];
    }
  }
  return llvm::Error::success();
}
