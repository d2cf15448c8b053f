//===- NOfMFormat.cpp - Some elements of every block ----------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/NOfMFormat.h"
#include "NOfMEncoder.h"
#include "lowbit/Quantize/BitPacking.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/Support/MathExtras.h"

using namespace lowbit;

llvm::Expected<NOfMFormat> NOfMFormat::get(const Spec &spec) {
  const auto [kept, block] = spec.pattern;
  if (block < 2 || block > 256 || kept < 1 || kept > block)
    return makeError("the pattern is " + llvm::Twine(kept) + ":" +
                     llvm::Twine(block) +
                     ", but must be N:M with 1 <= N <= M and M from 2 to 256");
  // Rows store different columns, so that none are neighbours in all of them.
  if (spec.values->getUnitCols() != 1)
    return makeError("values are coded one by one, but " +
                     spec.values->describe() + " codes " +
                     llvm::Twine(spec.values->getUnitCols()) + " together");
  return NOfMFormat(spec);
}

unsigned NOfMFormat::getIndexBits() const {
  return llvm::Log2_64_Ceil(spec.pattern.block);
}

int64_t NOfMFormat::getStoredCols(int64_t cols) const {
  return llvm::divideCeil(cols, spec.pattern.block) * spec.pattern.kept;
}

std::string NOfMFormat::describe() const {
  return std::to_string(spec.pattern.kept) + ":" +
         std::to_string(spec.pattern.block) + " " + spec.values->describe();
}

llvm::SmallVector<ComponentSpec, 3>
NOfMFormat::getComponents(int64_t rows, int64_t cols) const {
  const int64_t stored = getStoredCols(cols);
  llvm::SmallVector<ComponentSpec, 3> components =
      spec.values->getComponents(rows, stored);
  components.push_back({"indices",
                        ElementType::I8,
                        {rows, getPackedBytes(stored, getIndexBits())}});
  return components;
}

llvm::Expected<std::unique_ptr<MatrixEncoder>>
NOfMFormat::createEncoder(ConstMatrixView weights,
                          const RangeSearch &search) const {
  if (llvm::Error error = checkFinite(weights))
    return std::move(error);
  KeptElements kept(spec.pattern, weights);
  std::vector<float> buffer;
  llvm::Expected<std::unique_ptr<MatrixEncoder>> values =
      spec.values->createEncoder(kept.gather(0, 0, weights, buffer), search);
  if (!values)
    return values.takeError();
  const int64_t group = (*values)->getGroupCols();
  if (group < getStoredCols(weights.getCols()) &&
      group % spec.pattern.kept != 0)
    return makeError("the groups of " + spec.values->describe() + " have " +
                     llvm::Twine(group) + " values, which blocks of " +
                     llvm::Twine(spec.pattern.kept) + " do not divide");
  return std::make_unique<NOfMEncoder>(*this, std::move(*values),
                                       std::move(kept), weights.getCols());
}

/// Calls `visit(row, stored column, column)` for all that is stored.
static void
forEachStored(const NOfMFormat &format, llvm::ArrayRef<uint8_t> indices,
              int64_t rows, int64_t cols,
              llvm::function_ref<void(int64_t, int64_t, int64_t)> visit) {
  const auto [kept, block] = format.getSpec().pattern;
  const int64_t rowBytes =
      getPackedBytes(format.getStoredCols(cols), format.getIndexBits());
  std::vector<uint8_t> places(format.getStoredCols(cols));
  for (int64_t row = 0; row < rows; ++row) {
    unpackBits(indices.slice(row * rowBytes, rowBytes), format.getIndexBits(),
               places);
    for (size_t i = 0; i < places.size(); ++i)
      visit(row, i, static_cast<int64_t>(i) / kept * block + places[i]);
  }
}

llvm::Error
NOfMFormat::verifyContents(llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components,
                           int64_t rows, int64_t cols) const {
  if (llvm::Error error = spec.values->verifyContents(
          components.drop_back(), rows, getStoredCols(cols)))
    return error;
  const auto [kept, block] = spec.pattern;
  std::string message;
  int64_t previous = -1;
  forEachStored(*this, components.back(), rows, cols,
                [&](int64_t row, int64_t stored, int64_t col) {
                  if (stored % kept == 0)
                    previous = stored / kept * block - 1;
                  if (message.empty() &&
                      (col <= previous || col / block != stored / kept))
                    message = "'indices' must ascend below " +
                              std::to_string(block) +
                              " in a block, but do not in row " +
                              std::to_string(row) + ", block " +
                              std::to_string(stored / kept);
                  previous = col;
                });
  return message.empty() ? llvm::Error::success() : makeError(message);
}

llvm::Error
NOfMFormat::decode(llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components,
                   MatrixView decoded) const {
  const int64_t rows = decoded.getRows(), cols = decoded.getCols();
  if (llvm::Error error = checkComponentSizes(components, rows, cols))
    return error;
  if (llvm::Error error = verifyContents(components, rows, cols))
    return error;
  const int64_t stored = getStoredCols(cols);
  std::vector<float> buffer(rows * stored);
  MatrixView values(buffer.data(), rows, stored);
  if (llvm::Error error = spec.values->decode(components.drop_back(), values))
    return error;
  for (int64_t row = 0; row < rows; ++row)
    for (int64_t col = 0; col < cols; ++col)
      decoded(row, col) = 0;
  forEachStored(*this, components.back(), rows, cols,
                [&](int64_t row, int64_t place, int64_t col) {
                  if (col < cols)
                    decoded(row, col) = values(row, place);
                });
  return llvm::Error::success();
}
