//===- QVecOps.h - register-level operations ----------------- -*- C++ -*--===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_QVEC_IR_QVECOPS_H
#define LOWBIT_DIALECT_QVEC_IR_QVECOPS_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "lowbit/Dialect/QVec/IR/QVecDialect.h.inc"

#define GET_OP_CLASSES
#include "lowbit/Dialect/QVec/IR/QVecOps.h.inc"

#endif // LOWBIT_DIALECT_QVEC_IR_QVECOPS_H
