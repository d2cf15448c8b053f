//===- QuantizeKvCache.cpp - KV caches in few bits ------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A cache that a function updates becomes the components of a quantized tensor.
// The graph still says all in words that have a meaning of their own: rows are
// quantized, their components are scattered into those of the cache, and what
// reads the cache reads it dequantized. Lowering attention finds that and reads
// the components.
//
//===----------------------------------------------------------------------===//

#include "lowbit/Conversion/OnnxToLowbit/Passes.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "lowbit/Dialect/Onnx/IR/OnnxOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/BitVector.h"

namespace lowbit {
#define GEN_PASS_DEF_QUANTIZEKVCACHE
#include "lowbit/Conversion/OnnxToLowbit/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

static constexpr StringLiteral kNameAttr = "onnx.name";

namespace {
/// A function's argument, what updates it, and the result that it is then.
struct Cache {
  BlockArgument argument;
  onnx::TensorScatterOp update;
  unsigned result;
  /// What it becomes: arguments, and what they are after the update.
  SmallVector<BlockArgument> components;
  SmallVector<Value> updated;
};

/// The caches of one function.
class Rewriter {
public:
  Rewriter(func::FuncOp function, const UniformFormat::Spec &spec)
      : function(function), spec(spec),
        terminator(cast<func::ReturnOp>(function.front().getTerminator())) {}

  /// Returns how many caches were quantized.
  unsigned run();

private:
  void collect();
  QuantTensorType getQuantType(Value value) const;
  void quantize(Cache &cache);
  void rewriteResults();

