//===- ModelEdits.h - changes to constants, made all at once ----*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_TRANSFORMS_MODELEDITS_H
#define LOWBIT_TRANSFORMS_MODELEDITS_H

#include "lowbit/Dialect/Lowbit/IR/QuantizableOpInterface.h"
#include "lowbit/Dialect/Lowbit/IR/TransformMark.h"
#include "lowbit/Quantize/MatrixView.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Error.h"
#include <functional>
#include <vector>

namespace lowbit {

/// Changes a matrix of floats in place.
using MatrixEdit = std::function<void(MatrixView)>;

/// An op as messages name it: its node and its kind.
std::string describe(mlir::Operation *op);

/// The number of channels of a float constant along its last dimension; nothing
/// if the value is none, or has more or less than one row where it must not.
std::optional<int64_t> getConstantChannels(mlir::Value value);

/// A constant with a number for each channel, in the element type of the values
/// that it meets.
mlir::Value makeChannelConstant(mlir::OpBuilder &builder, mlir::Location loc,
                                mlir::Type elementType,
                                llvm::ArrayRef<float> values);

/// Changes to the constants of a model. They are collected first, so that a
/// transform that finds an obstacle leaves the model as it is; `commit` then
/// reads, changes and writes one constant after the other. A constant that
/// several operations use is changed for those alone that were named. Layers
/// whose constants were changed get a `TransformMark`.
class ModelEdits {
public:
  /// `suffix` ends the names of weights that are written to files.
  explicit ModelEdits(llvm::StringRef suffix) : suffix(suffix) {}

  /// Changes a layer's weight as a matrix [output channels, input channels], or
  /// an embedding's as [rows, channels].
  void editWeight(QuantizableOpInterface op, MatrixEdit edit);
  /// Changes what a layer computes: its weight as the matrix [input channels,
  /// output channels], and its bias, as rows of output channels. The edit must
  /// be linear in each row.
  void editOutputs(QuantizableOpInterface op, const MatrixEdit &edit);
  /// Adds to a layer's outputs.
  void addBias(QuantizableOpInterface op, llvm::ArrayRef<float> bias);
  /// Changes a constant operand as rows along its last dimension.
  void editConstant(mlir::OpOperand &use, MatrixEdit edit);
  /// Something else to do, after the constants were changed.
  void rewrite(std::function<void()> action) {
    rewrites.push_back(std::move(action));
  }

  /// The values of a constant with the changes so far, row by row: a weight as
  /// `editWeight` sees it, others as `editConstant` does.
  struct Values {
    std::vector<float> storage;
    MatrixView matrix;
  };
  llvm::Expected<Values> read(QuantizableOpInterface op);
  llvm::Expected<Values> read(mlir::OpOperand &use);

  llvm::Error commit();

private:
  /// How a constant lies as a matrix: which of its axes are rows and columns.
  struct Constant {
    /// The op whose weight this is; null for others.
    QuantizableOpInterface layer;
    llvm::SmallVector<MatrixEdit> edits;
  };

  Constant &getConstant(mlir::OpOperand &use);
  llvm::Expected<Values> load(mlir::OpOperand &use,
                              const Constant &constant) const;
  llvm::Error store(mlir::OpOperand &use, const Constant &constant);
  TransformMark &getMark(mlir::Operation *layer);
  void commitBias(QuantizableOpInterface op, llvm::ArrayRef<float> bias);
  std::string makeName(mlir::OpOperand &use, const Constant &constant);

  std::string suffix;
  /// By operand, in the order in which they were first named.
  llvm::MapVector<mlir::OpOperand *, Constant> constants;
  llvm::MapVector<mlir::Operation *, std::vector<float>> biases;
  std::vector<std::function<void()>> rewrites;
  /// What layers become for whoever compares them with the original ones.
  llvm::MapVector<mlir::Operation *, TransformMark> marks;
  llvm::StringSet<> names;
};

} // namespace lowbit

#endif // LOWBIT_TRANSFORMS_MODELEDITS_H
