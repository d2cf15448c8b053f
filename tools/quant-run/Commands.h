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
#include "lowbit/Support/Difference.h"

namespace lowbit {

/// Times the model at each number of tokens and prints a line, or an element of
/// a JSON list, for each.
llvm::Error runBenchmark(const Session &session,
                         llvm::ArrayRef<int64_t> tokenCounts, int64_t past,
                         bool json);

/// How layers are listed that `--compare` sets side by side.
struct ComparisonOptions {
  enum class Order { Error, Execution };

  bool json = false;
  Order order = Order::Error;
  /// How many layers to list; 0 for all.
  unsigned limit = 0;
  /// Bins of the histograms of weights and outputs; 0 for none.
  unsigned histogram = 0;
};

/// Both models of a comparison, before they are compiled: finds the layers that
/// both have, sets their weights side by side, and makes the models return what
/// the layers compute. With outputs to go by, `run` and `print` do the rest.
class Comparison {
public:
  explicit Comparison(ComparisonOptions options) : options(options) {}

  /// Either may be null: the outputs of a compiled library, and no layers, are
  /// compared.
  llvm::Error prepare(mlir::ModuleOp reference, mlir::ModuleOp other);

  /// Runs both on each of `batches`, inputs in the order of the reference's.
  llvm::Error run(const Session &reference, const Session &other,
                  llvm::ArrayRef<std::vector<Tensor>> batches);

  void print(llvm::raw_ostream &os) const;

private:
  /// A layer or an output of both models.
  struct Point {
    std::string name;
    bool isLayer = false;
    /// Why it makes no sense to compare what both compute, or their weights.
    std::string outputsDiffer, weightsDiffer;
    std::string format;
    double bitsPerWeight = 0;
    std::optional<Difference> outputs, weights;
    std::vector<Histogram> outputHistograms, weightHistograms;
  };

  llvm::Error compareWeights(mlir::Operation *reference, mlir::Operation *other,
                             Point &point);
  llvm::Error match(const Session &reference, const Session &other);
  llvm::Error runOnce(const Session &reference, const Session &other,
                      llvm::ArrayRef<std::vector<Tensor>> batches,
                      bool countsOnly);
  std::vector<const Point *> arrange() const;
  void printJson(llvm::raw_ostream &os) const;

  ComparisonOptions options;
  std::vector<Point> points;
  /// Layers that only one of the models has.
  unsigned numUnmatched = 0;
};

} // namespace lowbit

#endif // LOWBIT_TOOLS_QUANT_RUN_COMMANDS_H
