//===- SymbolicArithmetic.cpp - a normal form of expressions --------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Onnx/IR/SymbolicArithmetic.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <map>
#include <optional>

using namespace mlir;

/// An order of expressions that depends on what they say alone, not on where
/// they lie in memory, so that every run prints the same.
static int compare(AffineExpr a, AffineExpr b) {
  auto order = [](int64_t x, int64_t y) { return x < y ? -1 : x > y; };
  if (a == b)
    return 0;
  if (int kinds = order(static_cast<int64_t>(a.getKind()),
                        static_cast<int64_t>(b.getKind())))
    return kinds;
  if (auto symbol = dyn_cast<AffineSymbolExpr>(a))
    return order(symbol.getPosition(), cast<AffineSymbolExpr>(b).getPosition());
  if (auto dim = dyn_cast<AffineDimExpr>(a))
    return order(dim.getPosition(), cast<AffineDimExpr>(b).getPosition());
  if (auto constant = dyn_cast<AffineConstantExpr>(a))
    return order(constant.getValue(), cast<AffineConstantExpr>(b).getValue());
  auto x = cast<AffineBinaryOpExpr>(a), y = cast<AffineBinaryOpExpr>(b);
  if (int left = compare(x.getLHS(), y.getLHS()))
    return left;
  return compare(x.getRHS(), y.getRHS());
}

namespace {
/// A product of atoms, in order; empty for the constant term.
using Monomial = SmallVector<AffineExpr, 2>;

struct MonomialOrder {
  /// Longer products first, so that the constant comes last.
  bool operator()(const Monomial &a, const Monomial &b) const {
    if (a.size() != b.size())
      return a.size() > b.size();
    for (auto [x, y] : llvm::zip(a, b))
      if (int order = compare(x, y))
        return order < 0;
    return false;
  }
};

/// A sum of monomials with coefficients that are not zero.
class Polynomial {
public:
  static std::optional<Polynomial> parse(AffineExpr expression);
  AffineExpr toExpression(MLIRContext *context) const;

  const std::map<Monomial, int64_t, MonomialOrder> &getTerms() const {
    return terms;
  }

private:
  /// Adds `coefficient` * `monomial`; false on overflow.
  bool add(const Monomial &monomial, int64_t coefficient);
  static std::optional<Polynomial> multiply(const Polynomial &a,
                                            const Polynomial &b);
  static std::optional<Polynomial> divide(AffineBinaryOpExpr expression);
  std::optional<Polynomial> divideExactly(const Polynomial &divisor) const;

  std::map<Monomial, int64_t, MonomialOrder> terms;
};
} // namespace

/// Shapes are short sums of short products. What is larger is not worth its
/// time.
static constexpr size_t kMaxTerms = 32, kMaxFactors = 16;

bool Polynomial::add(const Monomial &monomial, int64_t coefficient) {
  int64_t &sum = terms[monomial];
  if (llvm::AddOverflow(sum, coefficient, sum))
    return false;
  if (sum == 0)
    terms.erase(monomial);
  return terms.size() <= kMaxTerms && monomial.size() <= kMaxFactors;
}

std::optional<Polynomial> Polynomial::multiply(const Polynomial &a,
                                               const Polynomial &b) {
  Polynomial result;
  for (const auto &[x, p] : a.terms)
    for (const auto &[y, q] : b.terms) {
      Monomial monomial(x);
      monomial.append(y.begin(), y.end());
      llvm::sort(monomial,
                 [](AffineExpr l, AffineExpr r) { return compare(l, r) < 0; });
      int64_t coefficient;
      if (llvm::MulOverflow(p, q, coefficient) ||
          !result.add(monomial, coefficient))
        return std::nullopt;
    }
  return result;
}

/// The quotient, if every term is a multiple of the divisor, which must be one
/// term.
std::optional<Polynomial>
Polynomial::divideExactly(const Polynomial &divisor) const {
  if (divisor.terms.size() != 1)
    return std::nullopt;
  const auto &[factors, coefficient] = *divisor.terms.begin();
  Polynomial result;
  for (const auto &[monomial, value] : terms) {
    // INT64_MIN / -1 is the one quotient that does not exist.
    if (coefficient == -1 || value % coefficient != 0 ||
        !std::includes(
            monomial.begin(), monomial.end(), factors.begin(), factors.end(),
            [](AffineExpr l, AffineExpr r) { return compare(l, r) < 0; }))
      return std::nullopt;
    Monomial rest(monomial);
    for (AffineExpr factor : factors)
      rest.erase(llvm::find(rest, factor));
    if (!result.add(rest, value / coefficient))
      return std::nullopt;
  }
  return result;
}

