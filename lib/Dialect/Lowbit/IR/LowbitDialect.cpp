//===- LowbitDialect.cpp - the lowbit dialect -----------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/LowbitDialect.h"
#include "lowbit/Dialect/Lowbit/IR/QuantFormatInterface.h"
#include "lowbit/Dialect/Lowbit/IR/QuantizableOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"

using namespace lowbit;

#include "lowbit/Dialect/Lowbit/IR/LowbitDialect.cpp.inc"

void LowbitDialect::initialize() {
  weightStore = std::make_shared<WeightStore>();
  registerAttributes();
  registerTypes();
  registerOps();
}

static mlir::LogicalResult verifyFormat(QuantizableOpInterface layer,
                                        mlir::NamedAttribute attribute) {
  if (auto text = llvm::dyn_cast<mlir::StringAttr>(attribute.getValue()))
    if (text.getValue() == LowbitDialect::keepFloat)
      return mlir::success();
  auto format = llvm::dyn_cast<QuantFormatAttrInterface>(attribute.getValue());
  if (!format)
    return layer->emitOpError() << attribute.getName()
                                << " must be a number format or \"float\", got "
                                << attribute.getValue();
  return format.verifyShape(layer.getWeightMatrixShape(), [&] {
    return layer->emitOpError() << attribute.getName() << " does not fit: ";
  });
}

static mlir::LogicalResult verifyImportance(QuantizableOpInterface layer,
                                            mlir::NamedAttribute attribute) {
  const int64_t cols = layer.getWeightMatrixShape().back();
  auto expected = mlir::RankedTensorType::get(
      cols, mlir::Float32Type::get(layer->getContext()));
  auto values = llvm::dyn_cast<mlir::TypedAttr>(attribute.getValue());
  if (values && values.getType() == expected)
    return mlir::success();
  return layer->emitOpError()
         << attribute.getName() << " must have a value for each of the " << cols
         << " input channels, as " << expected << ", got "
         << attribute.getValue();
}

mlir::LogicalResult
LowbitDialect::verifyOperationAttribute(mlir::Operation *op,
                                        mlir::NamedAttribute attribute) {
  const bool isFormat = attribute.getName() == formatAttrName;
  if (!isFormat && attribute.getName() != importanceAttrName)
    return mlir::success();
  auto layer = llvm::dyn_cast<QuantizableOpInterface>(op);
  if (!layer || !layer.isQuantizable())
    return op->emitOpError() << "has " << attribute.getName()
                             << ", but no constant weight to quantize";
  return isFormat ? verifyFormat(layer, attribute)
                  : verifyImportance(layer, attribute);
}

mlir::LogicalResult
LowbitDialect::verifyRegionResultAttribute(mlir::Operation *op, unsigned,
                                           unsigned result,
                                           mlir::NamedAttribute attribute) {
  if (attribute.getName() != updatesAttrName)
    return mlir::success();
  auto function = llvm::dyn_cast<mlir::FunctionOpInterface>(op);
  auto argument = llvm::dyn_cast<mlir::IntegerAttr>(attribute.getValue());
  if (!function || !argument ||
      !argument.getValue().ult(function.getNumArguments()))
    return op->emitOpError()
           << attribute.getName() << " must be the number of an argument, got "
           << attribute.getValue();
  unsigned index = argument.getValue().getZExtValue();
  if (function.getArgumentTypes()[index] != function.getResultTypes()[result])
    return op->emitOpError()
           << "result " << result << " updates argument " << index
           << " and must have its type, " << function.getArgumentTypes()[index]
           << ", got " << function.getResultTypes()[result];
  for (unsigned other = 0; other < result; ++other)
    if (function.getResultAttr(other, updatesAttrName) == argument)
      return op->emitOpError() << "results " << other << " and " << result
                               << " both update argument " << index;
  return mlir::success();
}

namespace {
struct WeightStoreExtension
    : mlir::DialectExtension<WeightStoreExtension, LowbitDialect> {
  explicit WeightStoreExtension(std::shared_ptr<WeightStore> store)
      : store(std::move(store)) {}
  void apply(mlir::MLIRContext *, LowbitDialect *dialect) const override {
    dialect->setWeightStore(store);
  }
  std::shared_ptr<WeightStore> store;
};
} // namespace

void lowbit::attachWeightStore(mlir::DialectRegistry &registry,
                               std::shared_ptr<WeightStore> store) {
  registry.insert<LowbitDialect>();
  registry.addExtension(
      mlir::TypeID::get<WeightStoreExtension>(),
      std::make_unique<WeightStoreExtension>(std::move(store)));
}
