//===- BcqFormat.cpp - Sums of scaled signs -------------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/BcqFormat.h"
#include "BcqEncoder.h"
#include "lowbit/Quantize/BitPacking.h"
#include "lowbit/Quantize/FloatStorage.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>

using namespace lowbit;

llvm::Expected<BcqFormat> BcqFormat::get(const Spec &spec) {
  if (spec.bits < 1 || spec.bits > 4)
    return makeError("bits is " + llvm::Twine(spec.bits) +
                     ", but binary-coding quantization has 1 to 4 bits");
  if (llvm::Error error = checkGroup(spec.groupRows, spec.groupCols))
    return std::move(error);
  if (!isScaleType(spec.scaleType))
    return makeError("scales are stored as f16, bf16 or f32, not as " +
                     getName(spec.scaleType));
  return BcqFormat(spec);
}

std::string BcqFormat::describe() const {
  return "bcq" + std::to_string(spec.bits) +
         (spec.hasOffset ? " offset " : " ") + describeGroup() + " " +
         getScaleTypeName(spec.scaleType).str();
}

llvm::SmallVector<ComponentSpec, 3>
BcqFormat::getComponents(int64_t rows, int64_t cols) const {
  const int64_t rowGroups = getNumRowGroups(rows);
  const int64_t colGroups = getNumColGroups(cols);
  llvm::SmallVector<ComponentSpec, 3> components = {
      {"planes", ElementType::I8, {spec.bits, rows, getPackedBytes(cols, 1)}},
      {"scales", spec.scaleType, {spec.bits, rowGroups, colGroups}}};
  if (spec.hasOffset)
    components.push_back({"offsets", spec.scaleType, {rowGroups, colGroups}});
  return components;
}

llvm::Expected<std::unique_ptr<MatrixEncoder>>
BcqFormat::createEncoder(ConstMatrixView weights, const RangeSearch &) const {
  if (llvm::Error error = checkFinite(weights))
    return std::move(error);
  float largest = 0;
  for (int64_t row = 0; row < weights.getRows(); ++row)
    for (int64_t col = 0; col < weights.getCols(); ++col)
      largest = std::max(largest, std::fabs(weights(row, col)));
  if (largest > getLargest(spec.scaleType)) {
    std::string message;
    llvm::raw_string_ostream os(message);
    os << "weights up to " << llvm::format("%g", largest)
       << " need as large scales, but " << getScaleTypeName(spec.scaleType)
       << " ends at " << llvm::format("%g", getLargest(spec.scaleType))
       << "; a wider scale type is needed";
    return makeError(message);
  }
  return std::make_unique<BcqEncoder>(*this, weights.getRows(),
                                      weights.getCols());
}

llvm::Error
BcqFormat::decode(llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components,
                  MatrixView decoded) const {
  const int64_t rows = decoded.getRows(), cols = decoded.getCols();
  if (llvm::Error error = checkComponentSizes(components, rows, cols))
    return error;
  if (rows == 0 || cols == 0)
    return llvm::Error::success();

  const int64_t groupRows = getGroupRows(rows), groupCols = getGroupCols(cols);
  const int64_t rowGroups = getNumRowGroups(rows);
  const int64_t colGroups = getNumColGroups(cols);
  const int64_t planeBytes = getPackedBytes(cols, 1);
  auto load = [&](unsigned component, int64_t index) {
    return loadFloat(spec.scaleType, components[component].data() +
                                         index * getByteSize(spec.scaleType));
  };
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t col = 0; col < cols; ++col) {
      const int64_t group = row / groupRows * colGroups + col / groupCols;
      float value = spec.hasOffset ? load(2, group) : 0;
      for (unsigned bit = 0; bit < spec.bits; ++bit) {
        const float scale = load(1, bit * rowGroups * colGroups + group);
        const uint8_t byte =
            components[0][(bit * rows + row) * planeBytes + col / 8];
        value += byte >> col % 8 & 1 ? scale : -scale;
      }
      decoded(row, col) = value;
    }
  return llvm::Error::success();
}
