//===- BatchShares.h - which process calibrates on what ------- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_CALIBRATION_BATCHSHARES_H
#define LOWBIT_CALIBRATION_BATCHSHARES_H

#include <cassert>
#include <cstdint>
#include <utility>

namespace lowbit {

/// Cuts the batches into a few *chunks*, whose number does not depend on that
/// of the processes, and gives each process some that follow each other. Sums
/// are formed of each chunk by itself, and then of the chunks in the order of a
/// fixed tree: so their bits do not depend on the number of processes either.
class BatchShares {
public:
  /// At most as many processes have work at once. Twice as many would need one
  /// sum more in memory.
  static constexpr unsigned numChunks = 8;

  BatchShares(unsigned numBatches, unsigned numProcesses)
      : numBatches(numBatches), numProcesses(numProcesses) {}

  unsigned getNumBatches() const { return numBatches; }
  /// Where a chunk begins; it ends where the next one does. It may be empty.
  unsigned getBegin(unsigned chunk) const {
    return static_cast<uint64_t>(numBatches) * chunk / numChunks;
  }
  /// The process that a batch belongs to.
  unsigned getOwner(unsigned batch) const {
    assert(batch < numBatches && "no such batch");
    unsigned chunk = 0;
    while (getBegin(chunk + 1) <= batch)
      ++chunk;
    return chunk * numProcesses / numChunks;
  }
  /// The first batch of a process and the one after its last.
  std::pair<unsigned, unsigned> getShare(unsigned process) const {
    unsigned begin = 0;
    while (begin < numBatches && getOwner(begin) < process)
      ++begin;
    unsigned end = begin;
    while (end < numBatches && getOwner(end) == process)
      ++end;
    return {begin, end};
  }

private:
  unsigned numBatches;
  unsigned numProcesses;
};

} // namespace lowbit

#endif // LOWBIT_CALIBRATION_BATCHSHARES_H
