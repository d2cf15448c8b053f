//===- LowbitFolds.cpp - what can be computed at compile time -------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Only inline constants are folded, and only while the result stays inline:
// what lies in a file is rewritten by passes, which say so.
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "lowbit/Quantize/Solver.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace lowbit;

Operation *LowbitDialect::materializeConstant(OpBuilder &builder,
                                              Attribute value, Type type,
                                              Location loc) {
  if (auto quant = dyn_cast<QuantTensorType>(type))
    if (auto components = dyn_cast<DictionaryAttr>(value))
      return ConstantOp::create(builder, loc, quant, components);
  auto typed = dyn_cast<TypedAttr>(value);
  auto shaped = dyn_cast<ShapedType>(type);
  if (!typed || !shaped || !isa<DenseElementsAttr, ExternalAttr>(value))
    return nullptr;
  auto from = cast<ShapedType>(typed.getType());
  if (from.getShape() != shaped.getShape() ||
      from.getElementType() != shaped.getElementType())
    return nullptr;
  return WeightOp::create(builder, loc, type, typed);
}

/// The bytes of inline component constants, in order; fails if one lies in a
/// file. Splats are expanded into `storage`.
static FailureOr<SmallVector<ArrayRef<char>>>
getInlineComponents(QuantTensorType type, DictionaryAttr components,
                    std::vector<SmallVector<char, 0>> &storage) {
  SmallVector<ArrayRef<char>> bytes;
  for (const FormatComponent &component : type.getComponents()) {
    auto dense =
        dyn_cast_or_null<DenseElementsAttr>(components.get(component.name));
    if (!dense ||
        ExternalAttr::getByteSize(component.type) >= LowbitDialect::inlineLimit)
      return failure();
    bytes.push_back(
        llvm::cantFail(getConstantBytes(dense, storage.emplace_back())));
  }
  return bytes;
}

static int64_t getRows(ArrayRef<int64_t> shape) {
  return ShapedType::getNumElements(shape.drop_back());
}

// A constant must always fold, also as a buffer: upstream's folder tells
// constants apart by what they fold to.
OpFoldResult WeightOp::fold(FoldAdaptor) { return getValue(); }

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getComponents(); }

OpFoldResult AssembleOp::fold(FoldAdaptor adaptor) {
  SmallVector<NamedAttribute> named;
  for (auto [component, value] :
       llvm::zip_equal(getType().getComponents(), adaptor.getComponents())) {
    auto typed = dyn_cast_or_null<TypedAttr>(value);
    if (!typed || typed.getType() != component.type ||
        !isa<DenseElementsAttr, ExternalAttr>(value))
      return {};
    named.emplace_back(StringAttr::get(getContext(), component.name), value);
  }
  return DictionaryAttr::get(getContext(), named);
}

OpFoldResult DequantizeOp::fold(FoldAdaptor adaptor) {
  QuantTensorType type = getInput().getType();
  auto components = dyn_cast_or_null<DictionaryAttr>(adaptor.getInput());
  if (!components || type.getLayout() || !type.getElementType().isF32() ||
      ExternalAttr::getByteSize(getType()) >= LowbitDialect::inlineLimit)
    return {};
  std::vector<SmallVector<char, 0>> storage;
  storage.reserve(components.size());
  FailureOr<SmallVector<ArrayRef<char>>> chars =
      getInlineComponents(type, components, storage);
  if (failed(chars))
    return {};
  auto bytes = llvm::map_to_vector(*chars, [](ArrayRef<char> component) {
    return ArrayRef(reinterpret_cast<const uint8_t *>(component.data()),
                    component.size());
  });
  std::vector<float> values(type.getNumElements());
  MatrixView matrix(values.data(), getRows(type.getShape()),
                    type.getShape().back());
  // The sizes are what the verifier of the constant asked for.
  llvm::cantFail(type.getFormat().getBlockFormat()->decode(bytes, matrix));
  return DenseElementsAttr::get(getType(), ArrayRef<float>(values));
}

LogicalResult DisassembleOp::fold(FoldAdaptor,
                                  SmallVectorImpl<OpFoldResult> &results) {
  auto assemble = getInput().getDefiningOp<AssembleOp>();
  if (!assemble ||
      assemble.getComponents().getTypes() != getComponents().getTypes())
    return failure();
  llvm::append_range(results, assemble.getComponents());
  return success();
}

OpFoldResult QuantizeOp::fold(FoldAdaptor adaptor) {
  auto dense = dyn_cast_or_null<DenseElementsAttr>(adaptor.getInput());
  if (!dense || !getInput().getType().getElementType().isF32() ||
      ExternalAttr::getByteSize(getInput().getType()) >=
          LowbitDialect::inlineLimit)
    return {};
  std::vector<float> values(dense.getValues<float>().begin(),
                            dense.getValues<float>().end());
  ArrayRef<int64_t> shape = getType().getShape();
  ConstMatrixView matrix(values.data(), getRows(shape), shape.back());
  llvm::Expected<SolverResult> result =
      roundToNearest(*getType().getFormat().getBlockFormat(), matrix,
                     MinMaxSearch(), /*threads=*/1);
  if (!result) {
    // Values that the format cannot represent are quantized at run time, where
    // their meaning is defined, or reported by whoever made them.
    llvm::consumeError(result.takeError());
    return {};
  }
  SmallVector<NamedAttribute> named;
  for (auto [component, encoded] :
       llvm::zip_equal(getType().getComponents(), result->matrix.components))
    named.emplace_back(
        StringAttr::get(getContext(), component.name),
        DenseElementsAttr::getFromRawBuffer(
            component.type,
            ArrayRef(reinterpret_cast<const char *>(encoded.bytes.data()),
                     encoded.bytes.size())));
  return DictionaryAttr::get(getContext(), named);
}

OpFoldResult PackOp::fold(FoldAdaptor adaptor) {
  QuantTensorType from = getInput().getType();
  auto components = dyn_cast_or_null<DictionaryAttr>(adaptor.getInput());
  if (!components)
    return {};
  std::vector<SmallVector<char, 0>> storage;
  storage.reserve(components.size());
  FailureOr<SmallVector<ArrayRef<char>>> bytes =
      getInlineComponents(from, components, storage);
  if (failed(bytes))
    return {};
  SmallVector<FormatComponent> packedComponents = getType().getComponents();
  std::vector<std::vector<char>> packed;
  for (const FormatComponent &component : packedComponents)
    packed.emplace_back(ExternalAttr::getByteSize(component.type));
  auto views = llvm::map_to_vector(packed, [](std::vector<char> &component) {
    return MutableArrayRef<char>(component);
  });
  getType().getLayout().pack(from.getFormat(), from.getShape(), *bytes, views);
  SmallVector<NamedAttribute> named;
  for (auto [component, data] : llvm::zip_equal(packedComponents, packed))
    named.emplace_back(
        StringAttr::get(getContext(), component.name),
        DenseElementsAttr::getFromRawBuffer(component.type, data));
  return DictionaryAttr::get(getContext(), named);
}
