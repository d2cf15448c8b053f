//===- UpdateKvCacheInPlace.cpp - caches that a model updates itself ------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Exporters write a decoder that takes the past keys and values as arguments
// and returns them with the new ones behind: a step copies all of them, twice.
// This makes each such pair one argument with room to spare, the cache, and one
// result that is the same tensor with new rows in it, which bufferization
// writes where the argument lies.
//
// The length of the past was a dimension of the arguments. Now it is an
// argument of its own; where the graph reads the dimension, it gets that.
//
//===----------------------------------------------------------------------===//

#include "Matchers.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitDialect.h"
#include "lowbit/Dialect/Onnx/IR/ShapeInference.h"
#include "lowbit/Dialect/Onnx/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace lowbit::onnx {
#define GEN_PASS_DEF_UPDATEKVCACHEINPLACEPASS
#include "lowbit/Dialect/Onnx/Transforms/Passes.h.inc"
} // namespace lowbit::onnx

using namespace mlir;
using namespace lowbit;
using namespace lowbit::onnx;

static constexpr StringLiteral kNameAttr = "onnx.name";
static constexpr StringLiteral kDimsAttr = "onnx.dim_params";
static constexpr StringLiteral kDimValueAttr = "onnx.dim_value";
static constexpr StringLiteral kPastLength = "past_length";
static constexpr StringLiteral kCapacity = "capacity";

namespace {
/// Where a cache grows.
constexpr int64_t kRowAxis = 2;

/// Past rows, the op that puts new ones behind them, and what it returns.
struct Cache {
  BlockArgument past;
  Operation *op;
  Value added;
  OpResult present;
  /// The function's result that `present` is.
  unsigned result = 0;
};

/// The caches of one function.
class Rewriter {
public:
  Rewriter(func::FuncOp function, const SymbolicShapes &shapes)
      : function(function), shapes(shapes),
        b(function.getLoc(), function.getContext()),
        terminator(cast<func::ReturnOp>(function.front().getTerminator())) {}

  /// False if there is nothing to rewrite.
  bool run();

private:
  void collect();
  void add(ArrayRef<Cache> group);
  std::optional<std::string> getObstacle(Cache &cache);
  bool checkArguments();
  void addPastLength();
  Value cut(Value value, int64_t axis, Value length);
  void replaceShapes(Value value, Value length);
  void cutArguments();
  void replaceAttention(AttentionOp op, const Cache &key, const Cache &value);
  void replaceConcat(ConcatOp op, const Cache &cache);
  Value scatter(const Cache &cache);
  void finish(const Cache &cache, Value updated);

  StringRef getName(BlockArgument argument);
  void keep(BlockArgument past, const Twine &reason);
  Value getInput(AffineExpr size, int64_t &axis);
  RankedTensorType getVector(int64_t size) {
    return RankedTensorType::get(size, b.getI64Type());
  }

  func::FuncOp function;
  const SymbolicShapes &shapes;
  ImplicitLocOpBuilder b;
  func::ReturnOp terminator;
  /// Those of one operation stand together.
  SmallVector<SmallVector<Cache, 2>> groups;
  /// The lengths of the past and of what is added.
  AffineExpr pastSize, addedSize;
  /// tensor<1xi64>: the same, and their sum.
  Value pastLength, total;
  /// tensor<?xi64>: one for each batch.
  Value starts, lengths;
  Value none;
};
} // namespace

StringRef Rewriter::getName(BlockArgument argument) {
  auto name =
      function.getArgAttrOfType<StringAttr>(argument.getArgNumber(), kNameAttr);
  return name ? name.getValue() : StringRef();
}

void Rewriter::keep(BlockArgument past, const Twine &reason) {
  InFlightDiagnostic remark = emitRemark(past.getLoc()) << "cache ";
  if (StringRef name = getName(past); !name.empty())
    remark << "'" << name << "' ";
  else
    remark << "in argument " << past.getArgNumber() << ' ';
  remark << "is not updated in place: " << reason;
}

//===----------------------------------------------------------------------===//
// What can be rewritten
//===----------------------------------------------------------------------===//

