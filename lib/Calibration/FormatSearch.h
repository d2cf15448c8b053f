//===- FormatSearch.h - the least harm within a budget ----------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CALIBRATION_FORMATSEARCH_H
#define LOWBIT_LIB_CALIBRATION_FORMATSEARCH_H

#include "LayerCost.h"
#include "Sensitivity.h"

namespace lowbit {

/// A layer and what it may be stored in.
struct SearchedLayer {
  struct Candidate {
    /// Which of the candidates of the search it is.
    size_t index;
    /// Null for the float weight.
    QuantFormatAttrInterface format;
    uint64_t cost = 0;
    double error = 0;
  };

  QuantizableLayer layer;
  /// At least one; those that the layer cannot take are left out.
  llvm::SmallVector<Candidate> candidates;
  /// The place of the one that was chosen.
  size_t chosen = 0;

  /// Null if the layer cannot take that candidate of the search.
  const Candidate *find(size_t index) const;
};

struct FormatSearchOptions {
  SensitivityOptions sensitivity;
  /// A file to keep what was measured in, or to take it from; empty for none.
  std::string table;
  /// Whether layers that read the same value take the same candidate.
  bool tied;
  /// In the unit of the costs.
  double budget;
  /// As users see the candidates.
  std::vector<std::string> names;
};

struct FormatSearchSummary {
  /// The sum of the errors, and what everything costs.
  double error;
  uint64_t cost;
  /// The same if all layers take one candidate: the best one within the budget.
  struct Uniform {
    size_t index;
    double error;
    uint64_t cost;
  };
  std::optional<Uniform> uniform;
};

/// Chooses a candidate for each layer, with the least sum of errors whose cost
/// and `fixedCost`, that of layers which are decided already, do not exceed the
/// budget. `fixedWeights` are the weights of those. Costs are known; errors are
/// measured.
llvm::Expected<FormatSearchSummary>
searchFormats(llvm::MutableArrayRef<SearchedLayer> layers,
              const LayerCost &cost, uint64_t fixedCost, uint64_t fixedWeights,
              const FormatSearchOptions &options);

/// Prints the errors of all candidates; the chosen ones are marked.
void printSensitivities(llvm::raw_ostream &os,
                        llvm::ArrayRef<SearchedLayer> layers,
                        const FormatSearchOptions &options);

} // namespace lowbit

#endif // LOWBIT_LIB_CALIBRATION_FORMATSEARCH_H
