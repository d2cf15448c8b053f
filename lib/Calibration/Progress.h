//===- Progress.h - how far a long pass has come -------------- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CALIBRATION_PROGRESS_H
#define LOWBIT_LIB_CALIBRATION_PROGRESS_H

#include "lowbit/Quantize/LayerSummary.h"
#include <chrono>

namespace lowbit {

/// Shows on a terminal which layer is done, its error, the time since the start
/// and an estimate of the time left. When standard error is no terminal, as
/// under mpirun, it shows this only if the environment has LOWBIT_PROGRESS, and
/// then a line for each layer.
/// Layers that an earlier run has done say nothing about the time left.
class Progress {
public:
  explicit Progress(size_t numLayers);
  ~Progress();

  void layerDone(const LayerSummary &layer, bool isNew);
  /// Makes room for a message.
  void clear();

private:
  using Clock = std::chrono::steady_clock;

  bool isTerminal;
  bool visible;
  size_t numLayers;
  size_t numDone = 0;
  size_t numNew = 0;
  Clock::time_point start = Clock::now();
  /// Since when layers are new.
  Clock::time_point startOfNew = start;
};

} // namespace lowbit

#endif // LOWBIT_LIB_CALIBRATION_PROGRESS_H
