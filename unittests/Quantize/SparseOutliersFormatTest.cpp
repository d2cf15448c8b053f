//===- SparseOutliersFormatTest.cpp - Codes and a few exact elements
//---------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/SparseOutliersFormat.h"
#include "TestUtils.h"
#include "lowbit/Quantize/CodebookFormat.h"
#include "lowbit/Quantize/FloatStorage.h"
#include "lowbit/Quantize/Hqq.h"
#include "lowbit/Quantize/Outliers.h"
#include "lowbit/Quantize/Solver.h"
#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

using namespace lowbit;
using namespace lowbit::testing;

namespace {

const MinMaxSearch minMax;

template <typename FormatT>
SparseOutliersFormat addOutliers(const FormatT &dense, int64_t count,
                                 ElementType type = ElementType::F16) {
  return unwrap(SparseOutliersFormat::get(
      {std::make_shared<FormatT>(dense), count, type}));
}

Matrix makeMatrix(int64_t rows, int64_t cols, std::vector<float> values) {
  Matrix matrix(rows, cols);
  matrix.values = std::move(values);
  return matrix;
}

template <typename T>
std::vector<T> getValues(const QuantizedMatrix &matrix, llvm::StringRef name) {
  const std::vector<uint8_t> &bytes = matrix.getComponent(name)->bytes;
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), bytes.size());
  return values;
}

SolverResult round(const BlockFormat &format, const Matrix &weights,
                   unsigned threads = 0) {
  return unwrap(roundToNearest(format, weights, minMax, threads));
}

/// The positions of the elements farthest from the mean, by sorting them all.
std::vector<int64_t> sortOutliers(const Matrix &weights, int64_t count) {
  const auto &values = weights.values;
  const double mean =
      std::accumulate(values.begin(), values.end(), 0.0) / values.size();
  std::vector<int64_t> order(values.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return static_cast<float>(std::fabs(values[a] - mean)) >
           static_cast<float>(std::fabs(values[b] - mean));
  });
  order.resize(count);
  std::sort(order.begin(), order.end());
  return order;
}

std::vector<int64_t> getPositions(const SparsePositions &sparse, int64_t cols) {
  std::vector<int64_t> positions;
  for (size_t row = 0; row + 1 < sparse.offsets.size(); ++row)
    for (int32_t i = sparse.offsets[row]; i < sparse.offsets[row + 1]; ++i)
      positions.push_back(row * cols + sparse.columns[i]);
  return positions;
}

TEST(Outliers, AreTheFarthestFromTheMean) {
  Random random(1);
  for (auto [rows, cols] :
       {std::pair<int64_t, int64_t>{1, 1}, {3, 7}, {20, 33}, {1, 300}}) {
    Matrix weights = random.matrix(rows, cols);
    for (float &value : weights.values)
      value += 0.5f;
    for (int64_t count : {int64_t(0), int64_t(1), rows * cols / 3, rows * cols})
      EXPECT_EQ(getPositions(findOutliers(weights, count), cols),
                sortOutliers(weights, count));
  }
}

TEST(Outliers, OfEqualsTheFirstAreTaken) {
  Matrix weights = makeMatrix(2, 4, {2, -2, 0, 2, -2, 0, 2, -2});
  EXPECT_EQ(getPositions(findOutliers(weights, 3), 4),
            (std::vector<int64_t>{0, 1, 3}));
}

TEST(Outliers, AreCountedInStandardDeviations) {
  // Mean 1, standard deviation 3.
  Matrix weights = makeMatrix(2, 5, {0, 0, 0, 0, 0, 0, 0, 0, 0, 10});
  EXPECT_EQ(countOutliers(weights, 2.99), 1);
  EXPECT_EQ(countOutliers(weights, 3.01), 0);
  EXPECT_EQ(countOutliers(weights, 0.33), 10);
  EXPECT_EQ(countOutliers(Matrix(4, 4), 0), 0);
}

