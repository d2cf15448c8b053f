//===- ActivationStore.h - values that wait to be used ------- -*- C++ -*--===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_CALIBRATION_ACTIVATIONSTORE_H
#define LOWBIT_CALIBRATION_ACTIVATIONSTORE_H

#include "lowbit/Support/Tensor.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/Support/Error.h"
#include <memory>

namespace lowbit {

/// Holds the values that a walk over a graph has computed and still needs, one
/// tensor for each value and batch. What exceeds the memory budget goes to a
/// temporary file.
class ActivationStore {
public:
  /// `budget`: bytes to hold in memory; 0 for no limit.
  explicit ActivationStore(uint64_t budget);
  ~ActivationStore();
  ActivationStore(const ActivationStore &) = delete;
  ActivationStore &operator=(const ActivationStore &) = delete;

  llvm::Error put(mlir::Value value, unsigned batch, const Tensor &tensor);
  /// A tensor that was put. It may be used after the value was erased.
  llvm::Expected<Tensor> get(mlir::Value value, unsigned batch) const;
  bool contains(mlir::Value value) const { return entries.contains(value); }
  /// Frees the tensors of all batches.
  void erase(mlir::Value value);

  /// Bytes in memory and in the file.
  uint64_t getResidentBytes() const { return residentBytes; }
  uint64_t getSpilledBytes() const;

private:
  class SpillFile;
  struct Entry {
    Tensor tensor;
    /// Where the elements lie in the file, if they do not lie in the tensor.
    std::optional<uint64_t> offset;
    ElementType type;
    llvm::SmallVector<int64_t, 4> shape;
  };

  uint64_t budget;
  uint64_t residentBytes = 0;
  llvm::DenseMap<mlir::Value, llvm::SmallVector<Entry>> entries;
  /// Made when the budget is exceeded for the first time.
  std::shared_ptr<SpillFile> file;
};

} // namespace lowbit

#endif // LOWBIT_CALIBRATION_ACTIVATIONSTORE_H
