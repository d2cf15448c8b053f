//===- Pipelines.cpp - published methods as pipelines ---------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Calibration/Pipelines.h"
#include "GgmlMixture.h"
#include "lowbit/Calibration/Passes.h"
#include "lowbit/Dialect/Lowbit/Transforms/Passes.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"

using namespace mlir;
using namespace lowbit;

/// Hands the options of all recipes on to a pass that quantizes.
template <typename PassOptions>
static PassOptions makeOptions(const RecipeOptions &recipe) {
  PassOptions options;
  options.include = recipe.include;
  options.exclude = recipe.exclude;
  options.report = recipe.report;
  options.threads = recipe.threads;
  return options;
}

template <typename PassOptions>
static PassOptions makeOptions(const FormatRecipeOptions &recipe) {
  auto options =
      makeOptions<PassOptions>(static_cast<const RecipeOptions &>(recipe));
  options.head = recipe.head;
  options.embeddings = recipe.embeddings;
  return options;
}

/// Hands the options of calibrated recipes on to a pass that runs the model.
template <typename PassOptions, typename Base>
static void setData(PassOptions &options,
                    const CalibratedRecipe<Base> &recipe) {
  options.calibration = recipe.calibration;
  options.tokenizer = recipe.tokenizer;
  options.samples = recipe.samples;
  options.sampling = recipe.sampling;
  options.length = recipe.length;
  options.seed = recipe.seed;
}

//===----------------------------------------------------------------------===//
// Rounding to a published format
//===----------------------------------------------------------------------===//

namespace {
struct RoundingRecipe {
  /// The flag, and the format as options name it.
  llvm::StringLiteral name;
  llvm::StringLiteral description;
};
} // namespace

/// To add a recipe that rounds to a format, add a line here, and the format's
/// name to those that passes know (FormatNames.cpp).
static constexpr RoundingRecipe roundingRecipes[] = {
    {"nf4", "Round linear layers to NF4 as QLoRA does: blocks of 64, scales "
            "quantized again to 8 bits"},
    {"fp4",
     "Round linear layers to FP4 as bitsandbytes does: blocks of 64, f32 "
     "scales"},
    {"mxfp4",
     "Round linear layers to MXFP4 of OCP Microscaling: e2m1 in blocks "
     "of 32, scales that are powers of two"},
    {"mxfp8",
     "Round linear layers to MXFP8 of OCP Microscaling: e4m3 in blocks "
     "of 32, scales that are powers of two"},
    {"nvfp4", "Round linear layers to NVFP4: e2m1 in blocks of 16, e4m3 scales "
              "and an f32 scale for the tensor"},
};

static void buildRounding(OpPassManager &pm, llvm::StringRef format,
                          const FormatRecipeOptions &recipe) {
  auto options = makeOptions<QuantizeRtnOptions>(recipe);
  options.format = format.str();
  pm.addPass(createQuantizeRtn(options));
}

//===----------------------------------------------------------------------===//
// The mixtures of llama.cpp
//===----------------------------------------------------------------------===//

static void buildMixture(OpPassManager &pm, llvm::StringRef mixture,
                         const MixtureOptions &recipe) {
  if (!recipe.calibration.empty()) {
    CollectImportanceOptions importance;
    setData(importance, recipe);
    importance.include = recipe.include;
    importance.exclude = recipe.exclude;
    importance.threads = recipe.threads;
    pm.addPass(createCollectImportance(importance));
  }
  AssignFormatsOptions assign;
  assign.mixture = mixture.str();
  llvm::append_range(assign.rules, recipe.rules);
  pm.addPass(createAssignFormats(assign));
  pm.addPass(createQuantizeRtn(makeOptions<QuantizeRtnOptions>(recipe)));
}

/// Q4_K_M becomes q4-k-m.
static std::string getFlag(llvm::StringRef mixture) {
  std::string flag = mixture.lower();
  llvm::replace(flag, '_', '-');
  return flag;
}

