//===- FuseRows.cpp - one loop for ops that follow each other row by row --===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// The rows of an op are the iterations of its leading loops up to the last one
// of dynamic size: the tokens of all sequences, in a language model. An op
// accesses a buffer by rows if each of them has its own part of it. Neighbours
// with the same rows can take turns row by row if all that one of them writes
// is accessed by rows in the others.
//
//===----------------------------------------------------------------------===//

#include "lowbit/Conversion/LinalgToCpu/Passes.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"

namespace lowbit {
#define GEN_PASS_DEF_FUSEROWSPASS
#include "lowbit/Conversion/LinalgToCpu/Passes.h.inc"
} // namespace lowbit

using namespace mlir;

namespace {
/// A number, as far as it is known: a constant if `value` is null, dimension
/// `dim` of a buffer, or a value itself.
struct Size {
  Value value;
  int64_t dim;

  bool operator==(const Size &other) const {
    return value == other.value && dim == other.dim;
  }
};

using BufferSet = llvm::SmallDenseSet<Value>;

/// What an op does to buffers, by their allocations.
struct Accesses {
  SmallVector<Size> rows;
  BufferSet written;
  /// What is read, but not by rows.
  BufferSet shared;
};
} // namespace

/// Where a size comes from.
static Size traceSize(Value buffer, int64_t dim);

static Size traceSize(OpFoldResult size) {
  if (std::optional<int64_t> constant = getConstantIntValue(size))
    return {Value(), *constant};
  Value value = cast<Value>(size);
  if (auto dim = value.getDefiningOp<memref::DimOp>())
    if (std::optional<int64_t> index = dim.getConstantIndex())
      return traceSize(dim.getSource(), *index);
  return {value, 0};
}

static Size traceSize(Value buffer, int64_t dim) {
  auto type = cast<MemRefType>(buffer.getType());
  if (!type.isDynamicDim(dim))
    return {Value(), type.getDimSize(dim)};
  if (auto alloc = buffer.getDefiningOp<memref::AllocOp>())
    return traceSize(alloc.getMixedSizes()[dim]);
  if (auto expand = buffer.getDefiningOp<memref::ExpandShapeOp>()) {
    for (auto [from, group] : llvm::enumerate(expand.getReassociationIndices()))
      if (group.size() == 1 && group.front() == dim)
        return traceSize(expand.getSrc(), from);
    return traceSize(expand.getMixedOutputShape()[dim]);
  }
  if (auto collapse = buffer.getDefiningOp<memref::CollapseShapeOp>()) {
    ReassociationIndices group = collapse.getReassociationIndices()[dim];
    if (group.size() == 1)
      return traceSize(collapse.getSrc(), group.front());
  }
  if (auto cast = buffer.getDefiningOp<memref::CastOp>())
    return traceSize(cast.getSource(), dim);
  return {buffer, dim};
}

static bool hasRows(Value buffer, ArrayRef<Size> rows) {
  auto type = cast<MemRefType>(buffer.getType());
  if (type.getRank() < int64_t(rows.size()))
    return false;
  for (auto [dim, size] : llvm::enumerate(rows))
    if (!(traceSize(buffer, dim) == size))
      return false;
  return true;
}

/// The buffer of which `view` shows some or all.
static Value getWhole(Value view) {
  while (auto op = view.getDefiningOp<ViewLikeOpInterface>())
    view = op.getViewSource();
  return view;
}

/// Whether row i of `view`, which has these rows, is in the i-th of as many
/// equal parts of the buffer behind it. Reshaping moves no element.
static bool showsRows(Value view, ArrayRef<Size> rows) {
  if (!hasRows(view, rows))
    return false;
  while (Operation *op = view.getDefiningOp()) {
    if (auto subview = dyn_cast<memref::SubViewOp>(op)) {
      auto isConstant = [&](ArrayRef<OpFoldResult> values, int64_t value) {
        return llvm::all_of(values.take_front(rows.size()),
                            [&](OpFoldResult other) {
                              return isConstantIntValue(other, value);
                            });
      };
      if (subview.getSourceType().getRank() != subview.getType().getRank() ||
          !hasRows(subview.getSource(), rows) ||
          !isConstant(subview.getMixedOffsets(), 0) ||
          !isConstant(subview.getMixedStrides(), 1))
        return false;
    } else if (isa<memref::ExpandShapeOp, memref::CollapseShapeOp>(op)) {
      if (!cast<MemRefType>(view.getType()).getLayout().isIdentity())
        return false;
    } else if (!isa<memref::CastOp>(op)) {
      break;
    }
    view = op->getOperand(0);
  }
  return view == getWhole(view) &&
         cast<MemRefType>(view.getType()).getLayout().isIdentity();
}

