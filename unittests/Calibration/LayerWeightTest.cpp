//===- LayerWeightTest.cpp - weights as they are in a model ---------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Calibration/LayerWeight.h"
#include "lowbit/Dialect/Onnx/IR/OnnxOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace lowbit;

// Layers that share a weight read it one after the other, and each releases it.
TEST(LayerWeight, IsStillThereAfterItWasReleased) {
  MLIRContext context;
  context.loadDialect<LowbitDialect, onnx::OnnxDialect, func::FuncDialect>();
  OwningOpRef<ModuleOp> module = parseSourceString<ModuleOp>(
      R"(func.func @model(%x: tensor<?x64xf32>) -> tensor<?x128xf32> {
        %w = onnx.Constant dense<0.0> : tensor<64x128xf32>
        %y = onnx.MatMul(%x, %w) : (tensor<?x64xf32>, tensor<64x128xf32>) -> tensor<?x128xf32>
        return %y : tensor<?x128xf32>
      })",
      &context);
  ASSERT_TRUE(module);
  // 32 KiB are stored in the IR.
  std::vector<float> values(64 * 128);
  for (size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(i);
  module->walk([&](onnx::ConstantOp constant) {
    OpBuilder builder(constant);
    auto type = cast<RankedTensorType>(constant.getType());
    constant.replaceAllUsesWith(
        onnx::ConstantOp::create(builder, constant.getLoc(),
                                 cast<TypedAttr>(DenseElementsAttr::get<float>(
                                     type, ArrayRef(values))))
            .getResult());
    constant.erase();
  });
  module->walk([&](QuantizableOpInterface layer) {
    for (int reader = 0; reader < 2; ++reader) {
      LayerWeight weight = llvm::cantFail(LayerWeight::get(layer));
      ConstMatrixView matrix = weight.getMatrix();
      for (int64_t row = 0; row < matrix.getRows(); ++row)
        for (int64_t col = 0; col < matrix.getCols(); ++col)
          ASSERT_EQ(matrix(row, col), values[col * 128 + row]);
      weight.release();
    }
  });
}
