//===- ScaleSites.h - channels that are scaled by data ----------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What AWQ and SmoothQuant have in common: they divide the channels of a
// layer's input by factors that calibration data suggests, and fold the
// division into what makes the input. Which layers share factors, and where
// these go, is found here; what factors cost is measured behind the module that
// the layers begin.
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CALIBRATION_SCALESITES_H
#define LOWBIT_LIB_CALIBRATION_SCALESITES_H

#include "Calibration.h"
#include "lowbit/Calibration/LayerSelection.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "lowbit/Quantize/RangeSearch.h"
#include "lowbit/Transforms/ChannelFolding.h"

namespace lowbit {

/// Channels whose factors are found together.
struct ScaleSite {
  /// A consumer that is one of the layers that were asked for.
  struct Reader {
    unsigned layer;
    FoldSite::Consumer consumer;
  };

  FoldSite fold;
  llvm::SmallVector<Reader> readers;
};

/// Which producers may take factors, besides norms.
struct ScaleSiteOptions {
  /// Linear layers, such as that of the values of attention.
  bool layers = true;
  /// A multiplication while the model runs, behind an activation function.
  bool multiply = true;
};

/// The sites at which `layers`, all linear, read. A remark tells why a layer
/// has none, unless producers of its kind were not asked for.
std::vector<ScaleSite> findScaleSites(llvm::ArrayRef<QuantizableLayer> layers,
                                      const ScaleSiteOptions &options);

/// The scales for the channels of a site, one for each channel of its producer.
using ChooseScales = llvm::function_ref<llvm::Expected<std::vector<float>>(
    const ScaleSite &site, const GraphWalk::Visit &visit)>;

/// Shows each site to `choose` when its input is at hand, and folds the scales.
/// Returns those of each layer's own channels; empty for layers without a site.
/// A site whose layers read its channels as different values is left out, with
/// a remark.
llvm::Expected<std::vector<std::vector<float>>>
foldSites(Calibration &model, llvm::ArrayRef<QuantizableLayer> layers,
          llvm::ArrayRef<ScaleSite> sites, ChooseScales choose,
          ModelEdits &edits);

/// The mean and the greatest magnitude of each channel of a site's producer, in
/// what its layers read.
struct Magnitudes {
  std::vector<float> means, maxima;
};
llvm::Expected<Magnitudes> measureMagnitudes(const ScaleSite &site,
                                             const GraphWalk::Visit &visit);

/// The weights of a visit's layers as they decode, in `formats`, by layer,
/// after the site's channels were scaled; divided by the scales again.
llvm::Expected<std::vector<Tensor>>
roundWeights(const ScaleSite &site, const GraphWalk::Visit &visit,
             llvm::ArrayRef<QuantFormatAttrInterface> formats,
             llvm::ArrayRef<float> scales, const RangeSearch &search,
             unsigned threads);

/// How far the outputs of a module are from those in float.
class ModuleError {
public:
  /// Computes the outputs in float.
  static llvm::Expected<ModuleError> prepare(const GraphWalk::Visit &visit);

  /// ||output - float output||² / ||float output||², summed over the outputs,
  /// on weights and perhaps an input that stand for the float ones; or anything
  /// greater than `bound`, when the sum is.
  llvm::Expected<double>
  measure(llvm::ArrayRef<Tensor> weights, double bound,
          llvm::function_ref<llvm::Expected<Tensor>(unsigned batch)> makeInput =
              {}) const;

private:
  explicit ModuleError(const GraphWalk::Visit &visit) : visit(visit) {}

  const GraphWalk::Visit &visit;
  /// By batch and output.
  std::vector<std::vector<Tensor>> references;
  /// The sums of their squares, by output.
  std::vector<double> norms;
};

} // namespace lowbit

#endif // LOWBIT_LIB_CALIBRATION_SCALESITES_H