TEST(SparseOutliersFormat, StoresWhatItsDefinitionSays) {
  Matrix weights = makeMatrix(2, 4, {1, -2, 3, 100, -50, 0.5f, -3.5f, 4});
  SparseOutliersFormat format = addOutliers(makeFormat(4, 0, true), 2);
  EXPECT_EQ(format.describe(), "s4 [1, *] f32 + 2 outliers f16");
  QuantizedMatrix matrix = round(format, weights).matrix;
  // Scales 2 * 3 / 15 and 2 * 4 / 15: outliers do not count.
  EXPECT_EQ(getValues<uint8_t>(matrix, "codes"),
            (std::vector<uint8_t>{0xB2, 0x07, 0x10, 0x79}));
  EXPECT_EQ(getValues<float>(matrix, "scales"),
            (std::vector<float>{0.4f, 8 / 15.f}));
  EXPECT_EQ(getValues<int32_t>(matrix, "outlier_offsets"),
            (std::vector<int32_t>{0, 1, 2}));
  EXPECT_EQ(getValues<uint16_t>(matrix, "outlier_columns"),
            (std::vector<uint16_t>{3, 0}));
  // 100 and -50.
  EXPECT_EQ(getValues<uint16_t>(matrix, "outlier_values"),
            (std::vector<uint16_t>{0x5640, 0xD240}));
  Matrix decoded = decode(format, matrix);
  EXPECT_EQ(decoded(0, 3), 100);
  EXPECT_EQ(decoded(1, 0), -50);
  EXPECT_EQ(decoded(0, 0), 0.4f * 2);
  // 6 bytes of codes and scales per row, 12 of offsets, 4 per outlier.
  EXPECT_EQ(matrix.getBitsPerWeight(), 8 * (12 + 12 + 8) / 8.0);
}

TEST(SparseOutliersFormat, OutliersAreExactWhereZeroIs) {
  Random random(2);
  Matrix weights = random.matrix(9, 40);
  for (ElementType type :
       {ElementType::F16, ElementType::BF16, ElementType::F32})
    for (bool symmetric : {false, true}) {
      SparseOutliersFormat format =
          addOutliers(makeFormat(3, 16, symmetric), 30, type);
      SolverResult result = round(format, weights);
      Matrix decoded = decode(format, result.matrix);
      double error = 0, norm = 0;
      for (size_t i = 0; i < weights.values.size(); ++i) {
        error += std::pow(weights.values[i] - decoded.values[i], 2.0);
        norm += std::pow(weights.values[i], 2.0);
      }
      EXPECT_NEAR(result.weightError, std::sqrt(error / norm), 1e-6);
      for (int64_t i : sortOutliers(weights, 30))
        EXPECT_EQ(decoded.values[i], roundToType(type, weights.values[i]));
    }
}

TEST(SparseOutliersFormat, StoresDifferencesFromLevelsWithoutZero) {
  CodebookFormat dense = unwrap(CodebookFormat::get(
      {unwrap(Codebook::get({-1.0f, -0.25f, 0.5f})), 1, 0, ScaleType::F32}));
  SparseOutliersFormat format = addOutliers(dense, 2, ElementType::F32);
  Matrix weights = makeMatrix(1, 6, {4, 1, -20, 3, 30, -4});
  Matrix decoded = decode(format, round(format, weights).matrix);
  // The largest level is 1, the greatest magnitude of the rest 4.
  EXPECT_EQ(decoded.values, (std::vector<float>{2, 2, -20, 2, 30, -4}));
}

TEST(SparseOutliersFormat, NoneAndAllAreOutliers) {
  Matrix weights = Random(3).matrix(5, 12);
  UniformFormat dense = makeFormat(4, 0, true);
  QuantizedMatrix none = round(addOutliers(dense, 0), weights).matrix;
  EXPECT_EQ(decode(addOutliers(dense, 0), none).values,
            decode(dense, round(dense, weights).matrix).values);
  SparseOutliersFormat format = addOutliers(dense, 60, ElementType::F32);
  QuantizedMatrix all = round(format, weights).matrix;
  EXPECT_EQ(decode(format, all).values, weights.values);
}

TEST(SparseOutliersFormat, EverySolverLeavesOutliersApart) {
  Matrix weights = Random(4).matrix(8, 64);
  weights(3, 5) = 90;
  weights(7, 63) = -70;
  UniformFormat::Spec spec;
  spec.bits = 2;
  spec.zero = ZeroKind::F16;
  spec.groupCols = 32;
  SparseOutliersFormat format =
      addOutliers(unwrap(UniformFormat::get(spec)), 2, ElementType::F32);
  Matrix decoded =
      decode(format, unwrap(hqq(format, weights, minMax, {})).matrix);
  EXPECT_FLOAT_EQ(decoded(3, 5), 90);
  EXPECT_FLOAT_EQ(decoded(7, 63), -70);
}

