//===- SignatureTest.cpp - the inputs and outputs of a model --------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Execution/Signature.h"
#include "gtest/gtest.h"

using namespace lowbit;

static Signature makeSignature() {
  Signature signature;
  signature.inputs = {
      {"input_ids", ElementType::I64, {{-1, "batch"}, {-1, "sequence"}}},
      {"attention_mask", ElementType::I64, {{-1, "batch"}, {-1, "total"}}},
      {"scale", ElementType::F32, {{4, ""}}}};
  signature.outputs = {
      {"logits", ElementType::F32, {{-1, "batch"}, {-1, ""}, {512, ""}}}};
  return signature;
}

static std::string getMessage(llvm::Error error) {
  return error ? llvm::toString(std::move(error)) : "no error";
}

static std::vector<Tensor> makeInputs() {
  return {Tensor(ElementType::I64, {2, 3}), Tensor(ElementType::I64, {2, 5}),
          Tensor(ElementType::F32, {4})};
}

TEST(SignatureTest, AcceptsWhatFits) {
  EXPECT_EQ(getMessage(makeSignature().checkInputs(makeInputs())), "no error");
}

TEST(SignatureTest, NamesWhatDoesNotFit) {
  Signature signature = makeSignature();
  std::vector<Tensor> inputs = makeInputs();
  inputs[2] = Tensor(ElementType::F64, {4});
  EXPECT_EQ(getMessage(signature.checkInputs(inputs)),
            "input 'scale' must be float32[4], got float64[4]");
  inputs[2] = Tensor(ElementType::F32, {5});
  EXPECT_EQ(getMessage(signature.checkInputs(inputs)),
            "input 'scale' must be float32[4], got float32[5]");
  inputs = makeInputs();
  inputs[0] = Tensor(ElementType::I64, {6});
  EXPECT_EQ(getMessage(signature.checkInputs(inputs)),
            "input 'input_ids' must be int64[batch, sequence], got int64[6]");
  inputs = makeInputs();
  inputs[1] = Tensor(ElementType::I64, {3, 5});
  EXPECT_EQ(getMessage(signature.checkInputs(inputs)),
            "'batch' is 2 in input 'input_ids', but 3 in input "
            "'attention_mask'");
  inputs.pop_back();
  EXPECT_EQ(getMessage(signature.checkInputs(inputs)),
            "the model takes 3 inputs, got 2");
}

static std::string orderMessage(const NamedTensors &tensors) {
  auto ordered = makeSignature().orderInputs(tensors);
  return ordered ? "no error" : llvm::toString(ordered.takeError());
}

TEST(SignatureTest, OrdersByName) {
  std::vector<Tensor> inputs = makeInputs();
  auto ordered = makeSignature().orderInputs({{"scale", inputs[2]},
                                              {"attention_mask", inputs[1]},
                                              {"input_ids", inputs[0]}});
  ASSERT_TRUE(bool(ordered));
  EXPECT_EQ((*ordered)[0].describe(), "int64[2, 3]");
  EXPECT_EQ((*ordered)[2].describe(), "float32[4]");
}

TEST(SignatureTest, NamesMissingAndUnknownInputs) {
  std::vector<Tensor> inputs = makeInputs();
  EXPECT_EQ(orderMessage({{"scale", inputs[2]}, {"input_ids", inputs[0]}}),
            "input 'attention_mask' (int64[batch, total]) is missing");
  EXPECT_EQ(orderMessage({{"ids", inputs[0]}}),
            "the model has no input 'ids'; it has input_ids, attention_mask, "
            "scale");
  EXPECT_EQ(orderMessage({{"scale", inputs[2]}, {"scale", inputs[2]}}),
            "input 'scale' is given twice");
}
