//===- Passes.h - passes that quantize weights --------------- -*- C++ -*--===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_CALIBRATION_PASSES_H
#define LOWBIT_CALIBRATION_PASSES_H

#include "lowbit/Dialect/Lowbit/IR/LowbitDialect.h"
#include "lowbit/Dialect/Onnx/IR/OnnxDialect.h"
#include "mlir/Pass/Pass.h"

namespace lowbit {

#define GEN_PASS_DECL
#include "lowbit/Calibration/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "lowbit/Calibration/Passes.h.inc"

} // namespace lowbit

#endif // LOWBIT_CALIBRATION_PASSES_H
