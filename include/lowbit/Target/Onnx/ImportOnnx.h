//===- ImportOnnx.h - from an .onnx file to a module ------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_TARGET_ONNX_IMPORTONNX_H
#define LOWBIT_TARGET_ONNX_IMPORTONNX_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/Error.h"

namespace lowbit {

/// The opsets of the default domain that the importer reads; all are upgraded
/// to the dialect's.
inline constexpr int64_t kMinOpset = 11;

/// Tensors of this many bytes and more stay outside the IR.
inline constexpr uint64_t kInlineLimit = 64 * 1024;

/// Reads an ONNX model. Large initializers become `#lowbit.external` slices of
/// the files that they lie in (external data, or the `.onnx` itself) and are
/// not read; the weight store's base directory is set to the model's folder.
/// The few that are stored as lists of numbers are written through the store.
///
/// The error is one line that names the file and the node or value at fault.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
importOnnx(llvm::StringRef path, mlir::MLIRContext &context);

/// As above, for a model that is in memory. `path` says where it would lie.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
importOnnx(llvm::ArrayRef<char> model, llvm::StringRef path,
           mlir::MLIRContext &context);

} // namespace lowbit

#endif // LOWBIT_TARGET_ONNX_IMPORTONNX_H
