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

LogicalResult DotOp::verify() {
  VectorType acc = getAcc().getType(), lhs = getLhs().getType();
  if (acc.isScalable() || lhs.isScalable())
    return emitOpError("takes vectors of fixed length");
  if (lhs.getNumElements() != 4 * acc.getNumElements())
    return emitOpError("takes four 8-bit elements for each 32-bit lane: ")
           << acc << " goes with vector<" << 4 * acc.getNumElements()
           << "xi8>, got " << lhs;
  if (getLhsMax() < 1 || getLhsMax() > 255)
    return emitOpError("lhs_max must be from 1 to 255, got ") << getLhsMax();
  return success();
}
