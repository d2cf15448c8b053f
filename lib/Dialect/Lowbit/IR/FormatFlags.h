//===- FormatFlags.h - the last words of a format ------------- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_DIALECT_LOWBIT_IR_FORMATFLAGS_H
#define LOWBIT_LIB_DIALECT_LOWBIT_IR_FORMATFLAGS_H

#include "mlir/IR/OpImplementation.h"

namespace lowbit {

/// A parameter of a format that is there or not: `pad`, `offset = f32`.
struct FormatFlag {
  llvm::StringRef keyword;
  /// What follows `=`; empty if nothing does.
  llvm::StringRef value;
  bool &isSet;
};

/// Parses flags in any order, each behind a comma and at most once.
mlir::ParseResult parseFlags(mlir::AsmParser &parser,
                             llvm::ArrayRef<FormatFlag> flags);

} // namespace lowbit

#endif // LOWBIT_LIB_DIALECT_LOWBIT_IR_FORMATFLAGS_H