//===----------------------------------------------------------------------===//
// Methods with a solver
//===----------------------------------------------------------------------===//

static void buildHqq(OpPassManager &pm, const HqqPipelineOptions &recipe) {
  auto options = makeOptions<QuantizeHqqOptions>(recipe);
  options.bits = recipe.bits;
  options.groupSize = recipe.groupSize;
  options.zeroType = "f16";
  pm.addPass(createQuantizeHqq(options));
}

static void buildBcq(OpPassManager &pm, const BcqPipelineOptions &recipe) {
  auto options = makeOptions<QuantizeBcqOptions>(recipe);
  options.bits = recipe.bits;
  options.groupSize = recipe.groupSize;
  pm.addPass(createQuantizeBcq(options));
}

static void buildOlive(OpPassManager &pm, const OlivePipelineOptions &recipe) {
  // Codes of four bits suit one kind of normal levels or the other.
  auto setFormats = [&](auto &options, llvm::StringRef group,
                        llvm::StringRef scale) {
    auto getFormat = [&](llvm::StringRef normals) {
      return ("#lowbit.ovp<" + normals + llvm::Twine(recipe.bits) +
              ", group = " + group + ", scale = " + scale + ">")
          .str();
    };
    options.format = getFormat("int");
    if (recipe.bits == 4)
      options.orFormat = getFormat("flint");
  };
  auto options = makeOptions<QuantizeRtnOptions>(recipe);
  setFormats(options, "[1, *]", "f16");
  pm.addPass(createQuantizeRtn(options));
  if (!recipe.activations && recipe.calibration.empty() && recipe.range.empty())
    return;
  QuantizeActivationsOptions inputs;
  setFormats(inputs, "[*, *]", "f32");
  inputs.isStatic = true;
  inputs.range = recipe.range;
  setData(inputs, recipe);
  inputs.include = recipe.include;
  inputs.exclude = recipe.exclude;
  inputs.threads = recipe.threads;
  pm.addPass(createQuantizeActivations(inputs));
}

static void buildEasyQuant(OpPassManager &pm,
                           const EasyQuantPipelineOptions &recipe) {
  auto options = makeOptions<QuantizeEasyQuantOptions>(recipe);
  options.bits = recipe.bits;
  options.groupSize = -1;
  options.symmetric = true;
  options.fraction = recipe.fraction;
  pm.addPass(createQuantizeEasyQuant(options));
}

static void buildSpqr(OpPassManager &pm, const SpqrPipelineOptions &recipe) {
  // What scales and zero points of 16 rows are stored in.
  constexpr llvm::StringLiteral second =
      "#lowbit.uniform<u3, group = [16, 1], scale = f16, zero = f16>";
  auto options = makeOptions<QuantizeSpqrOptions>(recipe);
  options.format =
      ("#lowbit.uniform<u" + llvm::Twine(recipe.bits) +
       ", group = [1, 16], scale = " + second + ", zero = " + second + ">")
          .str();
  options.threshold = recipe.threshold;
  options.damping = recipe.damping;
  options.actOrder = true;
  setData(options, recipe);
  options.inputs = recipe.inputs;
  options.state = recipe.state;
  pm.addPass(createQuantizeSpqr(options));
}

//===----------------------------------------------------------------------===//
// Weights and activations
//===----------------------------------------------------------------------===//

/// Inputs in 8 bits with a scale for each token.
static void addTokenwiseActivations(OpPassManager &pm,
                                    const RecipeOptions &recipe) {
  QuantizeActivationsOptions options;
  options.granularity = "row";
  options.include = recipe.include;
  options.exclude = recipe.exclude;
  pm.addPass(createQuantizeActivations(options));
}

