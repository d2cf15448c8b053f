//===- Contraction.cpp - what the lowering knows of a contraction ---------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Contraction.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;
using namespace lowbit;

bool ContractionOperand::isContiguousIn(unsigned dim) const {
  auto type = cast<MemRefType>(buffer.getType());
  int64_t offset;
  SmallVector<int64_t> strides;
  return !dims.empty() && dims.back() == dim &&
         succeeded(type.getStridesAndOffset(strides, offset)) &&
         strides.back() == 1;
}

static ContractionOperand getOperand(linalg::LinalgOp op, OpOperand &operand) {
  ContractionOperand result{operand.get(), {}};
  for (AffineExpr expr : op.getMatchingIndexingMap(&operand).getResults())
    result.dims.push_back(cast<AffineDimExpr>(expr).getPosition());
  return result;
}

/// Moves the last element of `dims` that satisfies `pick`, or just the last
/// one, out of `dims`.
static unsigned takeDim(SmallVectorImpl<unsigned> &dims,
                        function_ref<bool(unsigned)> pick) {
  auto found = llvm::find_if(llvm::reverse(dims), pick);
  unsigned index =
      found == dims.rend() ? dims.size() - 1 : dims.rend() - found - 1;
  unsigned dim = dims[index];
  dims.erase(dims.begin() + index);
  return dim;
}

FailureOr<Contraction> Contraction::match(linalg::LinalgOp op,
                                          RewriterBase &rewriter) {
  if (!op.hasPureBufferSemantics())
    return rewriter.notifyMatchFailure(op, "not on buffers");
  if (!linalg::isaContractionOpInterface(op))
    return rewriter.notifyMatchFailure(op, "not a sum of products");
  for (Value operand : op->getOperands())
    if (!getElementTypeOrSelf(operand).isF32())
      return rewriter.notifyMatchFailure(op, "an operand is not f32");
  // Casts inside of the body would need a type of the sum of their own.
  if (op.getBlock()->getOperations().size() != 3)
    return rewriter.notifyMatchFailure(op, "the body does more than it should");
  FailureOr<linalg::ContractionDimensions> dims =
      linalg::inferContractionDims(op);
  if (failed(dims))
    return rewriter.notifyMatchFailure(op, "not a matrix product");

  Contraction c;
  c.op = op;
  c.lhs = getOperand(op, *op.getDpsInputOperand(0));
  c.rhs = getOperand(op, *op.getDpsInputOperand(1));
  c.result = getOperand(op, *op.getDpsInitOperand(0));
  SmallVector<unsigned> rows(dims->m.begin(), dims->m.end());
  SmallVector<unsigned> columns(dims->n.begin(), dims->n.end());
  SmallVector<unsigned> sums(dims->k.begin(), dims->k.end());
  // A product of vectors has no rows or no columns.
  if (rows.empty() || columns.empty() || sums.empty())
    return rewriter.notifyMatchFailure(op, "not a product of matrices");
  // The transposed product has the same elements.
  if (llvm::is_contained(rows, c.result.dims.back())) {
    std::swap(c.lhs, c.rhs);
    std::swap(rows, columns);
  }
  if (!llvm::is_contained(columns, c.result.dims.back()) ||
      !c.result.isContiguousIn(c.result.dims.back()))
    return rewriter.notifyMatchFailure(op, "the result's rows are scattered");
  size_t known =
      rows.size() + columns.size() + sums.size() + dims->batch.size();
  if (known != op.getNumLoops())
    return rewriter.notifyMatchFailure(op, "a dimension has no role");

  unsigned lastOfRhs = c.rhs.dims.back();
  c.n = takeDim(columns, [&](unsigned d) { return d == c.result.dims.back(); });
  c.k = takeDim(sums, [&](unsigned d) { return d == lastOfRhs; });
  c.m = takeDim(rows, [](unsigned) { return true; });
  c.outer.append(dims->batch.begin(), dims->batch.end());
  c.outer.append(columns.begin(), columns.end());
  c.otherRows = rows;
  c.staticSizes = op.getStaticLoopRanges();
  c.otherSums = sums;
  return c;
}

void Contraction::buildSizes(ImplicitLocOpBuilder &b) {
  for (Range range : op.createLoopRanges(b, b.getLoc()))
    sizes.push_back(getValueOrCreateConstantIndexOp(b, b.getLoc(), range.size));
}

int64_t Contraction::getStaticSize(unsigned dim) const {
  return staticSizes[dim];
}

SmallVector<Value> Contraction::getSizes(ArrayRef<unsigned> dims) const {
  return llvm::map_to_vector(dims, [&](unsigned d) { return sizes[d]; });
}

SmallVector<Value> lowbit::getIndices(const ContractionOperand &operand,
                                      const LoopIndices &at) {
  return llvm::map_to_vector(operand.dims, [&](unsigned d) { return at[d]; });
}

void lowbit::buildLoopsOver(
    ImplicitLocOpBuilder &b, const Contraction &c, ArrayRef<unsigned> dims,
    LoopIndices at,
    llvm::function_ref<void(ImplicitLocOpBuilder &, LoopIndices)> body) {
  if (dims.empty())
    return body(b, at);
  Value zero = arith::ConstantIndexOp::create(b, 0);
  Value one = arith::ConstantIndexOp::create(b, 1);
  SmallVector<Value> lowerBounds(dims.size(), zero), steps(dims.size(), one);
  scf::buildLoopNest(b, b.getLoc(), lowerBounds, c.getSizes(dims), steps,
                     [&](OpBuilder &nested, Location loc, ValueRange ivs) {
                       for (auto [dim, iv] : llvm::zip_equal(dims, ivs))
                         at[dim] = iv;
                       ImplicitLocOpBuilder inner(loc, nested);
                       body(inner, at);
                     });
}
