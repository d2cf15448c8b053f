//===- ScaleCalibrator.cpp - The scale of a tensor from its values --------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/ScaleCalibrator.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace lowbit;

std::optional<RangeMethod> lowbit::getRangeMethod(llvm::StringRef name) {
  return llvm::StringSwitch<std::optional<RangeMethod>>(name)
      .Case("minmax", RangeMethod::MinMax)
      .Case("average", RangeMethod::Average)
      .Case("percentile", RangeMethod::Percentile)
      .Case("entropy", RangeMethod::Entropy)
      .Case("mse", RangeMethod::Mse)
      .Case("sigma", RangeMethod::Sigma)
      .Default(std::nullopt);
}

llvm::Error ScaleCalibrator::check(const Options &options) {
  if (options.percentile > 50 && options.percentile <= 100)
    return llvm::Error::success();
  std::string message;
  llvm::raw_string_ostream(message)
      << "percentile is " << llvm::format("%g", options.percentile)
      << ", but must lie in (50, 100]";
  return makeError(message);
}

int64_t ScaleCalibrator::getNumPasses() const {
  return options.method == RangeMethod::MinMax ||
                 options.method == RangeMethod::Average
             ? 1
             : 2;
}

llvm::Error ScaleCalibrator::checkFinite() const {
  if (!magnitudes.hasNonFinite())
    return llvm::Error::success();
  return makeError("a value is NaN or infinite");
}

llvm::SmallVector<float> ScaleCalibrator::getCandidates() const {
  llvm::SmallVector<float> scales;
  if (options.method == RangeMethod::Mse)
    for (int step = 0; step < 80; ++step)
      scales.push_back(
          getScaleOf(magnitudes.getLargest() * (1 - step / 100.0f)));
  else
    for (int percent = 75; percent < 150; percent += 2)
      scales.push_back(
          getScaleOf(magnitudes.getThreeSigma() * (percent / 100.0f)));
  return scales;
}

llvm::Error ScaleCalibrator::beginPass() {
  if (llvm::Error error = checkFinite())
    return error;
  assert(pass + 1 < getNumPasses() && "there is no other pass");
  ++pass;
  if (options.method == RangeMethod::Mse ||
      options.method == RangeMethod::Sigma)
    errors.emplace(*levels, getCandidates());
  else if (const float largest = magnitudes.getLargest(); largest > 0)
    histogram.emplace(largest);
  return llvm::Error::success();
}

void ScaleCalibrator::update(ConstMatrixView batch, unsigned threads) {
  assert(batch.getRowStride() == batch.getCols() && "rows must be adjacent");
  const llvm::ArrayRef<float> values(batch.getData(), batch.size());
  if (errors)
    errors->update(batch, threads);
  else if (histogram)
    histogram->update(values);
  else if (pass == 0)
    magnitudes.update(values);
}

void ScaleCalibrator::merge(const ScaleCalibrator &other) {
  assert(pass == other.pass && "the other one is in another pass");
  if (errors)
    errors->merge(*other.errors);
  else if (histogram)
    histogram->merge(*other.histogram);
  else if (pass == 0)
    magnitudes.merge(other.magnitudes);
}

float ScaleCalibrator::getScaleOf(float range) const {
  return levels->roundScale((range > 0 ? range : 1) / levels->getRangeEnd());
}

llvm::Expected<float> ScaleCalibrator::getScale() const {
  if (llvm::Error error = checkFinite())
    return std::move(error);
  if (errors)
    return errors->getBestScale();
  switch (options.method) {
  case RangeMethod::Average:
    return getScaleOf(magnitudes.getMovingAverage());
  case RangeMethod::Percentile:
    return getScaleOf(histogram ? histogram->getPercentile(options.percentile)
                                : 0);
  case RangeMethod::Entropy:
    return getScaleOf(histogram
                          ? histogram->getEntropyRange(
                                static_cast<int64_t>(levels->getRangeEnd()) + 1)
                          : 0);
  default:
    return getScaleOf(magnitudes.getLargest());
  }
}

std::optional<double> ScaleCalibrator::getError() const {
  if (!errors)
    return std::nullopt;
  return errors->getLeastError();
}
