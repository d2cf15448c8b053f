//===- ErrorPropagation.cpp - Making up for earlier layers' errors --------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/ErrorPropagation.h"
#include "EigenTypes.h"
#include "Parallel.h"
#include "RowTiles.h"

using namespace lowbit;

static RowMajorMap map(ConstMatrixView view) {
  assert(view.getColStride() == 1 && "the matrix must be row-major");
  return RowMajorMap(view.getData(), view.getRows(), view.getCols(),
                     Eigen::OuterStride<>(view.getRowStride()));
}

DriftAccumulator::DriftAccumulator(int64_t rows, int64_t width,
                                   unsigned threads)
    : rows(rows), width(width), threads(threads), sum(rows * width) {}

void DriftAccumulator::update(ConstMatrixView floats, ConstMatrixView values,
                              ConstMatrixView inputs, int64_t sequences) {
  assert(floats.getCols() == rows && values.getCols() == rows &&
         inputs.getCols() == width && floats.getRows() == values.getRows() &&
         inputs.getRows() == values.getRows() && "shapes must match");
  this->sequences += sequences;
  const RowMajorMap original = map(floats), changed = map(values),
                    x = map(inputs);
  // Column by column, it is the transpose.
  ColMajorMap transposed(sum.data(), width, rows, Eigen::OuterStride<>(width));
  constexpr int64_t tile = 128;
  parallelFor(llvm::divideCeil(rows, tile), threads, [&](int64_t index) {
    const int64_t first = index * tile, count = std::min(tile, rows - first);
    const ColMajorMatrix drift =
        original.middleCols(first, count) - changed.middleCols(first, count);
    transposed.middleCols(first, count).noalias() += x.transpose() * drift;
  });
}

void DriftAccumulator::merge(const DriftAccumulator &other) {
  assert(other.rows == rows && other.width == width &&
         "only equal shapes can be merged");
  sequences += other.sequences;
  for (size_t i = 0, e = sum.size(); i != e; ++i)
    sum[i] += other.sum[i];
}

std::vector<float> DriftAccumulator::finish() && {
  const float factor = sequences == 0 ? 0.0f : 2.0f / sequences;
  for (float &value : sum)
    value *= factor;
  return std::move(sum);
}

std::vector<float> lowbit::compensateDrift(ConstMatrixView weights,
                                           llvm::ArrayRef<float> inputDrift,
                                           llvm::ArrayRef<float> outputDrift,
                                           const GptqFactor &factor,
                                           double strength, unsigned threads) {
  const int64_t rows = weights.getRows(), width = weights.getCols();
  assert(factor.getWidth() == width &&
         static_cast<int64_t>(inputDrift.size()) == width * width &&
         (outputDrift.empty() ||
          static_cast<int64_t>(outputDrift.size()) == rows * width) &&
         "shapes must match");
  std::vector<float> result(rows * width);
  const RowMajorMap drift(inputDrift.data(), width, width,
                          Eigen::OuterStride<>(width));
  const Eigen::Map<const Eigen::MatrixXf> g(factor.getFactor(), width, width);
  RowTiles tiles(rows, 1);
  parallelFor(tiles.getCount(), threads, [&](int64_t index) {
    const auto [firstRow, count] = tiles.get(index);
    ColMajorMatrix w(count, width);
    for (int64_t col = 0; col < width; ++col)
      for (int64_t row = 0; row < count; ++row)
        w(row, col) = weights(firstRow + row, col);
    ColMajorMatrix target = w * drift;
    if (!outputDrift.empty())
      target += RowMajorMap(outputDrift.data() + firstRow * width, count, width,
                            Eigen::OuterStride<>(width));
    // The factor is that of the columns in reverse order of coding.
    ColMajorMatrix change(count, width);
    for (int64_t place = 0; place < width; ++place)
      change.col(place) = target.col(factor.getOrder()[width - 1 - place]);
    g.transpose()
        .triangularView<Eigen::Upper>()
        .solveInPlace<Eigen::OnTheRight>(change);
    g.triangularView<Eigen::Lower>().solveInPlace<Eigen::OnTheRight>(change);
    for (int64_t place = 0; place < width; ++place) {
      const int64_t col = factor.getOrder()[width - 1 - place];
      for (int64_t row = 0; row < count; ++row)
        result[(firstRow + row) * width + col] =
            w(row, col) + static_cast<float>(strength) * change(row, place);
    }
  });
  return result;
}
