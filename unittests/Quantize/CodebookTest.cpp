//===- CodebookTest.cpp - The numbers that codes stand for ----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Quantize/Codebook.h"
#include "TestUtils.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <limits>

using namespace lowbit;
using namespace lowbit::testing;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

TEST(Codebook, EveryFiniteLevelIsItsOwnCode) {
  for (llvm::StringRef name :
       {"nf4", "fp4", "e2m1", "e4m3", "e5m2", "dynamic8"}) {
    Codebook codebook = *Codebook::find(name);
    llvm::ArrayRef<float> levels = codebook.getLevels();
    EXPECT_EQ(levels.size(), size_t(1) << codebook.getBits());
    for (size_t code = 0; code < levels.size(); ++code) {
      if (!std::isfinite(levels[code]))
        continue;
      // Both zeros become +0.
      if (levels[code] == 0)
        EXPECT_EQ(levels[codebook.encode(levels[code])], 0);
      else
        EXPECT_EQ(codebook.encode(levels[code]), code) << name.str();
    }
    EXPECT_TRUE(std::isfinite(levels[codebook.encode(infinity)]));
    EXPECT_TRUE(std::isfinite(levels[codebook.encode(-infinity)]));
  }
}

TEST(Codebook, ValuesTakeTheNearestLevel) {
  Random random(5);
  for (llvm::StringRef name :
       {"nf4", "fp4", "e2m1", "e4m3", "e5m2", "dynamic8"}) {
    Codebook codebook = *Codebook::find(name);
    for (int i = 0; i < 2000; ++i) {
      float value = random.normal() * codebook.getLargest() *
                    std::exp(3 * random.normal() - 4);
      float error =
          std::fabs(value - codebook.getLevels()[codebook.encode(value)]);
      for (float level : codebook.getLevels())
        if (std::isfinite(level))
          EXPECT_LE(error, std::fabs(value - level) * (1 + 1e-6f));
    }
  }
}

TEST(Codebook, Nf4HasAnExactZeroAndEnds) {
  llvm::ArrayRef<float> levels = Codebook::find("nf4")->getLevels();
  EXPECT_EQ(levels[0], -1);
  EXPECT_EQ(levels[7], 0);
  EXPECT_EQ(levels[15], 1);
}

/// The x below which a part `p` of a standard normal distribution lies.
double getNormalQuantile(double p) {
  double lo = -10, hi = 10;
  for (int i = 0; i < 100; ++i) {
    const double mid = (lo + hi) / 2;
    (std::erfc(-mid / std::sqrt(2.0)) / 2 < p ? lo : hi) = mid;
  }
  return lo;
}

// As bitsandbytes makes the table: quantiles of equal distances in probability,
// 8 of them positive and 7 negative, in units of the greatest.
TEST(Codebook, Nf4LevelsAreQuantiles) {
  const double offset = 0.9677083;
  std::vector<double> expected = {0};
  for (int i = 0; i < 8; ++i)
    expected.push_back(getNormalQuantile(offset + (0.5 - offset) * i / 8));
  for (int i = 0; i < 7; ++i)
    expected.push_back(-getNormalQuantile(offset + (0.5 - offset) * i / 7));
  llvm::sort(expected);
  llvm::ArrayRef<float> levels = Codebook::find("nf4")->getLevels();
  ASSERT_EQ(levels.size(), expected.size());
  for (int i = 0; i < 16; ++i)
    EXPECT_NEAR(levels[i], expected[i] / expected.back(), 1e-6);
}

// The decision tree of bitsandbytes' kernel for GPUs: x > threshold takes the
// upper code. Its constants are up to one unit in the last place from the means
// in single precision that its other kernels compute, as we do.
TEST(Codebook, Nf4ThresholdsOfBitsandbytes) {
  const float thresholds[] = {
      -0.8480964004993439f,   -0.6106329262256622f,  -0.4599952697753906f,
      -0.33967943489551544f,  -0.23460740596055984f, -0.13791173323988914f,
      -0.045525018125772476f, 0.03979014977812767f,  0.1202552504837513f,
      0.2035212516784668f,    0.2920137718319893f,   0.3893125355243683f,
      0.5016634166240692f,    0.6427869200706482f,   0.8614784181118011f};
  Codebook nf4 = *Codebook::find("nf4");
  for (int i = 0; i < 15; ++i) {
    const float next = std::nextafter(thresholds[i], infinity);
    EXPECT_EQ(nf4.encode(std::nextafter(thresholds[i], -infinity)), i);
    EXPECT_EQ(nf4.encode(std::nextafter(next, infinity)), i + 1);
  }
}

