//===- SparseGptTest.cpp - Pruning by what inputs make of weights ---------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/SparseGpt.h"
#include "FeedbackTestUtils.h"
#include "lowbit/Quantize/Wanda.h"
#include <algorithm>
#include <numeric>

using namespace lowbit;
using namespace lowbit::testing;

namespace {

const MinMaxSearch minMax;

PruningOptions makePart(double sparsity, int64_t block = 128) {
  PruningOptions options;
  options.sparsity = sparsity;
  options.block = block;
  return options;
}

PruningOptions makePattern(int64_t kept, int64_t block) {
  PruningOptions options;
  options.pattern = SparsityPattern{kept, block};
  return options;
}

Matrix prune(const Matrix &weights, const GptqFactor &factor,
             const PruningOptions &options, unsigned threads = 0) {
  Matrix pruned(weights.rows, weights.cols);
  pruned.values = unwrap(sparseGpt(weights, factor, options, threads)).values;
  return pruned;
}

Matrix pruneByWanda(const Matrix &weights, llvm::ArrayRef<float> meanSquares,
                    const PruningOptions &options) {
  Matrix pruned = weights;
  forEachPrunedByWanda(weights, meanSquares, options,
                       [&](int64_t row, int64_t col) { pruned(row, col) = 0; });
  return pruned;
}

int64_t countZeros(const Matrix &weights) {
  return std::count(weights.values.begin(), weights.values.end(), 0.0f);
}

/// An error if a block of a row does not have as many zeros as the pattern
/// says.
void expectPattern(const Matrix &weights, int64_t kept, int64_t block) {
  for (int64_t row = 0; row < weights.rows; ++row)
    for (int64_t begin = 0; begin < weights.cols; begin += block) {
      const int64_t end = std::min(begin + block, weights.cols);
      int64_t zeros = 0;
      for (int64_t col = begin; col < end; ++col)
        zeros += weights(row, col) == 0;
      EXPECT_EQ(zeros, std::max<int64_t>(end - begin - kept, 0))
          << row << ' ' << begin;
    }
}

std::vector<float> getMeanSquares(const Matrix &inputs) {
  std::vector<float> means(inputs.cols);
  for (int64_t row = 0; row < inputs.rows; ++row)
    for (int64_t col = 0; col < inputs.cols; ++col)
      means[col] +=
          inputs(row, col) * inputs(row, col) / static_cast<float>(inputs.rows);
  return means;
}

TEST(SparseGpt, AgreesWithTheReference) {
  const Matrix weights = readReference("weight");
  const GptqFactor factor = factorize(makeHessianOf(readReference("inputs")));
  auto check = [&](llvm::StringRef name, const PruningOptions &options) {
    const Matrix expected = readReference(name);
    const Matrix pruned = prune(weights, factor, options);
    EXPECT_EQ(countZeros(pruned), countZeros(expected)) << name.str();
    EXPECT_GE(countEqualRows(pruned, expected), weights.rows - 1) << name.str();
  };
  check("sparsegpt", makePart(0.5, 16));
  check("sparsegpt-0.7", makePart(0.7));
  check("sparsegpt-2of4", makePattern(2, 4));
  check("sparsegpt-3of8", makePattern(3, 8));
}

TEST(SparseGpt, PrunesTheParts) {
  const Matrix weights = Random(1).matrix(21, 150);
  const GptqFactor factor = factorize(makeHessianOf(makeInputs(150, 9)));
  EXPECT_EQ(prune(weights, factor, makePart(0)).values, weights.values);
  EXPECT_EQ(countZeros(prune(weights, factor, makePart(1))), 21 * 150);
  // Of each block by itself: 21 x 128 and 21 x 22 weights.
  EXPECT_EQ(countZeros(prune(weights, factor, makePart(0.3))), 806 + 138);
  for (auto [kept, block] :
       {std::pair<int64_t, int64_t>{2, 4}, {1, 2}, {4, 8}, {5, 7}, {1, 256}})
    expectPattern(prune(weights, factor, makePattern(kept, block)), kept,
                  block);
}

TEST(SparseGpt, BeatsTheSameZerosWithoutFeedback) {
  for (uint64_t seed = 20; seed < 24; ++seed) {
    const Matrix inputs = makeInputs(96, 8, seed);
    const Hessian hessian = makeHessianOf(inputs);
    const GptqFactor factor = factorize(hessian);
    const Matrix weights = Random(seed).matrix(32, 96);
    for (const PruningOptions &options :
         {makePart(0.5), makePart(0.75), makePattern(2, 4)}) {
      const Matrix pruned = prune(weights, factor, options);
      Matrix sameZeros = weights;
      for (size_t i = 0; i < weights.values.size(); ++i)
        if (pruned.values[i] == 0)
          sameZeros.values[i] = 0;
      const double error = getOutputError(weights, pruned, hessian);
      EXPECT_LT(error, 0.5 * getOutputError(weights, sameZeros, hessian));
      // And so for magnitudes, which are what counts with equal norms.
      const Matrix least =
          pruneByWanda(weights, std::vector<float>(96, 1), options);
      EXPECT_LT(error, 0.5 * getOutputError(weights, least, hessian));
      const PrunedMatrix result = unwrap(sparseGpt(weights, factor, options));
      EXPECT_NEAR(
          *result.outputError,
          std::sqrt(error / getOutputError(weights, Matrix(32, 96), hessian)),
          1e-3);
    }
  }
}

TEST(SparseGpt, IsMagnitudeForUncorrelatedInputs) {
  const Matrix weights = Random(2).matrix(24, 64);
  Hessian identity{64, std::vector<float>(64 * 64)};
  for (int64_t i = 0; i < 64; ++i)
    identity.values[i * 65] = 1;
  const GptqFactor factor = factorize(identity);
  // And where no input was seen.
  const GptqFactor empty = factorize(HessianAccumulator(64).finish());
  for (const PruningOptions &options : {makePart(0.5, 64), makePattern(2, 4)}) {
    Matrix expected = weights;
    auto clear = [&](int64_t row, int64_t col) { expected(row, col) = 0; };
    if (options.pattern) {
      forEachOutside(*options.pattern, weights, clear);
    } else {
      LeastMagnitudes least(24 * 32, [&](auto visit) { visit(weights); });
      least.forEachIn(weights, clear);
    }
    EXPECT_EQ(prune(weights, factor, options).values, expected.values);
    EXPECT_EQ(prune(weights, empty, options).values, expected.values);
  }
  EXPECT_FALSE(
      unwrap(sparseGpt(weights, empty, makePart(0.5))).outputError.has_value());
}

TEST(SparseGpt, DoesNotDependOnThreads) {
  const Matrix weights = Random(3).matrix(150, 140);
  const GptqFactor factor = factorize(makeHessianOf(makeInputs(140, 6)));
  for (const PruningOptions &options : {makePart(0.5), makePattern(2, 4)})
    EXPECT_EQ(prune(weights, factor, options, 1).values,
              prune(weights, factor, options, 5).values);
}

TEST(SparseGpt, SaysWhatIsWrong) {
  const Matrix weights = Random(3).matrix(4, 8);
  const GptqFactor factor = factorize(makeHessianOf(makeInputs(9, 2)));
  EXPECT_EQ(getMessage(sparseGpt(weights, factor, makePart(0.5))),
            "the weights have 8 input channels, but the Hessian is of 9");
  EXPECT_EQ(getMessage(sparseGpt(weights, factor, makePart(1.5))),
            "sparsity is 1.500000, but must lie in [0, 1]");
  EXPECT_EQ(getMessage(sparseGpt(weights, factor, makePart(0.5, 0))),
            "the pruned blocks have 0 columns, but must have at least 1");
}

TEST(Wanda, AgreesWithTheReference) {
  const Matrix weights = readReference("weight");
  const std::vector<float> means = getMeanSquares(readReference("inputs"));
  EXPECT_EQ(pruneByWanda(weights, means, makePart(0.5)).values,
            readReference("wanda").values);
  EXPECT_EQ(pruneByWanda(weights, means, makePattern(2, 4)).values,
            readReference("wanda-2of4").values);
}

TEST(Wanda, ComparesWithinRows) {
  Matrix weights(2, 4);
  weights.values = {1, -2, 3, -4, 100, 200, 300, 400};
  EXPECT_EQ(pruneByWanda(weights, {1, 1, 1, 1}, makePart(0.5)).values,
            std::vector<float>({0, 0, 3, -4, 0, 0, 300, 400}));
  EXPECT_EQ(pruneByWanda(weights, {100, 1, 1, 1}, makePart(0.5)).values,
            std::vector<float>({1, 0, 0, -4, 100, 0, 0, 400}));
  // Of equal scores the first.
  EXPECT_EQ(pruneByWanda(weights, {144, 36, 16, 9}, makePart(0.25)).values,
            std::vector<float>({0, -2, 3, -4, 0, 200, 300, 400}));
  // Channels without inputs go first; without any input magnitudes decide.
  EXPECT_EQ(pruneByWanda(weights, {1, 1, 1, 0}, makePart(0.25)).values,
            std::vector<float>({1, -2, 3, 0, 100, 200, 300, 0}));
  EXPECT_EQ(pruneByWanda(weights, {0, 0, 0, 0}, makePart(0.5)).values,
            std::vector<float>({0, 0, 3, -4, 0, 0, 300, 400}));
}

TEST(Wanda, IsMagnitudeForEqualNorms) {
  const Matrix weights = Random(6).matrix(11, 42);
  for (auto [kept, block] : {std::pair<int64_t, int64_t>{2, 4}, {3, 5}}) {
    const Matrix pruned = pruneByWanda(weights, std::vector<float>(42, 9),
                                       makePattern(kept, block));
    Matrix expected = weights;
    forEachOutside({kept, block}, weights,
                   [&](int64_t row, int64_t col) { expected(row, col) = 0; });
    EXPECT_EQ(pruned.values, expected.values);
    expectPattern(pruned, kept, block);
  }
  const Matrix half =
      pruneByWanda(weights, std::vector<float>(42, 9), makePart(0.5));
  for (int64_t row = 0; row < 11; ++row) {
    std::vector<float> magnitudes(42);
    for (int64_t col = 0; col < 42; ++col)
      magnitudes[col] = std::fabs(weights(row, col));
    std::sort(magnitudes.begin(), magnitudes.end());
    for (int64_t col = 0; col < 42; ++col)
      EXPECT_EQ(half(row, col) == 0,
                std::fabs(weights(row, col)) < magnitudes[21]);
  }
}

// Pruning and rounding in one walk.

TEST(GptqPruning, RoundsWhatStaysAndKeepsZeros) {
  const Hessian hessian = makeHessianOf(makeInputs(96, 8));
  const GptqFactor factor = factorize(hessian);
  const Matrix weights = Random(8).matrix(40, 96);
  const UniformFormat format = makeFormat(4, 32);
  for (int64_t refinements : {0, 2})
    for (const PruningOptions &pruning :
         {makePart(0.5), makePart(0.5, 24), makePattern(2, 4)}) {
      GptqOptions options;
      options.pruning = pruning;
      options.refinements = refinements;
      const Matrix joint =
          decode(format,
                 unwrap(gptq(format, weights, factor, minMax, options)).matrix);
      if (pruning.pattern)
        EXPECT_GE(countZeros(joint), 40 * 48);
      else
        EXPECT_GE(countZeros(joint), 40 * 96 / 2);
      EXPECT_LT(countZeros(joint), 40 * 96 * 3 / 4);
      // Pruning first leaves the rounding errors to be absorbed alone.
      const Matrix pruned = prune(weights, factor, pruning);
      const Matrix rounded =
          decode(format, unwrap(roundToNearest(format, pruned, minMax)).matrix);
      EXPECT_LT(getOutputError(weights, joint, hessian),
                getOutputError(weights, rounded, hessian));
    }
}

TEST(GptqPruning, KeepsZerosIfAsked) {
  const Hessian hessian = makeHessianOf(makeInputs(96, 8));
  const GptqFactor factor = factorize(hessian);
  const Matrix pruned =
      prune(Random(9).matrix(40, 96), factor, makePattern(2, 4));
  const UniformFormat format = makeFormat(4, 32);
  for (bool staticGroups : {false, true})
    for (int64_t refinements : {0, 3}) {
      GptqOptions options;
      options.staticGroups = staticGroups;
      options.refinements = refinements;
      auto solve = [&](bool keepZeros) {
        options.keepZeros = keepZeros;
        return decode(
            format,
            unwrap(gptq(format, pruned, factor, minMax, options)).matrix);
      };
      const Matrix kept = solve(true), filled = solve(false);
      for (size_t i = 0; i < pruned.values.size(); ++i)
        if (pruned.values[i] == 0)
          EXPECT_EQ(kept.values[i], 0);
      EXPECT_LT(countZeros(filled), countZeros(pruned));
      const Matrix nearest =
          decode(format, unwrap(roundToNearest(format, pruned, minMax)).matrix);
      EXPECT_LT(getOutputError(pruned, kept, hessian),
                getOutputError(pruned, nearest, hessian));
    }
}

} // namespace
