//===- ScaleStorage.cpp - How the scales of groups are stored -------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/ScaleStorage.h"
#include "lowbit/Quantize/Codebook.h"
#include "lowbit/Quantize/FloatStorage.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <algorithm>
#include <atomic>
#include <cmath>

using namespace lowbit;

ScaleEncoder::~ScaleEncoder() = default;

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

llvm::StringRef lowbit::getName(ScaleType type) {
  switch (type) {
  case ScaleType::F32:
    return "f32";
  case ScaleType::F16:
    return "f16";
  case ScaleType::BF16:
    return "bf16";
  case ScaleType::F8E8M0FNU:
    return "f8E8M0FNU";
  case ScaleType::F8E4M3FN:
    return "f8E4M3FN";
  }
  llvm_unreachable("no such type");
}

ElementType lowbit::getStoredType(ScaleType type) {
  switch (type) {
  case ScaleType::F32:
    return ElementType::F32;
  case ScaleType::F16:
    return ElementType::F16;
  case ScaleType::BF16:
    return ElementType::BF16;
  case ScaleType::F8E8M0FNU:
  case ScaleType::F8E4M3FN:
    return ElementType::I8;
  }
  llvm_unreachable("no such type");
}

static const Codebook &getE4M3() {
  static const Codebook codebook = *Codebook::find("e4m3");
  return codebook;
}

float lowbit::getLargest(ScaleType type) {
  if (type == ScaleType::F8E8M0FNU)
    return 0x1p127f;
  if (type == ScaleType::F8E4M3FN)
    return getE4M3().getLargest();
  return getLargest(getStoredType(type));
}

static float getSmallest(ScaleType type) {
  if (type == ScaleType::F8E8M0FNU)
    return 0x1p-127f;
  if (type == ScaleType::F8E4M3FN)
    return 0x1p-9f;
  return getSmallestPositive(getStoredType(type));
}

float lowbit::decodeE8M0(uint8_t byte) {
  if (byte == 0)
    return 0x1p-127f;
  return llvm::bit_cast<float>(byte == 255 ? 0x7FC00000u
                                           : static_cast<uint32_t>(byte) << 23);
}

/// Of a number between the smallest and the largest.
static uint8_t encodeE8M0(float scale) {
  const int exponent = std::ilogb(scale);
  const float mantissa = std::ldexp(scale, -exponent);
  // The middle between two powers goes to the even byte.
  const bool goesUp =
      mantissa > 1.5f || (mantissa == 1.5f && (exponent + 127) % 2 != 0);
  return static_cast<uint8_t>(exponent + 127 + goesUp);
}

static void storeScale(ScaleType type, float scale, uint8_t *out) {
  if (type == ScaleType::F8E8M0FNU)
    *out = encodeE8M0(scale);
  else if (type == ScaleType::F8E4M3FN)
    *out = getE4M3().encode(scale);
  else
    storeFloat(getStoredType(type), scale, out);
}

static float loadScale(ScaleType type, const uint8_t *in) {
  if (type == ScaleType::F8E8M0FNU)
    return decodeE8M0(*in);
  if (type == ScaleType::F8E4M3FN)
    return getE4M3().getLevels()[*in];
  return loadFloat(getStoredType(type), in);
}

float lowbit::roundToType(ScaleType type, float scale) {
  if (scale == 0 && type != ScaleType::F8E8M0FNU)
    return 0;
  scale = std::clamp(scale, getSmallest(type), getLargest(type));
  uint8_t stored[sizeof(float)];
  storeScale(type, scale, stored);
  return loadScale(type, stored);
}

//===----------------------------------------------------------------------===//
// Encoders
//===----------------------------------------------------------------------===//

static Component makeComponent(ComponentSpec spec) {
  std::vector<uint8_t> bytes(spec.getByteSize());
  return {std::move(spec), std::move(bytes)};
}

namespace {
/// Numbers of a type.
class NumberEncoder final : public ScaleEncoder {
public:
  NumberEncoder(ScaleType type, ComponentSpec spec)
      : type(type), component(makeComponent(std::move(spec))) {}

