//===- CpuKernelGenerator.cpp - kernels for CPUs --------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FloatPanelMatmul.h"
#include "MatmulCost.h"
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
  auto format = dyn_cast<UniformAttr>(weightType.getFormat());
  if (!format) {
    reason = "the panel kernels serve weights of #lowbit.uniform and "
             "#lowbit.float";
    return failure();
  }
  UniformFormat::Spec spec = format.getSpec();
  int64_t groupCols = format.getGroupCols(shape);
  int64_t inputGroupCols = 0;
  if (inputType) {
    auto inputFormat = dyn_cast<UniformAttr>(inputType.getFormat());
    if (!inputFormat || inputFormat.getBits() != 8 ||
        !inputFormat.getIsSigned() || inputFormat.getHasZeroPoint() ||
        inputFormat.getGroupRows() != 1 ||
        !inputFormat.getScaleType().isF32()) {
      reason = "the panel kernels multiply symmetric s8 activations with f32 "
               "scales per token";
      return failure();
    }
    inputGroupCols = inputFormat.getGroupCols(inputType.getShape());
    if (inputGroupCols < shape[1] && inputGroupCols != groupCols) {
      reason = "activation groups are neither whole rows nor the groups of the "
               "weight";
      return failure();
    }
  }
  return PanelMatmulSpec{shape[0],
                         shape[1],
                         *PanelsGeometry::get(format, shape),
                         /*maxCode=*/(1u << spec.bits) - 1,
                         /*codeOffset=*/spec.isSigned ? 1 << (spec.bits - 1)
                                                      : 0,
                         spec.hasZeroPoint,
                         hasBias,
                         format.getScaleType(),
                         /*floatType=*/{},
                         inputGroupCols};
}

namespace {

class CpuKernelGenerator final : public KernelGenerator {
public:
  explicit CpuKernelGenerator(const CpuKernelOptions &options)
      : options(options) {}

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
    PanelMatmulSpec spec = getSpec(op);
    if (spec.floatType) {
      buildFloatPanelMatmulBody(function, spec, options);
      return success();
    }
    std::string reason;
    FailureOr<SmallVector<MatmulTile>> tiles =
        chooseMatmulTiles(spec, options, reason);
    if (failed(tiles)) {
      InFlightDiagnostic error = op.emitOpError("strategy '")
                                 << stringifyMatmulStrategy(options.strategy)
                                 << "' " << reason << ": the weight is "
                                 << op.getWeightType().getFormat()
                                 << ", the input ";
      if (std::optional<QuantTensorType> input = op.getInputType())
        return error << input->getFormat();
      return error << "f32";
    }
    buildPanelMatmulBody(function, spec, *tiles, options);
    return success();
  }

  std::string describeMatmul(PackedMatmulOp op) const override {
    PanelMatmulSpec spec = getSpec(op);
    if (spec.floatType)
      return "the weight is of floats, which are multiplied as they are";
    std::string text;
    llvm::raw_string_ostream os(text);
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
  static PanelMatmulSpec getSpec(PackedMatmulOp op) {
    std::string reason;
    FailureOr<PanelMatmulSpec> spec = PanelMatmulSpec::get(
        op.getWeightType(), op.getInputType().value_or(QuantTensorType()),
        bool(op.getBias()), reason);
    assert(succeeded(spec) && "the layout was chosen by this generator");
    return *spec;
  }

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
    Tiles tiles;
    for (auto [tokens, panels] : {std::pair(8, 2), {4, 2}, {2, 4}, {1, 8}})
      tiles.push_back({tokens, panels, /*lanes=*/4, /*scalable=*/true});
    return CpuKernelOptions{
        tiles, Tiles{{6, 1}, {2, 2}, {1, 4}}, Tiles{{1, 4}}, 16,
        CpuInstructions{32, 32, 2, 2, 1, 1, 1, hasI8mm ? 255u : 127u, 0, 6,
                        hasI8mm},
        parallel, strategy};
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
          .Case("i8mm",
                CpuKernelOptions{
                    Tiles{{8, 1, 8}, {4, 1}, {2, 2}, {1, 2}},
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
  return std::make_unique<CpuKernelGenerator>(*options);
}