/// Why a pair of past and present must stay; nothing if it need not.
std::optional<std::string> Rewriter::getObstacle(Cache &cache) {
  auto type = dyn_cast<RankedTensorType>(cache.past.getType());
  if (!type || type.getRank() != 4 || !type.isDynamicDim(kRowAxis))
    return "it is no tensor [batch, heads, length, size] of any length";
  for (OpOperand &use : cache.past.getUses())
    if (use.getOwner() != cache.op && !isa<ShapeOp>(use.getOwner()))
      return ("it is also used by " + use.getOwner()->getName().getStringRef())
          .str();
  if (llvm::count(cache.op->getOperands(), cache.past) != 1)
    return "it is used twice by one operation";
  int64_t numReturns = 0;
  for (OpOperand &use : cache.present.getUses())
    if (use.getOwner() == terminator) {
      cache.result = use.getOperandNumber();
      ++numReturns;
    }
  if (numReturns != 1)
    return "with the new rows behind it, it must be one result of the model, "
           "and is " +
           std::to_string(numReturns);
  AffineExpr past = shapes.getDim(cache.past, kRowAxis);
  AffineExpr added = shapes.getDim(cache.added, kRowAxis);
  if (!isa_and_nonnull<AffineSymbolExpr>(past) || !added)
    return "it is not known how many rows are added to it";
  if (pastSize && (past != pastSize || added != addedSize))
    return "it is not as long as the other caches";
  int64_t axis;
  if (!isa<AffineConstantExpr>(added) && !getInput(added, axis))
    return "no input tells how many rows are added to it";
  pastSize = past;
  addedSize = added;
  return std::nullopt;
}

/// Takes the caches of one operation, all or none.
void Rewriter::add(ArrayRef<Cache> caches) {
  SmallVector<Cache, 2> group(caches);
  AffineExpr pastBefore = pastSize, addedBefore = addedSize;
  for (Cache &cache : group) {
    std::optional<std::string> obstacle = getObstacle(cache);
    if (!obstacle)
      continue;
    keep(cache.past, *obstacle);
    pastSize = pastBefore;
    addedSize = addedBefore;
    return;
  }
  groups.push_back(std::move(group));
}

void Rewriter::collect() {
  for (Operation &op : function.front()) {
    if (auto attention = dyn_cast<AttentionOp>(op)) {
      auto key = dyn_cast<BlockArgument>(attention.getPastKey());
      auto value = dyn_cast<BlockArgument>(attention.getPastValue());
      if (!key || !value || !isPresent(attention.getPresentKey()) ||
          !isPresent(attention.getPresentValue()))
        continue;
      if (isPresent(attention.getQkMatmulOutput())) {
        keep(key, "the scores of attention are an output");
        continue;
      }
      if (getRank(attention.getQ()) != 4) {
        keep(key, "the heads are packed into one dimension");
        continue;
      }
      add({{key, &op, attention.getK(),
            cast<OpResult>(attention.getPresentKey())},
           {value, &op, attention.getV(),
            cast<OpResult>(attention.getPresentValue())}});
    }
    auto concat = dyn_cast<ConcatOp>(op);
    if (!concat || concat.getInputs().size() != 2 ||
        getRank(concat.getConcatResult()) != 4 ||
        (concat.getAxis() != kRowAxis && concat.getAxis() != kRowAxis - 4) ||
        !llvm::is_contained(concat.getConcatResult().getUsers(), terminator))
      continue;
    if (auto past = dyn_cast<BlockArgument>(concat.getInputs()[0]))
      add({{past, &op, concat.getInputs()[1],
            cast<OpResult>(concat.getConcatResult())}});
  }
}

/// An argument that is no cache, and the axis along which it has a size.
Value Rewriter::getInput(AffineExpr size, int64_t &axis) {
  for (BlockArgument argument : function.getArguments())
    for (axis = 0; axis < std::max<int64_t>(getRank(argument), 0); ++axis)
      if (shapes.getDim(argument, axis) == size)
        return argument;
  return Value();
}

/// Whether all that is as long as the past, or longer, can be told how long
/// that is.
bool Rewriter::checkArguments() {
  AffineExpr sum = shapes.add(pastSize, addedSize);
  BlockArgument first = groups.front().front().past;
  for (BlockArgument argument : function.getArguments()) {
    if (getName(argument) == kPastLength) {
      keep(first, "the model has an input 'past_length' already");
      return false;
    }
    for (AffineExpr dim :
         shapes.getDims(argument).value_or(ArrayRef<AffineExpr>())) {
      bool mentionsPast = false;
      dim.walk([&](AffineExpr part) { mentionsPast |= part == pastSize; });
      if (!mentionsPast || dim == pastSize || dim == sum)
        continue;
      keep(first, "the length of '" + getName(argument) +
                      "' depends on the past in a way that is not known");
      return false;
    }
  }
  return true;
}

