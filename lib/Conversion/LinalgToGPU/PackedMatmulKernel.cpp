//===- PackedMatmulKernel.cpp - float times few-bit products --------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// A warp computes one row of the weight against a few tokens. Its lanes take
// units of 32 codes in turn, which is a whole number of words for any number of
// bits, and loads as wide as a row's alignment allows (16 bytes for four bits).
// A unit lies in one group, so its products share a scale:
//
//     acc += scale * sum(x[k] * (code[k] - zero))
//
// The warps of a block have the same tokens, and rows of their own: what 32 units
// need of the inputs, one unit a lane, is copied to shared memory first. There
// units are four floats further apart than they are long, so that lanes which read
// four floats each are in different banks.
//
// Codes become floats without a conversion: 0x4B000000 | code is the float
// 2^23 + code, from which 2^23 + zero is subtracted exactly. What does not fill
// a unit, and rows that no unit suits, are decoded code by code.

#include "KernelUtils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

using namespace mlir;
using namespace lowbit;

static constexpr int64_t kUnit = 32;
static constexpr int64_t kWarps = 8;
static constexpr int64_t kThreads = kWarps * kWarpSize;
/// How many inputs are loaded at once, if they are aligned.
static constexpr int64_t kVector = 4;
/// The distance of two units' inputs in shared memory.
static constexpr int64_t kUnitStride = kUnit + kVector;
/// More tokens a warp read the weight less often and need more registers.
static constexpr int64_t kTokensPerWarp = 4;
/// The bits of the float 2^23, whose last mantissa bit counts ones.
static constexpr int32_t kMagicBits = 0x4B000000;
static constexpr float kMagic = 8388608.0f;

namespace {
/// The operands, and what is known about them.
struct Product {
  explicit Product(PackedMatmulOp op, UniformAttr format)
      : format(format), input(op.getInput()[0]), codes(op.getWeight()[0]),
        scales(op.getWeight()[1]), bias(op.getBias()), result(op.getInit()) {
    if (format.getHasZeroPoint())
      zeros = op.getWeight()[2];
    auto weight = cast<QuantTensorType>(op.getWeightType());
    rows = weight.getDimSize(0);
    depth = weight.getDimSize(1);
    groupRows = format.getGroupRows() ? format.getGroupRows() : rows;
    groupDepth = format.getGroupCols() ? format.getGroupCols() : depth;
    bits = format.getBits();
    rowBytes = cast<MemRefType>(codes.getType()).getDimSize(1);
  }

  /// How many bytes of codes one load reads; 0 if units do not suit the rows.
  int64_t getLoadBytes() const {
    if (!cast<MemRefType>(codes.getType()).getLayout().isIdentity() ||
        rowBytes % 4 || (groupDepth < depth && groupDepth % kUnit))
      return 0;
    int64_t unitBytes = kUnit * bits / 8;
    for (int64_t bytes : {16, 8, 4})
      if (rowBytes % bytes == 0 && unitBytes % bytes == 0)
        return bytes;
    return 0;
  }
  /// Whether four neighbouring inputs can be read at once.
  bool hasAlignedInput() const {
    auto type = cast<MemRefType>(input.getType());
    return type.getLayout().isIdentity() && type.getElementType().isF32() &&
           depth % kVector == 0;
  }
  int64_t getUnits() const { return getLoadBytes() ? depth / kUnit : 0; }

  UniformAttr format;
  Value input, codes, scales, zeros, bias, result;
  int64_t rows, depth, groupRows, groupDepth, rowBytes;
  unsigned bits;
};

/// Builds the code of one lane.
class LaneBuilder : public ImplicitLocOpBuilder {
public:
  LaneBuilder(OpBuilder &builder, Location loc, const Product &product,
              int64_t tokens)
      : ImplicitLocOpBuilder(loc, builder), product(product), tokens(tokens) {}

