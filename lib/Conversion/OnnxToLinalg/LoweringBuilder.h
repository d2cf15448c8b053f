//===- LoweringBuilder.h - what all lowerings build with --------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CONVERSION_ONNXTOLINALG_LOWERINGBUILDER_H
#define LOWBIT_LIB_CONVERSION_ONNXTOLINALG_LOWERINGBUILDER_H

#include "lowbit/Dialect/Onnx/IR/SymbolicShapes.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include <optional>

namespace lowbit::onnx::lowering {

/// The type that a tensor or element type has after the lowering: unsigned
/// integers become signless, as `linalg` and `arith` want them.
mlir::Type getSignlessType(mlir::Type type);

/// Builds the lowered form of one op. It knows the op's original operands, and
/// so what shape inference has found out about them.
///
/// Sizes, offsets and the elements of shape tensors are `OpFoldResult`s of
/// index type: an attribute when known now, a value otherwise.
class LoweringBuilder : public mlir::ImplicitLocOpBuilder {
public:
  using Sizes = llvm::SmallVector<mlir::OpFoldResult>;

  LoweringBuilder(mlir::Operation *op, mlir::ValueRange operands,
                  mlir::OpBuilder &builder, const SymbolicShapes &shapes)
      : ImplicitLocOpBuilder(op->getLoc(), builder), op(op),
        operands(operands.begin(), operands.end()), shapes(shapes) {}

  mlir::Operation *getOp() const { return op; }

  /// Emits the error that says why the op cannot be lowered.
  mlir::LogicalResult refuse(const llvm::Twine &reason);

  //===--------------------------------------------------------------------===//
  // Scalars
  //===--------------------------------------------------------------------===//

  mlir::Value constantIndex(int64_t value);
  /// A constant of an integer, index or float type.
  mlir::Value constant(mlir::Type type, double value);
  mlir::Value constantInt(mlir::Type type, int64_t value);
  /// The value of an index-typed `OpFoldResult`.
  mlir::Value toValue(mlir::OpFoldResult size);
  /// An integer of any type as an index.
  mlir::OpFoldResult toIndex(mlir::OpFoldResult value, bool isUnsigned = false);
  /// An index as an integer of type `type`.
  mlir::Value fromIndex(mlir::OpFoldResult value, mlir::Type type);

  mlir::OpFoldResult add(mlir::OpFoldResult a, mlir::OpFoldResult b);
  mlir::OpFoldResult sub(mlir::OpFoldResult a, mlir::OpFoldResult b);
  mlir::OpFoldResult mul(mlir::OpFoldResult a, mlir::OpFoldResult b);
  mlir::OpFoldResult floorDiv(mlir::OpFoldResult a, mlir::OpFoldResult b);
  mlir::OpFoldResult ceilDiv(mlir::OpFoldResult a, mlir::OpFoldResult b);
  mlir::OpFoldResult max(mlir::OpFoldResult a, mlir::OpFoldResult b);
  mlir::OpFoldResult min(mlir::OpFoldResult a, mlir::OpFoldResult b);
  mlir::OpFoldResult product(llvm::ArrayRef<mlir::OpFoldResult> factors);
  mlir::Value isEqual(mlir::OpFoldResult a, mlir::OpFoldResult b);

  /// Stops the program with `message`, preceded by the name of the op, unless
  /// `condition` holds.
  void check(mlir::Value condition, const llvm::Twine &message);

  //===--------------------------------------------------------------------===//
  // Tensors
  //===--------------------------------------------------------------------===//

  mlir::OpFoldResult getSize(mlir::Value tensor, int64_t dim);
  Sizes getSizes(mlir::Value tensor);
  mlir::Value empty(llvm::ArrayRef<mlir::OpFoldResult> sizes,
                    mlir::Type elementType);
  /// A tensor of which every element is `element`.
  mlir::Value filled(llvm::ArrayRef<mlir::OpFoldResult> sizes,
                     mlir::Value element);
  mlir::Value castTensor(mlir::Value tensor, mlir::Type type);

  /// True if the two dimensions are known to be equal.
  bool isSameSize(mlir::Value a, int64_t dimA, mlir::Value b, int64_t dimB);
  bool isSame(mlir::OpFoldResult a, mlir::OpFoldResult b);
  /// What shape inference says a dimension of an operand is; null if nothing.
  mlir::AffineExpr getSymbolicSize(mlir::Value tensor, int64_t dim);
  /// The sum of two such sizes; null if one is.
  mlir::AffineExpr addSymbolic(mlir::AffineExpr a, mlir::AffineExpr b) {
    return shapes.add(a, b);
  }
  /// What it says an element of a shape tensor is; null if nothing.
  mlir::AffineExpr getSymbolicElement(mlir::Value tensor, int64_t position);
  /// What it says the dimensions of the op's result are; empty if nothing.
  llvm::ArrayRef<mlir::AffineExpr> getSymbolicResult(unsigned result = 0);

  //===--------------------------------------------------------------------===//
  // Elements of tensors
  //===--------------------------------------------------------------------===//

  /// The elements of a small tensor, in row-major order, if that needs no
  /// memory to be read: they were put together from scalars, or are constants.
  std::optional<Sizes> getElements(mlir::Value tensor);
  /// The one value that all elements have, on the same condition.
  mlir::Value getSplat(mlir::Value tensor);
  /// The same, read from memory if there is but one element.
  mlir::Value getOnlyElement(mlir::Value tensor);
  /// All elements as numbers; nothing unless all are constant.
  std::optional<llvm::SmallVector<int64_t>> getConstants(mlir::Value tensor);
  /// The element of a tensor with at most one dimension, as an index.
  mlir::OpFoldResult getIndexElement(mlir::Value tensor, int64_t position);
  mlir::Value getElement(mlir::Value tensor, int64_t position);
  /// True if that element is computed from sizes in such a way that it cannot
  /// be negative.
  bool isNonNegative(mlir::Value tensor, int64_t position);
  /// A tensor of the given static type from its elements.
  mlir::Value fromElements(mlir::RankedTensorType type,
                           llvm::ArrayRef<mlir::OpFoldResult> elements);

private:
  /// Computes a size from the dimensions of the function's arguments; null if
  /// it depends on something else.
  mlir::OpFoldResult buildSize(mlir::AffineExpr size);
  /// The value before the lowering of an operand of the op; else `value`.
  mlir::Value getOriginal(mlir::Value value) const;

  mlir::Operation *op;
  llvm::SmallVector<mlir::Value> operands;
  const SymbolicShapes &shapes;
};

inline mlir::RankedTensorType getTensorType(mlir::Value value) {
  return llvm::cast<mlir::RankedTensorType>(value.getType());
}
inline mlir::Type getElementType(mlir::Value value) {
  return getTensorType(value).getElementType();
}
inline int64_t getRank(mlir::Value value) {
  return getTensorType(value).getRank();
}
/// True for an optional operand that is missing, or a result that is unused.
inline bool isMissing(mlir::Value value) {
  return llvm::isa<mlir::NoneType>(value.getType());
}
/// `axis` counted from the front.
inline int64_t normalizeAxis(int64_t axis, int64_t rank) {
  return axis < 0 ? axis + rank : axis;
}
/// Whether an original, not yet lowered value has unsigned elements.
bool hasUnsignedElements(mlir::Value value);

} // namespace lowbit::onnx::lowering

#endif // LOWBIT_LIB_CONVERSION_ONNXTOLINALG_LOWERINGBUILDER_H
