//===- GgmlMixtureTest.cpp - which layers get more bits -------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GgmlMixture.h"
#include "gtest/gtest.h"

using namespace lowbit;

// Of 32 layers, the first 4, the last 4, and every third one between.
TEST(GgmlMixture, HalfOfTheDownLayersGetMoreBits) {
  const GgmlMixtureModel model{/*headsPerGroup=*/1, /*hasTiedEmbeddings=*/false,
                               /*hasImportance=*/false};
  std::vector<int64_t> larger;
  for (int64_t index = 0; index < 32; ++index)
    if (chooseGgmlType(GgmlMixture::Q4_K_M, model,
                       {LayerRole::FfnDown, index, 32, 256}) == GgmlType::Q6_K)
      larger.push_back(index);
  EXPECT_EQ(larger, (std::vector<int64_t>{0, 1, 2, 3, 6, 9, 12, 15, 18, 21, 24,
                                          27, 28, 29, 30, 31}));
}
