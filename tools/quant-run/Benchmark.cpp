//===- Benchmark.cpp - how long a model takes -----------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Commands.h"
#include "lowbit/Execution/LanguageModel.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include <chrono>

using namespace lowbit;

/// Runs are repeated for this long, but at least this often.
static constexpr double minSeconds = 1.0;
static constexpr size_t minRuns = 5;

static double getQuantile(llvm::ArrayRef<double> sorted, double q) {
  return sorted[size_t(q * double(sorted.size() - 1) + 0.5)];
}

static llvm::Expected<std::vector<double>>
timeRuns(const Session &session, llvm::ArrayRef<Tensor> inputs) {
  using Clock = std::chrono::steady_clock;
  // The first run touches the weights and starts the threads.
  if (auto outputs = session.run(inputs); !outputs)
    return outputs.takeError();
  std::vector<double> microseconds;
  double total = 0;
  while (microseconds.size() < minRuns || total < minSeconds * 1e6) {
    auto start = Clock::now();
    auto outputs = session.run(inputs);
    std::chrono::duration<double, std::micro> elapsed = Clock::now() - start;
    if (!outputs)
      return outputs.takeError();
    microseconds.push_back(elapsed.count());
    total += elapsed.count();
  }
  llvm::sort(microseconds);
  return microseconds;
}

llvm::Error lowbit::runBenchmark(const Session &session,
                                 llvm::ArrayRef<int64_t> tokenCounts,
                                 int64_t past, bool json) {
  llvm::json::Array figures;
  for (int64_t tokens : tokenCounts) {
    auto inputs = makeSyntheticInputs(session.getSignature(), tokens, past);
    if (!inputs)
      return inputs.takeError();
    auto sorted = timeRuns(session, *inputs);
    if (!sorted)
      return sorted.takeError();
    double median = getQuantile(*sorted, 0.5);
    double low = getQuantile(*sorted, 0.1), high = getQuantile(*sorted, 0.9);
    if (json)
      figures.push_back(llvm::json::Object{{"tokens", tokens},
                                           {"median_us", median},
                                           {"spread_us", high - low},
                                           {"p10_us", low},
                                           {"p90_us", high},
                                           {"runs", int64_t(sorted->size())}});
    else
      llvm::outs() << "tokens: " << tokens
                   << llvm::format("  median: %.1f us  spread: %.1f us "
                                   "(10 %% to 90 %%: %.1f to %.1f)",
                                   median, high - low, low, high)
                   << "  runs: " << sorted->size() << '\n';
  }
  if (json)
    llvm::outs() << llvm::json::Value(std::move(figures)) << '\n';
  return llvm::Error::success();
}
