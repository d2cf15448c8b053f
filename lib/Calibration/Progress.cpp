//===- Progress.cpp - how far a long pass has come ------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Progress.h"
#include "llvm/Support/FormatVariadic.h"

using namespace lowbit;

Progress::Progress(size_t numLayers)
    : visible(llvm::errs().is_displayed()), numLayers(numLayers) {}

Progress::~Progress() {
  if (visible && numDone != 0)
    llvm::errs() << '\n';
}

static std::string formatTime(double seconds) {
  const auto whole = static_cast<uint64_t>(seconds);
  if (whole < 60)
    return llvm::formatv("{0}s", whole);
  if (whole < 3600)
    return llvm::formatv("{0}m{1,0+2}s", whole / 60, whole % 60);
  return llvm::formatv("{0}h{1,0+2}m", whole / 3600, whole / 60 % 60);
}

void Progress::clear() {
  // Back to the beginning of the line, and clear it.
  if (visible && numDone != 0)
    llvm::errs() << "\r\033[K";
}

void Progress::layerDone(const LayerSummary &layer, bool isNew) {
  clear();
  ++numDone;
  const Clock::time_point now = Clock::now();
  if (isNew)
    ++numNew;
  else
    startOfNew = now;
  if (!visible)
    return;
  using Seconds = std::chrono::duration<double>;
  llvm::errs() << llvm::formatv(
      "[{0}/{1}] {2}  error {3:f5}  {4} elapsed", numDone, numLayers,
      layer.name, layer.outputError.value_or(layer.weightError),
      formatTime(Seconds(now - start).count()));
  if (numNew != 0) {
    const double perLayer = Seconds(now - startOfNew).count() / numNew;
    llvm::errs() << ", " << formatTime(perLayer * (numLayers - numDone))
                 << " left";
  }
  llvm::errs().flush();
}
