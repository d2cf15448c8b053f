//===- Structured.h - structured ops that lowerings consist of --*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CONVERSION_ONNXTOLINALG_STRUCTURED_H
#define LOWBIT_LIB_CONVERSION_ONNXTOLINALG_STRUCTURED_H

#include "LoweringBuilder.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

namespace lowbit::onnx::lowering {

/// Builds the computation of one element.
using ElementFn = llvm::function_ref<mlir::Value(mlir::ImplicitLocOpBuilder &,
                                                 mlir::ValueRange)>;
using ElementsFn = llvm::function_ref<llvm::SmallVector<mlir::Value>(
    mlir::ImplicitLocOpBuilder &, mlir::ValueRange)>;

/// A `linalg.generic` of which every loop that `inits` do not index is a
/// reduction.
llvm::SmallVector<mlir::Value>
createGeneric(LoweringBuilder &b, mlir::ValueRange inputs,
              mlir::ValueRange inits, llvm::ArrayRef<mlir::AffineMap> maps,
              ElementsFn body);

/// A tensor of which each element is computed from its indices alone, usually
/// by `tensor.extract` from others.
mlir::Value createFromIndices(LoweringBuilder &b,
                              llvm::ArrayRef<mlir::OpFoldResult> sizes,
                              mlir::Type elementType, ElementFn body);

/// Applies `body` to corresponding elements of tensors that broadcast to one
/// shape as in NumPy. Dimensions that may be 1 at run time are dealt with
/// there; those that contradict each other stop the program.
mlir::Value createElementwise(LoweringBuilder &b, mlir::ValueRange operands,
                              mlir::Type elementType, ElementFn body);

/// `tensor` in the given shape, to which it must broadcast. A dimension whose
/// size may be 1 or not is decided at run time.
mlir::Value createBroadcast(LoweringBuilder &b, mlir::Value tensor,
                            llvm::ArrayRef<mlir::OpFoldResult> sizes);

/// Makes an operand ready for a structured op with loops over `sizes`: returns
/// it, widened at run time if need be, and the map by which it broadcasts.
/// `operands` are those whose broadcast `sizes` are.
std::pair<mlir::Value, mlir::AffineMap>
broadcastOperand(LoweringBuilder &b, mlir::Value operand,
                 llvm::ArrayRef<mlir::OpFoldResult> sizes,
                 mlir::ValueRange operands = {});

/// The shape that the operands broadcast to.
LoweringBuilder::Sizes getBroadcastSizes(LoweringBuilder &b,
                                         mlir::ValueRange operands);

/// Combines all elements along `axes`, starting from `init`. `body` gets an
/// element and what has been accumulated so far.
mlir::Value createReduction(LoweringBuilder &b, mlir::Value tensor,
                            llvm::ArrayRef<int64_t> axes, mlir::Value init,
                            ElementFn body);

/// The maps of a tensor of which `axes` are missing in a loop nest over a
/// tensor of rank `rank`.
mlir::AffineMap getMapWithout(llvm::ArrayRef<int64_t> axes, int64_t rank,
                              mlir::MLIRContext *context);

/// `tensor` with its dimensions in the order that `permutation` names.
mlir::Value createTranspose(LoweringBuilder &b, mlir::Value tensor,
                            llvm::ArrayRef<int64_t> permutation);

/// The elements of `tensor` in another shape of as many elements, of which
/// shape inference may know `symbolicSizes`.
mlir::Value createReshape(LoweringBuilder &b, mlir::Value tensor,
                          llvm::ArrayRef<mlir::OpFoldResult> sizes,
                          llvm::ArrayRef<mlir::AffineExpr> symbolicSizes = {});
/// Inserts dimensions of size 1 so that they are `axes` of the result.
mlir::Value createUnsqueeze(LoweringBuilder &b, mlir::Value tensor,
                            llvm::ArrayRef<int64_t> axes);
/// Drops the dimensions `axes`, which have size 1.
mlir::Value createSqueeze(LoweringBuilder &b, mlir::Value tensor,
                          llvm::ArrayRef<int64_t> axes);

/// Tensors one after the other along `axis`.
mlir::Value createConcat(LoweringBuilder &b, mlir::ValueRange tensors,
                         int64_t axis);

/// The part `[offset, offset + size)` along one axis.
mlir::Value createSlice(LoweringBuilder &b, mlir::Value tensor, int64_t axis,
                        mlir::OpFoldResult offset, mlir::OpFoldResult size);

/// Sums products over the loops that no result dimension belongs to, as
/// `linalg.matmul` or `linalg.batch_matmul` where the maps are theirs. Short
/// floats are summed in f32, and the result has that type.
mlir::Value createContraction(LoweringBuilder &b, mlir::Value lhs,
                              mlir::AffineMap lhsMap, mlir::Value rhs,
                              mlir::AffineMap rhsMap,
                              llvm::ArrayRef<mlir::OpFoldResult> sizes,
                              mlir::AffineMap resultMap);

/// `tensor` with another element type; both are floats.
mlir::Value createFloatCast(LoweringBuilder &b, mlir::Value tensor,
                            mlir::Type elementType);

/// exp(x) / sum(exp(x)) along `axis`, computed in the tensor's own type. A row
/// of which all elements are minus infinity has no softmax: it becomes zero if
/// `maskedRowsAreZero`, and NaN, as ONNX wants it, if not.
mlir::Value createSoftmax(LoweringBuilder &b, mlir::Value tensor, int64_t axis,
                          bool maskedRowsAreZero);

/// Rows of `tensor` along `axis` in the order of `indices`, whose dimensions
/// take the axis' place. Negative indices count from the end; others that are
/// out of range are clamped.
mlir::Value createGather(LoweringBuilder &b, mlir::Value tensor,
                         mlir::Value indices, int64_t axis);

/// Stops the program unless two dimensions are equal, if that is not known.
void checkSameSize(LoweringBuilder &b, mlir::Value lhs, int64_t lhsDim,
                   mlir::Value rhs, int64_t rhsDim, const llvm::Twine &what);

/// Reads an element in the body of a generic.
mlir::Value extract(mlir::ImplicitLocOpBuilder &b, mlir::Value tensor,
                    mlir::ValueRange indices);

} // namespace lowbit::onnx::lowering

#endif // LOWBIT_LIB_CONVERSION_ONNXTOLINALG_STRUCTURED_H
