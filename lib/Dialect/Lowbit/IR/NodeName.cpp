//===- NodeName.cpp - the name of the node of an op -----------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/NodeName.h"

llvm::StringRef lowbit::getNodeName(mlir::Location loc) {
  auto name = loc->findInstanceOf<mlir::NameLoc>();
  return name ? name.getName().getValue() : llvm::StringRef();
}
