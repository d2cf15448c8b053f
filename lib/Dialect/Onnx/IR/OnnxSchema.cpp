//===- OnnxSchema.cpp - operator schemas as tables ------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Onnx/IR/OnnxSchema.h"
#include "lowbit/Dialect/Onnx/IR/OnnxOps.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace lowbit::onnx {
#include "OnnxSchemas.cpp.inc"

static const ValueSchema *getValue(ArrayRef<ValueSchema> values,
                                   unsigned index) {
  if (index < values.size())
    return &values[index];
  if (!values.empty() && values.back().arity == ValueArity::Variadic)
    return &values.back();
  return nullptr;
}

const ValueSchema *OpSchema::getOperand(unsigned index) const {
  return getValue(operands, index);
}

const ValueSchema *OpSchema::getResult(unsigned index) const {
  return getValue(results, index);
}

const AttributeSchema *OpSchema::getAttribute(StringRef name) const {
  for (const AttributeSchema &attribute : attributes)
    if (attribute.name == name)
      return &attribute;
  return nullptr;
}

unsigned OpSchema::getMinOperands() const {
  unsigned count = 0;
  for (auto [index, operand] : llvm::enumerate(operands))
    if (operand.arity != ValueArity::Optional)
      count = index + 1;
  return count;
}

unsigned OpSchema::getMaxOperands() const {
  if (!operands.empty() && operands.back().arity == ValueArity::Variadic)
    return std::numeric_limits<unsigned>::max();
  return operands.size();
}

//===----------------------------------------------------------------------===//
// Element types
//===----------------------------------------------------------------------===//

Type getElementType(MLIRContext *context, int dataType) {
  Builder b(context);
  auto unsignedType = [&](unsigned width) {
    return b.getIntegerType(width, /*isSigned=*/false);
  };
  switch (dataType) {
  case 1:
    return b.getF32Type();
  case 2:
    return unsignedType(8);
  case 3:
    return b.getI8Type();
  case 4:
    return unsignedType(16);
  case 5:
    return b.getI16Type();
  case 6:
    return b.getI32Type();
  case 7:
    return b.getI64Type();
  case 8:
    return StringType::get(context);
  case 9:
    return b.getI1Type();
  case 10:
    return b.getF16Type();
  case 11:
    return b.getF64Type();
  case 12:
    return unsignedType(32);
  case 13:
    return unsignedType(64);
  case 14:
    return ComplexType::get(b.getF32Type());
  case 15:
    return ComplexType::get(b.getF64Type());
  case 16:
    return b.getBF16Type();
  case 17:
    return b.getType<Float8E4M3FNType>();
  case 18:
    return b.getType<Float8E4M3FNUZType>();
  case 19:
    return b.getType<Float8E5M2Type>();
  case 20:
    return b.getType<Float8E5M2FNUZType>();
  case 21:
    return unsignedType(4);
  case 22:
    return b.getIntegerType(4);
  case 23:
    return b.getType<Float4E2M1FNType>();
  case 24:
    return b.getType<Float8E8M0FNUType>();
  default:
    return {};
  }
}

int getDataType(Type elementType) {
  // The types are uniqued, so that trying the few there are is cheap and keeps
  // one table.
  for (int dataType = 1; dataType <= 24; ++dataType)
    if (getElementType(elementType.getContext(), dataType) == elementType)
      return dataType;
  return 0;
}

static Type getTensorElementType(Type type) {
  auto tensor = dyn_cast<TensorType>(type);
  return tensor ? tensor.getElementType() : Type();
}

/// For results whose element type an attribute of the node tells, or ONNX's
/// prose.
static Type inferFromAttributes(const OpSchema &schema, unsigned result,
                                TypeRange operands, DictionaryAttr attributes) {
  MLIRContext *context = attributes.getContext();
  auto dataTypeOf = [&](StringRef name, int otherwise) {
    auto attribute = attributes.getAs<IntegerAttr>(name);
    int dataType = attribute ? attribute.getInt() : 0;
    return getElementType(context, dataType ? dataType : otherwise);
  };
  if (schema.name == "Cast") {
    auto to = attributes.getAs<TypeAttr>("to");
    return to ? to.getValue() : Type();
  }
  if (schema.name == "ConstantOfShape") {
    auto value = attributes.getAs<TypedAttr>("value");
    return value ? getTensorElementType(value.getType())
                 : Float32Type::get(context);
  }
  // A zero point shares the type variable; without one, uint8 by default.
  if (schema.name == "QuantizeLinear")
    return dataTypeOf("output_dtype", 2);
  if (schema.name == "DequantizeLinear" && operands.size() > 1) {
    Type scale = getTensorElementType(operands[1]);
    return dataTypeOf("output_dtype", scale ? getDataType(scale) : 0);
  }
  if (schema.name == "LayerNormalization")
    return dataTypeOf("stash_type", 1);
  if (schema.name == "Dropout")
    return IntegerType::get(context, 1);
  return {};
}

Type inferResultElementType(const OpSchema &schema, unsigned result,
                            TypeRange operands, DictionaryAttr attributes) {
  const ValueSchema *value = schema.getResult(result);
  if (!value)
    return {};
  if (value->elementType)
    return getElementType(attributes.getContext(), value->elementType);
  if (value->typeVariable >= 0)
    for (auto [index, type] : llvm::enumerate(operands)) {
      const ValueSchema *operand = schema.getOperand(index);
      if (operand && operand->typeVariable == value->typeVariable)
        if (Type elementType = getTensorElementType(type))
          return elementType;
    }
  return inferFromAttributes(schema, result, operands, attributes);
}

LogicalResult verifySchemaTypes(Operation *op) {
  const OpSchema &schema = cast<SchemaOpInterface>(op).getSchema();
  struct First {
    Type elementType;
    StringRef name;
  };
  SmallVector<First> firsts;
  auto check = [&](const ValueSchema *value, Type type) -> LogicalResult {
    Type elementType = getTensorElementType(type);
    if (!elementType || value->typeVariable < 0)
      return success();
    if (firsts.size() <= static_cast<size_t>(value->typeVariable))
      firsts.resize(value->typeVariable + 1);
    First &first = firsts[value->typeVariable];
    if (!first.elementType)
      first = {elementType, value->name};
    if (first.elementType == elementType)
      return success();
    return op->emitOpError()
           << "'" << value->name << "' has element type " << elementType
           << ", but '" << first.name << "' has " << first.elementType
           << "; they must be equal";
  };
  for (auto [index, type] : llvm::enumerate(op->getOperandTypes()))
    if (failed(check(schema.getOperand(index), type)))
      return failure();
  for (auto [index, type] : llvm::enumerate(op->getResultTypes()))
    if (failed(check(schema.getResult(index), type)))
      return failure();
  return success();
}

} // namespace lowbit::onnx