/// The number of leading sizes up to the last dynamic one.
static int64_t countRowDims(ArrayRef<int64_t> sizes) {
  int64_t count = sizes.size();
  while (count > 0 && !ShapedType::isDynamic(sizes[count - 1]))
    --count;
  return count;
}

static SmallVector<Size> getRows(Value buffer, int64_t numDims) {
  return llvm::map_to_vector(
      llvm::seq(numDims), [&](int64_t dim) { return traceSize(buffer, dim); });
}

/// Whether an operand's leading indices, and no others, are those of the row.
static bool isIndexedByRows(AffineMap map, int64_t numDims) {
  if (map.getNumResults() < numDims)
    return false;
  for (auto [place, index] : llvm::enumerate(map.getResults()))
    for (int64_t dim = 0; dim < numDims; ++dim) {
      bool isRow = int64_t(place) == dim;
      if (isRow ? index != getAffineDimExpr(dim, map.getContext())
                : index.isFunctionOfDim(dim))
        return false;
    }
  return true;
}

static bool overlap(const BufferSet &a, const BufferSet &b) {
  return llvm::any_of(a, [&](Value buffer) { return b.contains(buffer); });
}

/// What an op does that can be cut into rows.
static FailureOr<Accesses> getAccesses(linalg::LinalgOp op) {
  int64_t numDims = countRowDims(op.getStaticLoopRanges());
  if (!op.hasPureBufferSemantics() || numDims == 0 ||
      linalg::isaContractionOpInterface(op))
    return failure();
  if (llvm::any_of(ArrayRef(op.getIteratorTypesArray()).take_front(numDims),
                   [](auto kind) { return !linalg::isParallelIterator(kind); }))
    return failure();
  Accesses accesses;
  accesses.rows = getRows(op.getDpsInits().front(), numDims);
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    Value whole = getWhole(operand.get());
    bool isByRows =
        isIndexedByRows(op.getMatchingIndexingMap(&operand), numDims) &&
        showsRows(operand.get(), accesses.rows);
    if (op.isDpsInit(&operand)) {
      // What is allocated here is no part of anything else.
      if (!isByRows || !whole.getDefiningOp<memref::AllocOp>())
        return failure();
      accesses.written.insert(whole);
    } else if (!isByRows) {
      accesses.shared.insert(whole);
    }
  }
  llvm::SetVector<Value> captured;
  getUsedValuesDefinedAbove(op->getRegions(), captured);
  for (Value value : captured)
    if (isa<MemRefType>(value.getType()))
      accesses.shared.insert(getWhole(value));
  auto onlyReads = [](Operation &inner) {
    return isa<memref::LoadOp>(inner) || isMemoryEffectFree(&inner);
  };
  if (!llvm::all_of(*op.getBlock(), onlyReads) ||
      overlap(accesses.written, accesses.shared))
    return failure();
  return accesses;
}

static FailureOr<Accesses> getAccesses(memref::CopyOp copy) {
  auto type = dyn_cast<MemRefType>(copy.getTarget().getType());
  if (!type || !isa<MemRefType>(copy.getSource().getType()))
    return failure();
  Accesses accesses;
  accesses.rows = getRows(copy.getTarget(), countRowDims(type.getShape()));
  Value whole = getWhole(copy.getTarget());
  if (accesses.rows.empty() || !whole.getDefiningOp<memref::AllocOp>() ||
      !showsRows(copy.getTarget(), accesses.rows) ||
      !showsRows(copy.getSource(), accesses.rows))
    return failure();
  accesses.written.insert(whole);
  return accesses;
}

static FailureOr<Accesses> getAccesses(Operation &op) {
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
    return getAccesses(linalgOp);
  if (auto copy = dyn_cast<memref::CopyOp>(op))
    return getAccesses(copy);
  return failure();
}

