//===- LayerSummary.cpp - What quantizing a layer cost --------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/LayerSummary.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/FormatVariadic.h"
#include <algorithm>
#include <cmath>

using namespace lowbit;

void lowbit::printAligned(llvm::raw_ostream &os,
                          llvm::ArrayRef<std::vector<std::string>> lines,
                          size_t firstFigure, size_t numFigures) {
  std::vector<size_t> widths;
  for (const std::vector<std::string> &line : lines) {
    widths.resize(std::max(widths.size(), line.size()));
    for (auto [width, cell] : llvm::zip(widths, line))
      width = std::max(width, cell.size());
  }
  for (const std::vector<std::string> &line : lines) {
    std::string text;
    for (auto [i, cell] : llvm::enumerate(line)) {
      if (i != 0)
        text += "  ";
      const bool isFigure = i >= firstFigure && i < firstFigure + numFigures;
      std::string padding(widths[i] - cell.size(), ' ');
      text += isFigure ? padding + cell : cell + padding;
    }
    os << llvm::StringRef(text).rtrim() << '\n';
  }
}

void lowbit::printSummaryTable(llvm::raw_ostream &os,
                               llvm::ArrayRef<LayerSummary> layers) {
  std::vector<std::vector<std::string>> lines = {{"layer", "shape", "format",
                                                  "bits/weight", "weight error",
                                                  "output error", "seconds"}};
  double bits = 0, weights = 0, seconds = 0;
  for (const LayerSummary &layer : layers) {
    lines.push_back(
        {layer.name, llvm::formatv("{0}x{1}", layer.rows, layer.cols).str(),
         layer.format, llvm::formatv("{0:f3}", layer.bitsPerWeight).str(),
         llvm::formatv("{0:f5}", layer.weightError).str(),
         layer.outputError ? llvm::formatv("{0:f5}", *layer.outputError).str()
                           : "-",
         llvm::formatv("{0:f2}", layer.seconds).str()});
    const double count = static_cast<double>(layer.rows) * layer.cols;
    weights += count;
    bits += layer.bitsPerWeight * count;
    seconds += layer.seconds;
  }
  lines.push_back({llvm::formatv("{0} layers", layers.size()).str(),
                   llvm::formatv("{0} weights", (uint64_t)weights).str(), "",
                   llvm::formatv("{0:f3}", weights ? bits / weights : 0).str(),
                   "", "", llvm::formatv("{0:f2}", seconds).str()});
  printAligned(os, lines, /*firstFigure=*/3, /*numFigures=*/4);
}

llvm::json::Value lowbit::toJSON(llvm::ArrayRef<LayerSummary> layers) {
  // JSON has no NaN and no infinity.
  auto number = [](double value) -> llvm::json::Value {
    if (std::isfinite(value))
      return value;
    return nullptr;
  };
  llvm::json::Array array;
  for (const LayerSummary &layer : layers)
    array.push_back(llvm::json::Object{
        {"layer", layer.name},
        {"rows", layer.rows},
        {"cols", layer.cols},
        {"format", layer.format},
        {"bits_per_weight", number(layer.bitsPerWeight)},
        {"weight_error", number(layer.weightError)},
        {"output_error", layer.outputError ? number(*layer.outputError)
                                           : llvm::json::Value(nullptr)},
        {"seconds", number(layer.seconds)}});
  return array;
}

llvm::Expected<LayerSummary>
lowbit::parseLayerSummary(const llvm::json::Value &value) {
  llvm::json::Path::Root root("layer summary");
  LayerSummary layer;
  llvm::json::ObjectMapper mapper(value, root);
  if (!mapper || !mapper.map("layer", layer.name) ||
      !mapper.map("rows", layer.rows) || !mapper.map("cols", layer.cols) ||
      !mapper.map("format", layer.format) ||
      !mapper.map("bits_per_weight", layer.bitsPerWeight) ||
      !mapper.map("weight_error", layer.weightError) ||
      !mapper.map("output_error", layer.outputError) ||
      !mapper.map("seconds", layer.seconds))
    return root.getError();
  return layer;
}