  int64_t getGroupRows() const override { return 1; }
  void fit(int64_t firstRow, int64_t col,
           llvm::MutableArrayRef<float> scales) override {
    for (auto [row, scale] : llvm::enumerate(scales)) {
      scale = roundToType(type, scale);
      const int64_t index =
          (firstRow + row) * component.spec.shape.back() + col;
      storeScale(type, scale,
                 &component.bytes[index * getByteSize(component.spec.type)]);
    }
  }
  void fitExactly(int64_t firstRow, int64_t col,
                  llvm::ArrayRef<float> scales) override {
    llvm::SmallVector<float> rounded(scales);
    fit(firstRow, col, rounded);
  }
  void update(int64_t firstRow, int64_t col,
              llvm::MutableArrayRef<float> scales) override {
    fit(firstRow, col, scales);
  }
  llvm::SmallVector<Component, 3> finish() override {
    return {std::move(component)};
  }

private:
  ScaleType type;
  Component component;
};

/// The codes of a format.
class FormatEncoder final : public ScaleEncoder {
public:
  FormatEncoder(std::unique_ptr<MatrixEncoder> matrixEncoder,
                std::string prefix)
      : encoder(std::move(matrixEncoder)), prefix(std::move(prefix)),
        exactScales(encoder->getRows() * encoder->getCols()) {}

  int64_t getGroupRows() const override {
    return fitsAtOnce() ? encoder->getGroupRows() : 1;
  }
  /// Fits all groups to `scales`.
  void fitAll(ConstMatrixView scales) {
    const int64_t groupCols = encoder->getGroupCols();
    for (int64_t col = 0, group = 0; col < encoder->getCols();
         col += groupCols, ++group)
      encoder->fit(0, group,
                   scales.block(0, col, encoder->getRows(),
                                std::min(groupCols, encoder->getCols() - col)));
  }
  void fitAllExactly(ConstMatrixView scales) {
    const int64_t groupCols = encoder->getGroupCols();
    for (int64_t col = 0, group = 0; col < encoder->getCols();
         col += groupCols, ++group)
      encoder->fitExactly(
          0, group,
          scales.block(0, col, encoder->getRows(),
                       std::min(groupCols, encoder->getCols() - col)));
  }
  void encodeAll(ConstMatrixView scales) {
    std::vector<float> decoded(scales.size());
    // An encoder codes columns of one group at a time.
    for (int64_t col = 0; col < encoder->getCols(); ++col)
      encoder->encode(0, col, scales.block(0, col, encoder->getRows(), 1),
                      MatrixView(decoded.data(), encoder->getRows(), 1));
  }
  void fit(int64_t firstRow, int64_t col,
           llvm::MutableArrayRef<float> scales) override {
    if (fitsAtOnce())
      encoder->fit(firstRow, col, asColumn(scales));
    update(firstRow, col, scales);
  }
  void fitExactly(int64_t firstRow, int64_t col,
                  llvm::ArrayRef<float> scales) override {
    isExact = true;
    for (auto [row, scale] : llvm::enumerate(scales))
      exactScales[(firstRow + row) * encoder->getCols() + col] = scale;
  }
  void update(int64_t firstRow, int64_t col,
              llvm::MutableArrayRef<float> scales) override {
    llvm::SmallVector<float> values(scales);
    encoder->encode(firstRow, col, asColumn(values), asColumn(scales));
  }
  llvm::SmallVector<Component, 3> finish() override {
    if (isExact) {
      ConstMatrixView scales(exactScales.data(), encoder->getRows(),
                             encoder->getCols());
      fitAllExactly(scales);
      encodeAll(scales);
    }
    llvm::SmallVector<Component, 3> components =
        std::move(encoder->finish().components);
    for (Component &component : components)
      component.spec.name = prefix + "_" + component.spec.name;
    return components;
  }

private:
  bool fitsAtOnce() const { return encoder->getGroupCols() == 1; }
  static MatrixView asColumn(llvm::MutableArrayRef<float> scales) {
    return MatrixView(scales.data(), scales.size(), 1);
  }

  std::unique_ptr<MatrixEncoder> encoder;
  std::string prefix;
  /// Those of `fitExactly`, whose calls set it in parallel.
  std::vector<float> exactScales;
  std::atomic<bool> isExact = false;
};

/// The same for the differences from the mean, at the end.
class OffsetEncoder final : public ScaleEncoder {
public:
  OffsetEncoder(std::unique_ptr<MatrixEncoder> encoder, std::string prefix)
      : rows(encoder->getRows()), cols(encoder->getCols()), scales(rows * cols),
        prefix(prefix), differences(std::move(encoder), prefix) {}

