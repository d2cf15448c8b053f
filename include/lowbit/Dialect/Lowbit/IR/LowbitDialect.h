//===- LowbitDialect.h - the lowbit dialect ---------------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_LOWBIT_IR_LOWBITDIALECT_H
#define LOWBIT_DIALECT_LOWBIT_IR_LOWBITDIALECT_H

#include "lowbit/Support/WeightStore.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include <memory>

#include "lowbit/Dialect/Lowbit/IR/LowbitDialect.h.inc"

namespace lowbit {

/// Makes every context that is created from `registry` read its external
/// weights through `store`.
void attachWeightStore(mlir::DialectRegistry &registry,
                       std::shared_ptr<WeightStore> store);

} // namespace lowbit

#endif // LOWBIT_DIALECT_LOWBIT_IR_LOWBITDIALECT_H
