//===- InitUpstream.cpp - upstream's dialects and passes ------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Apart from our own registrations, because these headers are the slowest of
// all to compile and nothing of ours changes them.
//
//===----------------------------------------------------------------------===//

#include "InitUpstream.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"

void lowbit::registerUpstreamDialects(mlir::DialectRegistry &registry) {
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  // Kernels are translated to PTX by a pass.
  mlir::registerAllGPUToLLVMIRTranslations(registry);
}

void lowbit::registerUpstreamPasses() { mlir::registerAllPasses(); }