static void buildLlmInt8(OpPassManager &pm,
                         const LlmInt8PipelineOptions &recipe) {
  const bool isStatic = !recipe.calibration.empty();
  if (isStatic) {
    SplitStaticOutliersOptions split;
    split.threshold = recipe.threshold;
    setData(split, recipe);
    split.include = recipe.include;
    split.exclude = recipe.exclude;
    split.head = recipe.head;
    split.threads = recipe.threads;
    pm.addPass(createSplitStaticOutliers(split));
  }
  auto options = makeOptions<QuantizeRtnOptions>(recipe);
  options.format =
      "#lowbit.uniform<s8, group = [1, *], scale = f32, zero = none, narrow>";
  pm.addPass(createQuantizeRtn(options));
  addTokenwiseActivations(pm, recipe);
  if (!isStatic) {
    SplitDynamicOutliersOptions split;
    split.threshold = recipe.threshold;
    pm.addPass(createSplitDynamicOutliers(split));
  }
}

static void buildZeroQuant(OpPassManager &pm,
                           const ZeroQuantPipelineOptions &recipe) {
  auto getFormat = [&](unsigned bits) {
    return ("s" + llvm::Twine(bits) + "n" + llvm::Twine(recipe.groups)).str();
  };
  if (recipe.ffnBits != recipe.bits) {
    AssignFormatsOptions assign;
    assign.rules.push_back("@^ffn_=" + getFormat(recipe.ffnBits));
    pm.addPass(createAssignFormats(assign));
  }
  auto options = makeOptions<QuantizeRtnOptions>(recipe);
  options.format = getFormat(recipe.bits);
  pm.addPass(createQuantizeRtn(options));
  addTokenwiseActivations(pm, recipe);
}

void lowbit::registerLowbitCalibrationPipelines() {
  PassPipelineRegistration<BcqPipelineOptions>(
      "bcq",
      "Approximate linear layers by sums of scaled signs, fitted alternately "
      "as in LUT-GEMM: 3 bits, groups of 128",
      buildBcq);
  PassPipelineRegistration<EasyQuantPipelineOptions>(
      "easyquant",
      "Quantize linear layers by EasyQuant as published: 4 bits, a scale per "
      "output channel, at most 1 % outliers",
      buildEasyQuant);
  PassPipelineRegistration<HqqPipelineOptions>(
      "hqq",
      "Quantize linear layers by HQQ as published: 4 bits, groups of 64, "
      "fractional zero points",
      buildHqq);
  PassPipelineRegistration<LlmInt8PipelineOptions>(
      "llm-int8",
      "Quantize linear layers and their inputs by LLM.int8() as published: 8 "
      "bits, columns of inputs with outliers in float",
      buildLlmInt8);
  PassPipelineRegistration<ZeroQuantPipelineOptions>(
      "zeroquant",
      "Quantize linear layers and their inputs by ZeroQuant as published, "
      "without distillation: 8 bits, 64 groups a weight, a scale for each "
      "token",
      buildZeroQuant);
  PassPipelineRegistration<OlivePipelineOptions>(
      "olive",
      "Quantize weights, and activations if asked, as outlier-victim pairs by "
      "OliVe as published: 4 bits, int4 or flint4, a scale for each output "
      "channel and each input",
      buildOlive);
  PassPipelineRegistration<SpqrPipelineOptions>(
      "spqr",
      "Quantize linear layers by SpQR as published: 3 bits, groups of 16 whose "
      "scales and zero points are quantized to 3 bits, outliers apart",
      buildSpqr);
  for (const RoundingRecipe &entry : roundingRecipes)
    PassPipelineRegistration<FormatRecipeOptions>(
        entry.name, entry.description,
        [&entry](OpPassManager &pm, const FormatRecipeOptions &recipe) {
          buildRounding(pm, entry.name, recipe);
        });
  for (llvm::StringRef mixture : getGgmlMixtureNames())
    PassPipelineRegistration<MixtureOptions>(
        getFlag(mixture),
        ("Quantize all layers as llama.cpp does for the file type " + mixture)
            .str(),
        [mixture](OpPassManager &pm, const MixtureOptions &recipe) {
          buildMixture(pm, mixture, recipe);
        });
}
