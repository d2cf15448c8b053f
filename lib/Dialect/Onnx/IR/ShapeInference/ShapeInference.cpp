//===- ShapeInference.cpp - shapes of whole functions ---------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Onnx/IR/ShapeInference.h"
#include "Inference.h"

using namespace mlir;
using namespace lowbit::onnx;

/// The names that the model gives the dimensions of an argument or a result.
static SmallVector<StringRef> getDimNames(DictionaryAttr attributes) {
  SmallVector<StringRef> names;
  if (attributes)
    if (auto params = attributes.getAs<ArrayAttr>("onnx.dim_params"))
      for (Attribute param : params)
        names.push_back(isa<StringAttr>(param)
                            ? cast<StringAttr>(param).getValue()
                            : StringRef());
  return names;
}

/// What the type of a value says, with symbols for the dynamic dimensions.
static void setDimsFromType(Value value, ArrayRef<StringRef> names,
                            SymbolicShapes &shapes) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type)
    return;
  SymbolicShapes::Expressions dims;
  for (auto [index, size] : llvm::enumerate(type.getShape())) {
    if (!ShapedType::isDynamic(size))
      dims.push_back(shapes.getConstant(size));
    else if (index < names.size() && !names[index].empty())
      dims.push_back(shapes.getSymbol(names[index]));
    else
      dims.push_back(shapes.makeSymbol());
  }
  shapes.setDims(value, dims);
}

/// Joins what was inferred for a result with what its type declares.
static LogicalResult joinWithType(OpResult result, SymbolicShapes &shapes) {
  auto type = dyn_cast<RankedTensorType>(result.getType());
  if (!type)
    return success();
  std::optional<ArrayRef<AffineExpr>> inferred = shapes.getDims(result);
  if (!inferred) {
    setDimsFromType(result, {}, shapes);
    return success();
  }
  SymbolicShapes::Expressions dims(*inferred);
  bool isEqual = dims.size() == static_cast<size_t>(type.getRank());
  for (size_t i = 0; isEqual && i < dims.size(); ++i) {
    if (type.isDynamicDim(i))
      continue;
    auto constant = dyn_cast<AffineConstantExpr>(dims[i]);
    isEqual = !constant || constant.getValue() == type.getDimSize(i);
    dims[i] = shapes.getConstant(type.getDimSize(i));
  }
  if (!isEqual)
    return result.getOwner()->emitOpError()
           << "is declared to have the shape of " << type
           << ", but its operands make it " << getText(*inferred);
  shapes.setDims(result, dims);
  return success();
}

/// Forgets elements that are not as many as the dimensions say, which happens
/// where a model declares a shape that cannot be checked: everyone who reads
/// elements may rely on their number.
static void checkElements(OpResult result, SymbolicShapes &shapes) {
  std::optional<ArrayRef<AffineExpr>> dims = shapes.getDims(result);
  std::optional<ArrayRef<AffineExpr>> elements = shapes.getElements(result);
  if (!elements)
    return;
  if (dims && getSmallSize(*dims) == static_cast<int64_t>(elements->size()))
    return;
  SymbolicShapes::Expressions kept;
  if (dims)
    kept.assign(dims->begin(), dims->end());
  bool hasDims = dims.has_value();
  shapes.erase(result);
  if (hasDims)
    shapes.setDims(result, kept);
}

LogicalResult lowbit::onnx::inferShapes(Operation *op, SymbolicShapes &shapes) {
  if (auto inference = dyn_cast<ShapeInferenceOpInterface>(op))
    if (failed(inference.inferShapes(shapes)))
      return failure();
  for (OpResult result : op->getResults()) {
    if (failed(joinWithType(result, shapes)))
      return failure();
    checkElements(result, shapes);
  }
  for (Region &region : op->getRegions())
    for (Block &block : region)
      for (BlockArgument argument : block.getArguments())
        setDimsFromType(argument, {}, shapes);
  return success();
}

