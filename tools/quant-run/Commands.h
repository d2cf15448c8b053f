//===- Commands.h - what quant-run can do with a model -------- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_TOOLS_QUANT_RUN_COMMANDS_H
#define LOWBIT_TOOLS_QUANT_RUN_COMMANDS_H

#include "lowbit/Execution/Session.h"

namespace lowbit {

/// Times the model at each number of tokens and prints a line, or an element of
/// a JSON list, for each.
llvm::Error runBenchmark(const Session &session,
                         llvm::ArrayRef<int64_t> tokenCounts, int64_t past,
                         bool json);

/// Prints how far the outputs of `other` are from those of `reference` that have
/// the same names, on the same inputs.
llvm::Error runComparison(const Session &reference, const Session &other,
                          llvm::ArrayRef<Tensor> inputs, bool json);

} // namespace lowbit

#endif // LOWBIT_TOOLS_QUANT_RUN_COMMANDS_H
