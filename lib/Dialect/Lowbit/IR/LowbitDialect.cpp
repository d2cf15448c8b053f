//===- LowbitDialect.cpp - the lowbit dialect -----------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/LowbitDialect.h"

using namespace lowbit;

#include "lowbit/Dialect/Lowbit/IR/LowbitDialect.cpp.inc"

void LowbitDialect::initialize() {
  weightStore = std::make_shared<WeightStore>();
  registerAttributes();
  registerTypes();
  registerOps();
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
