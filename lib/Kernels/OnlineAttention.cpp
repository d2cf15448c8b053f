//===- OnlineAttention.cpp - attention without a matrix of scores ---------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// One job computes some rows, token by token of all query heads that share a
// key head, so that keys and values are read once for all of them. It walks
// over blocks of keys and keeps, for each row, the largest score so far, the
// sum of exp(score - largest) and the sum of exp(score - largest) * value:
//
//   for each block of keys that a row can see:
//     scores  = query * key', masked
//     larger  = max(largest, scores)
//     sums    = sums * exp(largest - larger) + exp(scores - larger) * values
//
// and the same for the plain sum; in the end one is divided by the other.
//
// The keys of a block are transposed first, so that the lanes of a vector are
// neighbouring keys. Each score is then one chain of fused multiply-adds along
// the head, and each sum one along the keys: their order, the size of blocks
// and the lanes of what is summed across are the same on every target. Only the
// shape of the register tiles differs.
//
// Quantized keys become floats where they are transposed, and the quantized
// values of a block are decoded into the job's memory, because several tiles
// read them. What is computed of the floats does not depend on it.
//
//===----------------------------------------------------------------------===//

#include "OnlineAttention.h"
#include "AttentionRows.h"
#include "FloatTiles.h"
#include "lowbit/Kernels/Lanes.h"
#include "lowbit/Kernels/ParallelLoops.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace lowbit;

namespace {

/// Keys of a block; with heads of 64 floats, keys and values take 32 KiB.
constexpr int64_t blockKeys = 64;
/// Rows of a job: the transposed keys serve all of them.
constexpr int64_t jobRows = 64;
/// What a job takes at most of the stack; heads of 128 floats need half of it.
constexpr int64_t maxStackFloats = 1 << 16;

class OnlineAttentionBuilder : FloatTileBuilder {
public:
  OnlineAttentionBuilder(func::FuncOp function, AttentionOp op,
                         const CpuKernelOptions &options);
  void build();

private:
  Value infinity() { return constant(-std::numeric_limits<float>::infinity()); }

  // The steps of a job.
  Value getHead(Value row);
  Value getToken(Value row);
  void buildJob();
  void allocate();
  void deallocate();
  void startRow(Value row);
  void buildBlock(Value firstKey, Value count);
  void transposeKeys(Value firstKey, Value count);
  void multiplyQueries(Value columns);
  void decodeValues(Value firstKey, Value count);
  void multiplyValues(Value firstKey, Value count);
  Value countVisibleKeys(Value row, Value firstKey, Value count);
  Value loadMask(Value row, Value key);
  Value maskScores(Value scores, Value row, Value key, Value lane,
                   Value visible);
  void updateRow(Value row, Value firstKey, Value count, Value columns);
  void rescaleRow(Value row, Value difference);
  void finishRow(Value row);

  const CpuKernelOptions &options;
  int64_t group;
  APFloat scale;
  std::optional<APFloat> softcap;

  // Arguments. The mask and the offset may be null.
  Value query, mask, offset, output;
  std::optional<AttentionRows> key, value;
  /// Columns of a head.
  int64_t size, valueSize;
  Value numTokens, numKeys;
  /// Of the job: where it is, and how many rows it has.
  Value batch, keyHead, firstRow, rows;
  /// Its memory: queries [row, size], transposed keys [size, key], scores [row,
  /// key], sums of weighted values [row, size], and of each row the largest
  /// score and the sum of the powers in lanes; values [key, size] if they are
  /// quantized.
  Value queries, keys, scores, sums, largest, totals, values;
  bool isOnStack = false;
};

} // namespace

