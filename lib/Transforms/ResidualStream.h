//===- ResidualStream.h - what blocks of a model read and add to -- -*- C++
//-*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_TRANSFORMS_RESIDUALSTREAM_H
#define LOWBIT_LIB_TRANSFORMS_RESIDUALSTREAM_H

#include "lowbit/Transforms/ChannelFolding.h"
#include "mlir/Interfaces/FunctionInterfaces.h"

namespace lowbit {

/// The sums that the blocks of a model read, through a norm, and add to. A
/// change of the channels of all writers, undone in all readers, leaves the
/// model's function as it is.
struct ResidualStream {
  int64_t width;
  /// Layers whose outputs, and embeddings whose rows, are added to it.
  llvm::SmallVector<QuantizableOpInterface> layers, embeddings;
  /// Constants that are added to it.
  llvm::SmallVector<mlir::OpOperand *> constants;
  /// What reads it: norms, with the layers after them, and layers.
  llvm::SmallVector<Norm> norms;
  llvm::SmallVector<FoldSite> sites;
  llvm::SmallVector<QuantizableOpInterface> readers;
};

/// An error of an op.
struct Obstacle {
  mlir::Operation *op;
  std::string message;
};

/// The streams of a function, in its order. If something reads or writes one
/// such that it cannot be changed, `obstacle` says what.
llvm::FailureOr<std::vector<ResidualStream>>
findResidualStreams(mlir::FunctionOpInterface function, Obstacle &obstacle);

} // namespace lowbit

#endif // LOWBIT_LIB_TRANSFORMS_RESIDUALSTREAM_H