//===----------------------------------------------------------------------===//
// The rewrite
//===----------------------------------------------------------------------===//

/// The first `length` elements along an axis.
Value Rewriter::cut(Value value, int64_t axis, Value length) {
  auto type = cast<RankedTensorType>(value.getType());
  SmallVector<int64_t> shape(type.getShape());
  shape[axis] = ShapedType::kDynamic;
  return SliceOp::create(b, RankedTensorType::get(shape, type.getElementType()),
                         value, createIntegers(b, b.getLoc(), {0}), length,
                         createIntegers(b, b.getLoc(), {axis}), none);
}

/// Adds the argument, and all that is computed from it.
void Rewriter::addPastLength() {
  unsigned index = function.getNumArguments();
  auto scalar = RankedTensorType::get({}, b.getI64Type());
  Location loc = NameLoc::get(b.getStringAttr(kPastLength));
  // It is a size, so that dimensions that follow from it can be compared.
  StringAttr name = b.getStringAttr(kPastLength);
  (void)function.insertArgument(
      index, scalar,
      b.getDictionaryAttr({b.getNamedAttr(kNameAttr, name),
                           b.getNamedAttr(kDimValueAttr, name)}),
      loc);
  b.setInsertionPointToStart(&function.front());
  none = NoValueOp::create(b);
  pastLength = UnsqueezeOp::create(b, getVector(1), function.getArgument(index),
                                   createIntegers(b, b.getLoc(), {0}));
  auto getSize = [&](Value value, int64_t axis) -> Value {
    return ShapeOp::create(b, getVector(1), value,
                           b.getI64IntegerAttr(axis + 1),
                           b.getI64IntegerAttr(axis));
  };
  int64_t axis;
  Value added;
  if (auto constant = dyn_cast<AffineConstantExpr>(addedSize)) {
    added = createIntegers(b, b.getLoc(), {constant.getValue()});
  } else {
    Value input = getInput(addedSize, axis);
    added = getSize(input, axis);
  }
  total = AddOp::create(b, getVector(1), pastLength, added);
  Value batch = getSize(groups.front().front().past, 0);
  starts =
      ExpandOp::create(b, getVector(ShapedType::kDynamic), pastLength, batch);
  lengths = ExpandOp::create(b, getVector(ShapedType::kDynamic), total, batch);
}

/// Arguments that are as long as the past, or as past and new rows, may be
/// longer from now on: their first elements count, as those of the caches do.
void Rewriter::cutArguments() {
  AffineExpr sum = shapes.add(pastSize, addedSize);
  for (BlockArgument argument : function.getArguments()) {
    bool isCache = llvm::any_of(groups, [&](ArrayRef<Cache> group) {
      return llvm::any_of(
          group, [&](const Cache &cache) { return cache.past == argument; });
    });
    std::optional<ArrayRef<AffineExpr>> dims = shapes.getDims(argument);
    if (isCache || !dims)
      continue;
    SmallVector<OpOperand *> uses =
        llvm::to_vector(llvm::make_pointer_range(argument.getUses()));
    Value result = argument;
    for (auto [axis, dim] : llvm::enumerate(*dims))
      if (dim == pastSize || dim == sum)
        result = cut(result, axis, dim == sum ? total : pastLength);
    if (result == argument)
      continue;
    for (OpOperand *use : uses)
      use->set(result);
  }
}

/// The rows of `value` are `length` by definition.
void Rewriter::replaceShapes(Value value, Value length) {
  for (Operation *user : llvm::make_early_inc_range(value.getUsers())) {
    auto shape = dyn_cast<ShapeOp>(user);
    if (!shape)
      continue;
    b.setInsertionPoint(shape);
    b.setLoc(shape.getLoc());
    SmallVector<Value> parts;
    auto addPart = [&](int64_t start, int64_t end) {
      if (start < end)
        parts.push_back(ShapeOp::create(b, getVector(end - start), value,
                                        b.getI64IntegerAttr(end),
                                        b.getI64IntegerAttr(start)));
    };
    auto count = [](int64_t place) {
      return std::clamp<int64_t>(place < 0 ? place + 4 : place, 0, 4);
    };
    int64_t start = count(static_cast<int64_t>(shape.getStart()));
    int64_t end =
        shape.getEnd() ? count(static_cast<int64_t>(*shape.getEnd())) : 4;
    if (start > kRowAxis || end <= kRowAxis)
      continue;
    addPart(start, kRowAxis);
    parts.push_back(length);
    addPart(kRowAxis + 1, end);
    Value sizes = parts.front();
    if (parts.size() > 1)
      sizes = ConcatOp::create(b, getVector(end - start), parts,
                               b.getI64IntegerAttr(0));
    shape.getShape().replaceAllUsesWith(sizes);
    shape.erase();
  }
}

