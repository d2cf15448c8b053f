//===- ScaleParameter.h - the scales of a format, in IR ---------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_DIALECT_LOWBIT_IR_SCALEPARAMETER_H
#define LOWBIT_LIB_DIALECT_LOWBIT_IR_SCALEPARAMETER_H

#include "FormatEmitter.h"
#include "lowbit/Dialect/Lowbit/IR/QuantFormatInterface.h"
#include "lowbit/Quantize/ScaleStorage.h"
#include <vector>

namespace lowbit {

/// The parameter `scale = ...` of a format, and `offset = f32`: `ScaleStorage`
/// in IR. Scales are a tensor with one element per group, the grid.
struct ScaleParameter {
  /// A type attribute, or a format.
  mlir::Attribute scale;
  bool hasOffset;
  /// What components are called, or begin with if a format lists them.
  llvm::StringRef name = "scales";

  /// That of scales which are numbers.
  static mlir::Attribute get(mlir::MLIRContext *context, ScaleType type);
  /// Parses `scale = ...`; the offset is one of the flags of a format.
  static mlir::FailureOr<mlir::Attribute> parse(mlir::AsmParser &parser);
  void print(mlir::AsmPrinter &printer) const;
  llvm::LogicalResult
  verify(llvm::function_ref<mlir::InFlightDiagnostic()> emitError) const;
  llvm::LogicalResult
  verifyGrid(llvm::ArrayRef<int64_t> grid,
             llvm::function_ref<mlir::InFlightDiagnostic()> emitError) const;
  /// The same, with the padding that the grid needs.
  ScaleParameter adaptToGrid(llvm::ArrayRef<int64_t> grid) const;

  /// Of a verified parameter.
  ScaleStorage getStorage() const;
  void appendComponents(llvm::ArrayRef<int64_t> grid,
                        llvm::SmallVectorImpl<FormatComponent> &to) const;
  /// The scale, in f32, at `indices` of the grid, from the components that
  /// `appendComponents` lists.
  mlir::Value buildDecode(FormatEmitter &b, llvm::ArrayRef<int64_t> grid,
                          mlir::ValueRange components,
                          mlir::ValueRange indices) const;

  /// Tells kernels of the scales. Those in a format stay as they are if this
  /// stores small integers or f8E4M3FN with scales of its own, which become
  /// factors; others are expanded to f32. Both takes `unpackScaledCodes`.
  void describe(ScaledCodes &codes) const;
  /// The components that `describe` tells of, scales and perhaps factors, from
  /// those that `appendComponents` lists for a static grid.
  llvm::SmallVector<std::vector<char>>
  unpack(llvm::ArrayRef<int64_t> grid,
         llvm::ArrayRef<llvm::ArrayRef<char>> components) const;

  /// All of them in f32.
  std::vector<char>
  expand(llvm::ArrayRef<int64_t> grid,
         llvm::ArrayRef<llvm::ArrayRef<char>> components) const;

private:
  QuantFormatAttrInterface getFormat() const {
    return llvm::dyn_cast<QuantFormatAttrInterface>(scale);
  }
};

} // namespace lowbit

#endif // LOWBIT_LIB_DIALECT_LOWBIT_IR_SCALEPARAMETER_H
