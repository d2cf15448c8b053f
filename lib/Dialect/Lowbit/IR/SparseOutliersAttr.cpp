//===- SparseOutliersAttr.cpp - codes and a few exact elements
//--------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FormatEmitter.h"
#include "lowbit/Dialect/Lowbit/IR/ElementTypes.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lowbit;

SparseOutliersFormat::Spec SparseOutliersAttr::getSpec() const {
  return {getDense().getBlockFormat(), getCount(),
          *getStoredFloatType(getValueType())};
}

std::shared_ptr<const BlockFormat> SparseOutliersAttr::getBlockFormat() const {
  // The attribute's verifier has accepted the same values.
  return std::make_shared<SparseOutliersFormat>(
      llvm::cantFail(SparseOutliersFormat::get(getSpec())));
}

LogicalResult
SparseOutliersAttr::verify(llvm::function_ref<InFlightDiagnostic()> emitError,
                           QuantFormatAttrInterface dense, int64_t count,
                           FloatAttr fraction, Type valueType) {
  if (dense.getDenseFormat())
    return emitError() << "the dense part must not have outliers itself, got "
                       << dense;
  if (fraction &&
      !(fraction.getValueAsDouble() >= 0 && fraction.getValueAsDouble() <= 1))
    return emitError() << "the fraction must lie in [0, 1], got "
                       << fraction.getValueAsDouble();
  std::optional<ElementType> type = getStoredFloatType(valueType);
  if (!type)
    return emitError() << "outliers must be f16, bf16 or f32, got "
                       << valueType;
  llvm::Expected<SparseOutliersFormat> format =
      SparseOutliersFormat::get({dense.getBlockFormat(), count, *type});
  if (!format)
    return emitError() << llvm::toString(format.takeError());
  return success();
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

LogicalResult SparseOutliersAttr::verifyShape(
    ArrayRef<int64_t> shape,
    llvm::function_ref<InFlightDiagnostic()> emitError) const {
  if (shape.size() != 2 || ShapedType::isDynamicShape(shape))
    return emitError() << "outliers are stored of matrices of static shape";
  if (failed(getDense().verifyShape(shape, emitError)))
    return failure();
  const int64_t elements = ShapedType::getNumElements(shape);
  if (getFraction())
    return emitError() << "the number of outliers must be stated, as in 'count "
                          "= "
                       << getCountOf(elements) << "' for a fraction of "
                       << getFraction().getValueAsDouble();
  if (getCount() > elements)
    return emitError() << "there are " << getCount()
                       << " outliers, but the matrix has " << elements
                       << " elements";
  return success();
}

QuantFormatAttrInterface
SparseOutliersAttr::adaptToShape(ArrayRef<int64_t> shape) const {
  QuantFormatAttrInterface dense = getDense().adaptToShape(shape);
  const int64_t count = getFraction() && !ShapedType::isDynamicShape(shape)
                            ? getCountOf(ShapedType::getNumElements(shape))
                            : getCount();
  return get(getContext(), dense, count, /*fraction=*/{}, getValueType());
}

QuantFormatAttrInterface
SparseOutliersAttr::adaptToMatrix(const QuantizedMatrix &matrix) const {
  const int64_t count =
      matrix.getComponent("outlier_values")->spec.shape.front();
  return get(getContext(), getDense().adaptToMatrix(matrix), count,
             /*fraction=*/{}, getValueType());
}

QuantFormatAttrInterface SparseOutliersAttr::getDenseFormat() const {
  return getDense();
}

int64_t SparseOutliersAttr::getGroupCols(ArrayRef<int64_t> shape) const {
  return getDense().getGroupCols(shape);
}

SmallVector<FormatComponent>
SparseOutliersAttr::getComponents(ArrayRef<int64_t> shape) const {
  auto getInteger = [&](unsigned width) {
    return IntegerType::get(getContext(), width);
  };
  const ElementType columnType =
      SparseOutliersFormat::getColumnType(shape.back());
  SmallVector<FormatComponent> components = getDense().getComponents(shape);
  components.push_back(
      {"outlier_offsets",
       RankedTensorType::get({shape.front() + 1}, getInteger(32))});
  components.push_back(
      {"outlier_columns",
       RankedTensorType::get({getCount()},
                             getInteger(8 * getByteSize(columnType)))});
  components.push_back(
      {"outlier_values", RankedTensorType::get({getCount()}, getValueType())});
  return components;
}

//===----------------------------------------------------------------------===//
// Meaning
//===----------------------------------------------------------------------===//

/// Finds `indices`, of a row and a column, among the outliers: whether they are
/// there, and their place, which is in range either way. There is at least one
/// outlier.
static std::pair<Value, Value> buildFind(FormatEmitter &b, Value offsets,
                                         Value columns, ValueRange indices,
                                         int64_t numColumns) {
  const int64_t count = cast<RankedTensorType>(columns.getType()).getDimSize(0);
  auto getOffset = [&](Value row) -> Value {
    Value offset = tensor::ExtractOp::create(b, offsets, row);
    return arith::IndexCastUIOp::create(b, b.getIndexType(), offset);
  };
  auto clamp = [&](Value place) -> Value {
    return arith::MinUIOp::create(b, place, b.index(count - 1));
  };
  auto getColumn = [&](Value place) -> Value {
    Value column = tensor::ExtractOp::create(b, columns, clamp(place));
    return arith::IndexCastUIOp::create(b, b.getIndexType(), column);
  };
  auto compare = [&](arith::CmpIPredicate predicate, Value lhs,
                     Value rhs) -> Value {
    return arith::CmpIOp::create(b, predicate, lhs, rhs);
  };
  using Predicate = arith::CmpIPredicate;
  const Value row = indices[0], column = indices[1];
  Value place = getOffset(row);
  Value end = getOffset(arith::AddIOp::create(b, row, b.index(1)));
  // A binary search without branches. After each step, less than `step` of the
  // columns from `place` on are smaller than the wanted one.
  const int64_t longestRow = std::min(count, numColumns);
  for (int64_t step = llvm::bit_floor(uint64_t(longestRow)); step; step /= 2) {
    Value next = arith::AddIOp::create(b, place, b.index(step));
    Value last = arith::AddIOp::create(b, place, b.index(step - 1));
    Value isInRow = compare(Predicate::ule, next, end);
    Value isSmaller = compare(Predicate::ult, getColumn(last), column);
    Value goesOn = arith::AndIOp::create(b, isInRow, isSmaller);
    place = arith::SelectOp::create(b, goesOn, next, place);
  }
  Value isInRow = compare(Predicate::ult, place, end);
  Value isEqual = compare(Predicate::eq, getColumn(place), column);
  return {arith::AndIOp::create(b, isInRow, isEqual), clamp(place)};
}

Value SparseOutliersAttr::buildDecode(OpBuilder &builder, Location loc,
                                      RankedTensorType expressed,
                                      ValueRange components,
                                      ValueRange indices) const {
  FormatEmitter b(loc, builder);
  ValueRange sparse =
      components.take_back(SparseOutliersFormat::numSparseComponents);
  Value value = getDense().buildDecode(
      b, loc, expressed.clone(b.getF32Type()),
      components.drop_back(SparseOutliersFormat::numSparseComponents), indices);
  if (getCount() > 0) {
    auto [isOutlier, place] =
        buildFind(b, sparse[0], sparse[1], indices, expressed.getDimSize(1));
    Value sum = arith::AddFOp::create(b, value, b.extractF32(sparse[2], place));
    value = arith::SelectOp::create(b, isOutlier, sum, value);
  }
  return b.convert(value, expressed.getElementType());
}

//===----------------------------------------------------------------------===//
// Syntax
//===----------------------------------------------------------------------===//

Attribute SparseOutliersAttr::parse(AsmParser &parser, Type) {
  Attribute denseAttr;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseLess() || parser.parseKeyword("dense") || parser.parseEqual())
    return {};
  SMLoc denseLoc = parser.getCurrentLocation();
  if (parser.parseAttribute(denseAttr))
    return {};
  auto dense = dyn_cast<QuantFormatAttrInterface>(denseAttr);
  if (!dense) {
    parser.emitError(denseLoc) << "expected a number format, got " << denseAttr;
    return {};
  }
  int64_t count = 0;
  FloatAttr fraction;
  if (parser.parseComma())
    return {};
  if (succeeded(parser.parseOptionalKeyword("fraction"))) {
    double value;
    if (parser.parseEqual() || parser.parseFloat(value))
      return {};
    fraction = parser.getBuilder().getF64FloatAttr(value);
  } else if (parser.parseKeyword("count", " or 'fraction'") ||
             parser.parseEqual() || parser.parseInteger(count)) {
    return {};
  }
  Type valueType;
  if (parser.parseComma() || parser.parseKeyword("value") ||
      parser.parseEqual() || parser.parseType(valueType) ||
      parser.parseGreater())
    return {};
  return parser.getChecked<SparseOutliersAttr>(loc, parser.getContext(), dense,
                                               count, fraction, valueType);
}

void SparseOutliersAttr::print(AsmPrinter &printer) const {
  printer << "<dense = " << Attribute(getDense()) << ", ";
  if (getFraction()) {
    printer << "fraction = ";
    printer.printFloat(getFraction().getValue());
  } else {
    printer << "count = " << getCount();
  }
  printer << ", value = " << getValueType() << '>';
}
