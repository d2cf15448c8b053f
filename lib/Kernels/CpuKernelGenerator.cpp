//===- CpuKernelGenerator.cpp - kernels for CPUs --------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FloatPanelMatmul.h"
#include "MatmulCost.h"
#include "MatmulTuning.h"
#include "OnlineAttention.h"
#include "PanelMatmul.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "lowbit/Kernels/KernelGenerator.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Format.h"

using namespace mlir;
using namespace lowbit;

KernelGenerator::~KernelGenerator() = default;

FailureOr<PanelMatmulSpec> PanelMatmulSpec::get(QuantTensorType weightType,
                                                QuantTensorType inputType,
                                                bool hasBias,
                                                std::string &reason) {
  if (!weightType.getElementType().isF32()) {
    reason = "the panel kernels compute in f32";
    return failure();
  }
  ArrayRef<int64_t> shape = weightType.getShape();
  if (auto floats = dyn_cast<FloatFormatAttr>(weightType.getFormat())) {
    if (inputType) {
      reason = "a weight of floats is multiplied with float activations";
      return failure();
    }
    PanelMatmulSpec spec{shape[0], shape[1],
                         *PanelsGeometry::get(floats, shape)};
    spec.hasBias = hasBias;
    spec.floatType = floats.getType();
    return spec;
  }
  std::optional<ScaledCodes> codes = weightType.getFormat().getScaledCodes();
  if (!codes) {
    reason = "the panel kernels serve weights of scaled codes, as in "
             "#lowbit.uniform, and of #lowbit.float";
    return failure();
  }
  int64_t groupCols = weightType.getFormat().getGroupCols(shape);
  int64_t inputGroupCols = 0;
  bool hasTensorInputScale = false;
  if (inputType) {
    auto inputFormat = dyn_cast<UniformAttr>(inputType.getFormat());
    if (!inputFormat || inputFormat.getBits() != 8 ||
        !inputFormat.getIsSigned() || !inputFormat.isInteger() ||
        inputFormat.getHasZeroPoint() || inputFormat.getGroupRows() > 1 ||
        !inputFormat.getScaleType().isF32()) {
      reason = "the panel kernels multiply symmetric s8 activations with f32 "
               "scales per token or for all tokens";
      return failure();
    }
    inputGroupCols = inputFormat.getGroupCols(inputType.getShape());
    hasTensorInputScale = inputFormat.getGroupRows() == 0;
    if (hasTensorInputScale && inputGroupCols < shape[1]) {
      reason = "activation groups span tokens, but not whole rows";
      return failure();
    }
    if (inputGroupCols < shape[1] && inputGroupCols != groupCols) {
      reason = "activation groups are neither whole rows nor the groups of the "
               "weight";
      return failure();
    }
  }
  PanelMatmulSpec spec{shape[0], shape[1],
                       PanelsGeometry(shape[0], shape[1], *codes, groupCols)};
  spec.maxCode = codes->areSigns ? 2 : (1u << codes->bits) - 1;
  if (codes->areSigns)
    spec.codeOffset = 1;
  else if (codes->isSigned)
    spec.codeOffset = 1 << (codes->bits - 1);
  if (!codes->levels.empty() &&
      failed(spec.setLevels(*codes, bool(inputType), reason)))
    return failure();
  spec.zeroType = codes->zeroType;
  spec.hasBias = hasBias;
  spec.scaleType = codes->scaleType;
  spec.inputGroupCols = inputGroupCols;
  spec.hasTensorInputScale = hasTensorInputScale;
  spec.offsetType = codes->offsetType;
  spec.factorType = codes->factorType;
  spec.offsetFactorType = codes->offsetFactorType;
  return spec;
}

LogicalResult PanelMatmulSpec::setLevels(const ScaledCodes &codes,
                                         bool hasQuantizedInput,
                                         std::string &reason) {
  if (codes.pairs)
    identifier = codes.pairs->identifier;
  if (hasQuantizedInput) {
    bytes = getByteLevels(codes, reason);
    if (!bytes)
      return failure();
    maxCode = *llvm::max_element(bytes->bytes);
    codeOffset = bytes->zero;
    return success();
  }
  codeType = codes.codeType;
  if (codeType)
    return success();
  levels = codes.levels;
  if (codes.pairs)
    llvm::append_range(levels, codes.pairs->levels);
  return success();
}

