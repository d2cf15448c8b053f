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

void Progress::layerDone(const LayerSummary &layer) {
  ++numDone;
  if (!visible)
    return;
  const double elapsed =
      std::chrono::duration<double>(Clock::now() - start).count();
  const double left = elapsed / numDone * (numLayers - numDone);
  // Back to the beginning of the line, and clear it.
  llvm::errs() << "\r\033[K"
               << llvm::formatv("[{0}/{1}] {2}  error {3:f5}  {4} elapsed, {5} "
                                "left",
                                numDone, numLayers, layer.name,
                                layer.outputError.value_or(layer.weightError),
                                formatTime(elapsed), formatTime(left));
  llvm::errs().flush();
}