static LogicalResult visit(func::FuncOp function, SymbolicShapes &shapes) {
  for (BlockArgument argument : function.getArguments()) {
    DictionaryAttr attributes =
        function.getArgAttrDict(argument.getArgNumber());
    setDimsFromType(argument, getDimNames(attributes), shapes);
    // A scalar that is the size of a dimension.
    if (auto name = attributes ? attributes.getAs<StringAttr>("onnx.dim_value")
                               : StringAttr())
      shapes.setElements(argument, {shapes.getSymbol(name)});
  }
  WalkResult walk = function.getBody().walk<WalkOrder::PreOrder>(
      [&](Operation *op) -> WalkResult { return inferShapes(op, shapes); });
  return failure(walk.wasInterrupted());
}

/// Whether an expression mentions a symbol.
static bool mentions(AffineExpr expression, AffineExpr symbol) {
  bool found = false;
  expression.walk([&](AffineExpr part) { found |= part == symbol; });
  return found;
}

/// Learns what the names of the results' dimensions stand for. True if there
/// was anything to learn.
///
/// A name is believed to be a sum of others, but never a number: exporters name
/// dimensions after the example that they traced.
static bool learnFromResults(func::FuncOp function, SymbolicShapes &shapes) {
  bool learned = false;
  auto terminator =
      dyn_cast<func::ReturnOp>(function.getBody().back().getTerminator());
  if (!terminator)
    return false;
  for (auto [index, value] : llvm::enumerate(terminator.getOperands())) {
    SmallVector<StringRef> names =
        getDimNames(function.getResultAttrDict(index));
    for (auto [axis, name] : llvm::enumerate(names)) {
      AffineExpr dim = shapes.normalize(shapes.getDim(value, axis));
      if (name.empty() || !dim || isa<AffineConstantExpr>(dim))
        continue;
      auto symbol = dyn_cast<AffineSymbolExpr>(shapes.getSymbol(name));
      if (!symbol || mentions(dim, symbol))
        continue;
      shapes.setEqual(symbol, dim);
      learned = true;
    }
  }
  return learned;
}

FailureOr<SymbolicShapes> lowbit::onnx::inferShapes(func::FuncOp function) {
  SymbolicShapes shapes(function.getContext());
  if (function.isExternal())
    return shapes;
  if (failed(visit(function, shapes)))
    return failure();
  if (learnFromResults(function, shapes)) {
    shapes.clearValues();
    if (failed(visit(function, shapes)))
      return failure();
  }
  return shapes;
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

RankedTensorType lowbit::onnx::getTensorType(ArrayRef<AffineExpr> dims,
                                             Type elementType) {
  SmallVector<int64_t> shape;
  for (AffineExpr dim : dims) {
    auto constant = dyn_cast<AffineConstantExpr>(dim);
    shape.push_back(constant ? constant.getValue() : ShapedType::kDynamic);
  }
  return RankedTensorType::get(shape, elementType);
}

/// Whether a function may be given other result types: nothing calls it.
static bool hasNoCallers(func::FuncOp function) {
  Operation *table =
      SymbolTable::getNearestSymbolTable(function->getParentOp());
  return table && SymbolTable::symbolKnownUseEmpty(function, table);
}

void lowbit::onnx::refineTypes(func::FuncOp function,
                               const SymbolicShapes &shapes) {
  if (function.isExternal())
    return;
  bool mayChangeResults = hasNoCallers(function);
  // Ops of other dialects may want their operands' types to be as they are.
  auto mayChange = [&](Operation *user) {
    if (isa<func::ReturnOp>(user))
      return mayChangeResults;
    return isa_and_nonnull<OnnxDialect>(user->getDialect());
  };
  function.getBody().walk([&](Operation *op) {
    if (!isa_and_nonnull<OnnxDialect>(op->getDialect()))
      return;
    for (OpResult result : op->getResults()) {
      auto type = dyn_cast<TensorType>(result.getType());
      std::optional<ArrayRef<AffineExpr>> dims = shapes.getDims(result);
      if (type && dims && llvm::all_of(result.getUsers(), mayChange))
        result.setType(getTensorType(*dims, type.getElementType()));
    }
  });
  Operation *terminator = function.getBody().back().getTerminator();
  if (isa<func::ReturnOp>(terminator) && mayChangeResults)
    function.setType(FunctionType::get(function.getContext(),
                                       function.getArgumentTypes(),
                                       terminator->getOperandTypes()));
}
