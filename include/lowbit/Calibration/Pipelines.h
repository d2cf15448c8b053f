//===- Pipelines.h - published methods as pipelines -------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_CALIBRATION_PIPELINES_H
#define LOWBIT_CALIBRATION_PIPELINES_H

#include "mlir/Pass/PassOptions.h"

namespace lowbit {

/// HQQ with the defaults of its authors.
struct HqqPipelineOptions : mlir::PassPipelineOptions<HqqPipelineOptions> {
  Option<unsigned> bits{*this, "bits", llvm::cl::desc("Bits of a code, 1 to 8"),
                        llvm::cl::init(4)};
  Option<int64_t> groupSize{
      *this, "group-size",
      llvm::cl::desc("Input channels that share a scale; -1 for whole rows"),
      llvm::cl::init(64)};
  Option<std::string> include{
      *this, "include",
      llvm::cl::desc("Quantize only layers whose name matches this regular "
                     "expression"),
      llvm::cl::init("")};
  Option<std::string> exclude{
      *this, "exclude",
      llvm::cl::desc("Leave layers whose name matches this regular expression "
                     "as they are"),
      llvm::cl::init("")};
  Option<bool> head{*this, "head",
                    llvm::cl::desc("Quantize the last linear layer, too"),
                    llvm::cl::init(false)};
  Option<bool> embeddings{*this, "embeddings",
                          llvm::cl::desc("Quantize embedding tables, too"),
                          llvm::cl::init(false)};
  Option<std::string> report{
      *this, "report",
      llvm::cl::desc("File for the table of the quantized layers, as JSON if "
                     "its name ends in .json; '-' prints it to standard error"),
      llvm::cl::init("")};
  Option<unsigned> threads{
      *this, "threads",
      llvm::cl::desc("Threads to work with; 0 takes all processors"),
      llvm::cl::init(0)};
};

/// Registers `--hqq`.
void registerLowbitCalibrationPipelines();

} // namespace lowbit

#endif // LOWBIT_CALIBRATION_PIPELINES_H
