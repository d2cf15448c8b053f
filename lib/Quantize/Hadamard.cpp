//===- Hadamard.cpp - Orthogonal matrices of +1 and -1 --------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/Hadamard.h"
#include "Parallel.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cmath>

using namespace lowbit;

//===----------------------------------------------------------------------===//
// Paley's constructions
//===----------------------------------------------------------------------===//

static bool isPrime(int64_t number) {
  if (number < 2)
    return false;
  for (int64_t divisor = 2; divisor * divisor <= number; ++divisor)
    if (number % divisor == 0)
      return false;
  return true;
}

/// [[0, 1], [+-1, Q]] for Jacobsthal's matrix Q of an odd prime q: Q(i, j) is 1
/// if i - j is a square modulo q, else -1, and 0 on the diagonal. The matrix is
/// symmetric if q is 1 modulo 4, with +1 in the first column, and
/// skew-symmetric, with -1 there, if it is 3.
static std::vector<int8_t> makeConferenceMatrix(int64_t prime) {
  std::vector<int8_t> character(prime, -1);
  character[0] = 0;
  for (int64_t i = 1; i < prime; ++i)
    character[i * i % prime] = 1;
  const int64_t order = prime + 1;
  std::vector<int8_t> matrix(order * order);
  for (int64_t i = 1; i < order; ++i) {
    matrix[i] = 1;
    matrix[i * order] = prime % 4 == 1 ? 1 : -1;
    for (int64_t j = 1; j < order; ++j)
      matrix[i * order + j] = character[(i - j + prime) % prime];
  }
  return matrix;
}

/// Paley's first construction, of order prime + 1: I + C with C skew.
static std::vector<int8_t> makePaleyI(int64_t prime) {
  std::vector<int8_t> matrix = makeConferenceMatrix(prime);
  for (int64_t i = 0; i <= prime; ++i)
    matrix[i * (prime + 2)] = 1;
  return matrix;
}

/// Paley's second construction, of order 2 (prime + 1):
/// C x [[1, 1], [1, -1]] + I x [[1, -1], [-1, -1]] with C symmetric.
static std::vector<int8_t> makePaleyII(int64_t prime) {
  const std::vector<int8_t> conference = makeConferenceMatrix(prime);
  const int64_t half = prime + 1;
  std::vector<int8_t> matrix(4 * half * half);
  for (int64_t i = 0; i < 2 * half; ++i) {
    for (int64_t j = 0; j < 2 * half; ++j) {
      const int8_t entry = conference[i / 2 * half + j / 2];
      const bool isDiagonal = i / 2 == j / 2;
      const int8_t inner = isDiagonal ? (i % 2 == 0 && j % 2 == 0 ? 1 : -1)
                                      : (i % 2 == 1 && j % 2 == 1 ? -1 : 1);
      matrix[i * 2 * half + j] = isDiagonal ? inner : entry * inner;
    }
  }
  return matrix;
}

/// Whether there is a Paley matrix of this order; the first construction is
/// preferred.
static bool hasPaleyI(int64_t order) {
  return order % 4 == 0 && isPrime(order - 1);
}
static bool hasPaleyII(int64_t order) {
  return order % 4 == 0 && (order / 2 - 1) % 4 == 1 && isPrime(order / 2 - 1);
}