  /// `shared` is for the inputs of units.
  void build(gpu::LaunchOp launch, Value firstRow, Value tile,
             Value tokenCount, Value shared);

private:
  Value index(int64_t value) {
    return arith::ConstantIndexOp::create(*this, value);
  }
  Value i32(int64_t value) {
    return arith::ConstantIntOp::create(*this, value, 32);
  }
  Value f32(float value) {
    return arith::ConstantFloatOp::create(*this, getF32Type(),
                                          llvm::APFloat(value));
  }
  Value toF32(Value value) {
    return value.getType().isF32()
               ? value
               : arith::ExtFOp::create(*this, getF32Type(), value).getResult();
  }
  Value mulAdd(Value left, Value right, Value sum) {
    auto fast = arith::FastMathFlags::contract;
    Value product = arith::MulFOp::create(*this, left, right, fast);
    return arith::AddFOp::create(*this, product, sum, fast);
  }

  Value loadCode(Value codes, Value row, Value position);
  Value toLevel(Value code);
  Value loadScale(Value group);
  Value loadZero(Value group);
  Value loadInput(Value token, Value position) {
    return toF32(memref::LoadOp::create(*this, product.input,
                                        ValueRange{token, position}));
  }
  void stageInputs(Value firstUnit);
  /// Neighbouring floats, whose address is a multiple of their size.
  Value loadVector(Value memref, ArrayRef<Value> indices) {
    auto load = vector::LoadOp::create(
        *this, VectorType::get(kVector, getF32Type()), memref, indices);
    load->setAttr("alignment", getI64IntegerAttr(4 * kVector));
    return load;
  }
  SmallVector<Value> loadWords(Value unit);
  Value extractCode(ArrayRef<Value> words, int64_t position);
  SmallVector<Value> loop(Value first, Value end, ValueRange initial,
                          function_ref<SmallVector<Value>(Value, ValueRange)>
                              body);
  SmallVector<Value> addUnits(ValueRange sums);
  SmallVector<Value> addUnit(Value unit, ValueRange sums);
  SmallVector<Value> addElement(Value position, ValueRange sums);
  void store(ArrayRef<Value> sums, Value isRow, Value tile, Value tokenCount);

  const Product &product;
  int64_t tokens;
  Value lane, thread, shared, row, groupRow;
  /// The tokens of this warp; those beyond the last are the last once more.
  SmallVector<Value> tokenIndices;
};
} // namespace

/// One code of a bit stream, as an unsigned number.
Value LaneBuilder::loadCode(Value codes, Value row, Value position) {
  auto getByte = [&](Value byte) -> Value {
    Value loaded =
        memref::LoadOp::create(*this, codes, ValueRange{row, byte});
    return arith::ExtUIOp::create(*this, getI32Type(), loaded);
  };
  Value bit = arith::MulIOp::create(*this, position, index(product.bits));
  Value byte = arith::ShRUIOp::create(*this, bit, index(3));
  Value word = getByte(byte);
  if (8 % product.bits) {
    int64_t last = cast<MemRefType>(codes.getType()).getDimSize(1) - 1;
    Value next = arith::AddIOp::create(*this, byte, index(1));
    next = arith::MinUIOp::create(*this, next, index(last));
    Value high = arith::ShLIOp::create(*this, getByte(next), i32(8));
    word = arith::OrIOp::create(*this, word, high);
  }
  Value shift = arith::AndIOp::create(*this, bit, index(7));
  shift = arith::IndexCastOp::create(*this, getI32Type(), shift);
  word = arith::ShRUIOp::create(*this, word, shift);
  return arith::AndIOp::create(*this, word, i32((1 << product.bits) - 1));
}

/// 2^23 + code, with signed codes moved to start at 0.
Value LaneBuilder::toLevel(Value code) {
  if (product.format.getIsSigned())
    code = arith::XOrIOp::create(*this, code, i32(1 << (product.bits - 1)));
  code = arith::OrIOp::create(*this, code, i32(kMagicBits));
  return arith::BitcastOp::create(*this, getF32Type(), code);
}

Value LaneBuilder::loadScale(Value group) {
  return toF32(memref::LoadOp::create(*this, product.scales,
                                      ValueRange{groupRow, group}));
}

/// 2^23 + zero point, moved as codes are.
Value LaneBuilder::loadZero(Value group) {
  if (product.zeros)
    return toLevel(loadCode(product.zeros, groupRow, group));
  bool isSigned = product.format.getIsSigned();
  return f32(kMagic + (isSigned ? 1 << (product.bits - 1) : 0));
}

