//===- LowbitOps.cpp - lowbit operations ----------------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/TypeUtilities.h"
#include "llvm/ADT/StringExtras.h"
#include <algorithm>
#include <vector>

using namespace mlir;
using namespace lowbit;

/// `lowbit.weight dense<...> : tensor<...> (to memref<...>)?`
static ParseResult parseWeightValue(OpAsmParser &parser, TypedAttr &value,
                                    Type &resultType) {
  Attribute attr;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseAttribute(attr))
    return failure();
  value = dyn_cast<TypedAttr>(attr);
  if (!value)
    return parser.emitError(loc) << "expected a typed attribute, got " << attr;
  resultType = value.getType();
  if (succeeded(parser.parseOptionalKeyword("to")))
    return parser.parseType(resultType);
  return success();
}

static void printWeightValue(OpAsmPrinter &printer, WeightOp, TypedAttr value,
                             Type resultType) {
  printer << value;
  if (value.getType() != resultType)
    printer << " to " << resultType;
}

#define GET_OP_CLASSES
#include "lowbit/Dialect/Lowbit/IR/LowbitOps.cpp.inc"

void LowbitDialect::registerOps() {
  addOperations<
#define GET_OP_LIST
#include "lowbit/Dialect/Lowbit/IR/LowbitOps.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

static bool isTensorConstant(Attribute value) {
  return isa<DenseElementsAttr, ExternalAttr>(value);
}

LogicalResult WeightOp::verify() {
  auto type = dyn_cast<RankedTensorType>(getValue().getType());
  if (!type || !isTensorConstant(getValue()))
    return emitOpError() << "value must be a dense or external tensor, got "
                         << getValue();
  auto resultType = cast<ShapedType>(getType());
  if (isa<RankedTensorType>(resultType)
          ? resultType != type
          : resultType.getShape() != type.getShape() ||
                resultType.getElementType() != type.getElementType())
    return emitOpError() << "result must have the shape and the element type "
                            "of the value, "
                         << type << ", got " << resultType;
  return success();
}

void ConstantOp::build(OpBuilder &builder, OperationState &state,
                       QuantTensorType type, ArrayRef<TypedAttr> components) {
  SmallVector<NamedAttribute> named;
  for (auto [component, value] :
       llvm::zip_equal(type.getComponents(), components))
    named.push_back(builder.getNamedAttr(component.name, value));
  build(builder, state, type, builder.getDictionaryAttr(named));
}

SmallVector<TypedAttr> ConstantOp::getComponentValues() {
  return llvm::map_to_vector(
      getType().getComponents(), [&](const FormatComponent &component) {
        return cast<TypedAttr>(getComponents().get(component.name));
      });
}

LogicalResult ConstantOp::verify() {
  SmallVector<FormatComponent> expected = getType().getComponents();
  for (const FormatComponent &component : expected) {
    Attribute value = getComponents().get(component.name);
    if (!value)
      return emitOpError() << "lacks the component '" << component.name
                           << "' of type " << component.type;
    if (!isTensorConstant(value))
      return emitOpError() << "component '" << component.name
                           << "' must be a dense or external tensor, got "
                           << value;
    if (Type type = cast<TypedAttr>(value).getType(); type != component.type)
      return emitOpError() << "component '" << component.name
                           << "' must have type " << component.type << ", got "
                           << type;
  }
  if (getComponents().size() == expected.size()) {
    const bool isInline =
        llvm::all_of(getComponents(), [](NamedAttribute component) {
          return isa<DenseElementsAttr>(component.getValue());
        });
    return isInline ? verifyContents() : success();
  }
  for (NamedAttribute named : getComponents())
    if (llvm::none_of(expected, [&](const FormatComponent &component) {
          return component.name == named.getName();
        }))
      return emitOpError() << "has a component " << named.getName()
                           << ", which " << getType().getFormat()
                           << " does not have";
  llvm_unreachable("more components than expected, yet each is one of them");
}

LogicalResult ConstantOp::verifyContents() {
  QuantTensorType type = getType();
  // What lies in another order was checked before it was packed.
  if (type.getLayout())
    return success();
  SmallVector<TypedAttr> values = getComponentValues();
  std::vector<SmallVector<char>> expanded(values.size());
  SmallVector<ArrayRef<uint8_t>> components;
  for (auto [value, storage] : llvm::zip_equal(values, expanded)) {
    llvm::Expected<ArrayRef<char>> bytes = getConstantBytes(value, storage);
    if (!bytes) {
      // Whoever needs the file reports that.
      llvm::consumeError(bytes.takeError());
      return success();
    }
    components.emplace_back(reinterpret_cast<const uint8_t *>(bytes->data()),
                            bytes->size());
  }
  const int64_t cols = type.getShape().back();
  if (llvm::Error error = type.getFormat().getBlockFormat()->verifyContents(
          components, type.getNumElements() / std::max<int64_t>(cols, 1), cols))
    return emitOpError() << "of " << type.getFormat() << ": "
                         << llvm::toString(std::move(error));
  return success();
}

//===----------------------------------------------------------------------===//
// Conversions
//===----------------------------------------------------------------------===//

/// Checks that `operands`, tensors or memrefs, store a tensor of type `type`.
static LogicalResult verifyComponents(Operation *op, StringRef what,
                                      QuantTensorType type,
                                      ValueRange operands) {
  SmallVector<FormatComponent> expected = type.getComponents();
  if (operands.size() != expected.size())
    return op->emitOpError()
           << what << " takes " << expected.size() << " components ("
           << llvm::join(llvm::map_range(expected,
                                         [](const FormatComponent &component) {
                                           return component.name;
                                         }),
                         ", ")
           << "), got " << operands.size();
  for (auto [component, operand] : llvm::zip_equal(expected, operands)) {
    auto operandType = cast<ShapedType>(operand.getType());
    if (operandType.getElementType() != component.type.getElementType() ||
        failed(verifyCompatibleShape(operandType.getShape(),
                                     component.type.getShape())))
      return op->emitOpError() << what << " component '" << component.name
                               << "' must have shape and element type as in "
                               << component.type << ", got " << operandType;
  }
  return success();
}

LogicalResult AssembleOp::verify() {
  return verifyComponents(*this, "result", getType(), getComponents());
}

void DisassembleOp::build(OpBuilder &builder, OperationState &state,
                          Value input) {
  build(builder, state,
        cast<QuantTensorType>(input.getType()).getComponentTypes(), input);
}

LogicalResult DisassembleOp::verify() {
  return verifyComponents(*this, "input", getInput().getType(),
                          getComponents());
}

/// Checks that quantizing or dequantizing keeps the shape and the element type.
static LogicalResult verifyExpressedType(Operation *op, QuantTensorType quant,
                                         RankedTensorType expressed) {
  if (quant.getExpressedType() == expressed)
    return success();
  return op->emitOpError() << "float side must be " << quant.getExpressedType()
                           << ", which the quantized side expresses, got "
                           << expressed;
}

static LogicalResult verifyNotPacked(Operation *op, StringRef what,
                                     QuantTensorType type) {
  if (!type.getLayout())
    return success();
  return op->emitOpError() << what << " must not be packed, but is laid out as "
                           << type.getLayout();
}

LogicalResult QuantizeOp::verify() {
  if (failed(verifyNotPacked(*this, "result", getType())))
    return failure();
  return verifyExpressedType(*this, getType(), getInput().getType());
}

LogicalResult DequantizeOp::verify() {
  if (failed(verifyNotPacked(*this, "input", getInput().getType())))
    return failure();
  return verifyExpressedType(*this, getInput().getType(), getType());
}

LogicalResult DynamicQuantizeOp::verify() {
  if (failed(verifyExpressedType(*this, getType(), getInput().getType())))
    return failure();
  auto format = dyn_cast<UniformAttr>(getType().getFormat());
  if (format && format.getIsSigned() && !format.getHasZeroPoint() &&
      format.isInteger() && !getType().getLayout() &&
      (format.getGroupRows() == 1 ||
       (format.getGroupRows() == 0 && format.getGroupCols() == 0)))
    return success();
  return emitOpError()
         << "result must be of a #lowbit.uniform format with "
            "signed codes, scales of f16, bf16 or f32, zero = none and "
            "groups of one row or of the whole tensor, got "
         << getType();
}

LogicalResult StaticQuantizeOp::verify() {
  if (failed(verifyNotPacked(*this, "result", getType())) ||
      failed(verifyExpressedType(*this, getType(), getInput().getType())))
    return failure();
  if (!getType().getFormat().getBlockFormat()->getScaledLevels())
    return emitOpError()
           << "result must be of a format with one f16, bf16 or f32 scale for "
              "the whole tensor and no zero points, #lowbit.uniform with "
              "signed "
              "codes or #lowbit.ovp, got "
           << getType();
  const APFloat scale = getScale();
  if (!scale.isFinite() || scale.isNegative() || scale.isZero())
    return emitOpError() << "scale must be positive and finite, got "
                         << scale.convertToFloat();
  return success();
}

LogicalResult PackOp::verify() {
  QuantTensorType from = getInput().getType(), to = getType();
  if (failed(verifyNotPacked(*this, "input", from)))
    return failure();
  if (!to.getLayout())
    return emitOpError() << "result must have a packed layout, got " << to;
  auto unpacked =
      QuantTensorType::get(to.getShape(), to.getElementType(), to.getFormat());
  if (unpacked != from)
    return emitOpError() << "result must differ from the input " << from
                         << " in its layout only, got " << to;
  return success();
}

//===----------------------------------------------------------------------===//
// Matmul
//===----------------------------------------------------------------------===//

LogicalResult MatmulOp::inferReturnTypes(MLIRContext *, std::optional<Location>,
                                         ValueRange operands, DictionaryAttr,
                                         OpaqueProperties, RegionRange,
                                         SmallVectorImpl<Type> &results) {
  auto input = cast<ShapedType>(operands[0].getType());
  auto weight = cast<QuantTensorType>(operands[1].getType());
  // The verifier says why.
  if (weight.getRank() != 2 || input.getRank() < 1)
    return failure();
  SmallVector<int64_t> shape(input.getShape());
  shape.back() = weight.getDimSize(0);
  results.push_back(RankedTensorType::get(shape, weight.getElementType()));
  return success();
}

/// Whether a result may have less or more static dimensions than was inferred.
static bool areCompatible(TypeRange inferred, TypeRange actual) {
  return inferred.size() == actual.size() &&
         succeeded(verifyCompatibleShapes(inferred, actual)) &&
         llvm::all_of(llvm::zip(inferred, actual), [](auto pair) {
           return getElementTypeOrSelf(std::get<0>(pair)) ==
                  getElementTypeOrSelf(std::get<1>(pair));
         });
}

bool MatmulOp::isCompatibleReturnTypes(TypeRange inferred, TypeRange actual) {
  return areCompatible(inferred, actual);
}

LogicalResult MatmulOp::verify() {
  auto input = cast<ShapedType>(getInput().getType());
  QuantTensorType weight = getWeight().getType();
  if (weight.getRank() != 2 || ShapedType::isDynamicShape(weight.getShape()))
    return emitOpError() << "weight must be a matrix of static shape, got "
                         << weight;
  if (input.getRank() < 1)
    return emitOpError() << "input must have a dimension, got " << input;
  if (input.getShape().back() != weight.getDimSize(1))
    return emitOpError() << "input's last dimension must be the weight's "
                         << weight.getDimSize(1) << " input channels, got "
                         << input;
  if (input.getElementType() != weight.getElementType())
    return emitOpError() << "input and weight must express the same element "
                            "type, got "
                         << input.getElementType() << " and "
                         << weight.getElementType();
  if (auto quant = dyn_cast<QuantTensorType>(getInput().getType()))
    if (failed(verifyNotPacked(*this, "input", quant)))
      return failure();
  if (Value bias = getBias()) {
    auto expected =
        RankedTensorType::get(weight.getDimSize(0), weight.getElementType());
    if (bias.getType() != expected)
      return emitOpError() << "bias must be " << expected
                           << ", one value for each output channel, got "
                           << bias.getType();
  }
  return verifyTunings([&] { return emitOpError(); }, getTunings());
}

//===----------------------------------------------------------------------===//
// Gather
//===----------------------------------------------------------------------===//

LogicalResult GatherOp::inferReturnTypes(MLIRContext *, std::optional<Location>,
                                         ValueRange operands, DictionaryAttr,
                                         OpaqueProperties, RegionRange,
                                         SmallVectorImpl<Type> &results) {
  auto table = cast<QuantTensorType>(operands[0].getType());
  auto indices = cast<ShapedType>(operands[1].getType());
  // The verifier says why.
  if (table.getRank() != 2)
    return failure();
  SmallVector<int64_t> shape(indices.getShape());
  shape.push_back(table.getDimSize(1));
  results.push_back(RankedTensorType::get(shape, table.getElementType()));
  return success();
}

bool GatherOp::isCompatibleReturnTypes(TypeRange inferred, TypeRange actual) {
  return areCompatible(inferred, actual);
}

LogicalResult GatherOp::verify() {
  if (getTable().getType().getRank() != 2)
    return emitOpError() << "table must be a matrix, got "
                         << getTable().getType();
  return verifyNotPacked(*this, "table", getTable().getType());
}

//===----------------------------------------------------------------------===//
// PackedMatmul
//===----------------------------------------------------------------------===//

/// Checks shape and element type of what an operand is or stands for.
static LogicalResult verifyType(Operation *op, StringRef what, ShapedType type,
                                ArrayRef<int64_t> shape, Type elementType) {
  if (type.getElementType() == elementType &&
      succeeded(verifyCompatibleShape(type.getShape(), shape)))
    return success();
  return op->emitOpError() << what << " must have shape and element type as in "
                           << RankedTensorType::get(shape, elementType)
                           << ", got " << type;
}

static LogicalResult verifyOperand(Operation *op, StringRef what, Value operand,
                                   ArrayRef<int64_t> shape, Type elementType) {
  return verifyType(op, what, cast<ShapedType>(operand.getType()), shape,
                    elementType);
}

LogicalResult PackedMatmulOp::verify() {
  auto weight = cast<QuantTensorType>(getWeightType());
  if (weight.getRank() != 2 || ShapedType::isDynamicShape(weight.getShape()))
    return emitOpError() << "weight must be a matrix of static shape, got "
                         << weight;
  const int64_t outputs = weight.getDimSize(0), inputs = weight.getDimSize(1);
  Type elementType = weight.getElementType();
  if (failed(verifyComponents(*this, "weight", weight, getWeight())))
    return failure();
  if (std::optional<Type> type = getInputType()) {
    auto input = cast<QuantTensorType>(*type);
    if (input.getRank() != 2 || input.getDimSize(1) != inputs ||
        input.getElementType() != elementType)
      return emitOpError() << "input must be a matrix with the weight's "
                           << inputs << " input channels and element type "
                           << elementType << ", got " << input;
    if (failed(verifyComponents(*this, "input", input, getInput())))
      return failure();
  } else {
    if (getInput().size() != 1)
      return emitOpError() << "input must be one float matrix, or name its "
                              "quantized type with 'as', got "
                           << getInput().size() << " operands";
    if (failed(verifyOperand(*this, "input", getInput().front(),
                             {ShapedType::kDynamic, inputs}, elementType)))
      return failure();
  }
  if (getBias() &&
      failed(verifyOperand(*this, "bias", getBias(), outputs, elementType)))
    return failure();
  if (failed(verifyOperand(*this, "init", getInit(),
                           {ShapedType::kDynamic, outputs}, elementType)))
    return failure();
  return verifyTunings([&] { return emitOpError(); }, getTunings());
}

/// Destination-style ops on buffers read their inputs and write their inits.
static void getBufferEffects(
    DestinationStyleOpInterface op,
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()))
      continue;
    if (op.isDpsInit(&operand))
      effects.emplace_back(MemoryEffects::Write::get(), &operand,
                           SideEffects::DefaultResource::get());
    else
      effects.emplace_back(MemoryEffects::Read::get(), &operand,
                           SideEffects::DefaultResource::get());
  }
}

void PackedMatmulOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  getBufferEffects(*this, effects);
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

bool AttentionOp::canRead(QuantTensorType type) {
  auto format = dyn_cast<UniformAttr>(type.getFormat());
  return format && format.isInteger() && !type.getLayout() &&
         type.getElementType().isF32() &&
         (format.getBits() == 4 || format.getBits() == 8) &&
         format.getGroupRows() == 1 && format.getGroupCols() % 16 == 0;
}

static ShapedType getStoredShape(std::optional<QuantTensorType> quant,
                                 ValueRange components) {
  return quant ? cast<ShapedType>(*quant)
               : cast<ShapedType>(components.front().getType());
}

ShapedType AttentionOp::getKeyShape() {
  return getStoredShape(getKeyType(), getKey());
}

ShapedType AttentionOp::getValueShape() {
  return getStoredShape(getValueType(), getValue());
}

int64_t AttentionOp::getGroupSize() {
  return cast<ShapedType>(getQuery().getType()).getDimSize(1) /
         getKeyShape().getDimSize(1);
}

/// Checks that `operands` are one tensor of floats, or the components of
/// `quant`.
static LogicalResult verifyStored(AttentionOp op, StringRef what,
                                  std::optional<QuantTensorType> quant,
                                  ValueRange operands) {
  if (!quant) {
    if (operands.size() == 1)
      return success();
    return op.emitOpError() << what
                            << " must be one float tensor, or name its "
                               "quantized type with 'as', got "
                            << operands.size() << " operands";
  }
  if (!AttentionOp::canRead(*quant))
    return op.emitOpError() << what
                            << " must express f32 in #lowbit.uniform of 4 or 8 "
                               "bits, in groups of whole rows or multiples of "
                               "16 columns, without float zero points, got "
                            << *quant;
  return verifyComponents(op, what, *quant, operands);
}

