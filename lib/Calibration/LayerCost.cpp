//===- LayerCost.cpp - what a format of a layer takes ---------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LayerCost.h"
#include "lowbit/Execution/CpuTarget.h"
#include "lowbit/Kernels/KernelGenerator.h"
#include "lowbit/Support/OutputFile.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>

using namespace mlir;
using namespace lowbit;

LayerCost::~LayerCost() = default;

/// What stores a layer that stays as it is.
static QuantFormatAttrInterface getFloatFormat(QuantizableOpInterface layer) {
  auto type = cast<ShapedType>(layer.getQuantizableWeight().get().getType());
  return FloatFormatAttr::get(layer->getContext(), type.getElementType(),
                              /*transposed=*/false);
}

//===----------------------------------------------------------------------===//
// Storage
//===----------------------------------------------------------------------===//

namespace {
class StorageCost final : public LayerCost {
public:
  explicit StorageCost(bool perWeight) : perWeight(perWeight) {}

  llvm::Expected<uint64_t> get(QuantizableOpInterface layer,
                               QuantFormatAttrInterface format) override {
    uint64_t bytes = 0;
    for (const FormatComponent &component :
         (format ? format : getFloatFormat(layer))
             .getComponents(layer.getWeightMatrixShape()))
      bytes += ExternalAttr::getByteSize(component.type);
    return bytes;
  }
  std::string describe(uint64_t cost, uint64_t weights) const override {
    if (!perWeight)
      return llvm::formatv("{0} bytes", cost);
    return llvm::formatv("{0:f3} bits per weight",
                         8.0 * static_cast<double>(cost) /
                             static_cast<double>(weights));
  }
  uint64_t parse(double budget, uint64_t weights) const override {
    // 3.3 is not quite 3.3 in binary.
    return static_cast<uint64_t>(
        perWeight ? budget * static_cast<double>(weights) / 8 * (1 + 1e-12)
                  : budget);
  }

private:
  bool perWeight;
};
} // namespace

std::unique_ptr<LayerCost> lowbit::createStorageCost(bool perWeight) {
  return std::make_unique<StorageCost>(perWeight);
}

//===----------------------------------------------------------------------===//
// Latency
//===----------------------------------------------------------------------===//

namespace {
class PredictedLatency final : public LayerCost {
public:
  explicit PredictedLatency(std::unique_ptr<KernelGenerator> generator)
      : generator(std::move(generator)) {}

  llvm::Expected<uint64_t> get(QuantizableOpInterface layer,
                               QuantFormatAttrInterface format) override {
    auto type = QuantTensorType::get(layer.getWeightMatrixShape(),
                                     Float32Type::get(layer->getContext()),
                                     format ? format : getFloatFormat(layer));
    std::string reason;
    if (!generator->getMatmulLayout(type, /*inputType=*/{}, reason))
      return makeError("there is no kernel: " + reason);
    return static_cast<uint64_t>(std::ceil(generator->getMatmulCycles(
        {type, /*inputType=*/{}, /*hasBias=*/false})));
  }
  std::string describe(uint64_t cost, uint64_t) const override {
    return llvm::formatv("{0:f3} thousand cycles per token", cost / 1000.0);
  }
  uint64_t parse(double budget, uint64_t) const override {
    return static_cast<uint64_t>(budget * 1000 * (1 + 1e-12));
  }

private:
  std::unique_ptr<KernelGenerator> generator;
};
} // namespace

llvm::Expected<std::unique_ptr<LayerCost>>
lowbit::createPredictedLatency(MLIRContext *context, llvm::StringRef target) {
  std::string kernels = target.str();
  if (target == "native") {
    llvm::Expected<CpuTarget> native = CpuTarget::get();
    if (!native)
      return native.takeError();
    kernels = native->kernels;
  }
  std::string message;
  ScopedDiagnosticHandler handler(context, [&](Diagnostic &diagnostic) {
    message = diagnostic.str();
    return success();
  });
  std::unique_ptr<KernelGenerator> generator =
      createCpuKernelGenerator(kernels, UnknownLoc::get(context));
  if (!generator)
    return makeError("target is '" + target + "': " + message);
  return std::make_unique<PredictedLatency>(std::move(generator));
}