/// The cache with the new rows in it.
Value Rewriter::scatter(const Cache &cache) {
  Location loc = b.getLoc();
  // What goes wrong is told by the name that the caller knows.
  b.setLoc(cache.past.getLoc());
  Value updated = TensorScatterOp::create(
      b, cache.past.getType(), cache.past, cache.added, starts,
      b.getI64IntegerAttr(kRowAxis), b.getStringAttr("linear"));
  b.setLoc(loc);
  return updated;
}

/// Makes the updated cache the function's result. Whatever else reads the
/// present rows reads the first rows of the cache.
void Rewriter::finish(const Cache &cache, Value updated) {
  terminator->setOperand(cache.result, updated);
  replaceShapes(cache.present, total);
  if (!cache.present.use_empty()) {
    b.setInsertionPointAfterValue(updated);
    Value(cache.present).replaceAllUsesWith(cut(updated, kRowAxis, total));
  }
  // Both ends have the shape of the cache from now on.
  unsigned argument = cache.past.getArgNumber();
  SmallVector<Attribute> dims(4, b.getStringAttr(""));
  if (auto named = function.getArgAttrOfType<ArrayAttr>(argument, kDimsAttr);
      named && named.size() == dims.size())
    dims.assign(named.begin(), named.end());
  dims[kRowAxis] = b.getStringAttr(kCapacity);
  function.setArgAttr(argument, kDimsAttr, b.getArrayAttr(dims));
  function.setResultAttr(cache.result, kDimsAttr, b.getArrayAttr(dims));
  function.setResultAttr(cache.result, LowbitDialect::updatesAttrName,
                         b.getI64IntegerAttr(argument));
}

void Rewriter::replaceAttention(AttentionOp op, const Cache &key,
                                const Cache &value) {
  b.setInsertionPoint(op);
  b.setLoc(op.getLoc());
  Value keys = scatter(key), values = scatter(value);
  Type absent = none.getType();
  auto attention = AttentionOp::create(
      b, op.getY().getType(), absent, absent, absent, op.getQ(), keys, values,
      op.getAttnMask(), none, none, lengths, op.getIsCausalAttr(),
      op.getKvNumHeadsAttr(), op.getQNumHeadsAttr(),
      op.getQkMatmulOutputModeAttr(), op.getScaleAttr(), op.getSoftcapAttr(),
      op.getSoftmaxPrecisionAttr());
  op.getY().replaceAllUsesWith(attention.getY());
  finish(key, keys);
  finish(value, values);
  op.erase();
}

void Rewriter::replaceConcat(ConcatOp op, const Cache &cache) {
  b.setInsertionPoint(op);
  b.setLoc(op.getLoc());
  finish(cache, scatter(cache));
  op.erase();
}

bool Rewriter::run() {
  collect();
  if (groups.empty() || !checkArguments())
    return false;
  addPastLength();
  cutArguments();
  for (ArrayRef<Cache> group : groups) {
    for (const Cache &cache : group)
      replaceShapes(cache.past, pastLength);
    if (auto attention = dyn_cast<AttentionOp>(group.front().op))
      replaceAttention(attention, group[0], group[1]);
    else
      replaceConcat(cast<ConcatOp>(group.front().op), group.front());
  }
  function.setType(FunctionType::get(function.getContext(),
                                     function.front().getArgumentTypes(),
                                     terminator.getOperandTypes()));
  return true;
}

namespace {
struct UpdateKvCacheInPlacePass final
    : lowbit::onnx::impl::UpdateKvCacheInPlacePassBase<
          UpdateKvCacheInPlacePass> {
  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (!function.isPublic() || function.isExternal() ||
          !function.getBody().hasOneBlock())
        continue;
      FailureOr<SymbolicShapes> shapes = inferShapes(function);
      if (failed(shapes))
        return signalPassFailure();
      if (Rewriter(function, *shapes).run())
        ++numFunctions;
    }
  }
};
} // namespace
