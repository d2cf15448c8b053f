//===- Einsum.cpp - lowering of Einsum ------------------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ElementOps.h"
#include "OnnxLowering.h"
#include "Structured.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace lowbit::onnx::lowering {

namespace {
/// The letters of an equation such as "bij,bjk->bik", by term. An ellipsis
/// stands as '.', once per dimension that it covers; these dimensions broadcast
/// and are aligned at their ends.
struct Equation {
  SmallVector<std::string> inputs;
  std::string output;
  bool hasOutput = false;
};
} // namespace

/// One term as a list of letters, the ellipsis as a single '.'.
static FailureOr<std::string> parseTerm(LoweringBuilder &b, StringRef text) {
  std::string term;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i).starts_with("...") &&
        term.find('.') == std::string::npos) {
      term.push_back('.');
      i += 2;
    } else if (llvm::isAlpha(text[i])) {
      term.push_back(text[i]);
    } else if (text[i] != ' ') {
      return b.refuse("equation has an unexpected '" + Twine(text[i]) + "'");
    }
  }
  return term;
}

static FailureOr<Equation> parseEquation(LoweringBuilder &b, StringRef text,
                                         size_t numOperands) {
  Equation equation;
  size_t arrow = text.find("->");
  equation.hasOutput = arrow != StringRef::npos;
  SmallVector<StringRef> terms;
  text.take_front(arrow).split(terms, ',');
  if (terms.size() != numOperands)
    return b.refuse("equation has " + Twine(terms.size()) + " terms for " +
                    Twine(numOperands) + " operands");
  for (StringRef term : terms) {
    FailureOr<std::string> letters = parseTerm(b, term);
    if (failed(letters))
      return failure();
    equation.inputs.push_back(*letters);
  }
  if (equation.hasOutput) {
    FailureOr<std::string> letters = parseTerm(b, text.substr(arrow + 2));
    if (failed(letters))
      return failure();
    equation.output = *letters;
    return equation;
  }
  // Without an arrow, what occurs once is kept, in alphabetic order.
  std::string all = llvm::join(equation.inputs, "");
  if (all.find('.') != std::string::npos)
    equation.output = ".";
  std::string letters = all;
  llvm::sort(letters);
  for (char letter : letters)
    if (letter != '.' && llvm::count(all, letter) == 1)
      equation.output.push_back(letter);
  return equation;
}

namespace {
struct EinsumLowering final : OnnxLowering<EinsumOp> {
  using OnnxLowering::OnnxLowering;

  LoweredResults lower(EinsumOp op, Adaptor adaptor,
                       LoweringBuilder &b) const override;
};

/// The loops of the nest, by what they iterate over. Those of an ellipsis are
/// numbered from the end and have negative keys.
struct Loops {
  llvm::MapVector<int, OpFoldResult> sizes;

  unsigned getPosition(int key) const {
    return std::distance(sizes.begin(), sizes.find(key));
  }
};
} // namespace

/// The loop of each dimension of a term.
static FailureOr<SmallVector<int>> getKeys(LoweringBuilder &b,
                                           StringRef letters, int64_t rank) {
  int64_t covered = rank - static_cast<int64_t>(letters.size());
  bool hasEllipsis = letters.contains('.');
  covered += hasEllipsis ? 1 : 0;
  if (covered < 0 || (!hasEllipsis && covered != 0))
    return b.refuse("term '" + letters + "' does not fit a tensor of rank " +
                    Twine(rank));
  SmallVector<int> keys;
  for (char letter : letters) {
    if (letter != '.') {
      keys.push_back(letter);
      continue;
    }
    for (int64_t fromEnd = covered; fromEnd > 0; --fromEnd)
      keys.push_back(-fromEnd);
  }
  return keys;
}

