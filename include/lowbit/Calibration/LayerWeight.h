//===- LayerWeight.h - a layer's weight, in and out ---------- -*- C++ -*--===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_CALIBRATION_LAYERWEIGHT_H
#define LOWBIT_CALIBRATION_LAYERWEIGHT_H

#include "lowbit/Calibration/LayerSelection.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitTypes.h"
#include "lowbit/Quantize/Solver.h"
#include "lowbit/Support/Tensor.h"
#include <utility>
#include <vector>

namespace lowbit {

/// The float weight of a layer as a matrix [output channels, input channels],
/// whichever way it lies in the model. f32 weights are not copied.
class LayerWeight {
public:
  static llvm::Expected<LayerWeight> get(QuantizableOpInterface op);

  ConstMatrixView getMatrix() const { return matrix; }
  mlir::FloatType getElementType() const { return elementType; }
  /// As they stand in the model.
  llvm::ArrayRef<char> getBytes() const { return bytes; }
  llvm::SmallVector<int64_t, 2> getShape() const {
    return {matrix.getRows(), matrix.getCols()};
  }
  /// Tells the system that the pages are not needed for now, if a file has
  /// them.
  void release() const;

private:
  ConstMatrixView matrix;
  mlir::FloatType elementType;
  /// The bytes in the model, which stay mapped if they are in a file.
  llvm::ArrayRef<char> bytes;
  mlir::Attribute constant;
  /// Copies of what is not stored as f32, or only once for all elements.
  std::vector<float> converted;
  std::shared_ptr<llvm::SmallVector<char>> expanded;
};

/// Room for another weight of the layer in f32, oriented as its own, and that
/// as a matrix [output channels, input channels].
std::pair<Tensor, MatrixView> makeFloatWeight(QuantizableOpInterface op);

/// What `lowbit.importance` says of the layer's input channels; empty if it has
/// no such attribute.
llvm::Expected<std::vector<float>> getImportance(QuantizableOpInterface op);

/// The quantized weight as the float graph takes it: of the type, and in the
/// orientation, of the layer's own weight.
llvm::Expected<Tensor> decodeWeight(QuantizableOpInterface layer,
                                    const BlockFormat &format,
                                    const SolverResult &result);

/// A quantized constant whose components go to the weight store of the dialect,
/// under `name`.
llvm::Expected<mlir::Value>
makeQuantizedConstant(mlir::OpBuilder &builder, mlir::Location loc,
                      llvm::StringRef name, QuantTensorType type,
                      const QuantizedMatrix &matrix);

/// Replaces the layer by one on the quantized weight, whose components go to
/// the weight store of the dialect. A weight whose columns are stored in
/// another order has its input gathered in that order. Erases the layer, and
/// its float weight if nothing else uses it.
llvm::Error replaceLayer(const QuantizableLayer &layer,
                         QuantFormatAttrInterface format,
                         const SolverResult &result);

} // namespace lowbit

#endif // LOWBIT_CALIBRATION_LAYERWEIGHT_H
