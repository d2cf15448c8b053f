//===- LowbitAttrs.h - lowbit attributes ------------------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_LOWBIT_IR_LOWBITATTRS_H
#define LOWBIT_DIALECT_LOWBIT_IR_LOWBITATTRS_H

#include "lowbit/Dialect/Lowbit/IR/LowbitDialect.h"
#include "lowbit/Dialect/Lowbit/IR/MatmulTile.h"
#include "lowbit/Dialect/Lowbit/IR/QuantFormatInterface.h"
#include "lowbit/Quantize/BcqFormat.h"
#include "lowbit/Quantize/CodebookFormat.h"
#include "lowbit/Quantize/FloatFormat.h"
#include "lowbit/Quantize/GgmlFormat.h"
#include "lowbit/Quantize/NOfMFormat.h"
#include "lowbit/Quantize/OvpFormat.h"
#include "lowbit/Quantize/SparseOutliersFormat.h"
#include "lowbit/Quantize/UniformFormat.h"
#include "mlir/IR/BuiltinAttributeInterfaces.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/Support/Error.h"

#define GET_ATTRDEF_CLASSES
#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h.inc"

namespace lowbit {

/// The bytes of a dense or external tensor constant, little-endian and
/// row-major. A splat (which stores one element) and truth values (which it
/// packs to bits) are errors: expand them first.
llvm::Expected<llvm::ArrayRef<char>> getConstantBytes(mlir::Attribute value);

/// The same for any constant: a splat is expanded into `storage`, and so are
/// truth values, each to a byte.
llvm::Expected<llvm::ArrayRef<char>>
getConstantBytes(mlir::Attribute value, llvm::SmallVectorImpl<char> &storage);

/// A constant of these bytes: inline if it is small enough to stand in the
/// module, else written to the weight store's output file under `name`.
llvm::Expected<mlir::TypedAttr> storeConstant(llvm::StringRef name,
                                              mlir::RankedTensorType type,
                                              llvm::ArrayRef<char> bytes);

/// The tuning for a target, of an operation's, which may be null; null if there
/// is none.
MatmulTuningAttr findTuning(mlir::ArrayAttr tunings, llvm::StringRef target);
/// The tunings, which may be null, with one instead of that for its target.
mlir::ArrayAttr replaceTuning(mlir::ArrayAttr tunings, MatmulTuningAttr tuning);
/// Checks that there is at most one for each target.
llvm::LogicalResult
verifyTunings(llvm::function_ref<mlir::InFlightDiagnostic()> emitError,
              std::optional<mlir::ArrayAttr> tunings);

} // namespace lowbit

#endif // LOWBIT_DIALECT_LOWBIT_IR_LOWBITATTRS_H
