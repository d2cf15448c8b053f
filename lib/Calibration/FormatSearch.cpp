//===- FormatSearch.cpp - the least harm within a budget ------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FormatSearch.h"
#include "SensitivityTable.h"
#include "lowbit/Quantize/Knapsack.h"
#include "lowbit/Quantize/LayerSummary.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;
using namespace lowbit;

const SearchedLayer::Candidate *SearchedLayer::find(size_t index) const {
  const auto *found =
      llvm::find_if(candidates, [&](const Candidate &candidate) {
        return candidate.index == index;
      });
  return found == candidates.end() ? nullptr : found;
}

/// Measures the errors, or takes them from the table.
static llvm::Error fillErrors(MutableArrayRef<SearchedLayer> layers,
                              const FormatSearchOptions &options) {
  std::vector<SensitivityTask> tasks;
  for (const SearchedLayer &layer : layers)
    tasks.push_back(
        {layer.layer,
         llvm::map_to_vector(layer.candidates, [](const auto &candidate) {
           return candidate.format;
         })});
  std::optional<SensitivityTable> table;
  std::optional<std::vector<std::vector<double>>> errors;
  if (!options.table.empty()) {
    llvm::Expected<SensitivityTable> opened =
        SensitivityTable::get(options.table, tasks, options.sensitivity);
    if (!opened)
      return opened.takeError();
    table.emplace(std::move(*opened));
    llvm::Expected<std::optional<std::vector<std::vector<double>>>> known =
        table->load();
    if (!known)
      return known.takeError();
    errors = std::move(*known);
  }
  if (!errors) {
    llvm::Expected<std::vector<std::vector<double>>> measured =
        measureSensitivity(tasks, options.sensitivity);
    if (!measured)
      return measured.takeError();
    errors = std::move(*measured);
    if (table)
      if (llvm::Error error = table->save(*errors))
        return error;
  }
  for (auto [layer, values] : llvm::zip_equal(layers, *errors))
    for (auto [candidate, error] : llvm::zip_equal(layer.candidates, values))
      candidate.error = error;
  return llvm::Error::success();
}

/// The layers that take the same candidate, by their indices.
static std::vector<SmallVector<size_t>>
groupLayers(ArrayRef<SearchedLayer> layers, bool tied) {
  llvm::MapVector<Value, SmallVector<size_t>> byInput;
  std::vector<SmallVector<size_t>> groups;
  for (auto [index, layer] : llvm::enumerate(layers)) {
    QuantizableOpInterface op = layer.layer.op;
    if (tied)
      byInput[op.getQuantizableInput().get()].push_back(index);
    else
      groups.push_back({index});
  }
  for (auto &[input, indices] : byInput)
    groups.push_back(std::move(indices));
  return groups;
}

namespace {
/// What a group of layers may take.
struct TiedGroup {
  SmallVector<size_t> layers;
  /// Which candidates the items are.
  SmallVector<size_t> indices;
  KnapsackGroup items;
};
} // namespace

static llvm::Expected<TiedGroup> makeGroup(ArrayRef<SearchedLayer> layers,
                                           SmallVector<size_t> members,
                                           size_t numCandidates) {
  TiedGroup group;
  for (size_t index = 0; index < numCandidates; ++index) {
    KnapsackItem item{0, 0};
    const bool fitsAll = llvm::all_of(members, [&](size_t member) {
      const SearchedLayer::Candidate *candidate = layers[member].find(index);
      if (!candidate)
        return false;
      item.weight += candidate->cost;
      item.cost += candidate->error;
      return true;
    });
    if (!fitsAll)
      continue;
    group.indices.push_back(index);
    group.items.push_back(item);
  }
  group.layers = std::move(members);
  if (group.items.empty())
    return makeError("no candidate serves all layers that are tied to '" +
                     layers[group.layers.front()].layer.name + "'");
  return group;
}

