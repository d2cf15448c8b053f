//===- CompiledFunctionTest.cpp - functions compiled one by one -----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Execution/CompiledFunction.h"
#include "lowbit/InitAllDialects.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace lowbit;

namespace {
class CompiledFunctionTest : public ::testing::Test {
protected:
  void SetUp() override {
    mlir::DialectRegistry registry;
    registerAllDialects(registry);
    context = std::make_unique<mlir::MLIRContext>(registry);
    auto target = CpuTarget::get();
    ASSERT_TRUE(bool(target));
    auto engine = JitEngine::create({*target});
    ASSERT_TRUE(bool(engine)) << llvm::toString(engine.takeError());
    cache = std::make_unique<FunctionCache>(*engine);
  }

  mlir::OwningOpRef<mlir::ModuleOp> parse(llvm::StringRef text) {
    return mlir::parseSourceString<mlir::ModuleOp>(text, context.get());
  }
  std::string getMessage(llvm::StringRef text) {
    mlir::OwningOpRef<mlir::ModuleOp> module = parse(text);
    auto function = cache->get(*module);
    return function ? "no error" : llvm::toString(function.takeError());
  }

  std::unique_ptr<mlir::MLIRContext> context;
  std::unique_ptr<FunctionCache> cache;
};
} // namespace

static constexpr char scaledSum[] = R"mlir(
  func.func @NAME(%x: tensor<?xf32>, %y: tensor<?xf32>) -> tensor<?xf32> {
    %c0 = arith.constant 0 : index
    %size = tensor.dim %x, %c0 : tensor<?xf32>
    %init = tensor.empty(%size) : tensor<?xf32>
    %sum = linalg.add ins(%x, %y : tensor<?xf32>, tensor<?xf32>)
        outs(%init : tensor<?xf32>) -> tensor<?xf32>
    return %sum : tensor<?xf32>
  }
)mlir";

static std::string getSum(llvm::StringRef name) {
  std::string text = scaledSum;
  return text.replace(text.find("NAME"), 4, name.str());
}

TEST_F(CompiledFunctionTest, RunsOnAnySize) {
  mlir::OwningOpRef<mlir::ModuleOp> module = parse(getSum("a"));
  auto function = cache->get(*module);
  ASSERT_TRUE(bool(function)) << llvm::toString(function.takeError());
  for (int64_t size : {0, 1, 7, 100, 5000}) {
    Tensor x(ElementType::F32, {size}), y(ElementType::F32, {size});
    for (int64_t i = 0; i < size; ++i) {
      x.data<float>()[i] = float(i);
      y.data<float>()[i] = 0.5f;
    }
    auto outputs = (*function)->run({x, y});
    ASSERT_TRUE(bool(outputs));
    ASSERT_EQ((*outputs)[0].getShape(), llvm::ArrayRef<int64_t>(size));
    for (int64_t i = 0; i < size; ++i)
      ASSERT_EQ((*outputs)[0].data<float>()[i], float(i) + 0.5f);
    // The inputs belong to the caller.
    for (int64_t i = 0; i < size; ++i)
      ASSERT_EQ(y.data<float>()[i], 0.5f);
  }
}

TEST_F(CompiledFunctionTest, EqualFunctionsAreCompiledOnce) {
  auto first = cache->get(*parse(getSum("a")));
  auto second = cache->get(*parse(getSum("b")));
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*first, *second);
  EXPECT_EQ(cache->size(), 1u);
}

TEST_F(CompiledFunctionTest, AnInputThatIsReturnedIsCopied) {
  auto function = cache->get(*parse(
      "func.func @f(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {"
      "  return %x, %x : tensor<2xf32>, tensor<2xf32> }"));
  ASSERT_TRUE(bool(function)) << llvm::toString(function.takeError());
  Tensor x = Tensor::get<float>({2}, {1, 2});
  auto outputs = (*function)->run({x});
  ASSERT_TRUE(bool(outputs));
  EXPECT_NE((*outputs)[0].getBytes(), x.getBytes());
  EXPECT_NE((*outputs)[0].getBytes(), (*outputs)[1].getBytes());
  EXPECT_EQ((*outputs)[1].data<float>()[1], 2);
}

TEST_F(CompiledFunctionTest, WrongInputsAreErrors) {
  auto function = cache->get(*parse(getSum("a")));
  ASSERT_TRUE(bool(function));
  Tensor x(ElementType::F32, {3}), y(ElementType::I64, {3});
  auto outputs = (*function)->run({x, y});
  ASSERT_FALSE(bool(outputs));
  EXPECT_EQ(llvm::toString(outputs.takeError()),
            "input 'input1' must be float32[?], got int64[3]");
}

TEST_F(CompiledFunctionTest, WhatCannotBeCompiledIsAnError) {
  EXPECT_EQ(getMessage("module {}"),
            "the module must hold one function to be compiled");
  EXPECT_EQ(getMessage("func.func @f(%x: index) { return }"),
            "'input0' has the type index; models take and return tensors of "
            "known rank");
  EXPECT_NE(getMessage("func.func private @g(tensor<1xf32>) -> tensor<1xf32>")
                .find("entry is 'main', but the module has no such function"),
            std::string::npos);
}

TEST(CpuTargetTest, NamesWhatItDoesNotKnow) {
  auto target = CpuTarget::get("pentium17");
  ASSERT_FALSE(bool(target));
  EXPECT_EQ(llvm::toString(target.takeError()),
            "unknown processor 'pentium17'; known are native, avx2, avx512, "
            "amx and LLVM's names");
  auto feature = CpuTarget::get("native", "+warp-drive");
  ASSERT_FALSE(bool(feature));
  EXPECT_EQ(llvm::toString(feature.takeError()),
            "unknown processor feature 'warp-drive'");
  auto sign = CpuTarget::get("native", "avx2");
  ASSERT_FALSE(bool(sign));
  EXPECT_EQ(llvm::toString(sign.takeError()),
            "feature 'avx2' must start with + or -");
}
