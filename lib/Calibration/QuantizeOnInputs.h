//===- QuantizeOnInputs.h - layers on their real inputs ---------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CALIBRATION_QUANTIZEONINPUTS_H
#define LOWBIT_LIB_CALIBRATION_QUANTIZEONINPUTS_H

#include "Calibration.h"
#include "Options.h"
#include "lowbit/Quantize/Gptq.h"

namespace lowbit {

/// Codes the weight of one linear layer, whose inputs `factor` was made from.
using InputSolver = llvm::function_ref<llvm::Expected<SolverResult>(
    QuantFormatAttrInterface format, ConstMatrixView weights,
    const GptqFactor &factor, const RangeSearch &search)>;

/// What a pass that quantizes layers on their inputs is told.
struct OnInputsOptions {
  FormatOptions format;
  LayerFilter filter;
  std::string report;
  CalibrationOptions calibration;
  /// Damping, order and threads.
  GptqOptions factor;
  /// How much of the errors of earlier layers weights make up for.
  double errorPropagation;
  /// A folder for finished layers; empty if none are kept.
  std::string state;
  /// The solver and its options as text: what results depend on, beside the
  /// other options here.
  std::string solver;
};

/// Walks the model on calibration data, solves the linear layers on the inputs
/// that they meet, and replaces them; embeddings, which sum over nothing, are
/// rounded to the nearest. Layers that are finished go to the folder of the
/// state, and are taken from there. Returns how many layers there were.
llvm::Expected<unsigned> quantizeOnInputs(mlir::ModuleOp module,
                                          const OnInputsOptions &options,
                                          InputSolver solve,
                                          const ChangeFormat &change = {});

} // namespace lowbit

#endif // LOWBIT_LIB_CALIBRATION_QUANTIZEONINPUTS_H