  int64_t getGroupRows() const override { return 1; }
  void fit(int64_t firstRow, int64_t col,
           llvm::MutableArrayRef<float> column) override {
    for (auto [row, scale] : llvm::enumerate(column))
      scales[(firstRow + row) * cols + col] = scale;
  }
  void fitExactly(int64_t firstRow, int64_t col,
                  llvm::ArrayRef<float> column) override {
    for (auto [row, scale] : llvm::enumerate(column))
      scales[(firstRow + row) * cols + col] = scale;
  }
  void update(int64_t firstRow, int64_t col,
              llvm::MutableArrayRef<float> column) override {
    fit(firstRow, col, column);
  }
  llvm::SmallVector<Component, 3> finish() override {
    const float mean = getMean(scales);
    for (float &scale : scales)
      scale -= mean;
    ConstMatrixView view(scales.data(), rows, cols);
    differences.fitAll(view);
    differences.encodeAll(view);
    llvm::SmallVector<Component, 3> components = differences.finish();
    components.push_back(
        makeComponent({prefix + "_offset", ElementType::F32, {1}}));
    storeFloat(ElementType::F32, mean, components.back().bytes.data());
    return components;
  }

  static float getMean(llvm::ArrayRef<float> values) {
    double sum = 0;
    for (float value : values)
      sum += value;
    return values.empty() ? 0 : static_cast<float>(sum / values.size());
  }

private:
  int64_t rows, cols;
  std::vector<float> scales;
  std::string prefix;
  FormatEncoder differences;
};
} // namespace

//===----------------------------------------------------------------------===//
// Storage
//===----------------------------------------------------------------------===//

llvm::Error ScaleStorage::check() const {
  // Scales become known column by column.
  if (format && format->getUnitCols() != 1)
    return makeError(name + " are coded one by one, but " + format->describe() +
                     " codes " + llvm::Twine(format->getUnitCols()) +
                     " columns together");
  return llvm::Error::success();
}

std::string ScaleStorage::describe() const {
  if (!format)
    return getName(type).str();
  return "(" + format->describe() + (offset ? " + f32)" : ")");
}

llvm::SmallVector<ComponentSpec, 3>
ScaleStorage::getComponents(int64_t rows, int64_t cols) const {
  if (!format)
    return {{name, lowbit::getStoredType(type), {rows, cols}}};
  llvm::SmallVector<ComponentSpec, 3> specs = format->getComponents(rows, cols);
  for (ComponentSpec &spec : specs)
    spec.name = name + "_" + spec.name;
  if (offset)
    specs.push_back({name + "_offset", ElementType::F32, {1}});
  return specs;
}

llvm::Expected<std::unique_ptr<ScaleEncoder>>
ScaleStorage::createEncoder(ConstMatrixView scales) const {
  std::vector<float> values;
  values.reserve(scales.size());
  for (int64_t row = 0; row < scales.getRows(); ++row)
    for (int64_t col = 0; col < scales.getCols(); ++col)
      values.push_back(scales(row, col));

  if (!format) {
    const float largest =
        values.empty() ? 0 : *std::max_element(values.begin(), values.end());
    if (largest <= lowbit::getLargest(type))
      return std::make_unique<NumberEncoder>(
          type, getComponents(scales.getRows(), scales.getCols()).front());
    std::string message;
    llvm::raw_string_ostream os(message);
    os << "the weights need scales up to " << llvm::format("%g", largest)
       << ", but " << getName(type) << " ends at "
       << llvm::format("%g", lowbit::getLargest(type))
       << "; a wider scale type is needed";
    return makeError(message);
  }

  if (offset) {
    const float mean = OffsetEncoder::getMean(values);
    for (float &value : values)
      value -= mean;
  }
  // The encoder keeps a reference to it.
  static const MinMaxSearch search;
  ConstMatrixView view(values.data(), scales.getRows(), scales.getCols());
  llvm::Expected<std::unique_ptr<MatrixEncoder>> encoder =
      format->createEncoder(view, search);
  if (!encoder)
    return makeError("the " + name + " cannot be stored: " +
                     llvm::toString(encoder.takeError()));
  if (offset)
    return std::make_unique<OffsetEncoder>(std::move(*encoder), name);
  auto result = std::make_unique<FormatEncoder>(std::move(*encoder), name);
  result->fitAll(view);
  return result;
}

llvm::Error
ScaleStorage::decode(llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components,
                     MatrixView scales) const {
  if (format) {
    llvm::ArrayRef<llvm::ArrayRef<uint8_t>> parts =
        offset ? components.drop_back() : components;
    if (llvm::Error error = format->decode(parts, scales))
      return error;
  }
  const int64_t size = format ? 0 : getByteSize(lowbit::getStoredType(type));
  const float mean =
      offset ? loadFloat(ElementType::F32, components.back().data()) : 0;
  for (int64_t row = 0; row < scales.getRows(); ++row)
    for (int64_t col = 0; col < scales.getCols(); ++col) {
      if (!format)
        scales(row, col) =
            loadScale(type, components.front().data() +
                                (row * scales.getCols() + col) * size);
      else if (offset)
        scales(row, col) += mean;
    }
  return llvm::Error::success();
}
