//===- Progress.cpp - how far a long pass has come ------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Progress.h"
#include "lowbit/Support/ProcessGroup.h"
#include "llvm/Support/FormatVariadic.h"
#include <cstdlib>
#include <sys/ioctl.h>
#include <unistd.h>

using namespace lowbit;

Progress::Progress(size_t numLayers)
    : isTerminal(llvm::errs().is_displayed()),
      visible((isTerminal || std::getenv("LOWBIT_PROGRESS")) &&
              ProcessGroup::get().isFirst()),
      numLayers(numLayers) {}

Progress::~Progress() {
  if (visible && isTerminal && numDone != 0)
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

/// How many characters fit into a line of the terminal; 0 if it does not say.
static size_t getColumns() {
  winsize size = {};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/// A line that went on in the next one could not be cleared: names of layers
/// that are too long lose their beginnings, which they have in common.
static std::string shortenName(llvm::StringRef name, size_t taken) {
  const size_t columns = getColumns();
  // The last column stays free, where some terminals begin the next line.
  if (columns == 0 || taken + name.size() < columns)
    return name.str();
  const size_t room = columns > taken + 1 ? columns - taken - 1 : 0;
  return room <= 3 ? "" : "..." + name.take_back(room - 3).str();
}

void Progress::clear() {
  // Back to the beginning of the line, and clear it.
  if (visible && isTerminal && numDone != 0)
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
  const std::string place = llvm::formatv("[{0}/{1}] ", numDone, numLayers);
  std::string rest =
      llvm::formatv("  error {0:f5}  {1} elapsed",
                    layer.outputError.value_or(layer.weightError),
                    formatTime(Seconds(now - start).count()));
  if (numNew != 0) {
    const double perLayer = Seconds(now - startOfNew).count() / numNew;
    rest += ", " + formatTime(perLayer * (numLayers - numDone)) + " left";
  }
  llvm::errs() << place << shortenName(layer.name, place.size() + rest.size())
               << rest;
  if (!isTerminal)
    llvm::errs() << '\n';
  llvm::errs().flush();
}
