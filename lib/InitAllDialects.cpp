//===- InitAllDialects.cpp - every dialect that Lowbit's tools know -------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/InitAllDialects.h"
#include "InitUpstream.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitDialect.h"
#include "lowbit/Dialect/Lowbit/Transforms/BufferizableOpInterfaceImpl.h"
#include "lowbit/Dialect/Onnx/IR/OnnxDialect.h"
#include "lowbit/Dialect/QVec/IR/QVecOps.h"

void lowbit::registerAllDialects(mlir::DialectRegistry &registry) {
  registerUpstreamDialects(registry);
  registry.insert<LowbitDialect>();
  registerBufferizableOpInterfaceExternalModels(registry);
  registry.insert<onnx::OnnxDialect>();
  registry.insert<qvec::QVecDialect>();
}
