//===- FloatFormatAttr.cpp - floats, unscaled -----------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/ElementTypes.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectImplementation.h"

using namespace mlir;
using namespace lowbit;

FloatFormat::Spec FloatFormatAttr::getSpec() const {
  return {*getStoredFloatType(getType()), getTransposed()};
}

std::shared_ptr<const BlockFormat> FloatFormatAttr::getBlockFormat() const {
  // The attribute's verifier has accepted the same values.
  return std::make_shared<FloatFormat>(
      llvm::cantFail(FloatFormat::get(getSpec())));
}

LogicalResult
FloatFormatAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                        Type type, bool) {
  if (!getStoredFloatType(type))
    return emitError() << "floats must be f16, bf16 or f32, got " << type;
  return success();
}

LogicalResult FloatFormatAttr::verifyShape(
    ArrayRef<int64_t> shape,
    llvm::function_ref<InFlightDiagnostic()> emitError) const {
  if (shape.empty())
    return emitError() << "a float format stores tensors of at least one "
                          "dimension, got a scalar";
  if (ShapedType::isDynamic(shape.back()))
    return emitError() << "the last dimension must be static";
  if (getTransposed() && shape.size() != 2)
    return emitError() << "only a matrix can be stored transposed, got "
                       << shape.size() << " dimensions";
  return success();
}

SmallVector<FormatComponent>
FloatFormatAttr::getComponents(ArrayRef<int64_t> shape) const {
  SmallVector<int64_t> stored(shape);
  if (getTransposed())
    std::swap(stored[0], stored[1]);
  return {{"values", RankedTensorType::get(stored, getType())}};
}

int64_t FloatFormatAttr::getGroupCols(ArrayRef<int64_t> shape) const {
  return shape.back();
}

/// Between float types.
static Value convert(OpBuilder &builder, Location loc, Value value, Type type) {
  unsigned from = value.getType().getIntOrFloatBitWidth();
  unsigned to = type.getIntOrFloatBitWidth();
  if (value.getType() == type)
    return value;
  if (from < to)
    return arith::ExtFOp::create(builder, loc, type, value);
  // f16 and bf16 reach each other only by way of f32.
  if (from == to)
    value = arith::ExtFOp::create(builder, loc, builder.getF32Type(), value);
  return arith::TruncFOp::create(builder, loc, type, value);
}

Value FloatFormatAttr::buildDecode(OpBuilder &builder, Location loc,
                                   RankedTensorType expressed,
                                   ValueRange components,
                                   ValueRange indices) const {
  SmallVector<Value> stored(indices);
  if (getTransposed())
    std::swap(stored[0], stored[1]);
  Value value =
      tensor::ExtractOp::create(builder, loc, components.front(), stored);
  return convert(builder, loc, value, expressed.getElementType());
}

FailureOr<SmallVector<Value>> FloatFormatAttr::buildEncode(OpBuilder &builder,
                                                           Location loc,
                                                           Value source) const {
  const int64_t rank = cast<RankedTensorType>(source.getType()).getRank();
  SmallVector<OpFoldResult> sizes = tensor::getMixedSizes(builder, loc, source);
  SmallVector<AffineMap> maps(2, builder.getMultiDimIdentityMap(rank));
  if (getTransposed()) {
    std::swap(sizes[0], sizes[1]);
    maps[1] = AffineMap::getPermutationMap(ArrayRef<int64_t>{1, 0},
                                           builder.getContext());
  }
  Value empty = tensor::EmptyOp::create(builder, loc, sizes, getType());
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  Value values =
      linalg::GenericOp::create(
          builder, loc, empty.getType(), source, empty, maps, iterators,
          [&](OpBuilder &nested, Location loc, ValueRange arguments) {
            linalg::YieldOp::create(
                nested, loc,
                convert(nested, loc, arguments.front(), getType()));
          })
          .getResult(0);
  return SmallVector<Value>{values};
}

Attribute FloatFormatAttr::parse(AsmParser &parser, Type) {
  SMLoc loc = parser.getCurrentLocation();
  Type type;
  if (parser.parseLess() || parser.parseType(type))
    return {};
  bool transposed = succeeded(parser.parseOptionalComma());
  if ((transposed && parser.parseKeyword("transposed")) ||
      parser.parseGreater())
    return {};
  return parser.getChecked<FloatFormatAttr>(loc, parser.getContext(), type,
                                            transposed);
}

void FloatFormatAttr::print(AsmPrinter &printer) const {
  printer << '<' << getType() << (getTransposed() ? ", transposed>" : ">");
}
