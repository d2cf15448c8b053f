//===- LanguageModelTest.cpp - feeding tokens to a language model ---------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Execution/LanguageModel.h"
#include "lowbit/Support/Npy.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "gtest/gtest.h"

using namespace lowbit;

static Signature makeSignature() {
  Signature signature;
  signature.inputs = {
      {"input_ids", ElementType::I64, {{-1, "batch"}, {-1, "sequence"}}},
      {"attention_mask", ElementType::I64, {{-1, "batch"}, {-1, "total"}}},
      {"position_ids", ElementType::I32, {{-1, "batch"}, {-1, "sequence"}}},
      {"past_key_values.0.key",
       ElementType::F32,
       {{-1, "batch"}, {2, ""}, {-1, "past"}, {8, ""}}}};
  signature.outputs = {
      {"present.0.key",
       ElementType::F32,
       {{-1, ""}, {2, ""}, {-1, ""}, {8, ""}}},
      {"logits", ElementType::F32, {{-1, ""}, {-1, ""}, {100, ""}}}};
  return signature;
}

TEST(LanguageModelTest, FillsTheUsualInputs) {
  Signature signature = makeSignature();
  auto model = LanguageModel::get(signature);
  ASSERT_TRUE(bool(model)) << llvm::toString(model.takeError());
  EXPECT_EQ(model->getVocabulary(), 100);
  EXPECT_EQ(model->getLogitsIndex(), 1u);
  std::vector<Tensor> inputs = model->makeInputs({7, 8, 9, 4, 5, 6}, 3);
  ASSERT_FALSE(bool(signature.checkInputs(inputs)));
  EXPECT_EQ(inputs[0].data<int64_t>()[4], 5);
  EXPECT_EQ(inputs[1].data<int64_t>()[5], 1);
  EXPECT_EQ(inputs[2].data<int32_t>()[5], 2);
  EXPECT_EQ(inputs[3].describe(), "float32[2, 2, 0, 8]");
}

TEST(LanguageModelTest, KnowsCachesThatAreUpdated) {
  Signature signature = makeSignature();
  signature.inputs[3].name = "k";
  signature.inputs[3].isUpdated = true;
  signature.inputs[3].dims[2].name = "capacity";
  signature.inputs.push_back({"past_length", ElementType::I64, {}});
  signature.outputs.erase(signature.outputs.begin());
  auto model = LanguageModel::get(signature);
  ASSERT_TRUE(bool(model)) << llvm::toString(model.takeError());
  std::vector<Tensor> inputs = model->makeInputs({7, 8, 9, 4}, 2, 5);
  ASSERT_FALSE(bool(signature.checkInputs(inputs)));
  // The mask shows past and new tokens.
  EXPECT_EQ(inputs[1].describe(), "int64[2, 7]");
  EXPECT_EQ(inputs[1].data<int64_t>()[13], 1);
  EXPECT_EQ(inputs[2].data<int32_t>()[3], 6);
  EXPECT_EQ(inputs[3].describe(), "float32[2, 2, 7, 8]");
  EXPECT_EQ(inputs[4].data<int64_t>()[0], 5);
}

TEST(LanguageModelTest, OtherModelsAreNamed) {
  Signature signature = makeSignature();
  signature.inputs[1].name = "pixels";
  auto model = LanguageModel::get(signature);
  ASSERT_FALSE(bool(model));
  EXPECT_NE(llvm::toString(model.takeError()).find("input 'pixels'"),
            std::string::npos);
  signature = makeSignature();
  signature.inputs.erase(signature.inputs.begin());
  auto noTokens = LanguageModel::get(signature);
  ASSERT_FALSE(bool(noTokens));
  EXPECT_EQ(llvm::toString(noTokens.takeError()),
            "not a language model: it has no input 'input_ids'");
  signature = makeSignature();
  signature.outputs.pop_back();
  auto noLogits = LanguageModel::get(signature);
  ASSERT_FALSE(bool(noLogits));
  EXPECT_NE(llvm::toString(noLogits.takeError()).find("no output"),
            std::string::npos);
}

namespace {
class TokenFileTest : public ::testing::Test {
protected:
  void SetUp() override {
    ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("lowbit-tokens", folder));
    path = folder;
    llvm::sys::path::append(path, "tokens.npy");
  }
  void TearDown() override { llvm::sys::fs::remove_directories(folder); }

  std::string getMessage(const Tensor &tensor, int64_t context = 0) {
    EXPECT_FALSE(bool(writeNpy(path, tensor)));
    auto windows = TokenWindows::read(path, context);
    if (windows)
      return "no error";
    std::string message = llvm::toString(windows.takeError());
    return message.substr(message.find("' ") + 2);
  }

  llvm::SmallString<128> folder, path;
};
} // namespace

TEST_F(TokenFileTest, FlatArraysAreCut) {
  ASSERT_FALSE(
      bool(writeNpy(path, Tensor::get<int32_t>({7}, {1, 2, 3, 4, 5, 6, 7}))));
  auto windows = TokenWindows::read(path, 3);
  ASSERT_TRUE(bool(windows));
  EXPECT_EQ(windows->count(), 2);
  EXPECT_EQ(windows->getWindow(1), (llvm::ArrayRef<int64_t>{4, 5, 6}));
}

TEST_F(TokenFileTest, UnusableFilesAreErrors) {
  EXPECT_EQ(getMessage(Tensor(ElementType::I32, {6})),
            "is a flat array of tokens; --context must say into windows of "
            "which length to cut it");
  EXPECT_EQ(getMessage(Tensor(ElementType::I32, {6}), 7),
            "holds no window of two tokens or more, got int32[6]");
  EXPECT_EQ(getMessage(Tensor(ElementType::I32, {6, 1})),
            "holds no window of two tokens or more, got int32[6, 1]");
  EXPECT_EQ(getMessage(Tensor(ElementType::I32, {2, 2, 2})),
            "must hold tokens as [windows, length] or as a flat array, got "
            "int32[2, 2, 2]");
  EXPECT_EQ(getMessage(Tensor(ElementType::F32, {2, 2})),
            "must hold integer tokens, got float32[2, 2]");
}