SmallVector<Value> LaneBuilder::loadWords(Value unit) {
  int64_t loadBytes = product.getLoadBytes();
  int64_t unitBytes = kUnit * product.bits / 8;
  auto bytesType = VectorType::get(loadBytes, getI8Type());
  auto wordsType = VectorType::get(loadBytes / 4, getI32Type());
  Value first = arith::MulIOp::create(*this, unit, index(unitBytes));
  SmallVector<Value> words;
  for (int64_t offset = 0; offset < unitBytes; offset += loadBytes) {
    Value byte = arith::AddIOp::create(*this, first, index(offset));
    auto load = vector::LoadOp::create(*this, bytesType, product.codes,
                                       ValueRange{row, byte});
    // Device memory is aligned to 256 bytes, and rows are a multiple of this.
    load->setAttr("alignment", getI64IntegerAttr(loadBytes));
    Value vector = vector::BitCastOp::create(*this, wordsType, load);
    for (int64_t i = 0; i < loadBytes / 4; ++i)
      words.push_back(vector::ExtractOp::create(*this, vector, i));
  }
  return words;
}

Value LaneBuilder::extractCode(ArrayRef<Value> words, int64_t position) {
  int64_t bit = position * product.bits, shift = bit % 32;
  Value code = words[bit / 32];
  if (shift)
    code = arith::ShRUIOp::create(*this, code, i32(shift));
  if (shift + product.bits > 32) {
    Value high =
        arith::ShLIOp::create(*this, words[bit / 32 + 1], i32(32 - shift));
    code = arith::OrIOp::create(*this, code, high);
  }
  return arith::AndIOp::create(*this, code, i32((1 << product.bits) - 1));
}

SmallVector<Value> LaneBuilder::loop(
    Value first, Value end, ValueRange initial,
    function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  auto loop =
      scf::ForOp::create(*this, first, end, index(kWarpSize), initial);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(loop.getBody());
  SmallVector<Value> results =
      body(loop.getInductionVar(), loop.getRegionIterArgs());
  scf::YieldOp::create(*this, results);
  return llvm::to_vector_of<Value>(loop.getResults());
}