namespace {

class CpuKernelGenerator final : public KernelGenerator {
public:
  CpuKernelGenerator(StringRef target, const CpuKernelOptions &options)
      : target(target), options(options) {}

  PackedLayoutAttrInterface
  getMatmulLayout(QuantTensorType weightType, QuantTensorType inputType,
                  std::string &reason) const override {
    if (failed(PanelMatmulSpec::get(weightType, inputType, /*hasBias=*/false,
                                    reason)))
      return {};
    return PanelsAttr::get(weightType.getContext());
  }

  LogicalResult buildMatmul(func::FuncOp function,
                            PackedMatmulOp op) const override {
    MatmulSignature product = getSignature(op);
    std::string reason;
    FailureOr<MatmulTuningAttr> tuning =
        getMatmulTuning(product, op.getTuningsAttr(), reason);
    if (failed(tuning)) {
      InFlightDiagnostic error =
          op.emitOpError() << reason << ": the weight is "
                           << product.weightType.getFormat() << ", the input ";
      if (product.inputType)
        return error << product.inputType.getFormat();
      return error << "f32";
    }
    PanelMatmulSpec spec = getSpec(product);
    spec.prefetchBytes = tuning->getPrefetchBytes();
    if (spec.floatType)
      buildFloatPanelMatmulBody(function, spec, tuning->getTiles(), options);
    else
      buildPanelMatmulBody(function, spec, tuning->getTiles(), options);
    return success();
  }

  FailureOr<MatmulTuningAttr>
  getMatmulTuning(const MatmulSignature &product, ArrayAttr tunings,
                  std::string &reason) const override {
    PanelMatmulSpec spec = getSpec(product);
    MatmulTuningAttr tuning = findTuning(tunings, target);
    // What the user asks for now is stronger than what was found before.
    if (tuning && options.strategy == MatmulStrategy::Auto) {
      if (succeeded(checkTiles(spec, options, tuning.getTiles(), reason)))
        return tuning;
      reason = "tuning for '" + target + "': " + reason;
      return failure();
    }
    FailureOr<SmallVector<MatmulTile>> tiles =
        chooseMatmulTiles(spec, options, reason);
    if (succeeded(tiles))
      return MatmulTuningAttr::get(product.weightType.getContext(), target,
                                   *tiles, spec.prefetchBytes);
    reason = ("strategy '" + stringifyMatmulStrategy(options.strategy) + "' " +
              reason)
                 .str();
    return failure();
  }

  SmallVector<MatmulTuningAttr>
  getMatmulAlternatives(const MatmulSignature &product, MatmulTuningAttr tuning,
                        unsigned tile) const override {
    SmallVector<MatmulTuningAttr> result;
    for (ArrayRef<MatmulTile> tiles : getAlternativeTiles(
             getSpec(product), options, tuning.getTiles(), tile))
      result.push_back(MatmulTuningAttr::get(tuning.getContext(), target, tiles,
                                             tuning.getPrefetchBytes()));
    return result;
  }

  double getMatmulCycles(const MatmulSignature &product) const override {
    const PanelMatmulSpec spec = getSpec(product);
    QuantTensorType type = product.weightType;
    double bytes = 0;
    for (const FormatComponent &component :
         PanelsAttr::get(type.getContext())
             .getPackedComponents(type.getFormat(), type.getShape()))
      bytes += ExternalAttr::getByteSize(component.type);
    return std::max(getComputeCycles(spec, options),
                    bytes / options.instructions.weightBytes);
  }

  std::string describeMatmul(PackedMatmulOp op) const override {
    PanelMatmulSpec spec = getSpec(getSignature(op));
    std::string text;
    llvm::raw_string_ostream os(text);
    MatmulTuningAttr tuning = findTuning(op.getTuningsAttr(), target);
    if (tuning && options.strategy == MatmulStrategy::Auto) {
      os << "as was measured: ";
      llvm::interleaveComma(tuning.getTiles(), os);
      return text;
    }
    if (spec.floatType)
      return "the weight is of floats, which are multiplied as they are";
    os << "cycles for 1024 weights and a token, computing / reading from "
          "memory";
    for (ArrayRef<MatmulCost> costs : compareMatmulCosts(spec, options)) {
      os << "; by " << costs.front().tile.shape.tokens << ':';
      for (const MatmulCost &cost : costs)
        os << (&cost == costs.begin() ? " " : ", ")
           << stringifyMatmulStrategy(cost.tile.strategy) << ' '
           << llvm::format("%.1f", cost.compute) << " / "
           << llvm::format("%.1f", cost.memory);
    }
    return text;
  }