TEST(SparseOutliersFormat, DoesNotDependOnThreads) {
  Matrix weights = Random(5).matrix(300, 100);
  SparseOutliersFormat format = addOutliers(makeFormat(4, 32), 500);
  EXPECT_TRUE(isIdentical(round(format, weights, 1).matrix,
                          round(format, weights, 5).matrix));
}

TEST(SparseOutliersFormat, ManyColumnsTakeWideIndices) {
  Matrix weights(1, 65537);
  weights(0, 65536) = 3;
  SparseOutliersFormat format = addOutliers(makeFormat(4, 128), 1);
  QuantizedMatrix matrix = round(format, weights).matrix;
  EXPECT_EQ(getValues<int32_t>(matrix, "outlier_columns"),
            (std::vector<int32_t>{65536}));
  EXPECT_EQ(decode(format, matrix)(0, 65536), 3);
  EXPECT_EQ(SparseOutliersFormat::getColumnType(65536), ElementType::I16);
}

TEST(SparseOutliersFormat, RefusesWhatItCannotStore) {
  UniformFormat dense = makeFormat(4, 0, true, ScaleType::F16);
  auto getError = [&](const SparseOutliersFormat &format, Matrix weights) {
    return getMessage(format.createEncoder(weights, minMax));
  };
  Matrix weights = makeMatrix(1, 3, {1, -1, 1e6f});
  EXPECT_EQ(getError(addOutliers(dense, 1), weights),
            "the outlier in row 0, column 2 is 1e+06, but f16 ends at 65504; a "
            "wider type is needed");
  EXPECT_EQ(getError(addOutliers(dense, 1, ElementType::BF16), weights),
            "no error");
  EXPECT_EQ(getError(addOutliers(dense, 4), weights),
            "there are 4 outliers, but the matrix has 3 elements");
  weights(0, 1) = std::numeric_limits<float>::quiet_NaN();
  EXPECT_EQ(getError(addOutliers(dense, 1), weights),
            "the weight in row 0, column 1 is NaN; only finite weights can be "
            "quantized");
  auto shared = std::make_shared<UniformFormat>(dense);
  EXPECT_EQ(getMessage(SparseOutliersFormat::get({shared, -1})),
            "the number of outliers is -1, but must be 0 to 2147483647");
  EXPECT_EQ(getMessage(SparseOutliersFormat::get({shared, 1, ElementType::I8})),
            "outliers are stored as f16, bf16 or f32, not as int8");
}

TEST(SparseOutliersFormat, RefusesToDecodeWhatIsCorrupt) {
  Matrix weights = makeMatrix(2, 4, {1, -2, 3, 100, -50, 0.5f, -90, 4});
  SparseOutliersFormat format = addOutliers(makeFormat(4, 0, true), 3);
  const QuantizedMatrix good = round(format, weights).matrix;
  auto decodeWith = [&](size_t component, size_t byte, uint8_t value) {
    QuantizedMatrix bad = good;
    bad.components[component].bytes[byte] = value;
    Matrix decoded(2, 4);
    return llvm::toString(format.decode(bad, decoded.view()));
  };
  const size_t offsets = 2, columns = 3;
  EXPECT_EQ(decodeWith(offsets, 0, 1),
            "the first of 'outlier_offsets' is 1, but must be 0");
  EXPECT_EQ(decodeWith(offsets, 4, 9),
            "'outlier_offsets' fall from 9 to 3 in row 1");
  EXPECT_EQ(decodeWith(offsets, 7, 0x80),
            "'outlier_offsets' fall from 0 to -2147483647 in row 0");
  EXPECT_EQ(decodeWith(offsets, 8, 2),
            "the last of 'outlier_offsets' is 2, but there are 3 outliers");
  EXPECT_EQ(decodeWith(columns, 1, 1), "'outlier_columns' names column 259 in "
                                       "row 0, but there are 4 columns");
  EXPECT_EQ(decodeWith(columns, 2, 2),
            "'outlier_columns' must ascend in a row, but column 2 follows 2 in "
            "row 1");
  QuantizedMatrix bad = good;
  bad.components[columns].bytes.pop_back();
  Matrix decoded(2, 4);
  EXPECT_EQ(
      llvm::toString(format.decode(bad, decoded.view())),
      "the component 'outlier_columns' of a 2 x 4 matrix of format s4 [1, "
      "*] f32 + 3 outliers f16 has 5 bytes, but takes 6");
}

} // namespace
