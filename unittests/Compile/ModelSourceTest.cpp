//===- ModelSourceTest.cpp - the C side of a model ----------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Compile/ModelSource.h"
#include "gtest/gtest.h"

using namespace lowbit;

static bool contains(const std::string &text, llvm::StringRef part) {
  return text.find(part) != std::string::npos;
}

TEST(ModelSourceTest, PrefixIsAnIdentifier) {
  EXPECT_EQ(getSymbolPrefix("a/b/model.so"), "model");
  EXPECT_EQ(getSymbolPrefix("tiny-llama.int4.so"), "tiny_llama_int4");
  EXPECT_EQ(getSymbolPrefix("7b.so"), "_7b");
}

TEST(ModelSourceTest, NamesOfAModelMayHoldAnything) {
  Signature signature;
  signature.inputs = {
      {"a\"b\n*/", ElementType::I64, {{-1, "batch \\ size"}, {3, ""}}},
      {"x.0", ElementType::F32, {}},
      {"x:0", ElementType::F32, {}}};
  std::string header = getHeader(signature, "model");
  EXPECT_TRUE(contains(header,
                       "MODEL_INPUT_A_B___ = 0, /* a\"b__/: int64[batch "
                       "_ size, 3] */"));
  EXPECT_TRUE(contains(header, "MODEL_INPUT_X_0 = 1,"));
  EXPECT_TRUE(contains(header, "MODEL_INPUT_X_0_2 = 2,"));
  EXPECT_TRUE(contains(header, "MODEL_NUM_OUTPUTS = 0"));

  CompileTarget target;
  target.levels.resize(1);
  std::string source = getModelSource(signature, target, "model", true);
  EXPECT_TRUE(contains(source, "{\"a\\042b\\012\\052/\", (lowbit_type)7, 2, "
                               "{-1, 3}, {\"batch \\134 size\", 0}, 0},"));
}

TEST(ModelSourceTest, TooManyDimensionsAreAnError) {
  Signature signature;
  signature.outputs = {{"y", ElementType::F32, {}}};
  signature.outputs[0].dims.resize(9);
  llvm::Error error = checkRanks(signature);
  ASSERT_TRUE(bool(error));
  EXPECT_EQ(llvm::toString(std::move(error)),
            "'y' has 9 dimensions; compiled models have at most 8");
}