/// The best candidate that all layers can take.
static std::optional<FormatSearchSummary::Uniform>
findUniform(ArrayRef<SearchedLayer> layers, uint64_t fixedCost, uint64_t limit,
            size_t numCandidates) {
  std::optional<FormatSearchSummary::Uniform> best;
  for (size_t index = 0; index < numCandidates; ++index) {
    FormatSearchSummary::Uniform uniform{index, 0, fixedCost};
    const bool fitsAll = llvm::all_of(layers, [&](const SearchedLayer &layer) {
      const SearchedLayer::Candidate *candidate = layer.find(index);
      if (!candidate)
        return false;
      uniform.error += candidate->error;
      uniform.cost += candidate->cost;
      return true;
    });
    if (fitsAll && uniform.cost <= limit &&
        (!best || uniform.error < best->error))
      best = uniform;
  }
  return best;
}

llvm::Expected<FormatSearchSummary>
lowbit::searchFormats(MutableArrayRef<SearchedLayer> layers,
                      const LayerCost &cost, uint64_t fixedCost,
                      uint64_t fixedWeights,
                      const FormatSearchOptions &options) {
  if (llvm::Error error = options.sensitivity.check())
    return std::move(error);
  std::vector<TiedGroup> groups;
  for (SmallVector<size_t> &members : groupLayers(layers, options.tied)) {
    llvm::Expected<TiedGroup> group =
        makeGroup(layers, std::move(members), options.names.size());
    if (!group)
      return group.takeError();
    groups.push_back(std::move(*group));
  }
  const auto getItems = [&] {
    return llvm::to_vector(llvm::map_range(
        groups, [](const TiedGroup &group) { return group.items; }));
  };
  uint64_t weights = fixedWeights;
  for (SearchedLayer &layer : layers)
    weights +=
        ShapedType::getNumElements(layer.layer.op.getWeightMatrixShape());
  const uint64_t limit = cost.parse(options.budget, weights);
  // Before anything is measured, which takes its time.
  const uint64_t least = fixedCost + getLeastWeight(getItems());
  if (least > limit)
    return makeError(
        "the budget is " + cost.describe(limit, weights) +
        ", but the candidates take at least " + cost.describe(least, weights) +
        (fixedCost ? ", with the layers that are not searched" : ""));

  if (llvm::Error error = fillErrors(layers, options))
    return std::move(error);
  for (TiedGroup &group : groups)
    for (auto [index, item] : llvm::zip_equal(group.indices, group.items)) {
      item.cost = 0;
      for (size_t member : group.layers)
        item.cost += layers[member].find(index)->error;
    }
  const std::optional<KnapsackSolution> solution =
      solveKnapsack(getItems(), limit - fixedCost);
  FormatSearchSummary summary{0, fixedCost, {}};
  for (auto [group, item] : llvm::zip_equal(groups, solution->items))
    for (size_t member : group.layers) {
      SearchedLayer &layer = layers[member];
      layer.chosen = layer.find(group.indices[item]) - layer.candidates.begin();
      summary.error += layer.candidates[layer.chosen].error;
      summary.cost += layer.candidates[layer.chosen].cost;
    }
  summary.uniform = findUniform(layers, fixedCost, limit, options.names.size());
  return summary;
}

void lowbit::printSensitivities(llvm::raw_ostream &os,
                                ArrayRef<SearchedLayer> layers,
                                const FormatSearchOptions &options) {
  std::vector<std::vector<std::string>> lines = {{options.sensitivity.measure}};
  llvm::append_range(lines.front(), options.names);
  for (const SearchedLayer &layer : layers) {
    std::vector<std::string> &line = lines.emplace_back();
    line.push_back(layer.layer.name);
    for (size_t index = 0; index < options.names.size(); ++index) {
      const SearchedLayer::Candidate *candidate = layer.find(index);
      const bool isChosen = candidate == &layer.candidates[layer.chosen];
      line.push_back(candidate ? llvm::formatv("{0}{1:e3}", isChosen ? "*" : "",
                                               candidate->error)
                                     .str()
                               : "-");
    }
  }
  printAligned(os, lines, /*firstFigure=*/1, options.names.size());
}
