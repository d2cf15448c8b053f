//===- PanelKernel.h - what kernels on panels share -------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_KERNELS_PANELKERNEL_H
#define LOWBIT_LIB_KERNELS_PANELKERNEL_H

#include "PanelMatmul.h"
#include "lowbit/Kernels/KernelBuilder.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace lowbit {

/// The operands of a `lowbit.packed_matmul` whose weight is in panels.
class PanelKernelBuilder : protected KernelBuilder {
public:
  /// Begins the body of `function`, whose arguments are the operands.
  PanelKernelBuilder(mlir::func::FuncOp function, const PanelMatmulSpec &spec,
                     bool parallel);

protected:
  static constexpr int64_t lanes = PanelsGeometry::rowsPerPanel;
  static constexpr int64_t bytesPerLane = 4;

  /// Runs `body` for all channels of panels, for so many at once; if they are
  /// scalable, as many times that as vectors are longer than 128 bits. These
  /// are what the lanes of values hold there. Elsewhere values have a lane for
  /// each channel.
  void forEachLanes(int64_t atOnce, bool scalable,
                    llvm::function_ref<void()> body);
  /// A register of the lanes at hand.
  mlir::VectorType getLanes(mlir::Type element, int64_t perLane = 1) {
    return mlir::VectorType::get({i32Lanes.getDimSize(0) * perLane}, element,
                                 i32Lanes.getScalableDims());
  }

  Value broadcast(Value scalar) {
    return mlir::vector::BroadcastOp::create(b, getLanes(scalar.getType()),
                                             scalar);
  }

  /// The blocks of a chunk, as 32-bit lanes.
  Values loadBlocks(Value panel, Value chunk);
  /// The codes of columns [4 * slice, 4 * slice + 4) of a chunk, one in each
  /// byte; or the bytes that they stand for.
  Value getSlice(llvm::ArrayRef<Value> blocks, int64_t slice);
  /// Brings the bits of `plane` in a slice to where they belong in the code.
  Value getPlaneBits(const CodePlane &plane, llvm::ArrayRef<Value> blocks,
                     int64_t slice);
  /// Multiplications that `tokens` take.
  Value countWork(Value tokens) { return mul(tokens, spec.n * spec.k); }
  int64_t slicesPerChunk() const {
    return geometry.columnsPerChunk / bytesPerLane;
  }
  /// Per-group factors of a panel: its scales as f32, times the unit of levels.
  Value loadScales(Value panel, Value group);
  /// Zero points of a panel, negated, as what codes times activations are
  /// summed in, or as floats if they are; null if they are all zero.
  Value loadMinusZeros(Value panel, Value group);
  /// What is added to the weights of a group, as f32.
  Value loadOffsets(Value panel, Value group) {
    return multiplyByFactor(loadFloats(offsets, spec.offsetType, panel, group),
                            offsetFactors, spec.offsetFactorType, panel, group);
  }
  /// sum + factor * groupSum, where the last is of a group's activations. The
  /// sum is a float if the factor is.
  Value addProduct(Value sum, Value factor, Value groupSum);

  /// The output channels of a panel: where they begin, which there are (null:
  /// all) and what is added to them (null: nothing).
  struct Channels {
    Value column, mask, bias;
  };
  Channels getChannels(Value panel, bool withBias = true);
  /// Stores the sums of a token in a panel, when its activation scale and the
  /// bias have been applied.
  void storeSums(const Channels &channels, Value token, Value sums);

  const PanelMatmulSpec &spec;
  const PanelsGeometry &geometry;

  mlir::VectorType i32Lanes, f32Lanes, byteLanes;

private:
  void setLanes(int64_t count, bool scalable);
  /// The bytes that the codes of a slice stand for.
  Value translate(Value codes);
  /// Elements of a row of `from` that belong to the lanes, `offset` behind its
  /// start.
  Value loadLanes(mlir::VectorType type, Value from, Value panel, Value row,
                  int64_t offset = 0);
  /// One number of the type, which scales can have, for each lane, as f32.
  Value loadFloats(Value from, mlir::Type type, Value panel, Value row);
  /// The same of bytes, which are not of an integer type.
  Value decodeE8M0(Value bytes);
  /// The product with what the group's numbers share, if `type` is not null.
  Value multiplyByFactor(Value numbers, Value factors, mlir::Type type,
                         Value panel, Value group);

  /// The first lane's channel; null if that is the panel's first one.
  Value firstLane;
  /// Which scalable lanes, and bytes of these, belong to the panel.
  Value laneMask, byteMask;

protected:
  // Arguments.
  Value input, inputScales, codes, scales, factors, zeros, offsets,
      offsetFactors, bias, output;
};

} // namespace lowbit

#endif // LOWBIT_LIB_KERNELS_PANELKERNEL_H