LoweredResults EinsumLowering::lower(EinsumOp op, Adaptor adaptor,
                                     LoweringBuilder &b) const {
  ValueRange operands = adaptor.getInputs();
  FailureOr<Equation> equation =
      parseEquation(b, op.getEquation(), operands.size());
  if (failed(equation))
    return failure();

  Loops loops;
  int64_t ellipsisRank = 0;
  SmallVector<SmallVector<int>> keys;
  for (auto [operand, letters] : llvm::zip(operands, equation->inputs)) {
    FailureOr<SmallVector<int>> own = getKeys(b, letters, getRank(operand));
    if (failed(own))
      return failure();
    for (auto [dim, key] : llvm::enumerate(*own)) {
      OpFoldResult size = b.getSize(operand, dim);
      auto [it, isNew] = loops.sizes.insert({key, size});
      if (key < 0)
        ellipsisRank = std::max<int64_t>(ellipsisRank, -key);
      if (!isNew && isConstantIntValue(it->second, 1))
        it->second = size;
      else if (!isNew && !b.isSame(it->second, size) &&
               !isConstantIntValue(size, 1))
        b.check(b.isEqual(it->second, size),
                "dimensions of one letter must be equal");
    }
    keys.push_back(*own);
  }
  FailureOr<SmallVector<int>> resultKeys = getKeys(
      b, equation->output,
      equation->output.size() +
          (StringRef(equation->output).contains('.') ? ellipsisRank - 1 : 0));
  if (failed(resultKeys))
    return failure();

  unsigned numLoops = loops.sizes.size();
  SmallVector<AffineMap> maps;
  for (auto [operand, own] : llvm::zip(operands, keys)) {
    SmallVector<AffineExpr> exprs;
    for (auto [dim, key] : llvm::enumerate(own)) {
      bool broadcasts = isConstantIntValue(b.getSize(operand, dim), 1) &&
                        !isConstantIntValue(loops.sizes[key], 1);
      exprs.push_back(broadcasts ? b.getAffineConstantExpr(0)
                                 : b.getAffineDimExpr(loops.getPosition(key)));
    }
    maps.push_back(AffineMap::get(numLoops, 0, exprs, b.getContext()));
  }
  LoweringBuilder::Sizes sizes;
  SmallVector<AffineExpr> resultExprs;
  for (int key : *resultKeys) {
    if (!loops.sizes.contains(key))
      return b.refuse("the result's '" + Twine(static_cast<char>(key)) +
                      "' is in no term");
    sizes.push_back(loops.sizes[key]);
    resultExprs.push_back(b.getAffineDimExpr(loops.getPosition(key)));
  }
  AffineMap resultMap =
      AffineMap::get(numLoops, 0, resultExprs, b.getContext());
  Type type = getElementType(operands.front());
  Value result;
  if (operands.size() == 2) {
    result = createContraction(b, operands[0], maps[0], operands[1], maps[1],
                               sizes, resultMap);
  } else {
    maps.push_back(resultMap);
    Value init = b.filled(sizes, b.constant(getAccumulatorType(type), 0));
    result =
        createGeneric(b, operands, init, maps,
                      [&](ImplicitLocOpBuilder &nested,
                          ValueRange args) -> SmallVector<Value> {
                        Value sum = args.back(), product;
                        for (Value arg : args.drop_back()) {
                          if (isa<FloatType>(type))
                            arg = emitFloatCast(nested, arg, sum.getType());
                          product =
                              product ? emitMul(nested, product, arg) : arg;
                        }
                        return {emitAdd(nested, sum, product)};
                      })[0];
  }
  if (getElementType(result) != type)
    result = createFloatCast(b, result, type);
  return SmallVector<Value>{result};
}

void populateEinsumLowerings(RewritePatternSet &patterns,
                             const TypeConverter &typeConverter,
                             const SymbolicShapes &shapes) {
  patterns.add<EinsumLowering>(typeConverter, patterns.getContext(), shapes);
}

} // namespace lowbit::onnx::lowering
