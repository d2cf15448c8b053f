//===- QuantizeLayers.h - weights without calibration data ------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CALIBRATION_QUANTIZELAYERS_H
#define LOWBIT_LIB_CALIBRATION_QUANTIZELAYERS_H

#include "Options.h"
#include "lowbit/Calibration/LayerSelection.h"

namespace lowbit {

/// Codes one weight in a format.
using LayerSolver = llvm::function_ref<llvm::Expected<SolverResult>(
    const BlockFormat &format, ConstMatrixView weights,
    const RangeSearch &search)>;

/// Solves the layers that the filter selects, one after the other, replaces
/// them, and writes the report. The module must be normalized. Returns how many
/// layers there were; reports errors at the module.
mlir::FailureOr<unsigned> quantizeLayers(mlir::ModuleOp module,
                                         const FormatOptions &options,
                                         const LayerFilter &filter,
                                         llvm::StringRef report,
                                         LayerSolver solve);

} // namespace lowbit

#endif // LOWBIT_LIB_CALIBRATION_QUANTIZELAYERS_H