TEST(Codebook, Fp4CodesOfBitsandbytes) {
  Codebook fp4 = *Codebook::find("fp4");
  const std::pair<float, uint8_t> cases[] = {
      {0.002f, 0}, {0.003f, 1}, {0.08f, 1},  {0.09f, 6},  {0.2f, 6},
      {0.21f, 7},  {0.29f, 7},  {0.3f, 4},   {0.41f, 4},  {0.42f, 5},
      {0.58f, 5},  {0.59f, 2},  {0.833f, 2}, {0.834f, 3}, {1.0f, 3}};
  for (auto [value, code] : cases) {
    EXPECT_EQ(fp4.encode(value), code) << value;
    EXPECT_EQ(fp4.encode(-value), code + 8) << value;
  }
  // In the middle, the one nearer to zero.
  EXPECT_EQ(fp4.encode(0.375f + 0.0416666716f), 4);
  EXPECT_EQ(fp4.encode(-0.375f - 0.0416666716f), 12);
}

TEST(Codebook, MinifloatsRoundTiesToEven) {
  auto roundTo = [](llvm::StringRef name, float value) {
    Codebook codebook = *Codebook::find(name);
    return codebook.getLevels()[codebook.encode(value)];
  };
  EXPECT_EQ(roundTo("e2m1", 0.25f), 0);
  EXPECT_EQ(roundTo("e2m1", 0.75f), 1);
  EXPECT_EQ(roundTo("e2m1", 2.5f), 2);
  EXPECT_EQ(roundTo("e2m1", 5.0f), 4);
  EXPECT_EQ(roundTo("e2m1", -5.0f), -4);
  EXPECT_EQ(roundTo("e2m1", -3.5f), -4);
  EXPECT_EQ(roundTo("e2m1", 100.0f), 6);
  EXPECT_EQ(roundTo("e4m3", 17.0f), 16);
  EXPECT_EQ(roundTo("e4m3", 19.0f), 20);
  EXPECT_EQ(roundTo("e4m3", 0x1p-10f), 0);
  EXPECT_EQ(roundTo("e4m3", 0x1.8p-9f), 0x1p-8f);
  EXPECT_EQ(roundTo("e4m3", 1e9f), 448);
  EXPECT_EQ(roundTo("e5m2", -9.0f), -8);
  EXPECT_EQ(roundTo("e5m2", 1e9f), 57344);
  EXPECT_TRUE(std::signbit(roundTo("e4m3", -1e-9f)));
}

TEST(Codebook, DynamicMap) {
  llvm::ArrayRef<float> levels = Codebook::find("dynamic8")->getLevels();
  EXPECT_EQ(levels.size(), 256u);
  for (size_t i = 1; i < levels.size(); ++i)
    EXPECT_LT(levels[i - 1], levels[i]);
  EXPECT_FLOAT_EQ(levels[0], -0.99296875f);
  EXPECT_EQ(levels[127], 0);
  EXPECT_FLOAT_EQ(levels[128], 5.5e-7f);
  EXPECT_EQ(levels[255], 1);
}

TEST(Codebook, RejectsBadLevels) {
  EXPECT_EQ(getMessage(Codebook::get({1.0f})),
            "a codebook has 2 to 16 levels, got 1");
  EXPECT_EQ(getMessage(Codebook::get(std::vector<float>(17))),
            "a codebook has 2 to 16 levels, got 17");
  EXPECT_EQ(getMessage(Codebook::get({-1.0f, 0.5f, 0.5f})),
            "the levels of a codebook must be finite and ascend, but level 2 "
            "is 0.5 after 0.5");
  EXPECT_EQ(getMessage(Codebook::get({-1.0f, infinity})),
            "the levels of a codebook must be finite and ascend, but level 1 "
            "is inf after -1");
  EXPECT_FALSE(Codebook::find("nf5").has_value());
}

} // namespace
