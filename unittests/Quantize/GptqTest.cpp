//===- GptqTest.cpp - Rounding with error feedback ------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/Gptq.h"
#include "FeedbackTestUtils.h"
#include "lowbit/Quantize/CodebookFormat.h"
#include "lowbit/Quantize/GgmlFormat.h"
#include "lowbit/Quantize/NOfMFormat.h"
#include "lowbit/Quantize/SparseOutliersFormat.h"
#include <cmath>
#include <numeric>

using namespace lowbit;
using namespace lowbit::testing;

namespace {

const MinMaxSearch minMax;

Hessian makeIdentity(int64_t width) {
  Hessian hessian{width, std::vector<float>(width * width)};
  for (int64_t i = 0; i < width; ++i)
    hessian.values[i * (width + 1)] = 1;
  return hessian;
}

GptqResult solve(const BlockFormat &format, const Matrix &weights,
                 const Hessian &hessian, const GptqOptions &options) {
  GptqFactor factor = unwrap(GptqFactor::compute(hessian, options));
  return unwrap(gptq(format, weights, factor, minMax, options));
}

/// tr(D H Dᵀ) with `shift` added to the diagonal of H.
double getQuadraticForm(const Matrix &difference, const Hessian &hessian,
                        double shift = 0) {
  const int64_t width = hessian.width;
  double sum = 0;
  for (int64_t row = 0; row < difference.rows; ++row)
    for (int64_t i = 0; i < width; ++i) {
      sum += shift * difference(row, i) * difference(row, i);
      for (int64_t j = 0; j < width; ++j)
        sum += double(difference(row, i)) * hessian.values[i * width + j] *
               difference(row, j);
    }
  return sum;
}

/// What the stored columns decode to, in their original order.
Matrix decodeInOrder(const BlockFormat &format, const SolverResult &result) {
  return restoreOrder(decode(format, result.matrix), result.columnOrder);
}

Matrix subtract(const Matrix &a, const Matrix &b) {
  Matrix difference(a.rows, a.cols);
  for (size_t i = 0; i < a.values.size(); ++i)
    difference.values[i] = a.values[i] - b.values[i];
  return difference;
}

/// The algorithm as published, in double precision and without blocks: the
/// upper Cholesky factor of the explicit inverse, and an update of all later
/// columns after each one.
Matrix solveAsPublished(const UniformFormat &format, const Matrix &weights,
                        const Hessian &hessian, const GptqOptions &options) {
  const int64_t n = hessian.width, rows = weights.rows;
  std::vector<int64_t> order(n);
  std::iota(order.begin(), order.end(), 0);
  if (options.actOrder)
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
      return hessian.values[a * n + a] > hessian.values[b * n + b];
    });
  auto at = [n](std::vector<double> &m, int64_t i, int64_t j) -> double & {
    return m[i * n + j];
  };
  std::vector<double> h(n * n), inverse(n * n), u(n * n);
  double mean = 0;
  for (int64_t i = 0; i < n; ++i) {
    mean += hessian.values[i * n + i] / n;
    for (int64_t j = 0; j < n; ++j)
      at(h, i, j) = hessian.values[order[i] * n + order[j]];
    at(inverse, i, i) = 1;
  }
  for (int64_t i = 0; i < n; ++i)
    at(h, i, i) += options.damping * mean;
  // Gauss-Jordan; no pivoting is needed for a positive definite matrix.
  for (int64_t k = 0; k < n; ++k) {
    const double pivot = at(h, k, k);
    for (int64_t j = 0; j < n; ++j) {
      at(h, k, j) /= pivot;
      at(inverse, k, j) /= pivot;
    }
    for (int64_t i = 0; i < n; ++i) {
      const double factor = at(h, i, k);
      for (int64_t j = 0; i != k && j < n; ++j) {
        at(h, i, j) -= factor * at(h, k, j);
        at(inverse, i, j) -= factor * at(inverse, k, j);
      }
    }
  }
  // inverse = Uᵀ U.
  for (int64_t i = 0; i < n; ++i)
    for (int64_t j = i; j < n; ++j) {
      double sum = at(inverse, i, j);
      for (int64_t k = 0; k < i; ++k)
        sum -= at(u, k, i) * at(u, k, j);
      at(u, i, j) = i == j ? std::sqrt(sum) : sum / at(u, i, i);
    }

  const int64_t groupCols = format.getGroupCols(n);
  Matrix decoded(rows, n);
  for (int64_t row = 0; row < rows; ++row) {
    std::vector<double> w(n);
    for (int64_t i = 0; i < n; ++i)
      w[i] = weights(row, order[i]);
    auto fit = [&](auto value, int64_t begin) {
      Range range{0, 0};
      for (int64_t i = begin; i < std::min(begin + groupCols, n); ++i) {
        range.lo = std::min<float>(range.lo, value(i));
        range.hi = std::max<float>(range.hi, value(i));
      }
      return format.getParameters(range);
    };
    UniformFormat::Parameters parameters{1, 0};
    for (int64_t i = 0; i < n; ++i) {
      if (options.staticGroups)
        parameters = fit([&](int64_t col) { return weights(row, col); },
                         order[i] / groupCols * groupCols);
      else if (i % groupCols == 0)
        parameters = fit([&](int64_t step) { return w[step]; }, i);
      const float value = format.decodeValue(
          format.encodeValue(static_cast<float>(w[i]), parameters), parameters);
      const double error = (w[i] - value) / at(u, i, i);
      for (int64_t j = i + 1; j < n; ++j)
        w[j] -= error * at(u, i, j);
      decoded(row, order[i]) = value;
    }
  }
  return decoded;
}

