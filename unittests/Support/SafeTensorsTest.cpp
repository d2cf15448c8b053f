//===- SafeTensorsTest.cpp - the safetensors container --------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Support/SafeTensors.h"
#include "gtest/gtest.h"

using namespace lowbit;

static llvm::ArrayRef<char> toBytes(const std::string &text) {
  return {text.data(), text.size()};
}

static std::string makeFile(std::string header, std::string data) {
  std::string file(8, '\0');
  file[0] = static_cast<char>(header.size());
  return file + header + data;
}

static std::string getMessage(const std::string &file) {
  auto index = parseSafeTensors(toBytes(file), "f.safetensors");
  if (index)
    return "";
  return llvm::toString(index.takeError());
}

TEST(SafeTensors, RoundTrip) {
  std::string file = makeSafeTensorsHeader(
      {{"a", {"F32", {2, 1}, 0, 8}}, {"b \"quoted\"", {"I8", {}, 8, 1}}});
  EXPECT_EQ(file.size() % 64, 0u);
  uint64_t data = file.size();
  file += std::string(9, 'x');
  auto index = parseSafeTensors(toBytes(file), "f");
  ASSERT_TRUE(bool(index));
  EXPECT_EQ(index->size(), 2u);
  const SafeTensorsEntry &a = index->find("a")->second;
  EXPECT_EQ(a.dtype, "F32");
  EXPECT_EQ(a.shape, (std::vector<int64_t>{2, 1}));
  EXPECT_EQ(a.offset, data);
  EXPECT_EQ(index->find("b \"quoted\"")->second.length, 1u);
}

TEST(SafeTensors, Errors) {
  EXPECT_NE(getMessage("abc").find("too short"), std::string::npos);
  EXPECT_NE(getMessage(std::string(8, '\x7f')).find("not a safetensors file"),
            std::string::npos);
  EXPECT_NE(getMessage(makeFile("[", "")).find("no valid JSON"),
            std::string::npos);
  EXPECT_NE(getMessage(makeFile("[]", "")).find("not a JSON object"),
            std::string::npos);
  EXPECT_NE(getMessage(makeFile(R"({"a":{}})", "")).find("needs 'dtype'"),
            std::string::npos);
  EXPECT_NE(
      getMessage(
          makeFile(R"({"a":{"dtype":"Q4","shape":[1],"data_offsets":[0,1]}})",
                   "x"))
          .find("unknown dtype 'Q4'"),
      std::string::npos);
  EXPECT_NE(
      getMessage(
          makeFile(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                   "x"))
          .find("lies outside"),
      std::string::npos);
  EXPECT_NE(
      getMessage(
          makeFile(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})",
                   "xxxx"))
          .find("has 4 bytes, but its shape takes 8"),
      std::string::npos);
  EXPECT_NE(getMessage(makeFile(R"({"a":{"dtype":"F32","shape":[-1],)"
                                R"("data_offsets":[0,4]}})",
                                "xxxx"))
                .find("impossible shape"),
            std::string::npos);
}