  func::FuncOp function;
  const UniformFormat::Spec &spec;
  func::ReturnOp terminator;
  SmallVector<Cache> caches;
  /// The argument that each result updates, or null.
  SmallVector<BlockArgument> targets;
};
} // namespace

/// Whether `op` reads only dimensions that codes have, too.
static bool isShapeOfRows(Operation *op, int64_t rank) {
  auto shape = dyn_cast<onnx::ShapeOp>(op);
  if (!shape || !shape.getEnd())
    return false;
  auto end = static_cast<int64_t>(*shape.getEnd());
  return end < rank && end != 0 && (end > 0 || end + rank > 0);
}

/// Why a cache cannot be quantized; nothing if it can.
static std::optional<std::string> getObstacle(const Cache &cache) {
  BlockArgument argument = cache.argument;
  onnx::TensorScatterOp update = cache.update;
  auto type = dyn_cast<RankedTensorType>(argument.getType());
  if (!type || type.getRank() < 3 || !isa<FloatType>(type.getElementType()) ||
      type.isDynamicDim(type.getRank() - 1))
    return "it is no tensor of floats with rows of a static size";
  const int64_t rank = type.getRank();
  if (!update || update.getPastCache() != argument)
    return "it is not updated by onnx.TensorScatter";
  const auto axis = static_cast<int64_t>(update.getAxis());
  if (axis == rank - 1 || axis == -1)
    return "its rows are not updated as a whole";
  for (OpOperand &use : argument.getUses())
    if (use.getOwner() != update && !isShapeOfRows(use.getOwner(), rank))
      return ("it is also read before its update, by " +
              use.getOwner()->getName().getStringRef())
          .str();
  return std::nullopt;
}

void Rewriter::collect() {
  for (unsigned i = 0; i < function.getNumResults(); ++i) {
    auto index = function.getResultAttrOfType<IntegerAttr>(
        i, LowbitDialect::updatesAttrName);
    targets.push_back(index ? function.getArgument(index.getInt())
                            : BlockArgument());
    if (!index)
      continue;
    Cache cache{targets.back(),
                terminator.getOperand(i).getDefiningOp<onnx::TensorScatterOp>(),
                i,
                {},
                {}};
    std::optional<std::string> obstacle = getObstacle(cache);
    if (!obstacle) {
      caches.push_back(cache);
      continue;
    }
    InFlightDiagnostic remark = emitRemark(cache.argument.getLoc()) << "cache ";
    if (auto name =
            function.getArgAttrOfType<StringAttr>(index.getInt(), kNameAttr))
      remark << "'" << name.getValue() << "' ";
    else
      remark << "in argument " << index.getInt() << ' ';
    remark << "is not quantized: " << *obstacle;
  }
}

QuantTensorType Rewriter::getQuantType(Value value) const {
  auto type = cast<RankedTensorType>(value.getType());
  return QuantTensorType::get(
      type.getShape(), type.getElementType(),
      UniformAttr::get(value.getContext(), spec, type.getShape()));
}

/// The attributes of an argument or result for one of its components.
static NamedAttrList getAttributes(DictionaryAttr attributes,
                                   StringRef component) {
  NamedAttrList result(attributes);
  if (auto name = dyn_cast_or_null<StringAttr>(result.get(kNameAttr)))
    result.set(kNameAttr, StringAttr::get(name.getContext(),
                                          name.getValue() + "." + component));
  return result;
}

/// Puts arguments for the components behind the cache, and what updates them in
/// the place of its update.
void Rewriter::quantize(Cache &cache) {
  onnx::TensorScatterOp update = cache.update;
  ImplicitLocOpBuilder b(update.getLoc(), update);
  QuantTensorType type = getQuantType(cache.argument);
  Value rows = QuantizeOp::create(b, getQuantType(update.getUpdate()),
                                  update.getUpdate());
  auto added = DisassembleOp::create(b, rows);

  const unsigned index = cache.argument.getArgNumber();
  for (auto [i, component] : llvm::enumerate(type.getComponents())) {
    (void)function.insertArgument(
        index + 1 + i, component.type,
        getAttributes(function.getArgAttrDict(index), component.name)
            .getDictionary(b.getContext()),
        cache.argument.getLoc());
    cache.components.push_back(function.getArgument(index + 1 + i));
    cache.updated.push_back(onnx::TensorScatterOp::create(
        b, component.type, cache.components.back(), added.getComponents()[i],
        update.getWriteIndices(), update.getAxisAttr(), update.getModeAttr()));
  }
  auto whole = AssembleOp::create(b, type, cache.updated);
  update.getPresentCache().replaceAllUsesWith(
      DequantizeOp::create(b, whole.getResult()));
  update.erase();
  // Shapes of rows are left, which the codes have, too.
  cache.argument.replaceAllUsesWith(cache.components.front());
}

/// Returns the components in the place of the caches.
void Rewriter::rewriteResults() {
  SmallVector<Value> results;
  SmallVector<NamedAttrList> attributes;
  SmallVector<BlockArgument> updated;
  const Cache *next = caches.begin();
  for (unsigned i = 0; i < function.getNumResults(); ++i) {
    DictionaryAttr old = function.getResultAttrDict(i);
    if (next == caches.end() || next->result != i) {
      results.push_back(terminator.getOperand(i));
      attributes.push_back(NamedAttrList(old));
      updated.push_back(targets[i]);
      continue;
    }
    llvm::append_range(results, next->updated);
    llvm::append_range(updated, next->components);
    for (const FormatComponent &component :
         getQuantType(next->argument).getComponents())
      attributes.push_back(getAttributes(old, component.name));
    ++next;
  }
  terminator.getOperandsMutable().assign(results);

  llvm::BitVector isReplaced(function.getNumArguments());
  for (const Cache &cache : caches)
    isReplaced.set(cache.argument.getArgNumber());
  if (failed(function.eraseArguments(isReplaced)))
    llvm_unreachable("an argument of a function can be erased");
  function.setType(FunctionType::get(function.getContext(),
                                     function.front().getArgumentTypes(),
                                     terminator.getOperandTypes()));
  Builder b(function.getContext());
  for (auto [i, list, target] : llvm::enumerate(attributes, updated)) {
    if (target)
      list.set(LowbitDialect::updatesAttrName,
               b.getI64IntegerAttr(target.getArgNumber()));
    function.setResultAttrs(i, list.getDictionary(b.getContext()));
  }
}

unsigned Rewriter::run() {
  collect();
  if (caches.empty())
    return 0;
  for (Cache &cache : caches)
    quantize(cache);
  rewriteResults();
  return caches.size();
}

//===----------------------------------------------------------------------===//
// Pass
//===----------------------------------------------------------------------===//

namespace {
struct QuantizeKvCachePass final
    : lowbit::impl::QuantizeKvCacheBase<QuantizeKvCachePass> {
  using QuantizeKvCacheBase::QuantizeKvCacheBase;

  void runOnOperation() override {
    FailureOr<UniformFormat::Spec> spec = getFormat();
    if (failed(spec))
      return signalPassFailure();
    unsigned count = 0;
    for (auto function : getOperation().getOps<func::FuncOp>())
      if (function.isPublic() && !function.isExternal() &&
          function.getBody().hasOneBlock())
        count += Rewriter(function, *spec).run();
    numCaches += count;
    if (count == 0) {
      getOperation().emitError()
          << "there is no KV cache to quantize: no result of a public function "
             "updates an argument, as --onnx-update-kv-cache-in-place makes "
             "those of a decoder with past and present keys and values do";
      signalPassFailure();
    }
  }

private:
  FailureOr<UniformFormat::Spec> getFormat() {
    auto fail = [&](const Twine &reason) {
      return emitError(UnknownLoc::get(&getContext()))
             << "quantize-kv-cache: " << reason;
    };
    if (bits != 4 && bits != 8)
      return fail("bits is " + Twine(bits) + ", but must be 4 or 8");
    if (groupSize != -1 && (groupSize < 1 || groupSize % 16 != 0))
      return fail("group-size is " + Twine(groupSize) +
                  ", but must be a positive multiple of 16, or -1 for whole "
                  "heads");
    UniformFormat::Spec spec;
    spec.bits = bits;
    spec.isSigned = symmetric;
    spec.zero = symmetric ? ZeroKind::None : ZeroKind::Integer;
    spec.groupRows = 1;
    spec.groupCols = groupSize == -1 ? 0 : groupSize;
    return spec;
  }
};
} // namespace