TEST(Gptq, MatchesThePublishedAlgorithm) {
  const int64_t width = 72;
  Matrix weights = Random(1).matrix(24, width);
  Hessian hessian = makeHessianOf(makeInputs(width, 6));
  for (int64_t group : {0, 16, 20, 64})
    for (bool actOrder : {false, true})
      for (bool staticGroups : {false, true})
        for (int64_t block : {7, 32, 128}) {
          GptqOptions options;
          options.actOrder = actOrder;
          options.staticGroups = staticGroups;
          options.blockSize = block;
          UniformFormat format = makeFormat(4, group);
          GptqResult result = solve(format, weights, hessian, options);
          Matrix expected = solveAsPublished(format, weights, hessian, options);
          Matrix decoded = decodeInOrder(format, result);
          // Rounding errors may tip a value between two codes, after which the
          // rest of its row differs. That must be rare.
          int64_t equalRows = 0;
          for (int64_t row = 0; row < weights.rows; ++row) {
            bool equal = true;
            for (int64_t col = 0; col < width; ++col)
              equal &=
                  std::fabs(decoded(row, col) - expected(row, col)) < 1e-3f;
            equalRows += equal;
          }
          EXPECT_GE(equalRows, weights.rows - 2)
              << "group " << group << " act-order " << actOrder << " static "
              << staticGroups << " block " << block;
        }
}

TEST(Gptq, IdentityHessianIsRoundToNearest) {
  Matrix weights = Random(2).matrix(20, 70);
  for (int64_t group : {0, 16, 64})
    for (int64_t block : {1, 5, 64, 128})
      for (bool staticGroups : {false, true}) {
        UniformFormat format = makeFormat(3, group);
        GptqOptions options;
        options.blockSize = block;
        options.staticGroups = staticGroups;
        GptqResult result = solve(format, weights, makeIdentity(70), options);
        EXPECT_TRUE(isIdentical(
            result.matrix,
            unwrap(roundToNearest(format, weights, minMax)).matrix));
        EXPECT_NEAR(*result.outputError, result.weightError, 1e-4);
      }
}

TEST(Gptq, DiagonalHessianIsRoundToNearest) {
  Hessian hessian = makeIdentity(64);
  for (int64_t i = 0; i < 64; ++i)
    hessian.values[i * 65] = 0.5f + i % 7;
  Matrix weights = Random(3).matrix(20, 64);
  UniformFormat format = makeFormat(4, 32);
  EXPECT_TRUE(
      isIdentical(solve(format, weights, hessian, {}).matrix,
                  unwrap(roundToNearest(format, weights, minMax)).matrix));
}

TEST(Gptq, LowersTheOutputErrorOfCorrelatedInputs) {
  for (uint64_t seed = 20; seed < 26; ++seed) {
    Hessian hessian = makeHessianOf(makeInputs(96, 8, seed));
    Matrix weights = Random(seed).matrix(32, 96);
    for (unsigned bits : {2u, 3u, 4u}) {
      UniformFormat format = makeFormat(bits, 32);
      Matrix rounded = decode(
          format, unwrap(roundToNearest(format, weights, minMax)).matrix);
      const double before =
          getQuadraticForm(subtract(weights, rounded), hessian);
      for (bool actOrder : {false, true}) {
        GptqOptions options;
        options.actOrder = actOrder;
        GptqResult result = solve(format, weights, hessian, options);
        const double after = getQuadraticForm(
            subtract(weights, decodeInOrder(format, result)), hessian);
        EXPECT_LT(after, 0.5 * before) << bits << " bits, seed " << seed;
      }
    }
  }
}

