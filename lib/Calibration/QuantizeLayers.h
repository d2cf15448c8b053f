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

/// Codes the weight of one layer in a format.
using LayerSolver = llvm::function_ref<llvm::Expected<SolverResult>(
    QuantizableOpInterface layer, const BlockFormat &format,
    ConstMatrixView weights, const RangeSearch &search)>;

/// Solves the layers, one after the other, replaces them, and appends what each
/// has cost. Of several formats a layer takes the one with the least error.
llvm::Error quantizeLayers(llvm::ArrayRef<QuantizableLayer> layers,
                           llvm::ArrayRef<FormatForLayer> formats,
                           const RangeSearch &search, LayerSolver solve,
                           llvm::SmallVectorImpl<LayerSummary> &summaries);

/// The same for the layers that the filter selects, with a report. The module
/// must be normalized. Returns how many layers there were.
llvm::Expected<unsigned>
quantizeLayers(mlir::ModuleOp module, llvm::ArrayRef<FormatOptions> formats,
               const LayerFilter &filter, llvm::StringRef report,
               LayerSolver solve, const ChangeFormat &change = {});

} // namespace lowbit

#endif // LOWBIT_LIB_CALIBRATION_QUANTIZELAYERS_H
