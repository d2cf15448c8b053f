//===- LayerSummaryTest.cpp - What quantizing a layer cost ----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/LayerSummary.h"
#include "gtest/gtest.h"

using namespace lowbit;

namespace {

std::vector<LayerSummary> makeLayers() {
  return {{"q_proj", 64, 32, "u4 [1, 32] f16", 4.625, 0.1, 0.05, 0.25},
          {"down", 8, 128, "u4 [1, 32] f16", 4.0, 0.125, std::nullopt, 1}};
}

TEST(LayerSummary, Table) {
  std::string text;
  llvm::raw_string_ostream os(text);
  printSummaryTable(os, makeLayers());
  EXPECT_EQ(text,
            "layer     shape         format          bits/weight  weight error"
            "  output error  seconds\n"
            "q_proj    64x32         u4 [1, 32] f16        4.625       0.10000"
            "       0.05000     0.25\n"
            "down      8x128         u4 [1, 32] f16        4.000       0.12500"
            "             -     1.00\n"
            "2 layers  3072 weights                        4.417              "
            "                   1.25\n");
}

TEST(LayerSummary, JSONRoundTrips) {
  std::vector<LayerSummary> layers = makeLayers();
  llvm::json::Value json = toJSON(layers);
  ASSERT_EQ(json.getAsArray()->size(), 2u);
  for (size_t i = 0; i < 2; ++i) {
    llvm::Expected<LayerSummary> parsed =
        parseLayerSummary((*json.getAsArray())[i]);
    ASSERT_TRUE(static_cast<bool>(parsed));
    EXPECT_EQ(toJSON(*parsed), toJSON(layers[i]));
  }
}

TEST(LayerSummary, RejectsOtherJSON) {
  llvm::Expected<LayerSummary> parsed =
      parseLayerSummary(llvm::json::Object{{"layer", 3}});
  ASSERT_FALSE(static_cast<bool>(parsed));
  EXPECT_EQ(llvm::toString(parsed.takeError()),
            "expected string at layer summary.layer");
}

} // namespace
