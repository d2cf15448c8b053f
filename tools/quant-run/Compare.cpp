//===- Compare.cpp - how far two models are apart -------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include <cmath>

using namespace lowbit;

namespace {
struct Difference {
  double max = 0;
  double mean = 0;
  /// Energy of the reference over energy of the difference, in decibels;
  /// infinite if there is none.
  double snr = 0;
};
} // namespace

static Difference compare(llvm::ArrayRef<float> reference,
                          llvm::ArrayRef<float> other) {
  Difference result;
  double signal = 0, noise = 0, sum = 0;
  for (auto [x, y] : llvm::zip_equal(reference, other)) {
    double error = std::abs(double(x) - double(y));
    // A NaN on one side must not pass as equal, and stays.
    if (error > result.max || std::isnan(error))
      result.max = error;
    sum += error;
    signal += double(x) * x;
    noise += error * error;
  }
  result.mean = reference.empty() ? 0 : sum / double(reference.size());
  result.snr = 10 * std::log10(signal / noise);
  return result;
}

llvm::Error lowbit::runComparison(const Session &reference,
                                  const Session &other,
                                  llvm::ArrayRef<Tensor> inputs, bool json) {
  auto expected = reference.run(inputs);
  if (!expected)
    return expected.takeError();
  auto actual = other.run(inputs);
  if (!actual)
    return actual.takeError();
  const auto &specs = reference.getSignature().outputs;
  const auto &otherSpecs = other.getSignature().outputs;
  llvm::json::Array list;
  bool hasCommon = false;
  for (auto [index, spec] : llvm::enumerate(specs)) {
    auto found = llvm::find_if(otherSpecs, [&](const TensorSpec &candidate) {
      return candidate.name == spec.name;
    });
    if (found == otherSpecs.end())
      continue;
    hasCommon = true;
    const Tensor &x = (*expected)[index];
    const Tensor &y = (*actual)[found - otherSpecs.begin()];
    if (x.getType() != y.getType() || x.getShape() != y.getShape())
      return makeError("output '" + spec.name + "' is " + x.describe() +
                       ", but " + y.describe() + " in the other model");
    if (x.getType() != ElementType::F32)
      continue;
    Difference difference = compare(x.values<float>(), y.values<float>());
    if (json)
      list.push_back(
          llvm::json::Object{{"name", spec.name},
                             {"max", difference.max},
                             {"mean", difference.mean},
                             {"snr_db", std::isfinite(difference.snr)
                                            ? llvm::json::Value(difference.snr)
                                            : llvm::json::Value(nullptr)}});
    else
      llvm::outs() << spec.name
                   << llvm::format(": max %.3e, mean %.3e, SNR %.1f dB\n",
                                   difference.max, difference.mean,
                                   difference.snr);
  }
  if (!hasCommon)
    return makeError("the other model has no output '" + specs.back().name +
                     "', and none else in common with this one");
  if (json)
    llvm::outs() << llvm::json::Value(std::move(list)) << '\n';
  return llvm::Error::success();
}