LogicalResult AttentionOp::verify() {
  if (failed(verifyStored(*this, "key", getKeyType(), getKey())) ||
      failed(verifyStored(*this, "value", getValueType(), getValue())))
    return failure();
  auto query = cast<ShapedType>(getQuery().getType());
  ShapedType key = getKeyShape(), value = getValueShape();
  for (auto [what, type] : {std::pair<StringRef, ShapedType>{"query", query},
                            {"key", key},
                            {"value", value}})
    if (type.getRank() != 4 || !isa<FloatType>(type.getElementType()) ||
        type.isDynamicDim(1) || type.isDynamicDim(3))
      return emitOpError() << what
                           << " must be [batch, heads, rows, size] of floats "
                              "with static heads and size, got "
                           << type;
  const int64_t heads = query.getDimSize(1), keyHeads = key.getDimSize(1);
  if (keyHeads == 0 || heads % keyHeads != 0)
    return emitOpError() << "the number of query heads must be a multiple of "
                            "that of the key heads, got "
                         << heads << " and " << keyHeads;
  Type elementType = query.getElementType();
  const int64_t batch = query.getDimSize(0), rows = query.getDimSize(2),
                keys = key.getDimSize(2);
  if (failed(verifyType(*this, "key", key,
                        {batch, keyHeads, keys, query.getDimSize(3)},
                        elementType)) ||
      failed(verifyType(*this, "value", value,
                        {batch, keyHeads, keys, value.getDimSize(3)},
                        elementType)) ||
      failed(verifyOperand(*this, "init", getInit(),
                           {batch, heads, rows, value.getDimSize(3)},
                           elementType)))
    return failure();
  if (!getMask())
    return success();
  auto mask = cast<ShapedType>(getMask().getType());
  if (mask.getElementType() != elementType &&
      !mask.getElementType().isInteger(8))
    return emitOpError() << "mask must have elements of type " << elementType
                         << " or i8, got " << mask;
  SmallVector<int64_t> scores{batch, heads, rows, keys};
  if (mask.getRank() == 4)
    for (auto [dim, size] : llvm::enumerate(mask.getShape()))
      scores[dim] = size == 1 ? 1 : scores[dim];
  if (failed(verifyCompatibleShape(mask.getShape(), scores)))
    return emitOpError() << "mask must broadcast to the scores, "
                         << RankedTensorType::get({batch, heads, rows, keys},
                                                  elementType)
                         << ", got " << mask;
  return success();
}

void AttentionOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  getBufferEffects(*this, effects);
}

LogicalResult CacheAppendOp::verify() {
  auto rows = cast<RankedTensorType>(getRows().getType());
  auto cache = cast<RankedTensorType>(getCache().getType());
  const int64_t axis = getAxis(), rank = cache.getRank();
  if (axis < 1 || axis >= rank)
    return emitOpError() << "axis must be in [1, " << rank - 1 << "] for "
                         << cache << ", got " << axis;
  SmallVector<int64_t> shape(cache.getShape());
  if (rows.getRank() == rank)
    for (int64_t dim : {int64_t(0), axis})
      shape[dim] = rows.getDimSize(dim);
  return verifyOperand(*this, "rows", getRows(), shape, cache.getElementType());
}
