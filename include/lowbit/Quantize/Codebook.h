//===- Codebook.h - The numbers that codes stand for ------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_CODEBOOK_H
#define LOWBIT_QUANTIZE_CODEBOOK_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <memory>
#include <optional>

namespace lowbit {

/// A table of levels, one for each code of 4 or 8 bits. Cheap to copy.
///
/// Tables by name:
///   * "nf4", "fp4", "dynamic8": those of bitsandbytes. NF4 are quantiles of
///     the normal distribution, FP4 is a minifloat of its own, the dynamic map
///     spends its bits on an exponent of varying length. A value that lies in
///     the middle of two levels takes the lower one, or with FP4, whose codes
///     are signs and magnitudes, the one nearer to zero.
///   * "e2m1", "e4m3", "e5m2": the minifloats of the OCP Microscaling
///     specification; codes are bit patterns. Values round to nearest, ties to
///     even; those that are too large become the largest finite number.
class Codebook {
public:
  /// The table of this name, if there is one.
  static std::optional<Codebook> find(llvm::StringRef name);
  /// The names, separated by commas.
  static llvm::StringRef getNames();
  /// A table of 2 to 16 finite levels in ascending order. Fails with a message
  /// that names the wrong one.
  static llvm::Expected<Codebook> get(llvm::ArrayRef<float> levels);

  /// Empty if the levels are the user's own.
  llvm::StringRef getName() const;
  /// The bits of a code: 4 or 8.
  unsigned getBits() const;
  /// The level of each code. Minifloats have codes that are infinite or NaN;
  /// values never become such codes. A table of the user may have fewer levels
  /// than there are codes.
  llvm::ArrayRef<float> getLevels() const;
  /// The largest magnitude of a finite level.
  float getLargest() const;

  /// The code whose level is nearest to `value`, which must not be NaN.
  uint8_t encode(float value) const;

private:
  struct Table;
  enum class Ties : uint8_t;

  explicit Codebook(std::shared_ptr<const Table> table)
      : table(std::move(table)) {}
  static std::shared_ptr<const Table> makeTable(llvm::StringRef name,
                                                unsigned bits, Ties ties,
                                                llvm::ArrayRef<float> levels);

  std::shared_ptr<const Table> table;
};

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_CODEBOOK_H
