//===- GroupedFormat.cpp - Blocks of values that share a scale ------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/GroupedFormat.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>

using namespace lowbit;

llvm::Error GroupedFormat::checkGroup(int64_t groupRows, int64_t groupCols) {
  if (groupRows >= 0 && groupCols >= 0)
    return llvm::Error::success();
  return makeError("the group is " + llvm::Twine(groupRows) + " x " +
                   llvm::Twine(groupCols) +
                   ", but its sizes must be positive, or 0 for the whole "
                   "dimension");
}

int64_t GroupedFormat::getGroupRows(int64_t rows) const {
  return groupRows == 0 ? rows : std::min(groupRows, rows);
}

int64_t GroupedFormat::getGroupCols(int64_t cols) const {
  return groupCols == 0 ? cols : std::min(groupCols, cols);
}

int64_t GroupedFormat::getNumRowGroups(int64_t rows) const {
  return rows == 0 ? 0 : llvm::divideCeil(rows, getGroupRows(rows));
}

int64_t GroupedFormat::getNumColGroups(int64_t cols) const {
  return cols == 0 ? 0 : llvm::divideCeil(cols, getGroupCols(cols));
}

std::string GroupedFormat::describeGroup() const {
  auto describe = [](int64_t size) {
    return size == 0 ? std::string("*") : std::to_string(size);
  };
  return "[" + describe(groupRows) + ", " + describe(groupCols) + "]";
}
