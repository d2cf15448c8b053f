//===- NodeName.h - the name of the node of an op ---------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_LOWBIT_IR_NODENAME_H
#define LOWBIT_DIALECT_LOWBIT_IR_NODENAME_H

#include "mlir/IR/Location.h"
#include "llvm/ADT/StringRef.h"

namespace lowbit {

/// The name that the model gives the node at `loc`; empty if it has none.
llvm::StringRef getNodeName(mlir::Location loc);

} // namespace lowbit

#endif // LOWBIT_DIALECT_LOWBIT_IR_NODENAME_H