TEST(Gptq, DoesNotDependOnTheBlockSize) {
  Hessian hessian = makeHessianOf(makeInputs(60, 5));
  Matrix weights = Random(4).matrix(16, 60);
  for (int64_t group : {0, 8, 25})
    for (bool actOrder : {false, true}) {
      UniformFormat format = makeFormat(4, group);
      GptqOptions options;
      options.actOrder = actOrder;
      Matrix whole =
          decodeInOrder(format, solve(format, weights, hessian, options));
      for (int64_t block : {1, 2, 3, 10, 60}) {
        options.blockSize = block;
        Matrix blocked =
            decodeInOrder(format, solve(format, weights, hessian, options));
        int64_t different = 0;
        for (size_t i = 0; i < whole.values.size(); ++i)
          different += std::fabs(whole.values[i] - blocked.values[i]) > 1e-3f;
        EXPECT_LE(different, 60) << "block " << block << " group " << group;
      }
    }
}

TEST(Gptq, LossIsHalfTheQuadraticForm) {
  Hessian hessian = makeHessianOf(makeInputs(64, 4));
  Matrix weights = Random(5).matrix(16, 64);
  for (bool staticGroups : {false, true})
    for (bool actOrder : {false, true})
      for (int64_t block : {1, 2, 3, 64}) {
        GptqOptions options;
        options.actOrder = actOrder;
        options.staticGroups = staticGroups;
        options.blockSize = block;
        UniformFormat format = makeFormat(3, 16);
        GptqFactor factor = unwrap(GptqFactor::compute(hessian, options));
        GptqResult result =
            unwrap(gptq(format, weights, factor, minMax, options));
        Matrix difference = subtract(weights, decodeInOrder(format, result));
        const double form =
            getQuadraticForm(difference, hessian, factor.getDiagonalShift());
        EXPECT_NEAR(2 * result.loss / form, 1, 1e-5);
        const double outputError =
            std::sqrt(getQuadraticForm(difference, hessian) /
                      getQuadraticForm(weights, hessian));
        EXPECT_NEAR(*result.outputError / outputError, 1, 1e-3);
      }
}

TEST(Gptq, RefinementsLowerTheLossAndReportIt) {
  Hessian hessian = makeHessianOf(makeInputs(70, 6));
  Matrix weights = Random(15).matrix(40, 70);
  for (int64_t group : {0, 16})
    for (bool actOrder : {false, true})
      for (bool staticGroups : {false, true})
        for (ScaleType scaleType : {ScaleType::F32, ScaleType::F16}) {
          GptqOptions options;
          options.actOrder = actOrder;
          options.staticGroups = staticGroups;
          UniformFormat format = makeFormat(2, group, false, scaleType);
          GptqFactor factor = unwrap(GptqFactor::compute(hessian, options));
          double loss =
              unwrap(gptq(format, weights, factor, minMax, options)).loss;
          for (int64_t refinements : {1, 2, 4}) {
            options.refinements = refinements;
            GptqResult result =
                unwrap(gptq(format, weights, factor, minMax, options));
            EXPECT_LT(result.loss, loss);
            loss = result.loss;
            Matrix difference =
                subtract(weights, decodeInOrder(format, result));
            EXPECT_NEAR(2 * loss /
                            getQuadraticForm(difference, hessian,
                                             factor.getDiagonalShift()),
                        1, 1e-4);
          }
        }
}

TEST(Gptq, RefinementsServeEveryGroupShape) {
  Hessian hessian = makeHessianOf(makeInputs(30, 4));
  Matrix weights = Random(16).matrix(21, 30);
  for (auto [groupRows, groupCols] :
       {std::pair<int64_t, int64_t>{0, 0}, {4, 8}, {1, 1}})
    for (bool symmetric : {false, true}) {
      UniformFormat::Spec spec;
      spec.isSigned = symmetric;
      spec.zero = symmetric ? ZeroKind::None : ZeroKind::Integer;
      spec.groupRows = groupRows;
      spec.groupCols = groupCols;
      UniformFormat format = unwrap(UniformFormat::get(spec));
      GptqOptions options;
      options.refinements = 2;
      GptqResult result = solve(format, weights, hessian, options);
      Matrix decoded = decode(format, result.matrix);
      // What the solver thinks that it stored is what is stored.
      EXPECT_NEAR(
          result.weightError * result.weightError *
              getQuadraticForm(weights, makeIdentity(30)),
          getQuadraticForm(subtract(weights, decoded), makeIdentity(30)), 1e-3);
    }
}