/// The order of P for a matrix of order `order`, or nothing.
static std::optional<int64_t> findPaleyOrder(int64_t order) {
  if (order < 1)
    return std::nullopt;
  const int64_t odd = order >> llvm::countr_zero(uint64_t(order));
  if (odd == 1)
    return 1;
  for (int64_t paley = odd;
       paley <= std::min(order, HadamardMatrix::maxPaleyOrder); paley *= 2)
    if (hasPaleyI(paley) || hasPaleyII(paley))
      return paley;
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// HadamardMatrix
//===----------------------------------------------------------------------===//

HadamardMatrix::HadamardMatrix(int64_t paleyOrder, int64_t sylvesterOrder)
    : paleyOrder(paleyOrder), sylvesterOrder(sylvesterOrder) {
  if (paleyOrder == 1)
    paley = {1};
  else
    paley = hasPaleyI(paleyOrder) ? makePaleyI(paleyOrder - 1)
                                  : makePaleyII(paleyOrder / 2 - 1);
}

std::optional<HadamardMatrix> HadamardMatrix::get(int64_t order) {
  if (std::optional<int64_t> paley = findPaleyOrder(order))
    return HadamardMatrix(*paley, order / *paley);
  return std::nullopt;
}

int64_t HadamardMatrix::getLargestOrder(int64_t width) {
  assert(width > 0 && "no channels");
  for (int64_t blocks = 1;; ++blocks)
    if (width % blocks == 0 && findPaleyOrder(width / blocks))
      return width / blocks;
}

void HadamardMatrix::apply(llvm::MutableArrayRef<double> row,
                           bool transposed) const {
  assert(int64_t(row.size()) == getOrder() && "a row of another size");
  // Sylvester's matrix is symmetric. Butterflies of growing distance.
  for (int64_t distance = 1; distance < sylvesterOrder; distance *= 2)
    for (int64_t first = 0; first < getOrder(); first += 2 * distance)
      for (int64_t i = first; i < first + distance; ++i) {
        const double a = row[i], b = row[i + distance];
        row[i] = a + b;
        row[i + distance] = a - b;
      }
  const double scale = 1 / std::sqrt(double(getOrder()));
  if (paleyOrder == 1) {
    for (double &value : row)
      value *= scale;
    return;
  }
  std::vector<double> result(row.size());
  for (int64_t from = 0; from < paleyOrder; ++from)
    for (int64_t to = 0; to < paleyOrder; ++to) {
      const double factor =
          scale * (transposed ? paley[to * paleyOrder + from]
                              : paley[from * paleyOrder + to]);
      for (int64_t i = 0; i < sylvesterOrder; ++i)
        result[to * sylvesterOrder + i] +=
            factor * row[from * sylvesterOrder + i];
    }
  llvm::copy(result, row.begin());
}

//===----------------------------------------------------------------------===//
// HadamardRotation
//===----------------------------------------------------------------------===//

/// SplitMix64: the standard library's distributions differ between
/// implementations, and a seed has to mean the same signs everywhere.
static uint64_t nextRandom(uint64_t &state) {
  state += 0x9E3779B97F4A7C15;
  uint64_t value = state;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
  return value ^ (value >> 31);
}

static HadamardMatrix getMatrix(int64_t order) {
  std::optional<HadamardMatrix> matrix = HadamardMatrix::get(order);
  assert(matrix && "an order without a matrix");
  return *matrix;
}

HadamardRotation::HadamardRotation(int64_t width, int64_t block,
                                   std::optional<uint64_t> seed)
    : width(width), matrix(getMatrix(block)) {
  assert(width % block == 0 && "blocks do not fill the width");
  if (!seed)
    return;
  uint64_t state = *seed;
  for (int64_t i = 0; i < width; ++i)
    signs.push_back(nextRandom(state) >> 63 ? -1 : 1);
}

void HadamardRotation::applyToRows(MatrixView rows, unsigned threads) const {
  assert(rows.getCols() == width && "rows of another width");
  // Rows that are columns of the stored matrix lie side by side: a tile of them
  // is read and written along whichever stride is short.
  constexpr int64_t tile = 16;
  parallelFor(
      llvm::divideCeil(rows.getRows(), tile), threads, [&](int64_t task) {
        const int64_t first = task * tile;
        const int64_t count = std::min(tile, rows.getRows() - first);
        std::vector<double> buffer(count * width);
        for (int64_t col = 0; col < width; ++col)
          for (int64_t i = 0; i < count; ++i)
            buffer[i * width + col] =
                signs.empty() ? rows(first + i, col)
                              : double(signs[col]) * rows(first + i, col);
        llvm::MutableArrayRef<double> values(buffer);
        for (int64_t start = 0; start < count * width; start += getBlock())
          matrix.apply(values.slice(start, getBlock()));
        for (int64_t col = 0; col < width; ++col)
          for (int64_t i = 0; i < count; ++i)
            rows(first + i, col) = static_cast<float>(buffer[i * width + col]);
      });
}
