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

/// The number format that `text` spells: as IR does (`#lowbit.ggml<q4_K>`), by
/// the name of a type of floats or of GGML, as integers with an optional group
/// size (`u4g64`, `s8`), or by a published name (`nf4`). The message begins
/// with the text in quotes: "format is " may stand before it.
llvm::Expected<QuantFormatAttrInterface>
parseFormatName(mlir::MLIRContext *context, llvm::StringRef text);

/// The format adapted to a matrix of this shape, or why it cannot store one.
llvm::Expected<QuantFormatAttrInterface>
fitFormat(QuantFormatAttrInterface format, llvm::ArrayRef<int64_t> shape);

} // namespace lowbit

#endif // LOWBIT_LIB_CALIBRATION_FORMATNAMES_H
