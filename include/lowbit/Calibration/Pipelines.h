//===- Pipelines.h - published methods as pipelines -------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A recipe is a published method under a flag of its own: the passes that it
// consists of, with the defaults of its authors. Recipes share their options.
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_CALIBRATION_PIPELINES_H
#define LOWBIT_CALIBRATION_PIPELINES_H

#include "mlir/Pass/PassOptions.h"

namespace lowbit {

/// The options of all recipes.
struct RecipeOptions : mlir::PassPipelineOptions<RecipeOptions> {
  Option<std::string> include{
      *this, "include",
      llvm::cl::desc("Quantize only layers whose name matches this regular "
                     "expression"),
      llvm::cl::init("")};
  Option<std::string> exclude{
      *this, "exclude",
      llvm::cl::desc("Leave layers whose name matches this regular expression "
                     "as they are"),
      llvm::cl::init("")};
  Option<std::string> report{
      *this, "report",
      llvm::cl::desc("File for the table of the quantized layers, as JSON if "
                     "its name ends in .json; '-' prints it to standard error"),
      llvm::cl::init("")};
  Option<unsigned> threads{
      *this, "threads",
      llvm::cl::desc("Threads to work with; 0 takes all processors"),
      llvm::cl::init(0)};
};

/// Of recipes with one format: the head and embeddings have to be asked for.
struct FormatRecipeOptions : RecipeOptions {
  Option<bool> head{*this, "head",
                    llvm::cl::desc("Quantize the last linear layer, too"),
                    llvm::cl::init(false)};
  Option<bool> embeddings{*this, "embeddings",
                          llvm::cl::desc("Quantize embedding tables, too"),
                          llvm::cl::init(false)};
};

/// Of recipes that may run the model on calibration data; `Base` are the other
/// options.
template <typename Base>
struct CalibratedRecipe : Base {
  /// `description` is that of the file and what it is for.
  explicit CalibratedRecipe(llvm::StringRef description)
      : calibration(*this, "calibration", llvm::cl::desc(description),
                    llvm::cl::init("")) {}

  typename Base::template Option<std::string> calibration;
  typename Base::template Option<std::string> tokenizer{
      *this, "tokenizer",
      llvm::cl::desc("The tokenizer of text: tokenizer.json of Hugging Face, "
                     ".model of SentencePiece, or .bin of llama2.c"),
      llvm::cl::init("")};
  typename Base::template Option<int64_t> samples{
      *this, "samples",
      llvm::cl::desc("Samples to take of the file (0: all), or to generate (0: "
                     "32)"),
      llvm::cl::init(0)};
  typename Base::template Option<std::string> sampling{
      *this, "sampling",
      llvm::cl::desc("Which samples to take of more than are wanted: even, "
                     "evenly spread, or random"),
      llvm::cl::init("even")};
  typename Base::template Option<int64_t> length{
      *this, "length",
      llvm::cl::desc("Length of windows of text, and of generated samples, in "
                     "tokens"),
      llvm::cl::init(128)};
  typename Base::template Option<uint64_t> seed{
      *this, "seed",
      llvm::cl::desc("Seed of generated samples, and of random ones"),
      llvm::cl::init(0)};
};

/// HQQ with the defaults of its authors.
struct HqqPipelineOptions : FormatRecipeOptions {
  Option<unsigned> bits{*this, "bits", llvm::cl::desc("Bits of a code, 1 to 8"),
                        llvm::cl::init(4)};
  Option<int64_t> groupSize{
      *this, "group-size",
      llvm::cl::desc("Input channels that share a scale; -1 for whole rows"),
      llvm::cl::init(64)};
};

/// Binary-coding quantization with the defaults of LUT-GEMM.
struct BcqPipelineOptions : FormatRecipeOptions {
  Option<unsigned> bits{*this, "bits",
                        llvm::cl::desc("Signs of a weight, 1 to 4"),
                        llvm::cl::init(3)};
  Option<int64_t> groupSize{
      *this, "group-size",
      llvm::cl::desc("Input channels that share scales; -1 for whole rows"),
      llvm::cl::init(128)};
};

/// Of the mixtures of llama.cpp, which decide on the head and embeddings.
struct MixtureOptions : CalibratedRecipe<RecipeOptions> {
  MixtureOptions()
      : CalibratedRecipe("A file of calibration samples (.npy, .npz or text), "
                         "to weigh errors with the importance of the input "
                         "channels") {}

