//===- BcqEncoder.cpp - Codes one matrix as sums of signs -----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BcqEncoder.h"
#include "ExactFit.h"
#include "lowbit/Quantize/BitPacking.h"
#include "lowbit/Quantize/FloatStorage.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <cmath>
#include <numeric>

using namespace lowbit;

BcqEncoder::BcqEncoder(const BcqFormat &format, int64_t rows, int64_t cols)
    : MatrixEncoder(rows, cols, format.getGroupRows(rows),
                    format.getGroupCols(cols)),
      format(format), numLevels(1 << format.getSpec().bits), codes(rows * cols),
      parameters(format.getNumColGroups(cols) * rows),
      levels(parameters.size()) {}

float BcqEncoder::roundScale(float scale) const {
  const ElementType type = format.getSpec().scaleType;
  const float largest = getLargest(type);
  return std::clamp(roundToType(type, scale), -largest, largest);
}

BcqEncoder::Levels BcqEncoder::getLevels(const Parameters &parameters) const {
  Levels result;
  std::array<uint8_t, maxLevels> order;
  std::array<float, maxLevels> values;
  for (unsigned code = 0; code < numLevels; ++code) {
    float value = parameters.offset;
    for (unsigned bit = 0; bit < format.getSpec().bits; ++bit)
      value +=
          code >> bit & 1 ? parameters.scales[bit] : -parameters.scales[bit];
    values[code] = value;
    order[code] = code;
  }
  std::stable_sort(order.begin(), order.begin() + numLevels,
                   [&](uint8_t a, uint8_t b) { return values[a] < values[b]; });
  for (unsigned i = 0; i < numLevels; ++i) {
    result.values[i] = values[order[i]];
    result.codes[i] = order[i];
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Fit
//===----------------------------------------------------------------------===//

/// Sums over the values of each row that have a code: [codes][rows]. All
/// columns count as their importance.
struct BcqEncoder::Sums {
  std::vector<float> counts, values;
};

std::vector<BcqEncoder::Parameters>
BcqEncoder::fitGreedily(ConstMatrixView values,
                        llvm::ArrayRef<float> importance, Sums &sums) const {
  const int64_t rows = values.getRows(), cols = values.getCols();
  std::vector<Parameters> result(rows, Parameters{{}, 0});
  std::vector<float> rest(rows * cols), magnitudes(rows);
  std::vector<uint8_t> codes(rows * cols);
  for (int64_t col = 0; col < cols; ++col)
    for (int64_t row = 0; row < rows; ++row)
      rest[col * rows + row] = values(row, col);
  auto getWeight = [&](int64_t col) {
    return importance.empty() ? 1.0f : importance[col];
  };
  float total = 0;
  for (int64_t col = 0; col < cols; ++col)
    total += getWeight(col);
  for (unsigned bit = 0; bit < format.getSpec().bits; ++bit) {
    std::fill(magnitudes.begin(), magnitudes.end(), 0.0f);
    for (int64_t col = 0; col < cols; ++col) {
      const float weight = getWeight(col);
      for (int64_t row = 0; row < rows; ++row)
        magnitudes[row] += weight * std::fabs(rest[col * rows + row]);
    }
    for (int64_t begin = 0; begin < rows; begin += getGroupRows()) {
      const int64_t end = std::min(begin + getGroupRows(), rows);
      const float sum =
          std::accumulate(&magnitudes[begin], magnitudes.data() + end, 0.0f);
      const float scale = total > 0 ? sum / (total * (end - begin)) : 0;
      for (int64_t row = begin; row < end; ++row)
        result[row].scales[bit] = magnitudes[row] = scale;
    }
    for (int64_t col = 0; col < cols; ++col)
      for (int64_t row = 0; row < rows; ++row) {
        float &value = rest[col * rows + row];
        const bool isPositive = value >= 0;
        value -= isPositive ? magnitudes[row] : -magnitudes[row];
        codes[col * rows + row] |= isPositive << bit;
      }
  }
  for (int64_t col = 0; col < cols; ++col) {
    const float weight = getWeight(col);
    for (int64_t row = 0; row < rows; ++row) {
      const int64_t index = codes[col * rows + row] * rows + row;
      sums.counts[index] += weight;
      sums.values[index] += weight * values(row, col);
    }
  }
  return result;
}

BcqEncoder::Parameters BcqEncoder::solve(const Sums &sums, int64_t row) const {
  const unsigned bits = format.getSpec().bits;
  const unsigned size = bits + format.getSpec().hasOffset;
  const size_t rows = sums.counts.size() / numLevels;
  // Normal equations of the signs and, last, of the constant 1 for an offset.
  double matrix[maxBits + 1][maxBits + 2] = {};
  for (unsigned code = 0; code < numLevels; ++code) {
    const double count = sums.counts[code * rows + row];
    const double value = sums.values[code * rows + row];
    auto getSign = [&](unsigned bit) {
      return bit == bits || code >> bit & 1 ? 1 : -1;
    };
    for (unsigned a = 0; a < size; ++a) {
      for (unsigned b = 0; b < size; ++b)
        matrix[a][b] += count * (getSign(a) * getSign(b));
      matrix[a][size] += value * getSign(a);
    }
  }
  // Elimination without pivoting, which positive semidefinite matrices do not
  // need. Signs that depend on others take no part.
  const double threshold = 1e-9 * matrix[0][0];
  double solution[maxBits + 1] = {};
  bool isUsed[maxBits + 1];
  for (unsigned a = 0; a < size; ++a) {
    isUsed[a] = matrix[a][a] > threshold;
    if (!isUsed[a])
      continue;
    for (unsigned b = a + 1; b < size; ++b) {
      const double factor = matrix[b][a] / matrix[a][a];
      for (unsigned c = a; c <= size; ++c)
        matrix[b][c] -= factor * matrix[a][c];
    }
  }
  for (unsigned a = size; a-- > 0;) {
    if (!isUsed[a])
      continue;
    double value = matrix[a][size];
    for (unsigned b = a + 1; b < size; ++b)
      value -= matrix[a][b] * solution[b];
    solution[a] = value / matrix[a][a];
  }
  // All signs of a plane may be flipped together with that of its scale, and
  // planes come in any order.
  Parameters result{{}, static_cast<float>(solution[bits])};
  for (unsigned bit = 0; bit < bits; ++bit)
    result.scales[bit] = static_cast<float>(std::fabs(solution[bit]));
  std::sort(result.scales.begin(), result.scales.begin() + bits,
            std::greater<float>());
  return result;
}

void BcqEncoder::sumNearest(llvm::ArrayRef<Parameters> parameters,
                            ConstMatrixView values,
                            llvm::ArrayRef<float> importance,
                            Sums &sums) const {
  const int64_t rows = values.getRows(), cols = values.getCols();
  std::vector<Levels> levels(rows);
  std::vector<float> bounds(numLevels * rows);
  for (int64_t row = 0; row < rows; ++row) {
    levels[row] = getLevels(parameters[row]);
    for (unsigned i = 1; i < numLevels; ++i)
      bounds[i * rows + row] = levels[row].getBound(i);
  }
  // First those of a level and all above it: that takes no scattered writes.
  Sums above{std::vector<float>(numLevels * rows),
             std::vector<float>(numLevels * rows)};
  for (int64_t col = 0; col < cols; ++col) {
    const float weight = importance.empty() ? 1.0f : importance[col];
    for (unsigned i = 0; i < numLevels; ++i) {
      const float *__restrict bound = &bounds[i * rows];
      const float *__restrict value = &values(0, col);
      float *__restrict count = &above.counts[i * rows];
      float *__restrict sum = &above.values[i * rows];
      // There is no bound below the lowest level.
      for (int64_t row = 0; row < rows; ++row) {
        const float counted =
            i == 0 || value[row] >= bound[row] ? weight : 0.0f;
        count[row] += counted;
        sum[row] += counted * value[row];
      }
    }
  }
  for (int64_t row = 0; row < rows; ++row)
    for (unsigned i = 0; i < numLevels; ++i) {
      const int64_t to = levels[row].codes[i] * rows + row;
      auto subtractNext = [&](const std::vector<float> &all) {
        return all[i * rows + row] -
               (i + 1 < numLevels ? all[(i + 1) * rows + row] : 0);
      };
      sums.counts[to] = subtractNext(above.counts);
      sums.values[to] = subtractNext(above.values);
    }
}

void BcqEncoder::refine(std::vector<Parameters> &parameters, Sums &sums) const {
  const int64_t rows = parameters.size();
  for (int64_t begin = 0; begin < rows; begin += getGroupRows()) {
    const int64_t end = std::min(begin + getGroupRows(), rows);
    for (unsigned i = 0; i < numLevels; ++i)
      for (int64_t row = begin + 1; row < end; ++row) {
        sums.counts[i * rows + begin] += sums.counts[i * rows + row];
        sums.values[i * rows + begin] += sums.values[i * rows + row];
      }
    std::fill(&parameters[begin], parameters.data() + end, solve(sums, begin));
  }
}

void BcqEncoder::fit(int64_t firstRow, int64_t group, ConstMatrixView values,
                     llvm::ArrayRef<float> importance) {
  assert(firstRow % getGroupRows() == 0 && "row groups must not be cut");
  const int64_t rows = values.getRows(), cols = values.getCols();
  std::vector<float> buffer;
  if (values.getRowStride() != 1) {
    buffer.resize(rows * cols);
    MatrixView copy(buffer.data(), rows, cols, 1, rows);
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t col = 0; col < cols; ++col)
        copy(row, col) = values(row, col);
    values = copy;
  }
  Sums sums{std::vector<float>(numLevels * rows),
            std::vector<float>(numLevels * rows)};
  std::vector<Parameters> fitted = fitGreedily(values, importance, sums);
  for (unsigned round = 0; round < format.getSpec().rounds; ++round) {
    // The first scales are those for the greedy signs.
    if (round)
      sumNearest(fitted, values, importance, sums);
    refine(fitted, sums);
  }
  for (int64_t row = 0; row < rows; ++row) {
    for (float &scale : fitted[row].scales)
      scale = roundScale(scale);
    fitted[row].offset = roundScale(fitted[row].offset);
    const int64_t index = group * getRows() + firstRow + row;
    parameters[index] = fitted[row];
    levels[index] = getLevels(fitted[row]);
  }
}

//===----------------------------------------------------------------------===//
// Exact fit
//===----------------------------------------------------------------------===//

BcqEncoder::Parameters BcqEncoder::makeEquidistant(float step,
                                                   float offset) const {
  // The greatest bit comes first, so that scales descend.
  Parameters result{{}, offset};
  const unsigned bits = format.getSpec().bits;
  for (unsigned bit = 0; bit < bits; ++bit)
    result.scales[bit] = roundScale(std::ldexp(step, int(bits - bit) - 2));
  return result;
}

std::optional<BcqEncoder::Parameters>
BcqEncoder::findExact(llvm::ArrayRef<float> members) const {
  std::optional<Parameters> found;
  auto isExact = [&](float step, float offset) {
    const Parameters candidate = makeEquidistant(step, offset);
    const Levels levels = getLevels(candidate);
    const llvm::ArrayRef<float> values(levels.values.data(), numLevels);
    if (!llvm::all_of(members, [&](float value) {
          return llvm::is_contained(values, value);
        }))
      return false;
    found = candidate;
    return true;
  };
  auto round = [&](float scale) { return roundScale(scale); };
  const int32_t steps = static_cast<int32_t>(numLevels) - 1;
  const float greatest = getGreatest(members);
  if (!format.getSpec().hasOffset) {
    // Half steps, of which levels are odd numbers.
    if (greatest != 0)
      findExactScale(std::fabs(greatest), countTo(steps), /*anySign=*/false,
                     round, [&](float half) { return isExact(2 * half, 0); });
    return found;
  }
  const auto [lo, hi] = std::minmax_element(members.begin(), members.end());
  if (*lo == *hi) {
    isExact(0, roundScale(*lo));
    return found;
  }
  for (int32_t count = 1; count <= steps && !found; ++count)
    lowbit::findExact(
        (*hi - *lo) / static_cast<float>(count), round, [&](float step) {
          for (int32_t least = 0; least <= steps - count; ++least)
            if (lowbit::findExact(
                    *lo + step * (static_cast<float>(steps - 2 * least) / 2),
                    round, [&](float offset) { return isExact(step, offset); }))
              return true;
          return false;
        });
  return found;
}

void BcqEncoder::fitExactly(int64_t firstRow, int64_t group,
                            ConstMatrixView values) {
  assert(firstRow % getGroupRows() == 0 && "row groups must not be cut");
  fit(firstRow, group, values, {});
  for (int64_t begin = 0; begin < values.getRows(); begin += getGroupRows()) {
    const int64_t count = std::min(getGroupRows(), values.getRows() - begin);
    std::optional<Parameters> exact = findExact(collect(values, begin, count));
    if (!exact)
      continue;
    const int64_t first = group * getRows() + firstRow + begin;
    std::fill_n(&parameters[first], count, *exact);
    std::fill_n(&levels[first], count, getLevels(*exact));
  }
}

//===----------------------------------------------------------------------===//
// Codes
//===----------------------------------------------------------------------===//

void BcqEncoder::encode(int64_t firstRow, int64_t firstCol,
                        ConstMatrixView values, MatrixView decoded) {
  for (int64_t i = 0, e = values.getCols(); i < e; ++i) {
    const int64_t col = firstCol + i;
    const Levels *group = &levels[col / getGroupCols() * getRows() + firstRow];
    uint8_t *code = &codes[col * getRows() + firstRow];
    for (int64_t row = 0; row < values.getRows(); ++row) {
      const float value = values(row, i);
      unsigned nearest = 0;
      for (unsigned level = 1; level < numLevels; ++level)
        nearest += value >= group[row].getBound(level);
      code[row] = group[row].codes[nearest];
      decoded(row, i) = group[row].values[nearest];
    }
  }
}

QuantizedMatrix BcqEncoder::finish() {
  const BcqFormat::Spec &spec = format.getSpec();
  const int64_t rows = getRows(), cols = getCols();
  QuantizedMatrix result{rows, cols, {}};
  for (ComponentSpec &component : format.getComponents(rows, cols))
    result.components.push_back(
        {component, std::vector<uint8_t>(component.getByteSize())});
  const int64_t planeBytes = getPackedBytes(cols, 1);
  for (int64_t col = 0; col < cols; ++col)
    for (int64_t row = 0; row < rows; ++row)
      for (unsigned bit = 0; bit < spec.bits; ++bit)
        result.components[0].bytes[(bit * rows + row) * planeBytes + col / 8] |=
            (codes[col * rows + row] >> bit & 1) << col % 8;

  const int64_t colGroups = format.getNumColGroups(cols);
  const int64_t rowGroups = format.getNumRowGroups(rows);
  const int64_t size = getByteSize(spec.scaleType);
  for (int64_t rowGroup = 0; rowGroup < rowGroups; ++rowGroup)
    for (int64_t group = 0; group < colGroups; ++group) {
      const Parameters &from =
          parameters[group * rows + rowGroup * getGroupRows()];
      const int64_t index = rowGroup * colGroups + group;
      for (unsigned bit = 0; bit < spec.bits; ++bit)
        storeFloat(spec.scaleType, from.scales[bit],
                   &result.components[1]
                        .bytes[(bit * rowGroups * colGroups + index) * size]);
      if (spec.hasOffset)
        storeFloat(spec.scaleType, from.offset,
                   &result.components[2].bytes[index * size]);
    }
  return result;
}
