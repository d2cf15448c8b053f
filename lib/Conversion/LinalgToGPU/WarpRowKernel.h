//===- WarpRowKernel.h - products of one warp a row ----------- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CONVERSION_LINALGTOGPU_WARPROWKERNEL_H
#define LOWBIT_LIB_CONVERSION_LINALGTOGPU_WARPROWKERNEL_H

#include "BufferDecoder.h"
#include "KernelUtils.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include <functional>
#include <memory>

namespace lowbit {

/// The weights that a lane takes at once: a whole number of words for any
/// number of bits.
constexpr int64_t kUnit = 32;
/// How many inputs are loaded at once, if they are aligned.
constexpr int64_t kVector = 4;
/// A block has this many warps, with a row each.
constexpr int64_t kWarps = 8;
constexpr int64_t kThreads = kWarps * kWarpSize;

/// The operands of a `lowbit.packed_matmul` on buffers.
struct WarpRowProduct {
  explicit WarpRowProduct(PackedMatmulOp op)
      : weight(llvm::cast<QuantTensorType>(op.getWeightType())),
        input(op.getInput().front()), components(op.getWeight()),
        bias(op.getBias()), result(op.getInit()), rows(weight.getDimSize(0)),
        depth(weight.getDimSize(1)) {}

  /// Whether four neighbouring inputs can be read at once.
  bool hasAlignedInput() const {
    auto type = llvm::cast<mlir::MemRefType>(input.getType());
    return type.getLayout().isIdentity() && type.getElementType().isF32() &&
           depth % kVector == 0;
  }
  /// How many whole units a row has.
  int64_t getUnits() const { return depth / kUnit; }

  QuantTensorType weight;
  mlir::Value input;
  llvm::SmallVector<mlir::Value> components;
  mlir::Value bias, result;
  int64_t rows, depth;
};

/// Builds the code of one lane of a warp that computes one row of the weight
/// times a few tokens. How a unit of weights is read is up to the derived
/// class; what does not fill a unit is decoded element by element.
class WarpRowLane : public mlir::ImplicitLocOpBuilder {
public:
  WarpRowLane(mlir::OpBuilder &builder, mlir::gpu::LaunchOp launch,
              const WarpRowProduct &product, int64_t tokens);
  virtual ~WarpRowLane() = default;

  /// The first buffer in shared memory, if a row has units.
  static mlir::MemRefType getSharedInputsType(mlir::MLIRContext *context,
                                              int64_t tokens);

  void build(mlir::Value firstRow, mlir::Value tile, mlir::Value tokenCount);

protected:
  /// By all threads of the block, before the first unit and the barrier in
  /// front of it.
  virtual void prepare() {}
  /// Adds the products of a unit, whose inputs are at `lane` of the shared
  /// ones.
  virtual llvm::SmallVector<mlir::Value> addUnit(mlir::Value unit,
                                                 mlir::ValueRange sums) = 0;

  mlir::Value index(int64_t value) {
    return buildIndex(*this, getLoc(), value);
  }
  mlir::Value i32(int64_t value) {
    return mlir::arith::ConstantIntOp::create(*this, value, 32);
  }
  mlir::Value f32(float value) {
    return mlir::arith::ConstantFloatOp::create(*this, getF32Type(),
                                                llvm::APFloat(value));
  }
  mlir::Value toF32(mlir::Value value);
  mlir::Value mulAdd(mlir::Value left, mlir::Value right, mlir::Value sum);
  /// Neighbouring floats, whose address is a multiple of their size.
  mlir::Value loadVector(mlir::Value memref,
                         llvm::ArrayRef<mlir::Value> indices);
  /// Adds `kVector` weights times the unit's inputs from `first` on to the sums
  /// of all tokens.
  void addVector(llvm::ArrayRef<mlir::Value> weights, mlir::Value first,
                 llvm::MutableArrayRef<mlir::Value> sums);
  using LoopBody = llvm::function_ref<llvm::SmallVector<mlir::Value>(
      mlir::Value, mlir::ValueRange)>;
  llvm::SmallVector<mlir::Value> loop(mlir::Value first, mlir::Value end,
                                      int64_t step, mlir::ValueRange initial,
                                      LoopBody body);
  /// Of the row of this lane, in f32.
  mlir::Value decode(mlir::Value position) {
    return decoder.build(*this, getLoc(), {row, position});
  }

  mlir::gpu::LaunchOp launch;
  const WarpRowProduct &product;
  const int64_t tokens;
  BufferDecoder decoder;
  mlir::Value lane, thread, row;

private:
  mlir::Value loadInput(mlir::Value token, mlir::Value position);
  void stageInputs(mlir::Value firstUnit);
  llvm::SmallVector<mlir::Value> addUnits(mlir::ValueRange sums);
  llvm::SmallVector<mlir::Value> addElement(mlir::Value position,
                                            mlir::ValueRange sums);
  void store(llvm::ArrayRef<mlir::Value> sums, mlir::Value isRow,
             mlir::Value tile, mlir::Value tokenCount);

  mlir::Value shared;
  /// The tokens of this warp; those beyond the last are the last once more.
  llvm::SmallVector<mlir::Value> tokenIndices;
};

/// What a kind of lane needs beyond what all do.
struct WarpRowKind {
  /// The types of buffers in shared memory that follow the inputs.
  llvm::SmallVector<mlir::Type> sharedTypes;
  std::function<std::unique_ptr<WarpRowLane>(
      mlir::OpBuilder &, mlir::gpu::LaunchOp, int64_t tokens)>
      makeLane;
};

/// Lanes that read units of plain codes by wide loads. Nothing if the weight
/// has no such units.
std::optional<WarpRowKind> getScaledCodesKind(const WarpRowProduct &product);

/// Lanes that decode the elements of a unit one by one, for any format.
WarpRowKind getDecodedKind(const WarpRowProduct &product);

} // namespace lowbit

#endif // LOWBIT_LIB_CONVERSION_LINALGTOGPU_WARPROWKERNEL_H
