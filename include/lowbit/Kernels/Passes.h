//===- Passes.h - from quantized operators to kernels -------- -*- C++ -*--===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_KERNELS_PASSES_H
#define LOWBIT_KERNELS_PASSES_H

#include "lowbit/Dialect/Lowbit/IR/LowbitDialect.h"
#include "lowbit/Dialect/QVec/IR/QVecOps.h"
#include "lowbit/Kernels/MatmulStrategy.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/OpenMP/OpenMPDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/Pass.h"

namespace lowbit {

#define GEN_PASS_DECL
#include "lowbit/Kernels/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "lowbit/Kernels/Passes.h.inc"

} // namespace lowbit

#endif // LOWBIT_KERNELS_PASSES_H