/// Copies the inputs of 32 units to shared memory, by all threads of the block.
void LaneBuilder::stageInputs(Value firstUnit) {
  // Nobody overwrites what somebody still reads.
  gpu::BarrierOp::create(*this);
  int64_t step = product.hasAlignedInput() ? kVector : 1;
  Value first = arith::MulIOp::create(*this, firstUnit, index(kUnit));
  Value end = index(product.getUnits() * kUnit);
  for (int64_t done = 0; done < kWarpSize * kUnit; done += step * kThreads) {
    Value place = buildMulAdd(*this, getLoc(), thread, step, index(done));
    Value position = arith::AddIOp::create(*this, first, place);
    auto inside = scf::IfOp::create(
        *this, buildLess(*this, getLoc(), position, end),
        /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(*this);
    setInsertionPointToStart(inside.thenBlock());
    Value unit = arith::DivUIOp::create(*this, place, index(kUnit));
    Value inUnit = arith::RemUIOp::create(*this, place, index(kUnit));
    for (int64_t token = 0; token < tokens; ++token) {
      SmallVector<Value> to{index(token), unit, inUnit};
      if (step == 1) {
        memref::StoreOp::create(
            *this, loadInput(tokenIndices[token], position), shared, to);
        continue;
      }
      Value inputs = loadVector(product.input, {tokenIndices[token], position});
      auto store = vector::StoreOp::create(*this, inputs, shared, to);
      store->setAttr("alignment", getI64IntegerAttr(4 * kVector));
    }
  }
  gpu::BarrierOp::create(*this);
}

/// Adds the products of all units: in each round a lane has one, or none in the
/// last.
SmallVector<Value> LaneBuilder::addUnits(ValueRange sums) {
  Value units = index(product.getUnits());
  return loop(index(0), units, sums, [&](Value firstUnit, ValueRange sums) {
    stageInputs(firstUnit);
    Value unit = arith::AddIOp::create(*this, firstUnit, lane);
    auto hasUnit = scf::IfOp::create(
        *this, sums.getTypes(), buildLess(*this, getLoc(), unit, units),
        /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(*this);
    setInsertionPointToStart(hasUnit.thenBlock());
    scf::YieldOp::create(*this, addUnit(unit, sums));
    setInsertionPointToStart(hasUnit.elseBlock());
    scf::YieldOp::create(*this, sums);
    return llvm::to_vector_of<Value>(hasUnit.getResults());
  });
}

/// Adds the products of 32 codes, which share a group.
SmallVector<Value> LaneBuilder::addUnit(Value unit, ValueRange sums) {
  SmallVector<Value> words = loadWords(unit);
  Value first = arith::MulIOp::create(*this, unit, index(kUnit));
  Value group = arith::DivUIOp::create(*this, first, index(product.groupDepth));
  Value scale = loadScale(group), zero = loadZero(group);
  SmallVector<Value> partial(tokens, f32(0));
  for (int64_t k = 0; k < kUnit; k += kVector) {
    SmallVector<Value> levels;
    for (int64_t i = 0; i < kVector; ++i)
      levels.push_back(arith::SubFOp::create(
          *this, toLevel(extractCode(words, k + i)), zero));
    for (int64_t token = 0; token < tokens; ++token) {
      Value inputs = loadVector(shared, {index(token), lane, index(k)});
      for (int64_t i = 0; i < kVector; ++i)
        partial[token] =
            mulAdd(levels[i], vector::ExtractOp::create(*this, inputs, i),
                   partial[token]);
    }
  }
  SmallVector<Value> results;
  for (int64_t token = 0; token < tokens; ++token)
    results.push_back(mulAdd(scale, partial[token], sums[token]));
  return results;
}

SmallVector<Value> LaneBuilder::addElement(Value position, ValueRange sums) {
  Value group =
      arith::DivUIOp::create(*this, position, index(product.groupDepth));
  Value level = toLevel(loadCode(product.codes, row, position));
  level = arith::SubFOp::create(*this, level, loadZero(group));
  Value weight = arith::MulFOp::create(*this, level, loadScale(group));
  SmallVector<Value> results;
  for (int64_t token = 0; token < tokens; ++token)
    results.push_back(
        mulAdd(weight, loadInput(tokenIndices[token], position), sums[token]));
  return results;
}

/// Adds up the lanes' sums; the first lane stores them, if the row is one.
void LaneBuilder::store(ArrayRef<Value> sums, Value isRow, Value tile,
                        Value tokenCount) {
  SmallVector<Value> totals(sums);
  for (int64_t distance = kWarpSize / 2; distance; distance /= 2)
    for (Value &total : totals) {
      auto other = gpu::ShuffleOp::create(*this, total, distance, kWarpSize,
                                          gpu::ShuffleMode::XOR);
      total = arith::AddFOp::create(*this, total, other.getShuffleResult());
    }
  Type type = cast<MemRefType>(product.result.getType()).getElementType();
  Value isFirst = arith::CmpIOp::create(*this, arith::CmpIPredicate::eq, lane,
                                        index(0));
  isFirst = arith::AndIOp::create(*this, isFirst, isRow);
  Value firstToken = arith::MulIOp::create(*this, tile, index(tokens));
  for (int64_t token = 0; token < tokens; ++token) {
    Value position = arith::AddIOp::create(*this, firstToken, index(token));
    Value isToken = arith::CmpIOp::create(*this, arith::CmpIPredicate::slt,
                                          position, tokenCount);
    Value writes = arith::AndIOp::create(*this, isFirst, isToken);
    auto branch = scf::IfOp::create(*this, writes, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(*this);
    setInsertionPointToStart(branch.thenBlock());
    Value total = totals[token];
    if (product.bias)
      total = arith::AddFOp::create(
          *this, total, toF32(memref::LoadOp::create(*this, product.bias, row)));
    if (!type.isF32())
      total = arith::TruncFOp::create(*this, type, total);
    memref::StoreOp::create(*this, total, product.result,
                            ValueRange{position, row});
  }
}

void LaneBuilder::build(gpu::LaunchOp launch, Value firstRow, Value tile,
                        Value tokenCount, Value sharedInputs) {
  shared = sharedInputs;
  lane = launch.getThreadIds().x;
  Value warp = launch.getThreadIds().y;
  thread = buildMulAdd(*this, getLoc(), warp, kWarpSize, lane);
  // Warps beyond the last row compute it once more: they take part in copying.
  row = arith::AddIOp::create(*this, firstRow, warp);
  Value isRow = buildLess(*this, getLoc(), row, index(product.rows));
  row = arith::MinUIOp::create(*this, row, index(product.rows - 1));
  groupRow = arith::DivUIOp::create(*this, row, index(product.groupRows));
  Value firstToken = arith::MulIOp::create(*this, tile, index(tokens));
  Value last = arith::SubIOp::create(*this, tokenCount, index(1));
  for (int64_t token = 0; token < tokens; ++token) {
    Value position = arith::AddIOp::create(*this, firstToken, index(token));
    tokenIndices.push_back(arith::MinUIOp::create(*this, position, last));
  }
  SmallVector<Value> sums(tokens, f32(0));
  int64_t units = product.getUnits();
  if (units)
    sums = addUnits(sums);
  if (units * kUnit < product.depth) {
    Value first = arith::AddIOp::create(*this, lane, index(units * kUnit));
    sums = loop(first, index(product.depth), sums,
                [&](Value position, ValueRange sums) {
                  return addElement(position, sums);
                });
  }
  store(sums, isRow, tile, tokenCount);
}

/// A kernel whose warps take `tokens` tokens each.
static void buildKernel(OpBuilder &builder, Location loc,
                        const Product &product, Value tokenCount,
                        int64_t tokens) {
  Value tiles = buildCeilDiv(builder, loc, tokenCount, tokens);
  int64_t rowBlocks = llvm::divideCeil(product.rows, kWarps);
  SmallVector<OpFoldResult> grid{tiles, builder.getIndexAttr(rowBlocks)};
  SmallVector<Type> shared;
  if (product.getUnits())
    shared.push_back(MemRefType::get(
        {tokens, kWarpSize, kUnitStride}, builder.getF32Type(),
        MemRefLayoutAttrInterface(),
        gpu::AddressSpaceAttr::get(builder.getContext(),
                                   gpu::AddressSpace::Workgroup)));
  buildLaunch(builder, loc, "quant_matmul", buildProduct(builder, loc, grid),
              {kWarpSize, kWarps}, shared,
              [&](OpBuilder &builder, gpu::LaunchOp launch) {
    SmallVector<Value> block =
        buildDelinearize(builder, loc, launch.getBlockIds().x, grid);
    Value firstRow = buildMulAdd(builder, loc, block[1], kWarps,
                                 buildIndex(builder, loc, 0));
    LaneBuilder lane(builder, loc, product, tokens);
    Value inputs;
    if (!shared.empty())
      inputs = launch.getWorkgroupAttributions()[0];
    lane.build(launch, firstRow, block[0], tokenCount, inputs);
  });
}

LogicalResult lowbit::buildPackedMatmulKernel(OpBuilder &builder,
                                              PackedMatmulOp op) {
  auto weight = cast<QuantTensorType>(op.getWeightType());
  auto format = dyn_cast<UniformAttr>(weight.getFormat());
  if (!format || !format.isInteger() || weight.getLayout())
    return op.emitOpError("has no GPU kernel for a weight of type ") << weight;
  if (op.getInputType())
    return op.emitOpError("has no GPU kernel for a quantized input");
  Location loc = op.getLoc();
  Product product(op, format);
  Value tokenCount =
      memref::DimOp::create(builder, loc, product.input, int64_t(0));
  // One token a run is the common case of generation.
  Value isSingle = arith::CmpIOp::create(builder, loc,
                                         arith::CmpIPredicate::eq, tokenCount,
                                         buildIndex(builder, loc, 1));
  auto branch = scf::IfOp::create(builder, loc, isSingle,
                                  /*withElseRegion=*/true);
  OpBuilder single = branch.getThenBodyBuilder();
  buildKernel(single, loc, product, tokenCount, 1);
  OpBuilder several = branch.getElseBodyBuilder();
  buildKernel(several, loc, product, tokenCount, kTokensPerWarp);
  return success();
}