TEST(Gptq, FactorIsTriangularFactorOfTheDampedHessian) {
  Hessian hessian = makeHessianOf(makeInputs(40, 3));
  GptqOptions options;
  options.actOrder = true;
  GptqFactor factor = unwrap(GptqFactor::compute(hessian, options));
  const float *g = factor.getFactor();
  double mean = 0;
  for (int64_t i = 0; i < 40; ++i)
    mean += hessian.values[i * 41] / 40;
  EXPECT_NEAR(factor.getDiagonalShift(), 0.01 * mean, 1e-6 * mean);
  for (int64_t i = 0; i < 40; ++i)
    for (int64_t j = 0; j <= i; ++j) {
      double product = 0;
      for (int64_t k = 0; k <= j; ++k)
        product += double(g[k * 40 + i]) * g[k * 40 + j];
      // In reverse order of coding.
      const int64_t a = factor.getOrder()[39 - i],
                    b = factor.getOrder()[39 - j];
      double expected = hessian.values[a * 40 + b];
      if (i == j)
        expected += factor.getDiagonalShift();
      EXPECT_NEAR(product, expected, 1e-5 * mean);
    }
  for (int64_t step = 1; step < 40; ++step)
    EXPECT_GE(hessian.values[factor.getOrder()[step - 1] * 41],
              hessian.values[factor.getOrder()[step] * 41]);
}

TEST(Gptq, ActOrderIsStable) {
  GptqOptions options;
  options.actOrder = true;
  GptqFactor factor = unwrap(GptqFactor::compute(makeIdentity(50), options));
  for (int64_t i = 0; i < 50; ++i)
    EXPECT_EQ(factor.getOrder()[i], i);
}

TEST(Gptq, OnlyDynamicGroupsInActOrderChangeTheStoredOrder) {
  Hessian hessian = makeHessianOf(makeInputs(32, 3));
  Matrix weights = Random(6).matrix(8, 32);
  UniformFormat format = makeFormat(4, 8);
  GptqOptions options;
  EXPECT_TRUE(solve(format, weights, hessian, options).columnOrder.empty());
  options.actOrder = true;
  EXPECT_EQ(solve(format, weights, hessian, options).columnOrder.size(), 32u);
  options.staticGroups = true;
  EXPECT_TRUE(solve(format, weights, hessian, options).columnOrder.empty());
}

TEST(Gptq, DeadColumnsBecomeZero) {
  Hessian hessian = makeHessianOf(makeInputs(48, 4));
  for (int64_t dead : {0, 13, 47})
    for (int64_t i = 0; i < 48; ++i)
      hessian.values[dead * 48 + i] = hessian.values[i * 48 + dead] = 0;
  Matrix weights = Random(7).matrix(8, 48);
  for (bool actOrder : {false, true}) {
    GptqOptions options;
    options.actOrder = actOrder;
    UniformFormat format = makeFormat(4, 16);
    Matrix decoded =
        decodeInOrder(format, solve(format, weights, hessian, options));
    for (int64_t row = 0; row < 8; ++row) {
      EXPECT_EQ(decoded(row, 0), 0);
      EXPECT_EQ(decoded(row, 13), 0);
      EXPECT_EQ(decoded(row, 47), 0);
      EXPECT_NE(decoded(row, 20) + decoded(row, 21) + decoded(row, 22), 0);
    }
  }
}

TEST(Gptq, RoundsToNearestWhereNoInputWasSeen) {
  Matrix weights = Random(8).matrix(8, 24);
  UniformFormat format = makeFormat(4, 8);
  GptqResult result =
      solve(format, weights, HessianAccumulator(24).finish(), {});
  EXPECT_TRUE(isIdentical(
      result.matrix, unwrap(roundToNearest(format, weights, minMax)).matrix));
  EXPECT_FALSE(result.outputError.has_value());
}

