//===- GroupedFormat.h - Blocks of values that share a scale ----*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_GROUPEDFORMAT_H
#define LOWBIT_QUANTIZE_GROUPEDFORMAT_H

#include "lowbit/Quantize/BlockFormat.h"

namespace lowbit {

/// A format in which blocks of `groupRows` x `groupCols` values share
/// parameters; 0 stands for the whole dimension.
class GroupedFormat : public BlockFormat {
public:
  /// The shape of a group in a matrix of this shape, and how many there are.
  int64_t getGroupRows(int64_t rows) const;
  int64_t getGroupCols(int64_t cols) const;
  int64_t getNumRowGroups(int64_t rows) const;
  int64_t getNumColGroups(int64_t cols) const;

  /// Whether all values of a matrix are one group, whatever its shape.
  bool isOneGroup() const { return groupRows == 0 && groupCols == 0; }

protected:
  GroupedFormat(int64_t groupRows, int64_t groupCols)
      : groupRows(groupRows), groupCols(groupCols) {}

  /// An error that names the wrong size.
  static llvm::Error checkGroup(int64_t groupRows, int64_t groupCols);
  /// The group as a table of results shows it: "[1, 64]", "[*, *]".
  std::string describeGroup() const;

private:
  int64_t groupRows, groupCols;
};

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_GROUPEDFORMAT_H
