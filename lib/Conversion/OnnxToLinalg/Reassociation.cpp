//===- Reassociation.cpp - other shapes for the same elements -------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// A reshape is a collapse of groups of dimensions followed by an expansion of
// each into another group. The groups are found by comparing products of sizes:
// those of unknown sizes are compared as products of symbols, so that
// [batch, sequence, 512] -> [batch, sequence, 8, 64] touches the last dimension
// only. Where no groups are found all dimensions are one group, which is right
// for any two shapes, but hides the structure from later passes.
//
//===----------------------------------------------------------------------===//

#include "Structured.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace lowbit::onnx;
using namespace lowbit::onnx::lowering;

using Sizes = LoweringBuilder::Sizes;

namespace {
/// A size as a product of a number and of unknown factors. The latter are
/// identified by whatever is equal only for equal factors: a symbolic
/// expression, or the value and dimension of a `tensor.dim`.
struct Product {
  using Factor = std::pair<const void *, int64_t>;

  int64_t constant = 1;
  SmallVector<Factor> factors;

  void multiply(const Product &other) {
    constant *= other.constant;
    llvm::append_range(factors, other.factors);
    llvm::sort(factors);
  }

  bool operator==(const Product &other) const {
    return constant == other.constant && factors == other.factors;
  }

  bool divides(const Product &other) const {
    bool constantDivides =
        constant == 0 ? other.constant == 0 : other.constant % constant == 0;
    return constantDivides &&
           std::includes(other.factors.begin(), other.factors.end(),
                         factors.begin(), factors.end());
  }

  bool isOne() const { return constant == 1 && factors.empty(); }
};

struct Group {
  ReassociationIndices source, result;
};
} // namespace

static Product getProduct(AffineExpr expr) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return {constant.getValue(), {}};
  if (expr.getKind() == AffineExprKind::Mul) {
    auto binary = cast<AffineBinaryOpExpr>(expr);
    Product product = getProduct(binary.getLHS());
    product.multiply(getProduct(binary.getRHS()));
    return product;
  }
  return {1, {{expr.getAsOpaquePointer(), 0}}};
}

static Product getProduct(OpFoldResult size) {
  if (std::optional<int64_t> constant = getConstantIntValue(size))
    return {*constant, {}};
  auto value = cast<Value>(size);
  if (auto mul = value.getDefiningOp<arith::MulIOp>()) {
    Product product = getProduct(getAsOpFoldResult(mul.getLhs()));
    product.multiply(getProduct(getAsOpFoldResult(mul.getRhs())));
    return product;
  }
  if (auto dim = value.getDefiningOp<tensor::DimOp>())
    if (std::optional<int64_t> index = dim.getConstantIndex())
      return {1, {{dim.getSource().getAsOpaquePointer(), *index}}};
  return {1, {{value.getAsOpaquePointer(), -1}}};
}

/// Cuts both shapes into groups of equal products; nothing if that cannot be
/// done with what is known.
static std::optional<SmallVector<Group>> findGroups(ArrayRef<Product> source,
                                                    ArrayRef<Product> result) {
  SmallVector<Group> groups;
  size_t i = 0, j = 0;
  while (i < source.size() && j < result.size()) {
    Group group{{static_cast<int64_t>(i)}, {static_cast<int64_t>(j)}};
    Product sourceProduct = source[i++], resultProduct = result[j++];
    while (!(sourceProduct == resultProduct)) {
      if (i < source.size() && sourceProduct.divides(resultProduct)) {
        sourceProduct.multiply(source[i]);
        group.source.push_back(i++);
      } else if (j < result.size() && resultProduct.divides(sourceProduct)) {
        resultProduct.multiply(result[j]);
        group.result.push_back(j++);
      } else {
        return std::nullopt;
      }
    }
    groups.push_back(std::move(group));
  }
  if (groups.empty())
    return std::nullopt;
  // What is left over must be ones; they belong to the last group.
  for (; i < source.size(); ++i) {
    if (!source[i].isOne())
      return std::nullopt;
    groups.back().source.push_back(i);
  }
  for (; j < result.size(); ++j) {
    if (!result[j].isOne())
      return std::nullopt;
    groups.back().result.push_back(j);
  }
  return groups;
}

/// Finds the groups from symbolic sizes if these are known on both sides, else
/// from how the sizes are computed.
static std::optional<SmallVector<Group>>
findGroups(LoweringBuilder &b, Value tensor, ArrayRef<OpFoldResult> sizes,
           ArrayRef<AffineExpr> symbolicSizes) {
  SmallVector<Product> source, result;
  for (int64_t dim = 0; dim < getRank(tensor); ++dim)
    if (AffineExpr expr = b.getSymbolicSize(tensor, dim))
      source.push_back(getProduct(expr));
  for (AffineExpr expr : symbolicSizes)
    result.push_back(getProduct(expr));
  if (source.size() == static_cast<size_t>(getRank(tensor)) &&
      result.size() == sizes.size())
    if (auto groups = findGroups(source, result))
      return groups;
  source.clear();
  result.clear();
  for (OpFoldResult size : b.getSizes(tensor))
    source.push_back(getProduct(size));
  for (OpFoldResult size : sizes)
    result.push_back(getProduct(size));
  return findGroups(source, result);
}

