//===- LayerCost.cpp - what a format of a layer takes ---------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LayerCost.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitDialect.h"
#include "lowbit/Execution/MatmulTimer.h"
#include "lowbit/Support/OutputFile.h"
#include "lowbit/Support/ProcessGroup.h"
#include "mlir/AsmParser/AsmParser.h"
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
// Predicted latency
//===----------------------------------------------------------------------===//

/// The weight of a layer in a format, or as it is.
static QuantTensorType getWeightType(QuantizableOpInterface layer,
                                     QuantFormatAttrInterface format) {
  return QuantTensorType::get(layer.getWeightMatrixShape(),
                              Float32Type::get(layer->getContext()),
                              format ? format : getFloatFormat(layer));
}

static llvm::Error makeNoKernelError(const llvm::Twine &reason) {
  return makeError("there is no kernel: " + reason);
}

namespace {
class PredictedLatency final : public LayerCost {
public:
  explicit PredictedLatency(std::unique_ptr<KernelGenerator> generator)
      : generator(std::move(generator)) {}

  llvm::Expected<uint64_t> get(QuantizableOpInterface layer,
                               QuantFormatAttrInterface format) override {
    QuantTensorType type = getWeightType(layer, format);
    std::string reason;
    if (!generator->getMatmulLayout(type, /*inputType=*/{}, reason))
      return makeNoKernelError(reason);
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

//===----------------------------------------------------------------------===//
// Measured latency
//===----------------------------------------------------------------------===//

namespace {
class MeasuredLatency final : public LayerCost {
public:
  MeasuredLatency(const DialectRegistry &registry, uint64_t modelBytes)
      : context(registry, MLIRContext::Threading::DISABLED),
        modelBytes(modelBytes) {
    context.getDiagEngine().registerHandler([this](Diagnostic &diagnostic) {
      if (diagnostics.empty())
        diagnostics = diagnostic.str();
    });
    context.loadDialect<LowbitDialect, func::FuncDialect>();
  }

  llvm::Error initialize();

  /// Layers of the same shape take the same, and are measured once.
  llvm::Expected<uint64_t> get(QuantizableOpInterface layer,
                               QuantFormatAttrInterface format) override;

  std::string describe(uint64_t cost, uint64_t) const override {
    return llvm::formatv("{0:f3} microseconds per token", cost / 1000.0);
  }
  uint64_t parse(double budget, uint64_t) const override {
    return static_cast<uint64_t>(budget * 1000 * (1 + 1e-12));
  }

private:
  llvm::Expected<uint64_t> measure(StringRef type);

  /// Kernels are built in a context of their own: a pass must not load the
  /// dialects that they are made of.
  MLIRContext context;
  std::string diagnostics;
  uint64_t modelBytes;
  std::unique_ptr<KernelGenerator> generator;
  std::shared_ptr<JitEngine> engine;
  struct Measured {
    uint64_t nanoseconds = 0;
    /// Why there are none.
    std::string error;
  };
  llvm::StringMap<Measured> known;
};
} // namespace

llvm::Error MeasuredLatency::initialize() {
  llvm::Expected<CpuTarget> target = CpuTarget::get();
  if (!target)
    return target.takeError();
  generator =
      createCpuKernelGenerator(target->kernels, UnknownLoc::get(&context));
  if (!generator)
    return makeError("latency cannot be measured on this machine: " +
                     diagnostics);
  llvm::Expected<std::shared_ptr<JitEngine>> created =
      JitEngine::create({*target});
  if (!created)
    return created.takeError();
  engine = std::move(*created);
  return llvm::Error::success();
}

llvm::Expected<uint64_t> MeasuredLatency::measure(StringRef text) {
  auto type = dyn_cast_or_null<QuantTensorType>(parseType(text, &context));
  if (!type)
    return makeError("cannot copy the type " + text + ": " + diagnostics);
  std::string reason;
  PackedLayoutAttrInterface layout =
      generator->getMatmulLayout(type, /*inputType=*/{}, reason);
  if (!layout)
    return makeNoKernelError(reason);
  MatmulSignature product = {QuantTensorType::get(type.getShape(),
                                                  type.getElementType(),
                                                  type.getFormat(), layout),
                             /*inputType=*/{}, /*hasBias=*/false};
  FailureOr<MatmulTuningAttr> tuning =
      generator->getMatmulTuning(product, /*tunings=*/{}, reason);
  if (failed(tuning))
    return makeNoKernelError(reason);
  auto timings =
      MatmulTimer(product, engine,
                  std::min(modelBytes, MatmulTimer::getUncachedBytes()))
          .compare(*tuning, /*tokens=*/1);
  if (!timings)
    return timings.takeError();
  return static_cast<uint64_t>(std::ceil(timings->front().microseconds * 1000));
}

llvm::Expected<uint64_t> MeasuredLatency::get(QuantizableOpInterface layer,
                                              QuantFormatAttrInterface format) {
  std::string type;
  llvm::raw_string_ostream(type) << getWeightType(layer, format);
  auto [entry, isNew] = known.try_emplace(type);
  Measured &measured = entry->second;
  if (isNew) {
    // Two processes would measure different times and decide differently.
    ProcessGroup &group = ProcessGroup::get();
    if (group.isFirst()) {
      llvm::Expected<uint64_t> time = measure(type);
      if (time)
        measured.nanoseconds = *time;
      else
        measured.error = llvm::toString(time.takeError());
    }
    group.broadcast(measured.nanoseconds, /*root=*/0);
    group.broadcast(measured.error, /*root=*/0);
  }
  if (!measured.error.empty())
    return makeError(measured.error);
  return measured.nanoseconds;
}

llvm::Expected<std::unique_ptr<LayerCost>>
lowbit::createMeasuredLatency(MLIRContext *context, uint64_t modelBytes) {
  auto cost = std::make_unique<MeasuredLatency>(context->getDialectRegistry(),
                                                modelBytes);
  if (llvm::Error error = cost->initialize())
    return std::move(error);
  return cost;
}
