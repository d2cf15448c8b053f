//===- Calibration.h - layers on their real inputs --------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CALIBRATION_CALIBRATION_H
#define LOWBIT_LIB_CALIBRATION_CALIBRATION_H

#include "CalibrationSource.h"
#include "lowbit/Calibration/CalibrationData.h"
#include "lowbit/Calibration/CalibrationModel.h"
#include "lowbit/Calibration/GraphWalk.h"
#include "lowbit/Quantize/Gptq.h"
#include "lowbit/Support/ProcessGroup.h"

namespace lowbit {

/// What `calibration` names, or what the model generates, with a remark; the
/// same for all processes.
llvm::Expected<CalibrationData>
getCalibrationData(mlir::func::FuncOp function,
                   const CalibrationOptions &options);

/// Runs a model on calibration data and shows the inputs of its layers. What
/// runs is a copy: a visitor may replace layers of the original.
class Calibration {
public:
  /// For at least one layer; all must lie in one function. Data that the model
  /// has to generate is, with a remark.
  static llvm::Expected<Calibration>
  prepare(llvm::ArrayRef<QuantizableLayer> layers,
          const CalibrationOptions &options);

  /// The original.
  mlir::func::FuncOp getFunction() const { return function; }
  const CalibrationData &getData() const { return data; }

  /// Visits the layers, which are numbered as they were given. New weights that
  /// the visitor returns are used as `CalibrationOptions::inputs` says.
  /// `keepsFloat`: whether the visitor may ask for the float model's values.
  llvm::Error walk(GraphWalk::Visitor visit, bool keepsFloat = false);

  /// Runs the model as a whole and shows the results of its function, batch by
  /// batch. Not to be called after `walk`.
  llvm::Error
  run(llvm::function_ref<llvm::Error(llvm::ArrayRef<Tensor> results)> use);

private:
  Calibration(mlir::func::FuncOp function, CalibrationData data,
              std::unique_ptr<CalibrationModel> model, uint64_t memoryBudget,
              llvm::SmallVector<unsigned> blocks)
      : function(function), data(std::move(data)), model(std::move(model)),
        memoryBudget(memoryBudget), blocks(std::move(blocks)) {}

  llvm::Expected<std::vector<GraphWalk::Batch>> makeBatches() const;

  mlir::func::FuncOp function;
  CalibrationData data;
  std::unique_ptr<CalibrationModel> model;
  /// In bytes.
  uint64_t memoryBudget;
  /// Of each layer; empty if layers are not looked at by blocks.
  llvm::SmallVector<unsigned> blocks;
};

/// The Hessian of layers whose input the visit shows.
llvm::Expected<Hessian> accumulateHessian(const GraphWalk::Visit &visit,
                                          int64_t width, unsigned threads);

/// How a value of `rows` channels has drifted from what it is in the float
/// model, as far as the layers' input, of `width` channels, can tell.
llvm::Expected<std::vector<float>> accumulateDrift(
    const GraphWalk::Visit &visit, int64_t rows, int64_t width,
    llvm::function_ref<llvm::Expected<Tensor>(unsigned batch)> getFloat,
    llvm::function_ref<llvm::Expected<Tensor>(unsigned batch)> getValue,
    unsigned threads);

/// Shows the input that the layers of a visit read, batch by batch: rows of
/// `width` channels, and how many samples they are of. Fails if it is another
/// one. In a group of processes each sees all batches.
llvm::Error forEachInput(
    const GraphWalk::Visit &visit, int64_t width,
    llvm::function_ref<void(ConstMatrixView rows, int64_t samples)> use);

/// The same for some batches of this process's share.
llvm::Error forEachOwnInput(
    const GraphWalk::Visit &visit, int64_t width, unsigned begin, unsigned end,
    llvm::function_ref<void(ConstMatrixView rows, int64_t samples)> use);

namespace detail {
/// What an observer saw in the chunks [firstChunk, endChunk), in the process
/// that owns the first batch of these; nothing in others.
template <typename Observer>
llvm::Expected<std::optional<Observer>>
observeChunks(const GraphWalk::Visit &visit, int64_t width,
              llvm::function_ref<Observer()> make, unsigned firstChunk,
              unsigned endChunk) {
  ProcessGroup &group = ProcessGroup::get();
  const BatchShares &shares = visit.shares;
  const unsigned begin = shares.getBegin(firstChunk);
  const unsigned end = shares.getBegin(endChunk);
  if (begin == end)
    return std::nullopt;
  const unsigned owner = shares.getOwner(begin);
  if (endChunk - firstChunk == 1) {
    if (owner != group.getRank())
      return std::nullopt;
    Observer observer = make();
    if (llvm::Error error =
            forEachOwnInput(visit, width, begin, end,
                            [&](ConstMatrixView rows, int64_t samples) {
                              observer.update(rows, samples);
                            }))
      return std::move(error);
    return std::optional<Observer>(std::move(observer));
  }
  const unsigned middle = (firstChunk + endChunk) / 2;
  auto left = observeChunks(visit, width, make, firstChunk, middle);
  if (!left)
    return left;
  auto right = observeChunks(visit, width, make, middle, endChunk);
  if (!right || shares.getBegin(middle) == begin)
    return right;
  if (shares.getBegin(middle) == end)
    return left;
  const unsigned rightOwner = shares.getOwner(shares.getBegin(middle));
  if (rightOwner != owner) {
    if (rightOwner == group.getRank()) {
      for (llvm::ArrayRef<char> bytes : (*right)->getState())
        group.send(bytes, owner);
      return std::nullopt;
    }
    if (owner == group.getRank()) {
      right->emplace(make());
      for (llvm::MutableArrayRef<char> bytes : (*right)->getState())
        group.receive(bytes, rightOwner);
    }
  }
  if (owner == group.getRank())
    (*left)->merge(**right);
  return left;
}
} // namespace detail

/// What an observer saw in all inputs of `width` channels that the layers of a
/// visit read; the same, to the bit, for any number of processes that share the
/// samples. `make` makes an observer that has seen nothing. It has
///
///     void update(ConstMatrixView rows, int64_t samples);
///     void merge(const Observer &other);
///     llvm::SmallVector<llvm::MutableArrayRef<char>> getState();
///
/// where the state is all that it has seen, in as many bytes as any other has
/// that `make` made.
template <typename Observer>
llvm::Expected<Observer> observe(const GraphWalk::Visit &visit, int64_t width,
                                 llvm::function_ref<Observer()> make) {
  auto sum = detail::observeChunks<Observer>(visit, width, make, 0,
                                             BatchShares::numChunks);
  if (!sum)
    return sum.takeError();
  const unsigned owner = visit.shares.getOwner(0);
  Observer observer = *sum ? std::move(**sum) : make();
  for (llvm::MutableArrayRef<char> bytes : observer.getState())
    ProcessGroup::get().broadcast(bytes, owner);
  return observer;
}

/// The mean square of each channel of what the layers of a visit read, summed
/// in double precision. Fails if one is not finite.
llvm::Expected<std::vector<float>>
measureMeanSquares(const GraphWalk::Visit &visit, int64_t width);

/// The Hessian of what the layers of a visit read, factorized.
llvm::Expected<GptqFactor> factorizeHessian(const GraphWalk::Visit &visit,
                                            int64_t width,
                                            const GptqOptions &options);

} // namespace lowbit

#endif // LOWBIT_LIB_CALIBRATION_CALIBRATION_H
