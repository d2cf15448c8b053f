//===- ErrorPropagationTest.cpp - Making up for earlier layers' errors ----===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/ErrorPropagation.h"
#include "TestUtils.h"

using namespace lowbit;
using namespace lowbit::testing;

namespace {

struct Layer {
  /// Inputs of the float model, and as they are; a value that the output is
  /// added to, likewise.
  Matrix floatInputs, inputs, floatAddend, addend, weights;
  GptqOptions options;

  explicit Layer(int64_t tokens = 90, int64_t width = 40, int64_t rows = 35)
      : floatInputs(Random(1).matrix(tokens, width)), inputs(floatInputs),
        floatAddend(Random(2).matrix(tokens, rows)), addend(floatAddend),
        weights(Random(3).matrix(rows, width)) {
    Random noise(4);
    for (float &value : inputs.values)
      value += 0.2f * noise.normal();
    for (float &value : addend.values)
      value += 0.3f * noise.normal();
  }

  std::vector<float> compensate(double strength, bool hasAddend,
                                unsigned threads = 0) const {
    HessianAccumulator hessian(inputs.cols, threads);
    hessian.update(inputs, 1);
    GptqFactor factor =
        unwrap(GptqFactor::compute(std::move(hessian).finish(), options));
    DriftAccumulator input(inputs.cols, inputs.cols, threads),
        output(addend.cols, inputs.cols, threads);
    input.update(floatInputs, inputs, inputs, 1);
    output.update(floatAddend, addend, inputs, 1);
    std::vector<float> outputDrift;
    if (hasAddend)
      outputDrift = std::move(output).finish();
    return compensateDrift(weights, std::move(input).finish(), outputDrift,
                           factor, strength, threads);
  }

  /// ||X₀ Wᵀ + R₀ - X Vᵀ - R||²
  double getError(llvm::ArrayRef<float> v, bool hasAddend) const {
    double sum = 0;
    for (int64_t token = 0; token < inputs.rows; ++token)
      for (int64_t row = 0; row < weights.rows; ++row) {
        double error =
            hasAddend ? floatAddend(token, row) - addend(token, row) : 0;
        for (int64_t col = 0; col < inputs.cols; ++col)
          error +=
              static_cast<double>(floatInputs(token, col)) * weights(row, col) -
              static_cast<double>(inputs(token, col)) *
                  v[row * inputs.cols + col];
        sum += error * error;
      }
    return sum;
  }
};

// Without damping the weights are those of least squares: no step from there,
// in any direction, lowers the error.
TEST(ErrorPropagation, IsTheLeastSquaresSolution) {
  Layer layer;
  layer.options.damping = 0;
  for (bool hasAddend : {false, true}) {
    const std::vector<float> best = layer.compensate(1, hasAddend);
    const double least = layer.getError(best, hasAddend);
    EXPECT_LT(least, 0.9 * layer.getError(layer.weights.values, hasAddend));
    Random random(5);
    for (int trial = 0; trial < 8; ++trial)
      for (float size : {-0.03f, 0.03f}) {
        std::vector<float> other = best;
        for (float &value : other)
          value += size * random.normal();
        EXPECT_GT(layer.getError(other, hasAddend), least);
      }
  }
}

TEST(ErrorPropagation, NoDriftAndNoStrengthChangeNothing) {
  Layer layer;
  EXPECT_EQ(layer.compensate(0, true), layer.weights.values);
  layer.inputs = layer.floatInputs;
  layer.addend = layer.floatAddend;
  EXPECT_EQ(layer.compensate(1, true), layer.weights.values);
}

TEST(ErrorPropagation, StrengthGoesPartOfTheWay) {
  Layer layer;
  const std::vector<float> half = layer.compensate(0.5, true),
                           all = layer.compensate(1, true);
  for (size_t i = 0; i < half.size(); ++i)
    EXPECT_NEAR(2 * half[i] - layer.weights.values[i], all[i], 1e-5);
}

// Neither the order of the columns nor the number of threads matters; but for
// rounding, the order of coding does not either.
TEST(ErrorPropagation, DoesNotDependOnThreadsOrOrder) {
  Layer layer(60, 300, 280);
  const std::vector<float> expected = layer.compensate(1, true, 1);
  EXPECT_EQ(layer.compensate(1, true, 5), expected);
  layer.options.actOrder = true;
  const std::vector<float> ordered = layer.compensate(1, true);
  for (size_t i = 0; i < expected.size(); ++i)
    EXPECT_NEAR(ordered[i], expected[i], 2e-3);
}

// A channel that is always zero cannot make up for anything.
TEST(ErrorPropagation, DeadChannelsKeepTheirWeights) {
  Layer layer;
  for (int64_t token = 0; token < layer.inputs.rows; ++token)
    layer.inputs(token, 7) = 0;
  const std::vector<float> result = layer.compensate(1, true);
  for (int64_t row = 0; row < layer.weights.rows; ++row)
    EXPECT_EQ(result[row * layer.weights.cols + 7], layer.weights(row, 7));
}

TEST(ErrorPropagation, MergeIsAsIfOneHadSeenAll) {
  Layer layer;
  const ConstMatrixView floats = layer.floatInputs, values = layer.inputs;
  const int64_t width = layer.inputs.cols;
  DriftAccumulator all(width, width), first(width, width), second(width, width);
  const auto update = [&](DriftAccumulator &to, int64_t row, int64_t count) {
    const ConstMatrixView inputs = values.block(row, 0, count, width);
    to.update(floats.block(row, 0, count, width), inputs, inputs, 1);
  };
  update(all, 0, 50);
  update(all, 50, 40);
  update(first, 0, 50);
  update(second, 50, 40);
  first.merge(second);
  EXPECT_EQ(std::move(all).finish(), std::move(first).finish());
}

} // namespace
