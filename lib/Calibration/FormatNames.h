//===- FormatNames.h - number formats by name -------------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CALIBRATION_FORMATNAMES_H
#define LOWBIT_LIB_CALIBRATION_FORMATNAMES_H

#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "llvm/Support/Error.h"
#include <optional>

namespace lowbit {

/// f16, bf16 or f32; nothing for other names.
std::optional<ElementType> parseFloatType(llvm::StringRef name);

/// What a user asks for by a name: a format, or one whose groups depend on the
/// shape of the matrix.
struct NamedFormat {
  NamedFormat() = default;
  NamedFormat(QuantFormatAttrInterface format) : format(format) {}
  /// Of integers, with so many groups a matrix.
  NamedFormat(UniformAttr format, int64_t numGroups)
      : format(format), numGroups(numGroups) {}

  explicit operator bool() const { return static_cast<bool>(format); }
  bool operator==(const NamedFormat &) const = default;

  QuantFormatAttrInterface format;
  /// 0 unless the groups of `format` are to be as many.
  int64_t numGroups = 0;
};

/// The number format that `text` spells: as IR does (`#lowbit.ggml<q4_K>`), by
/// the name of a type of floats or of GGML, as integers with an optional group
/// size (`u4g64`, `s8`) or number of groups (`s8n64`), or by a published name
/// (`nf4`). The message begins with the text in quotes: "format is " may stand
/// before it.
llvm::Expected<NamedFormat> parseFormatName(mlir::MLIRContext *context,
                                            llvm::StringRef text);

/// The format adapted to a matrix of this shape, or why it cannot store one.
/// A number of groups becomes that or the next one for which all groups are
/// equal bundles of whole rows, or equal parts of rows.
llvm::Expected<QuantFormatAttrInterface>
fitFormat(const NamedFormat &format, llvm::ArrayRef<int64_t> shape);

} // namespace lowbit

#endif // LOWBIT_LIB_CALIBRATION_FORMATNAMES_H
