//===- ChannelFolding.h - factors moved between operations ------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Transforms that make a model easier to quantize change the channels of an
// activation where it is produced, and undo that where it is consumed. Whether
// both can be done in the constants of the model is decided here, for all of
// them:
//
//   between producer and consumers     scale        mix within  mix
//                                                   heads
//   transpose, reshape; channels stay  yes          yes         yes
//   plus a constant per channel        yes          yes         yes
//   times one number                   yes          yes         yes
//   split into heads, merge of heads   yes          yes         no
//   the values of attention            yes          yes         no
//   Relu                               if positive  no          no
//   times another activation           yes          no          no
//   anything else                      no           no          no
//
// Producers are norms with a constant scale and linear layers. All consumers
// must be linear layers: the values must not be used otherwise, nor be a result
// of the model. Where no producer takes factors, such as in front of Gelu, the
// values can be multiplied while the model runs.
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_TRANSFORMS_CHANNELFOLDING_H
#define LOWBIT_TRANSFORMS_CHANNELFOLDING_H

#include "lowbit/Transforms/ModelEdits.h"
#include <optional>
#include <vector>

namespace lowbit {

/// A norm over the last dimension with constant parameters.
struct Norm {
  mlir::Operation *op;
  mlir::Value input, output;
  /// One number for each channel; `bias` is null if there is none.
  mlir::OpOperand *scale;
  mlir::OpOperand *bias;
  /// Whether the mean is subtracted, as LayerNorm does.
  bool centers;
};

/// Nothing if the op is no such norm.
std::optional<Norm> matchNorm(mlir::Operation *op);

/// `value` as another value times one constant number; else null.
mlir::Value matchNumberProduct(mlir::Value value);

/// What is done to the channels: each is multiplied by a positive number, or by
/// any number; or they are mixed, all of a head or all.
enum class ChannelChange { ScalePositive, Scale, MixHeads, Mix };

/// An activation whose channels can be changed by constants alone.
struct FoldSite {
  struct Consumer {
    QuantizableOpInterface layer;
    /// How many of its heads read one head of the producer.
    int64_t repeats;
  };

  mlir::Operation *producer;
  /// What the factors are multiplied into at run time, if the producer's
  /// constants do not take them.
  mlir::Value multiplied;
  int64_t channels;
  /// Channels of a head; all if there are none.
  int64_t headSize;
  /// Whether the values go through attention.
  bool throughAttention = false;
  /// The parameters of a norm, and constants that are added on the way.
  llvm::SmallVector<mlir::OpOperand *> constants;
  /// The producer, if it is a linear layer.
  QuantizableOpInterface layer;
  llvm::SmallVector<Consumer> consumers;

  /// The channel of the producer that `channel` of a consumer comes from.
  int64_t getSource(const Consumer &consumer, int64_t channel) const {
    const int64_t head = channel / headSize / consumer.repeats;
    return head * headSize + channel % headSize;
  }
  /// A number for each channel of the producer, as one for each of a consumer.
  std::vector<float> spread(const Consumer &consumer,
                            llvm::ArrayRef<float> values) const;
};

/// The site that `producer`, a norm or a linear layer, makes, if the change is
/// allowed; else an error that names the op in the way.
llvm::Expected<FoldSite> findFoldSite(mlir::Operation *producer,
                                      ChannelChange change);

/// The same for factors that are multiplied into `value`, which an op of no
/// such kind makes, while the model runs.
llvm::Expected<FoldSite> findMultiplySite(mlir::Value value);

/// The largest magnitude of each column.
std::vector<float> getColumnRanges(ConstMatrixView matrix);
/// The largest magnitude of the weights that read each channel of the producer.
llvm::Expected<std::vector<float>> getReaderRanges(const FoldSite &site,
                                                   ModelEdits &edits);

/// Divides the producer's channels by `scales` and multiplies the consumers'
/// weights: SmoothQuant, AWQ, cross-layer equalization, and, with a norm's own
/// scale, the norm without one. A scale of zero is for channels that are zero.
void foldScales(const FoldSite &site, llvm::ArrayRef<float> scales,
                ModelEdits &edits);

/// Moves what a norm adds to its channels into the biases of the consumers.
llvm::Error foldNormBias(const Norm &norm, const FoldSite &site,
                         ModelEdits &edits);

} // namespace lowbit

#endif // LOWBIT_TRANSFORMS_CHANNELFOLDING_H