  ListOption<std::string> rules{
      *this, "rules",
      llvm::cl::desc("Rules `expression=format` that come before those of the "
                     "mixture, as for --assign-formats")};
};

/// OliVe with the defaults of its authors: of weights, and of activations if
/// they are asked for.
struct OlivePipelineOptions : CalibratedRecipe<FormatRecipeOptions> {
  OlivePipelineOptions()
      : CalibratedRecipe("A file of calibration samples (.npy, .npz or text); "
                         "without one the model generates its own") {}

  Option<unsigned> bits{*this, "bits", llvm::cl::desc("Bits of a code, 4 or 8"),
                        llvm::cl::init(4)};
  Option<bool> activations{
      *this, "activations",
      llvm::cl::desc("Quantize the inputs of the quantized layers, too, with "
                     "scales found on calibration data; implied by "
                     "calibration and range"),
      llvm::cl::init(false)};
  Option<std::string> range{
      *this, "range",
      llvm::cl::desc("How the scales of inputs are found, as for "
                     "--quantize-activations: sigma, as published, or another "
                     "way such as mse, which searches up to the largest "
                     "magnitude"),
      llvm::cl::init("")};
};

/// EasyQuant with the defaults of its authors.
struct EasyQuantPipelineOptions : FormatRecipeOptions {
  Option<unsigned> bits{*this, "bits", llvm::cl::desc("Bits of a code, 2 to 8"),
                        llvm::cl::init(4)};
  Option<double> fraction{
      *this, "fraction",
      llvm::cl::desc("The part of a layer that outliers may be"),
      llvm::cl::init(0.01)};
};

/// SpQR with the defaults of its authors.
struct SpqrPipelineOptions : CalibratedRecipe<FormatRecipeOptions> {
  SpqrPipelineOptions()
      : CalibratedRecipe("A file of calibration samples (.npy, .npz or text); "
                         "without one the model generates its own") {}

  Option<unsigned> bits{*this, "bits", llvm::cl::desc("Bits of a code, 2 to 8"),
                        llvm::cl::init(3)};
  Option<double> threshold{
      *this, "threshold",
      llvm::cl::desc("The cost from which on a weight is an outlier; inf for "
                     "none"),
      llvm::cl::init(0.2)};
  Option<double> damping{
      *this, "damping",
      llvm::cl::desc("Added to the diagonal of the Hessian, relative to its "
                     "mean; 1 as published, less if inputs have outliers"),
      llvm::cl::init(1)};
  Option<std::string> inputs{
      *this, "inputs",
      llvm::cl::desc("Where the inputs of a layer come from: layer, block or "
                     "float, as for --quantize-spqr"),
      llvm::cl::init("layer")};
  Option<std::string> state{
      *this, "state",
      llvm::cl::desc("A folder for finished layers, to resume an interrupted "
                     "run from"),
      llvm::cl::init("")};
};

/// LLM.int8() with the defaults of its authors.
struct LlmInt8PipelineOptions : CalibratedRecipe<FormatRecipeOptions> {
  LlmInt8PipelineOptions()
      : CalibratedRecipe(
            "A file of calibration samples (.npy, .npz or text), to fix the "
            "columns when the model is compiled instead of finding them when "
            "it runs") {}

  Option<double> threshold{
      *this, "threshold",
      llvm::cl::desc("Least magnitude of activations whose columns stay float"),
      llvm::cl::init(6.0)};
};

/// ZeroQuant with the defaults of its authors, without distillation.
struct ZeroQuantPipelineOptions : FormatRecipeOptions {
  Option<unsigned> bits{*this, "bits",
                        llvm::cl::desc("Bits of a weight, 2 to 8"),
                        llvm::cl::init(8)};
  Option<unsigned> ffnBits{
      *this, "ffn-bits",
      llvm::cl::desc("The same in feed-forward blocks: 4 for the W4/8 of the "
                     "paper"),
      llvm::cl::init(8)};
  Option<int64_t> groups{
      *this, "groups",
      llvm::cl::desc("Groups of a weight matrix that have scales of their own"),
      llvm::cl::init(64)};
};

/// Registers `--hqq`, `--nf4`, `--q4-k-m` and the other recipes.
void registerLowbitCalibrationPipelines();

} // namespace lowbit

#endif // LOWBIT_CALIBRATION_PIPELINES_H
