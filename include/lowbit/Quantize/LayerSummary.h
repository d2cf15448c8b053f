//===- LayerSummary.h - What quantizing a layer cost ------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_LAYERSUMMARY_H
#define LOWBIT_QUANTIZE_LAYERSUMMARY_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"
#include <optional>
#include <string>
#include <vector>

namespace lowbit {

/// One line of the table that a quantizing pass reports.
struct LayerSummary {
  std::string name;
  int64_t rows = 0;
  int64_t cols = 0;
  /// As `BlockFormat::describe` has it.
  std::string format;
  double bitsPerWeight = 0;
  double weightError = 0;
  /// Absent when there were no calibration inputs.
  std::optional<double> outputError;
  double seconds = 0;
};

/// Prints lines of cells below each other: text to the left of its column,
/// figures, which `numFigures` columns from `firstFigure` on hold, to the
/// right.
void printAligned(llvm::raw_ostream &os,
                  llvm::ArrayRef<std::vector<std::string>> lines,
                  size_t firstFigure, size_t numFigures);

/// Prints an aligned table with a line of totals: the mean number of bits over
/// all weights, the total time.
void printSummaryTable(llvm::raw_ostream &os,
                       llvm::ArrayRef<LayerSummary> layers);

/// An array of objects with the fields of `LayerSummary` in snake case.
llvm::json::Value toJSON(llvm::ArrayRef<LayerSummary> layers);

/// Reads back what `toJSON` made of one layer.
llvm::Expected<LayerSummary> parseLayerSummary(const llvm::json::Value &value);

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_LAYERSUMMARY_H