OnlineAttentionBuilder::OnlineAttentionBuilder(func::FuncOp function,
                                               AttentionOp op,
                                               const CpuKernelOptions &options)
    : FloatTileBuilder(function.getLoc(), function.getContext()),
      options(options), group(op.getGroupSize()), scale(op.getScale()),
      softcap(op.getSoftcap()) {
  Block *entry = function.addEntryBlock();
  b.setInsertionPointToStart(entry);
  ValueRange arguments = entry->getArguments();
  auto take = [&](size_t count = 1) {
    ValueRange taken = arguments.take_front(count);
    arguments = arguments.drop_front(count);
    return taken;
  };
  query = take().front();
  auto &k = static_cast<KernelBuilder &>(*this);
  key.emplace(k, take(op.getKey().size()), op.getKeyType());
  value.emplace(k, take(op.getValue().size()), op.getValueType());
  if (op.getMask())
    mask = take().front();
  if (op.getOffset())
    offset = take().front();
  output = take().front();
  size = key->getSize();
  valueSize = value->getSize();
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

void OnlineAttentionBuilder::transposeKeys(Value firstKey, Value count) {
  Value last = sub(count, index(1));
  loop(index(0), count, lanes, [&](Value first) {
    // What is beyond the last key is masked later.
    Values places;
    for (int64_t lane = 0; lane < lanes; ++lane)
      places.push_back(add(firstKey, min(add(first, index(lane)), last)));
    forVectors(size, lanes, [&](Value column, int64_t width) {
      Values square;
      for (Value place : places) {
        Values at{batch, keyHead, place, column};
        Value row = key->load(width, at);
        // What comes next: the values of these keys, and the next keys.
        value->prefetch(at);
        at[2] = add(place, index(blockKeys));
        key->prefetch(at);
        if (width < lanes) {
          SmallVector<int64_t> widened(lanes, 0);
          std::iota(widened.begin(), widened.begin() + width, 0);
          row = vector::ShuffleOp::create(b, row, row, widened);
        }
        square.push_back(row);
      }
      transpose(square);
      for (int64_t lane = 0; lane < width; ++lane)
        store(square[lane], keys, {add(column, index(lane)), first});
    });
  });
}

/// scores = queries * keys, for at least as many columns as there are keys.
void OnlineAttentionBuilder::multiplyQueries(Value columns) {
  auto right = [&](Value step, Value column, int64_t width) {
    return load(width, keys, {step, column});
  };
  auto multiply = [&](Value begin, Value end, int64_t width) {
    loop(begin, end, width, [&](Value column) {
      multiplyRows({rows, queries, index(size), right, scores, column, width,
                    /*accumulate=*/false});
    });
  };
  if (options.tileColumns == lanes)
    return multiply(index(0), columns, lanes);
  Value whole = roundDown(columns, options.tileColumns);
  multiply(index(0), whole, options.tileColumns);
  multiply(whole, columns, lanes);
}

/// The values of a block as floats, each row as `load` gives it.
void OnlineAttentionBuilder::decodeValues(Value firstKey, Value count) {
  loop(index(0), count, 1, [&](Value step) {
    forVectors(valueSize, lanes, [&](Value column, int64_t width) {
      store(value->load(width, {batch, keyHead, add(firstKey, step), column}),
            values, {step, column});
    });
  });
}

/// sums += scores * values
void OnlineAttentionBuilder::multiplyValues(Value firstKey, Value count) {
  if (value->isQuantized())
    decodeValues(firstKey, count);
  auto right = [&](Value step, Value column, int64_t width) {
    return value->isQuantized()
               ? load(width, values, {step, column})
               : value->load(width,
                             {batch, keyHead, add(firstKey, step), column});
  };
  forVectors(valueSize, options.tileColumns, [&](Value column, int64_t width) {
    multiplyRows({rows, scores, count, right, sums, column, width,
                  /*accumulate=*/true});
  });
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

Value OnlineAttentionBuilder::getHead(Value row) {
  return add(mul(keyHead, index(group)), rem(add(firstRow, row), index(group)));
}

Value OnlineAttentionBuilder::getToken(Value row) {
  return div(add(firstRow, row), index(group));
}

void OnlineAttentionBuilder::startRow(Value row) {
  Value head = getHead(row), token = getToken(row);
  forVectors(size, lanes, [&](Value column, int64_t width) {
    store(load(width, query, {batch, head, token, column}), queries,
          {row, column});
  });
  forVectors(valueSize, lanes, [&](Value column, int64_t width) {
    store(spread(constant(0), width), sums, {row, column});
  });
  store(spread(constant(0)), totals, {row, index(0)});
  memref::StoreOp::create(b, infinity(), largest, row);
}

/// How many keys of the block the row may look at, without regard to the mask.
Value OnlineAttentionBuilder::countVisibleKeys(Value row, Value firstKey,
                                               Value count) {
  if (!offset)
    return count;
  Value end = add(add(getToken(row), offset), index(1));
  return max(min(sub(end, firstKey), count), index(0));
}

/// The mask of `lanes` keys: those that do not exist have the mask zero.
Value OnlineAttentionBuilder::loadMask(Value row, Value key) {
  auto type = cast<MemRefType>(mask.getType());
  Values at{batch, getHead(row), getToken(row), key};
  for (auto [place, size] : llvm::zip_equal(at, type.getShape()))
    if (size == 1)
      place = index(0);
  auto vectorType = VectorType::get({lanes}, type.getElementType());
  if (type.getDimSize(3) == 1)
    return spread(memref::LoadOp::create(b, mask, at));
  Value left = sub(numKeys, key);
  Value isWhole =
      arith::CmpIOp::create(b, arith::CmpIPredicate::sge, left, index(lanes));
  auto choice = scf::IfOp::create(b, vectorType, isWhole,
                                  /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(choice.thenBlock());
  scf::YieldOp::create(
      b, vector::LoadOp::create(b, vectorType, mask, at).getResult());
  b.setInsertionPointToStart(choice.elseBlock());
  Value exists = vector::CreateMaskOp::create(
      b, VectorType::get({lanes}, b.getI1Type()), left);
  Value none = arith::ConstantOp::create(b, b.getZeroAttr(vectorType));
  scf::YieldOp::create(
      b, vector::MaskedLoadOp::create(b, vectorType, mask, at, exists, none)
             .getResult());
  return choice.getResult(0);
}

/// The scores of a row for `lanes` keys: scaled, capped and masked.
Value OnlineAttentionBuilder::maskScores(Value scores, Value row, Value key,
                                         Value lane, Value visible) {
  auto splat = [&](const APFloat &number) -> Value {
    return arith::ConstantOp::create(
        b, DenseElementsAttr::get(getVector(lanes), number));
  };
  scores = arith::MulFOp::create(b, scores, splat(scale));
  if (softcap) {
    Value cap = splat(*softcap);
    Value ratio = arith::DivFOp::create(b, scores, cap);
    scores = arith::MulFOp::create(b, math::TanhOp::create(b, ratio), cap);
  }
  Value masked = spread(infinity());
  if (mask) {
    Value loaded = loadMask(row, key);
    auto type = cast<VectorType>(loaded.getType());
    if (type.getElementType().isF32()) {
      scores = arith::AddFOp::create(b, scores, loaded);
    } else {
      Value zero = arith::ConstantOp::create(b, b.getZeroAttr(type));
      Value isAllowed =
          arith::CmpIOp::create(b, arith::CmpIPredicate::ne, loaded, zero);
      scores = arith::SelectOp::create(b, isAllowed, scores, masked);
    }
  }
  Value isVisible =
      arith::CmpIOp::create(b, arith::CmpIPredicate::slt, lane, visible);
  return arith::SelectOp::create(b, isVisible, scores, masked);
}

/// Multiplies what a row has summed up by exp(difference).
void OnlineAttentionBuilder::rescaleRow(Value row, Value difference) {
  Value factor = math::ExpOp::create(b, spread(difference));
  auto multiply = [&](Value buffer, Value column, int64_t width) {
    Value narrow = factor;
    if (width < lanes)
      narrow = vector::ExtractStridedSliceOp::create(
          b, factor, ArrayRef<int64_t>{0}, ArrayRef<int64_t>{width},
          ArrayRef<int64_t>{1});
    Value product =
        arith::MulFOp::create(b, load(width, buffer, {row, column}), narrow);
    store(product, buffer, {row, column});
  };
  multiply(totals, index(0), lanes);
  forVectors(valueSize, lanes, [&](Value column, int64_t width) {
    multiply(sums, column, width);
  });
}

/// Turns the scores of a row into powers, and brings its sums up to date.
void OnlineAttentionBuilder::updateRow(Value row, Value firstKey, Value count,
                                       Value columns) {
  auto toLanes = [&](Value number) {
    return spread(
        arith::IndexCastOp::create(b, b.getI32Type(), number).getResult());
  };
  Value visible = toLanes(countVisibleKeys(row, firstKey, count));
  SmallVector<int32_t> numbers(lanes);
  std::iota(numbers.begin(), numbers.end(), 0);
  Value steps = arith::ConstantOp::create(b, b.getI32VectorAttr(numbers));

  Value before = memref::LoadOp::create(b, largest, row);
  Value larger =
      loop(index(0), columns, lanes, spread(infinity()),
           [&](Value column, ValueRange carried) {
             Value lane = add(toLanes(column), steps);
             Value masked = maskScores(load(lanes, scores, {row, column}), row,
                                       add(firstKey, column), lane, visible);
             store(masked, scores, {row, column});
             // NaN is not lost: it shows up in the sums.
             return Values{arith::MaxNumFOp::create(b, carried[0], masked)};
           })[0];
  Value now = combineLanes(b, vector::CombiningKind::MAXNUMF, larger, before);
  memref::StoreOp::create(b, now, largest, row);
  // If all scores so far are minus infinity, so are the differences to zero.
  Value isNone =
      arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, now, infinity());
  Value shift = arith::SelectOp::create(b, isNone, constant(0), now);
  // exp(0) is one: nothing to do.
  Value hasGrown =
      arith::CmpFOp::create(b, arith::CmpFPredicate::ONE, now, before);
  ifTrue(hasGrown,
         [&] { rescaleRow(row, arith::SubFOp::create(b, before, shift)); });

  Value shifts = spread(shift);
  Value total =
      loop(index(0), columns, lanes, load(lanes, totals, {row, index(0)}),
           [&](Value column, ValueRange carried) {
             Value score = load(lanes, scores, {row, column});
             Value power = math::ExpOp::create(
                 b, arith::SubFOp::create(b, score, shifts));
             store(power, scores, {row, column});
             return Values{arith::AddFOp::create(b, carried[0], power)};
           })[0];
  store(total, totals, {row, index(0)});
}

void OnlineAttentionBuilder::finishRow(Value row) {
  Value total = combineLanes(b, vector::CombiningKind::ADD,
                             load(lanes, totals, {row, index(0)}), constant(0));
  Value isZero =
      arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, total, constant(0));
  total = arith::SelectOp::create(b, isZero, constant(1), total);
  Value head = getHead(row), token = getToken(row);
  forVectors(valueSize, lanes, [&](Value column, int64_t width) {
    Value mean = arith::DivFOp::create(b, load(width, sums, {row, column}),
                                       spread(total, width));
    store(mean, output, {batch, head, token, column});
  });
}

//===----------------------------------------------------------------------===//
// Jobs
//===----------------------------------------------------------------------===//

void OnlineAttentionBuilder::allocate() {
  const int64_t floats =
      jobRows * (size + blockKeys + valueSize + 1 + lanes) +
      blockKeys * (size + (value->isQuantized() ? valueSize : 0));
  isOnStack = floats <= maxStackFloats;
  auto get = [&](ArrayRef<int64_t> shape) -> Value {
    auto type = MemRefType::get(shape, b.getF32Type());
    IntegerAttr alignment = b.getI64IntegerAttr(64);
    if (isOnStack)
      return memref::AllocaOp::create(b, type, alignment);
    return memref::AllocOp::create(b, type, alignment);
  };
  queries = get({jobRows, size});
  keys = get({size, blockKeys});
  scores = get({jobRows, blockKeys});
  sums = get({jobRows, valueSize});
  largest = get({jobRows});
  totals = get({jobRows, lanes});
  if (value->isQuantized())
    values = get({blockKeys, valueSize});
}

void OnlineAttentionBuilder::deallocate() {
  if (isOnStack)
    return;
  for (Value buffer : {queries, keys, scores, sums, largest, totals, values})
    if (buffer)
      memref::DeallocOp::create(b, buffer);
}

void OnlineAttentionBuilder::buildBlock(Value firstKey, Value count) {
  Value columns = roundDown(add(count, index(lanes - 1)), lanes);
  transposeKeys(firstKey, count);
  multiplyQueries(columns);
  loop(index(0), rows, 1,
       [&](Value row) { updateRow(row, firstKey, count, columns); });
  multiplyValues(firstKey, count);
}

void OnlineAttentionBuilder::buildJob() {
  allocate();
  loop(index(0), rows, 1, [&](Value row) { startRow(row); });
  // The last row sees the most.
  Value end = countVisibleKeys(sub(rows, index(1)), index(0), numKeys);
  loop(index(0), end, blockKeys, [&](Value firstKey) {
    buildBlock(firstKey, min(sub(end, firstKey), index(blockKeys)));
  });
  loop(index(0), rows, 1, [&](Value row) { finishRow(row); });
  deallocate();
}

void OnlineAttentionBuilder::build() {
  numTokens = memref::DimOp::create(b, query, 2);
  numKeys = key->getDim(2);
  Value numBatches = memref::DimOp::create(b, query, 0);
  Value numKeyHeads = key->getDim(1);
  Value numRows = mul(numTokens, index(group));
  Value numJobs = ceilDiv(numRows, index(jobRows));
  // A job that would be the only one becomes two.
  Value isSingle = arith::CmpIOp::create(
      b, arith::CmpIPredicate::eq, mul(mul(numBatches, numKeyHeads), numJobs),
      index(1));
  Value half = mul(ceilDiv(numRows, index(2 * tileRows)), index(tileRows));
  Value share = arith::SelectOp::create(b, isSingle, half, index(jobRows));
  numJobs = ceilDiv(numRows, share);
  LoopNest nest{{numBatches, numKeyHeads, numJobs}, {1, 1, 1}};
  Value work = buildProduct(
      b, {numBatches, numKeyHeads, numRows, numKeys, index(size + valueSize)});
  buildParallelNest(b, nest, work, options.parallel, [&](ValueRange ivs) {
    batch = ivs[0];
    keyHead = ivs[1];
    Value job = ivs[2];
    if (offset) {
      // Later tokens see more keys. Threads get neighbouring jobs: an early and
      // a late one in turn are equal shares.
      Value isOdd = arith::CmpIOp::create(b, arith::CmpIPredicate::ne,
                                          rem(job, index(2)), index(0));
      Value early = div(job, index(2));
      Value late = sub(sub(numJobs, index(1)), early);
      job = arith::SelectOp::create(b, isOdd, late, early);
    }
    firstRow = mul(job, share);
    rows = min(sub(numRows, firstRow), share);
    buildJob();
  });
  func::ReturnOp::create(b);
}

void lowbit::buildOnlineAttentionBody(func::FuncOp function, AttentionOp op,
                                      const CpuKernelOptions &options) {
  OnlineAttentionBuilder(function, op, options).build();
}