TEST(Gptq, RaisesTheDampingOfASingularHessian) {
  // Rank 1, and no damping to begin with.
  Hessian hessian{40, std::vector<float>(1600, 1.0f)};
  Matrix weights = Random(9).matrix(8, 40);
  GptqOptions options;
  options.damping = 0;
  GptqFactor factor = unwrap(GptqFactor::compute(hessian, options));
  EXPECT_GT(factor.getDamping(), 0);
  UniformFormat format = makeFormat(2, 16);
  GptqResult result = unwrap(gptq(format, weights, factor, minMax, options));
  for (float value : decode(format, result.matrix).values)
    EXPECT_TRUE(std::isfinite(value));
  // The damping that was asked for is kept where it is enough.
  options.damping = 0.05;
  EXPECT_EQ(unwrap(GptqFactor::compute(hessian, options)).getDamping(), 0.05);
}

TEST(Gptq, RefusesAHessianThatNoDampingHelps) {
  Hessian hessian = makeIdentity(2);
  hessian.values[1] = hessian.values[2] = 1e6f;
  EXPECT_EQ(getMessage(GptqFactor::compute(hessian, {})),
            "the Hessian of the layer's inputs is not positive definite, even "
            "with a damping of 1000.000000");
}

TEST(Gptq, OneTokenIsEnough) {
  Matrix token = Random(17).matrix(1, 40);
  HessianAccumulator accumulator(40);
  accumulator.update(token, 1);
  const Hessian hessian = std::move(accumulator).finish();
  Matrix weights = Random(18).matrix(12, 40);
  UniformFormat format = makeFormat(3, 16);
  for (bool actOrder : {false, true}) {
    GptqOptions options;
    options.actOrder = actOrder;
    Matrix decoded =
        decodeInOrder(format, solve(format, weights, hessian, options));
    Matrix rounded =
        decode(format, unwrap(roundToNearest(format, weights, minMax)).matrix);
    // Of one product for each row hardly anything is left.
    EXPECT_LT(getQuadraticForm(subtract(weights, decoded), hessian),
              0.1 * getQuadraticForm(subtract(weights, rounded), hessian));
  }
}

TEST(Gptq, ServesFormatsOfEveryKind) {
  const int64_t width = 256;
  Hessian hessian = makeHessianOf(makeInputs(width, 12));
  Matrix weights = Random(19).matrix(24, width, 0.1f);
  auto check = [&](const BlockFormat &format) {
    for (bool actOrder : {false, true}) {
      GptqOptions options;
      options.actOrder = actOrder;
      const Matrix decoded =
          decodeInOrder(format, solve(format, weights, hessian, options));
      const Matrix rounded = decode(
          format, unwrap(roundToNearest(format, weights, minMax)).matrix);
      EXPECT_LT(getQuadraticForm(subtract(weights, decoded), hessian),
                0.7 * getQuadraticForm(subtract(weights, rounded), hessian))
          << format.describe() << " act-order " << actOrder;
    }
  };
  for (const char *name : {"nf4", "fp4", "e2m1"})
    check(unwrap(CodebookFormat::get({*Codebook::find(name), 1, 32})));
  for (GgmlType type : {GgmlType::Q4_0, GgmlType::Q4_1, GgmlType::Q8_0,
                        GgmlType::Q2_K, GgmlType::Q4_K, GgmlType::IQ4_NL})
    check(GgmlFormat(type));
}

TEST(Gptq, TakesTheRangesThatASearchFinds) {
  Hessian hessian = makeHessianOf(makeInputs(64, 5));
  Matrix weights = Random(21).matrix(24, 64);
  for (float &value : weights.values)
    value *= value * value;
  UniformFormat format = makeFormat(2, 0);
  const GptqFactor factor = unwrap(GptqFactor::compute(hessian, {}));
  const MseSearch mse;
  const double clipped = unwrap(gptq(format, weights, factor, mse, {})).loss;
  EXPECT_LT(clipped,
            0.8 * unwrap(gptq(format, weights, factor, minMax, {})).loss);
}

TEST(Gptq, DoesNotDependOnThreads) {
  Hessian hessian = makeHessianOf(makeInputs(80, 6));
  Matrix weights = Random(10).matrix(150, 80);
  UniformFormat format = makeFormat(4, 32);
  GptqOptions options;
  options.actOrder = true;
  options.threads = 1;
  GptqResult one = solve(format, weights, hessian, options);
  for (unsigned threads : {2u, 3u, 7u}) {
    options.threads = threads;
    GptqResult many = solve(format, weights, hessian, options);
    EXPECT_TRUE(isIdentical(one.matrix, many.matrix));
    EXPECT_EQ(one.loss, many.loss);
  }
}