std::optional<Polynomial> Polynomial::divide(AffineBinaryOpExpr expression) {
  std::optional<Polynomial> dividend = parse(expression.getLHS());
  std::optional<Polynomial> divisor = parse(expression.getRHS());
  if (!dividend || !divisor || divisor->terms.empty())
    return std::nullopt;
  if (std::optional<Polynomial> quotient = dividend->divideExactly(*divisor))
    return expression.getKind() == AffineExprKind::Mod ? Polynomial()
                                                       : quotient;
  MLIRContext *context = expression.getContext();
  AffineExpr left = dividend->toExpression(context);
  AffineExpr right = divisor->toExpression(context);
  if (!left || !right)
    return std::nullopt;
  AffineExpr atom = getAffineBinaryOpExpr(expression.getKind(), left, right);
  Polynomial result;
  // Both may be constants, or MLIR may know more than we do.
  if (auto constant = dyn_cast<AffineConstantExpr>(atom))
    return result.add({}, constant.getValue()) ? std::optional(result)
                                               : std::nullopt;
  if (atom != expression && atom.getKind() != expression.getKind())
    return parse(atom);
  if (!result.add({atom}, 1))
    return std::nullopt;
  return result;
}

std::optional<Polynomial> Polynomial::parse(AffineExpr expression) {
  Polynomial result;
  switch (expression.getKind()) {
  case AffineExprKind::Constant: {
    int64_t value = cast<AffineConstantExpr>(expression).getValue();
    if (value != 0 && !result.add({}, value))
      return std::nullopt;
    return result;
  }
  case AffineExprKind::DimId:
  case AffineExprKind::SymbolId:
    result.add({expression}, 1);
    return result;
  case AffineExprKind::Add:
  case AffineExprKind::Mul: {
    auto binary = cast<AffineBinaryOpExpr>(expression);
    std::optional<Polynomial> a = parse(binary.getLHS());
    std::optional<Polynomial> b = parse(binary.getRHS());
    if (!a || !b)
      return std::nullopt;
    if (expression.getKind() == AffineExprKind::Mul)
      return multiply(*a, *b);
    for (const auto &[monomial, coefficient] : b->terms)
      if (!a->add(monomial, coefficient))
        return std::nullopt;
    return a;
  }
  case AffineExprKind::Mod:
  case AffineExprKind::FloorDiv:
  case AffineExprKind::CeilDiv:
    return divide(cast<AffineBinaryOpExpr>(expression));
  }
  return std::nullopt;
}

AffineExpr Polynomial::toExpression(MLIRContext *context) const {
  AffineExpr sum = getAffineConstantExpr(0, context);
  for (const auto &[monomial, coefficient] : terms) {
    AffineExpr term = getAffineConstantExpr(1, context);
    for (AffineExpr factor : monomial)
      term = term * factor;
    sum = sum + term * coefficient;
  }
  return sum;
}

AffineExpr lowbit::onnx::normalizeExpression(AffineExpr expression) {
  if (!expression)
    return {};
  if (isa<AffineConstantExpr, AffineSymbolExpr, AffineDimExpr>(expression))
    return expression;
  std::optional<Polynomial> polynomial = Polynomial::parse(expression);
  return polynomial ? polynomial->toExpression(expression.getContext())
                    : AffineExpr();
}

bool lowbit::onnx::isNonNegativeExpression(
    AffineExpr expression,
    llvm::function_ref<bool(AffineExpr)> isNonNegativeAtom) {
  std::optional<Polynomial> polynomial = Polynomial::parse(expression);
  if (!polynomial)
    return false;
  auto isNonNegative = [&](AffineExpr atom) {
    auto binary = dyn_cast<AffineBinaryOpExpr>(atom);
    if (!binary)
      return isNonNegativeAtom(atom);
    // A remainder has the sign of the divisor, which is taken to be positive.
    if (!isNonNegativeExpression(binary.getRHS(), isNonNegativeAtom))
      return false;
    return binary.getKind() == AffineExprKind::Mod ||
           isNonNegativeExpression(binary.getLHS(), isNonNegativeAtom);
  };
  return llvm::all_of(polynomial->getTerms(), [&](const auto &term) {
    return term.second > 0 && llvm::all_of(term.first, isNonNegative);
  });
}