/// `tensor` with the static sizes that are known of it.
static Value refine(LoweringBuilder &b, Value tensor) {
  SmallVector<int64_t> shape =
      std::get<0>(decomposeMixedValues(b.getSizes(tensor)));
  return b.castTensor(tensor, getTensorType(tensor).clone(shape));
}

static int64_t getStaticProduct(ArrayRef<int64_t> shape,
                                ArrayRef<int64_t> dims) {
  int64_t product = 1;
  for (int64_t dim : dims) {
    if (ShapedType::isDynamic(shape[dim]))
      return ShapedType::kDynamic;
    product *= shape[dim];
  }
  return product;
}

/// A tensor with one element, in another shape of ones.
static Value reshapeSingleElement(LoweringBuilder &b, Value tensor,
                                  int64_t rank) {
  SmallVector<int64_t> ones(getRank(tensor), 1);
  tensor = b.castTensor(tensor, getTensorType(tensor).clone(ones));
  SmallVector<ReassociationIndices> none;
  Type elementType = getElementType(tensor);
  if (getRank(tensor) != 0)
    tensor = tensor::CollapseShapeOp::create(
        b, RankedTensorType::get({}, elementType), tensor, none);
  if (rank == 0)
    return tensor;
  ones.assign(rank, 1);
  return tensor::ExpandShapeOp::create(
      b, RankedTensorType::get(ones, elementType), tensor, none);
}

Value lowbit::onnx::lowering::createReshape(
    LoweringBuilder &b, Value tensor, ArrayRef<OpFoldResult> sizes,
    ArrayRef<AffineExpr> symbolicSizes) {
  auto [shape, dynamicSizes] = decomposeMixedValues(llvm::to_vector(sizes));
  auto resultType = RankedTensorType::get(shape, getElementType(tensor));
  if (resultType.hasStaticShape())
    if (std::optional<Sizes> elements = b.getElements(tensor))
      return b.fromElements(resultType, *elements);
  if (getRank(tensor) == 0 || sizes.empty())
    return reshapeSingleElement(b, tensor, sizes.size());

  tensor = refine(b, tensor);
  std::optional<SmallVector<Group>> groups =
      findGroups(b, tensor, sizes, symbolicSizes);
  if (!groups) {
    b.check(b.isEqual(b.product(b.getSizes(tensor)), b.product(sizes)),
            "the new shape has another number of elements");
    groups = {Group{llvm::to_vector<2>(llvm::seq<int64_t>(getRank(tensor))),
                    llvm::to_vector<2>(llvm::seq<int64_t>(sizes.size()))}};
  }
  SmallVector<ReassociationIndices> collapse, expand;
  SmallVector<int64_t> collapsed, expanded;
  for (Group &group : *groups) {
    collapsed.push_back(
        getStaticProduct(getTensorType(tensor).getShape(), group.source));
    expanded.push_back(getStaticProduct(shape, group.result));
    collapse.push_back(std::move(group.source));
    expand.push_back(std::move(group.result));
  }
  if (collapse.size() != static_cast<size_t>(getRank(tensor)))
    tensor = tensor::CollapseShapeOp::create(b, resultType.clone(collapsed),
                                             tensor, collapse);
  if (expand.size() == sizes.size())
    return b.castTensor(tensor, resultType);
  // An expansion wants exactly those sizes to be known that are in its result.
  tensor = b.castTensor(tensor, resultType.clone(expanded));
  return tensor::ExpandShapeOp::create(b, resultType, tensor, expand, sizes);
}

Value lowbit::onnx::lowering::createUnsqueeze(LoweringBuilder &b, Value tensor,
                                              ArrayRef<int64_t> axes) {
  Sizes sizes;
  auto own = b.getSizes(tensor);
  int64_t rank = own.size() + axes.size();
  for (int64_t dim = 0, next = 0; dim < rank; ++dim)
    sizes.push_back(llvm::is_contained(axes, dim) ? b.getIndexAttr(1)
                                                  : own[next++]);
  return createReshape(b, tensor, sizes);
}

Value lowbit::onnx::lowering::createSqueeze(LoweringBuilder &b, Value tensor,
                                            ArrayRef<int64_t> axes) {
  Sizes sizes;
  SmallVector<int64_t> shape(getTensorType(tensor).getShape());
  for (auto [dim, size] : llvm::enumerate(b.getSizes(tensor))) {
    if (!llvm::is_contained(axes, dim)) {
      sizes.push_back(size);
      continue;
    }
    if (!getConstantIntValue(size))
      b.check(b.isEqual(size, b.getIndexAttr(1)),
              "dimension " + Twine(dim) + " must be 1");
    shape[dim] = 1;
  }
  tensor = b.castTensor(tensor, getTensorType(tensor).clone(shape));
  return createReshape(b, tensor, sizes);
}

Value lowbit::onnx::lowering::createTranspose(LoweringBuilder &b, Value tensor,
                                              ArrayRef<int64_t> permutation) {
  Sizes sizes = b.getSizes(tensor), permuted;
  SmallVector<int64_t> moving;
  for (int64_t dim : permutation) {
    permuted.push_back(sizes[dim]);
    if (!isConstantIntValue(sizes[dim], 1))
      moving.push_back(dim);
  }
  // Moving dimensions of size 1 moves no element.
  if (llvm::is_sorted(moving))
    return createReshape(b, tensor, permuted);
  Value init = b.empty(permuted, getElementType(tensor));
  return linalg::TransposeOp::create(b, tensor, init, permutation)
      .getResult()[0];
}