TEST(Gptq, ServesEveryGroupShape) {
  Hessian hessian = makeHessianOf(makeInputs(50, 5));
  Matrix weights = Random(12).matrix(37, 50);
  for (auto [groupRows, groupCols] :
       {std::pair<int64_t, int64_t>{0, 0}, {4, 0}, {0, 16}, {16, 16}, {1, 1}}) {
    UniformFormat::Spec spec;
    spec.groupRows = groupRows;
    spec.groupCols = groupCols;
    UniformFormat format = unwrap(UniformFormat::get(spec));
    GptqResult result = solve(format, weights, hessian, {});
    Matrix rounded =
        decode(format, unwrap(roundToNearest(format, weights, minMax)).matrix);
    EXPECT_LE(getQuadraticForm(subtract(weights, decode(format, result.matrix)),
                               hessian),
              getQuadraticForm(subtract(weights, rounded), hessian));
  }
}

TEST(Gptq, RejectsBadInput) {
  GptqOptions options;
  options.damping = -1;
  EXPECT_EQ(getMessage(GptqFactor::compute(makeIdentity(4), options)),
            "damping is -1.000000, but must be a number from 0 on");
  options.damping = 0.01;
  options.blockSize = 0;
  EXPECT_EQ(getMessage(GptqFactor::compute(makeIdentity(4), options)),
            "block-size is 0, but must be at least 1");
  options.blockSize = 128;
  options.refinements = -1;
  EXPECT_EQ(getMessage(GptqFactor::compute(makeIdentity(4), options)),
            "refinements is -1, but must not be negative");
  options.refinements = 0;
  Hessian hessian = makeIdentity(4);
  hessian.values[5] = NAN;
  EXPECT_EQ(getMessage(GptqFactor::compute(hessian, options)),
            "the inputs of the layer are not finite, or too large: channel 1 "
            "has a mean square of nan");
  GptqFactor factor = unwrap(GptqFactor::compute(makeIdentity(4), options));
  EXPECT_EQ(getMessage(gptq(makeFormat(4, 0), Random(1).matrix(2, 5), factor,
                            minMax, options)),
            "the weights have 5 input channels, but the Hessian is of 4");
}

// Where columns are not correlated nothing is made up for, so the result is
// that of rounding the columns as they are stored. Formats that look at the
// whole matrix must have seen it so: which elements are outliers, or the N of M
// that are kept, and how large scales are.
TEST(Gptq, FormatsSeeColumnsInTheOrderOfStorage) {
  const int64_t width = 256;
  Matrix weights = Random(31).matrix(8, width, 0.1f);
  weights(2, 3) = 50;
  weights(7, 20) = -40;
  Hessian hessian = makeIdentity(width);
  for (int64_t i = 0; i < width; ++i)
    hessian.values[i * (width + 1)] = 1 + (i * 7) % width;
  const auto integers =
      std::make_shared<UniformFormat>(makeFormat(4, 16, true));
  const auto levels =
      std::make_shared<CodebookFormat>(unwrap(CodebookFormat::get(
          {*Codebook::find("dynamic8"), 4, 2, ScaleType::F32})));
  auto check = [&](const BlockFormat &format) {
    GptqOptions options;
    options.actOrder = true;
    GptqResult result = solve(format, weights, hessian, options);
    ASSERT_EQ(result.columnOrder.size(), size_t(width));
    EXPECT_EQ(result.columnOrder[0], 73); // 73 * 7 = 2 * 256 - 1
    Matrix ordered(8, width);
    for (int64_t row = 0; row < 8; ++row)
      for (int64_t col = 0; col < width; ++col)
        ordered(row, col) = weights(row, result.columnOrder[col]);
    EXPECT_TRUE(isIdentical(
        result.matrix, unwrap(roundToNearest(format, ordered, minMax)).matrix))
        << format.describe();
  };
  check(*integers);
  check(unwrap(SparseOutliersFormat::get({integers, 2, ElementType::F32})));
  check(unwrap(NOfMFormat::get({{2, 4}, integers})));
  check(unwrap(CodebookFormat::get(
      {*Codebook::find("nf4"), 1, 16, ScaleStorage(levels, true)})));
  for (GgmlType type : {GgmlType::Q4_0, GgmlType::Q2_K, GgmlType::Q4_K,
                        GgmlType::Q6_K, GgmlType::IQ4_XS})
    check(GgmlFormat(type));
}

} // namespace
