//===- FloatFormat.cpp - Floats, unscaled ---------------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/FloatFormat.h"
#include "lowbit/Quantize/FloatStorage.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <cmath>

using namespace lowbit;

llvm::Expected<FloatFormat> FloatFormat::get(const Spec &spec) {
  if (!isScaleType(spec.type))
    return makeError("floats are stored as f16, bf16 or f32, not as " +
                     getName(spec.type));
  return FloatFormat(spec);
}

std::string FloatFormat::describe() const {
  return getScaleTypeName(spec.type).str();
}

llvm::SmallVector<ComponentSpec, 3>
FloatFormat::getComponents(int64_t rows, int64_t cols) const {
  llvm::SmallVector<int64_t, 2> shape = {rows, cols};
  if (spec.transposed)
    std::swap(shape[0], shape[1]);
  return {{"values", spec.type, shape}};
}

namespace {
class FloatEncoder final : public MatrixEncoder {
public:
  FloatEncoder(const FloatFormat &format, int64_t rows, int64_t cols)
      : MatrixEncoder(rows, cols, /*groupRows=*/1, /*groupCols=*/cols),
        format(format) {
    result.rows = rows;
    result.cols = cols;
    for (ComponentSpec &spec : format.getComponents(rows, cols)) {
      std::vector<uint8_t> bytes(spec.getByteSize());
      result.components.push_back({spec, std::move(bytes)});
    }
  }

  void fit(int64_t, int64_t, ConstMatrixView, llvm::ArrayRef<float>) override {}

  void encode(int64_t firstRow, int64_t firstCol, ConstMatrixView values,
              MatrixView decoded) override {
    const ElementType type = format.getSpec().type;
    uint8_t *bytes = result.components.front().bytes.data();
    for (int64_t row = 0; row < values.getRows(); ++row)
      for (int64_t col = 0; col < values.getCols(); ++col) {
        int64_t offset = format.getOffset(getRows(), getCols(), firstRow + row,
                                          firstCol + col);
        uint8_t *stored = bytes + offset * getByteSize(type);
        storeFloat(type, values(row, col), stored);
        decoded(row, col) = loadFloat(type, stored);
      }
  }

  QuantizedMatrix finish() override { return std::move(result); }

private:
  FloatFormat format;
  QuantizedMatrix result;
};
} // namespace

llvm::Expected<std::unique_ptr<MatrixEncoder>>
FloatFormat::createEncoder(ConstMatrixView weights, const RangeSearch &) const {
  if (llvm::Error error = checkFinite(weights))
    return std::move(error);
  for (int64_t row = 0; row < weights.getRows(); ++row)
    for (int64_t col = 0; col < weights.getCols(); ++col)
      if (!std::isfinite(roundToType(spec.type, weights(row, col)))) {
        std::string message;
        llvm::raw_string_ostream os(message);
        os << "the weight in row " << row << ", column " << col << " is "
           << llvm::format("%g", weights(row, col)) << ", but "
           << getScaleTypeName(spec.type) << " ends at "
           << llvm::format("%g", getLargest(spec.type))
           << "; a wider type is needed";
        return makeError(message);
      }
  return std::make_unique<FloatEncoder>(*this, weights.getRows(),
                                        weights.getCols());
}

llvm::Error
FloatFormat::decode(llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components,
                    MatrixView decoded) const {
  const int64_t rows = decoded.getRows(), cols = decoded.getCols();
  if (llvm::Error error = checkComponentSizes(components, rows, cols))
    return error;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t col = 0; col < cols; ++col)
      decoded(row, col) = loadFloat(
          spec.type, components[0].data() + getOffset(rows, cols, row, col) *
                                                getByteSize(spec.type));
  return llvm::Error::success();
}
