//===- QVecOps.cpp - register-level operations ----------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/QVec/IR/QVecOps.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace lowbit::qvec;

#include "lowbit/Dialect/QVec/IR/QVecDialect.cpp.inc"

#define GET_OP_CLASSES
#include "lowbit/Dialect/QVec/IR/QVecOps.cpp.inc"

void QVecDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "lowbit/Dialect/QVec/IR/QVecOps.cpp.inc"
      >();
}

LogicalResult LookupOp::inferReturnTypes(MLIRContext *context,
                                         std::optional<Location> location,
                                         Adaptor adaptor,
                                         SmallVectorImpl<Type> &types) {
  auto indices = dyn_cast<VectorType>(adaptor.getIndices().getType());
  auto table = dyn_cast<VectorType>(adaptor.getTable().getType());
  if (!indices || !table)
    return emitOptionalError(location, "'qvec.lookup' op takes vectors");
  types.push_back(indices.clone(table.getElementType()));
  return success();
}

LogicalResult LookupOp::verify() {
  VectorType table = getTable().getType(), indices = getIndices().getType();
  if (table.isScalable() || indices.isScalable())
    return emitOpError("takes vectors of fixed length");
  if (table.getElementTypeBitWidth() != indices.getElementTypeBitWidth())
    return emitOpError("takes indices as wide as the entries of ")
           << table << ", got " << indices;
  if (indices.getNumElements() % 16 != 0)
    return emitOpError("takes a multiple of 16 indices, got ") << indices;
  return success();
}

/// What operations that multiply codes by activations have in common.
template <typename OpTy>
static LogicalResult verifyProduct(OpTy op) {
  VectorType acc = op.getAcc().getType(), lhs = op.getLhs().getType();
  auto expected = VectorType::get({4 * acc.getDimSize(0)}, lhs.getElementType(),
                                  acc.getScalableDims());
  if (lhs != expected)
    return op.emitOpError("takes four 8-bit elements for each 32-bit lane: ")
           << acc << " goes with " << expected << ", got " << lhs;
  if (op.getLhsMax() < 1 || op.getLhsMax() > 255)
    return op.emitOpError("lhs_max must be from 1 to 255, got ")
           << op.getLhsMax();
  return success();
}

LogicalResult DotOp::verify() { return verifyProduct(*this); }

LogicalResult MmlaOp::verify() {
  VectorType acc = getAcc().getType();
  if (acc.getDimSize(0) % 4 != 0)
    return emitOpError("takes a multiple of four sums, got ") << acc;
  return verifyProduct(*this);
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

void TilesOp::build(OpBuilder &builder, OperationState &state, int64_t depth) {
  state.addAttribute(getDepthAttrName(state.name),
                     builder.getI64IntegerAttr(depth));
  state.addRegion()->emplaceBlock();
}

LogicalResult TilesOp::verify() {
  if (getDepth() > 64 || getDepth() % 4 != 0)
    return emitOpError("depth must be a multiple of 4 up to 64, got ")
           << getDepth();
  return success();
}

/// Whether the innermost dimensions follow each other without gaps.
static bool areContiguous(MemRefType type, unsigned dims) {
  SmallVector<int64_t> strides;
  int64_t offset, expected = 1;
  if (failed(type.getStridesAndOffset(strides, offset)))
    return false;
  for (unsigned i = 0; i < dims; ++i) {
    unsigned dim = type.getRank() - 1 - i;
    if (strides[dim] != expected)
      return false;
    expected *= type.getDimSize(dim);
  }
  return true;
}

LogicalResult TileDotOp::verify() {
  MemRefType lhs = getLhs().getType(), rhs = getRhs().getType(),
             sums = getSums().getType();
  for (MemRefType type : {lhs, rhs, sums})
    if (!type.hasStaticShape())
      return emitOpError("takes buffers of static shape, got ") << type;
  auto tiles = (*this)->getParentOfType<TilesOp>();
  if (!tiles)
    return emitOpError("must be in a qvec.tiles");
  Type element = lhs.getElementType();
  if (rhs.getElementType() != element || element.isBF16() != isFloat())
    return emitOpError("multiplies i8 into i32 or bf16 into f32, got ")
           << element << " and " << rhs.getElementType() << " into "
           << sums.getElementType();
  if (isFloat() && getRhsUnsigned())
    return emitOpError("has rhs_unsigned, which is for bytes only");
  int64_t depth = tiles.getDepth(), m = lhs.getDimSize(0),
          n = rhs.getDimSize(0), count = rhs.getDimSize(1),
          bytes = element.getIntOrFloatBitWidth() / 8;
  if (count < 1)
    return emitOpError("needs at least one tile, got ") << rhs << " as rhs";
  int64_t parts = isFloat() ? std::max<int64_t>(getNumParts(), 1) : 1;
  for (auto [name, type] : {std::pair("lhs", lhs), std::pair("rhs", rhs)})
    if (type.getDimSize(0) < 1 || type.getDimSize(0) > 2)
      return emitOpError("takes one or two rows of tiles, got ")
             << type << " as " << name;
  auto check = [&](StringRef name, MemRefType type, ArrayRef<int64_t> shape,
                   unsigned dense) -> LogicalResult {
    if (type.getShape() != shape)
      return emitOpError("needs ")
             << MemRefType::get(shape, type.getElementType()) << " as " << name
             << ", got " << type;
    if (!areContiguous(type, dense))
      return emitOpError("needs contiguous rows in ")
             << name << ", got " << type;
    return success();
  };
  if (failed(check("lhs", lhs, {m, count * parts, 16, depth / bytes}, 2)) ||
      failed(check("rhs", rhs, {n, count, depth / 4, 64 / bytes}, 2)) ||
      failed(check("sums", sums, {16 * m, n, 16}, 2)))
    return failure();
  return success();
}

void TileDotOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  effects.emplace_back(MemoryEffects::Read::get(), &getLhsMutable());
  effects.emplace_back(MemoryEffects::Read::get(), &getRhsMutable());
  effects.emplace_back(MemoryEffects::Write::get(), &getSumsMutable());
}
