//===- JsonTest.cpp - tests of JSON without duplicate keys ----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Support/Json.h"
#include "gtest/gtest.h"

using namespace lowbit;

static std::string getMessage(llvm::StringRef text) {
  llvm::Expected<llvm::json::Value> json = parseJson(text);
  return json ? "" : llvm::toString(json.takeError());
}

TEST(Json, acceptsEqualKeysOfDifferentObjects) {
  EXPECT_EQ(getMessage(R"({"a": {"a": 1}, "b": [{"a": "a"}, {"a": "a"}]})"),
            "");
  EXPECT_EQ(getMessage(R"(["a", "a", "b\": ", "\\"])"), "");
  EXPECT_EQ(getMessage(R"({"\"a": 1, "a": "\"a\": {", "A": 2})"), "");
  EXPECT_EQ(getMessage("3"), "");
  EXPECT_EQ(*parseJson("{\"a\": 3}")->getAsObject()->getInteger("a"), 3);
}

TEST(Json, refusesAKeyTwice) {
  EXPECT_EQ(getMessage("{\"a\": 1,\n \"b\": 2, \"a\": 1}"),
            "[2]: there are two entries 'a' in one object; keep one of them");
  EXPECT_EQ(getMessage("[{\"x\": [{}], \"y\": {\"x\": 1, \"x\" : 2}}]"),
            "[1]: there are two entries 'x' in one object; keep one of them");
  // However it is spelled.
  EXPECT_EQ(getMessage("{\"a\": 1, \"\\u0061\": 1}"),
            "[1]: there are two entries 'a' in one object; keep one of them");
}

TEST(Json, refusesWhatIsNoJson) {
  EXPECT_NE(getMessage("{\"a\": 1, "), "");
  EXPECT_NE(getMessage("{\"a"), "");
  EXPECT_NE(getMessage(""), "");
}