/// `op` for one row.
static void buildRow(OpBuilder &b, linalg::LinalgOp op, ValueRange row) {
  Location loc = op.getLoc();
  SmallVector<OpFoldResult> offsets, sizes;
  for (auto [dim, range] : llvm::enumerate(op.createLoopRanges(b, loc))) {
    bool isOfRow = dim < row.size();
    offsets.push_back(isOfRow ? OpFoldResult(row[dim])
                              : OpFoldResult(b.getIndexAttr(0)));
    sizes.push_back(isOfRow ? OpFoldResult(b.getIndexAttr(1)) : range.size);
  }
  SmallVector<Value> operands =
      linalg::makeTiledShapes(b, loc, op, op->getOperands(), offsets, sizes,
                              /*sizeBounds=*/{}, /*omitPartialTileCheck=*/true);
  auto part =
      cast<linalg::LinalgOp>(clone(b, op, /*newResultTypes=*/{}, operands));
  linalg::offsetIndices(b, part, offsets);
}

namespace {
/// Ops that are to become one loop.
class RowGroup {
public:
  /// Adds `op` unless it must come after all rows of the others, or these after
  /// its own.
  bool add(Operation &op, const Accesses &other) {
    if (!ops.empty() && (accesses.rows != other.rows ||
                         overlap(accesses.written, other.shared) ||
                         overlap(accesses.shared, other.written)))
      return false;
    ops.push_back(&op);
    accesses.rows = other.rows;
    accesses.written.insert_range(other.written);
    accesses.shared.insert_range(other.shared);
    return true;
  }
  /// A buffer that is freed between two ops is freed after the loop.
  void add(memref::DeallocOp dealloc) {
    if (!ops.empty())
      deallocs.push_back(dealloc);
  }

  /// Builds the loop, if there are several ops. Returns their number.
  unsigned build();

private:
  SmallVector<Operation *> ops;
  SmallVector<memref::DeallocOp> deallocs;
  Accesses accesses;
};
} // namespace

unsigned RowGroup::build() {
  if (ops.size() < 2)
    return 0;
  Operation *last = ops.back();
  ImplicitLocOpBuilder b(last->getLoc(), last->getContext());
  b.setInsertionPointAfter(last);
  // The target of all of them: sizes are known by what it was allocated with.
  Value target = isa<memref::CopyOp>(last)
                     ? cast<memref::CopyOp>(last).getTarget()
                     : cast<linalg::LinalgOp>(last).getDpsInits().front();
  SmallVector<OpFoldResult> counts;
  for (size_t dim = 0; dim < accesses.rows.size(); ++dim)
    counts.push_back(memref::getMixedSize(b, b.getLoc(), target, dim));
  auto loop = scf::ForallOp::create(b, counts, /*outputs=*/ValueRange(),
                                    /*mapping=*/std::nullopt);
  b.setInsertionPointToStart(loop.getBody());
  for (Operation *op : ops) {
    if (auto copy = dyn_cast<memref::CopyOp>(op)) {
      auto whole = linalg::CopyOp::create(b, copy.getLoc(), copy.getSource(),
                                          copy.getTarget());
      buildRow(b, whole, loop.getInductionVars());
      whole.erase();
    } else {
      buildRow(b, cast<linalg::LinalgOp>(op), loop.getInductionVars());
    }
    op->erase();
  }
  for (memref::DeallocOp dealloc : deallocs)
    dealloc->moveAfter(loop);
  return ops.size();
}

namespace {
struct FuseRowsPass final : lowbit::impl::FuseRowsPassBase<FuseRowsPass> {
  void runOnOperation() override {
    SmallVector<Block *> blocks;
    getOperation()->walk([&](Block *block) {
      if (!isa<linalg::LinalgOp>(block->getParentOp()))
        blocks.push_back(block);
    });
    for (Block *block : blocks)
      fuse(*block);
  }

  void fuse(Block &block) {
    RowGroup group;
    auto finish = [&] {
      numFused += group.build();
      group = RowGroup();
    };
    for (Operation &op : llvm::make_early_inc_range(block)) {
      if (auto dealloc = dyn_cast<memref::DeallocOp>(op)) {
        group.add(dealloc);
        continue;
      }
      if (isa<memref::AllocOp>(op) || isMemoryEffectFree(&op))
        continue;
      FailureOr<Accesses> accesses = getAccesses(op);
      if (failed(accesses)) {
        finish();
      } else if (!group.add(op, *accesses)) {
        finish();
        group.add(op, *accesses);
      }
    }
    finish();
  }
};
} // namespace