  void buildAttention(func::FuncOp function, AttentionOp op) const override {
    buildOnlineAttentionBody(function, op, options);
  }

private:
  static MatmulSignature getSignature(PackedMatmulOp op) {
    return {op.getWeightType(), op.getInputType().value_or(QuantTensorType()),
            bool(op.getBias())};
  }
  static PanelMatmulSpec getSpec(const MatmulSignature &product) {
    std::string reason;
    FailureOr<PanelMatmulSpec> spec = PanelMatmulSpec::get(
        product.weightType, product.inputType, product.hasBias, reason);
    assert(succeeded(spec) && "the layout was chosen by this generator");
    return *spec;
  }

  std::string target;
  CpuKernelOptions options;
};

} // namespace

std::unique_ptr<KernelGenerator>
lowbit::createCpuKernelGenerator(StringRef target, Location loc, bool parallel,
                                 MatmulStrategy strategy) {
  // A tile takes 1, 2 or 4 registers for each token and panel: there are 32 of
  // 512 bits, 16 of 256 or 32 of 128. Instructions are those of Cascade Lake,
  // Haswell, whose port for shuffles also gets a quarter of its cycles of other
  // work, and Neoverse V2.
  using Tiles = SmallVector<TileShape>;
  // Vectors are 256 bits long where SVE serves better than NEON. Lookups and
  // products of floats stay in NEON.
  auto getScalable = [&](bool hasI8mm) {
    return CpuKernelOptions{Tiles{{8, 2}, {4, 2}, {2, 4}, {1, 8}},
                            Tiles{{6, 1}, {2, 2}, {1, 4}},
                            Tiles{{1, 4}},
                            16,
                            CpuInstructions{32, 32, 2, 2, 1, 1, 1,
                                            hasI8mm ? 255u : 127u, 0, 6,
                                            hasI8mm, /*scalable=*/true},
                            parallel,
                            strategy};
  };
  std::optional<CpuKernelOptions> options =
      llvm::StringSwitch<std::optional<CpuKernelOptions>>(target)
          .Cases({"avx512vnni", "amx"},
                 CpuKernelOptions{
                     Tiles{{12, 2}, {8, 2}, {4, 2}, {2, 4}, {1, 8}},
                     Tiles{{12, 2}, {4, 4}, {2, 4}, {1, 8}}, Tiles{{1, 8}}, 64,
                     CpuInstructions{64, 32, 2, 2, 1, 1, 1, 255, 16, 6},
                     parallel, strategy})
          .Case("avx2",
                CpuKernelOptions{
                    Tiles{{4, 1}, {2, 2}, {1, 4}},
                    Tiles{{6, 1}, {2, 2}, {1, 4}}, Tiles{{1, 4}}, 16,
                    CpuInstructions{32, 16, 3, 2, 0.75, 3, 2, 127, 8, 6},
                    parallel, strategy})
          .Case("neon",
                CpuKernelOptions{
                    Tiles{{4, 1}, {2, 2}, {1, 2}},
                    Tiles{{6, 1}, {2, 2}, {1, 4}}, Tiles{{1, 4}}, 16,
                    CpuInstructions{16, 32, 4, 4, 2, 1, 1, 127, 0, 6}, parallel,
                    strategy})
          .Case(
              "i8mm",
              CpuKernelOptions{Tiles{{8, 1}, {4, 1}, {2, 2}, {1, 2}},
                               Tiles{{6, 1}, {2, 2}, {1, 4}}, Tiles{{1, 4}}, 16,
                               CpuInstructions{16, 32, 4, 4, 2, 1, 1, 255, 0, 6,
                                               /*hasMmla=*/true},
                               parallel, strategy})
          .Case("sve", getScalable(/*hasI8mm=*/false))
          .Case("sve-i8mm", getScalable(/*hasI8mm=*/true))
          .Default(std::nullopt);
  if (!options) {
    emitError(loc) << "unknown target '" << target
                   << "': expected avx2, avx512vnni, amx, neon, i8mm, sve or "
                      "sve-i8mm";
    return nullptr;
  }
  // The caches are those of Sapphire, Emerald and Granite Rapids.
  if (target == "amx")
    options->matrixUnit = MatrixUnit{64, 16, 48 << 10, 2 << 20};
  return std::make_unique<CpuKernelGenerator>(target, *options);
}
