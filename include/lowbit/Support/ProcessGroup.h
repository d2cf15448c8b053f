//===- ProcessGroup.h - processes that share a run ------------ -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Under mpirun all processes run the same program on the same input. They share
// the work of calibration, and all else each does for itself, with the same
// results. The first one alone writes files and messages. When one fails, it
// ends all others: they may be waiting for it.
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_SUPPORT_PROCESSGROUP_H
#define LOWBIT_SUPPORT_PROCESSGROUP_H

#include "lowbit/Support/Tensor.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/ErrorOr.h"
#include <vector>

struct lowbit_mpi_group;

namespace lowbit {

class ProcessGroup {
public:
  /// The group of this process: itself alone, unless it has joined others.
  static ProcessGroup &get();
  /// Joins the processes that mpirun has started together with this one, if it
  /// was mpirun that did.
  static llvm::Error join();

  unsigned getRank() const { return rank; }
  unsigned getSize() const { return size; }
  /// Whether this process writes files and messages.
  bool isFirst() const { return rank == 0; }

  void send(llvm::ArrayRef<char> bytes, unsigned to);
  void receive(llvm::MutableArrayRef<char> bytes, unsigned from);

  /// All processes take part in what follows, in the same order. Afterwards all
  /// have what `root` has.
  void broadcast(llvm::MutableArrayRef<char> bytes, unsigned root);
  void broadcast(uint64_t &value, unsigned root);
  void broadcast(std::string &bytes, unsigned root);
  void broadcast(Tensor &tensor, unsigned root);
  void broadcast(std::vector<Tensor> &tensors, unsigned root);
  void broadcast(NamedTensors &tensors, unsigned root);
  /// The content of a file as the first process finds it.
  llvm::ErrorOr<std::string> readForAll(llvm::StringRef path);

  /// Leaves the group when all others do, or, with another status than 0, ends
  /// it at once.
  void leave(int status);

private:
  ProcessGroup() = default;

  const lowbit_mpi_group *group = nullptr;
  unsigned rank = 0, size = 1;
};

} // namespace lowbit

#endif // LOWBIT_SUPPORT_PROCESSGROUP_H
