//===- CompileTargetTest.cpp - what --target= stands for ----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Compile/CompileTarget.h"
#include "llvm/ADT/StringExtras.h"
#include "gtest/gtest.h"

using namespace lowbit;

static std::string getMessage(llvm::StringRef text) {
  llvm::Expected<CompileTarget> target = CompileTarget::parse(text);
  return target ? "no error" : llvm::toString(target.takeError());
}

static CpuTarget getLevel(llvm::StringRef text) {
  llvm::Expected<CompileTarget> target = CompileTarget::parse(text);
  EXPECT_TRUE(bool(target)) << text.str();
  if (!target) {
    llvm::consumeError(target.takeError());
    return {};
  }
  EXPECT_EQ(target->levels.size(), 1u);
  return target->levels.front();
}

TEST(CompileTargetTest, LevelsOfX86) {
  CpuTarget avx2 = getLevel("x86-64-v3");
  EXPECT_EQ(avx2.kernels, "avx2");
  EXPECT_EQ(avx2.vectorBytes, 32u);
  EXPECT_EQ(llvm::join(avx2.extensions, " "), "avx avx2 fma f16c");
  CpuTarget vnni = getLevel("x86-64-v4+vnni");
  EXPECT_EQ(vnni.kernels, "avx512vnni");
  EXPECT_EQ(vnni.vectorBytes, 64u);
  EXPECT_EQ(vnni.vectorRegisters, 32u);
  EXPECT_EQ(getLevel("x86-64-v4+vnni+amx-int8+amx-bf16").kernels, "amx");
  EXPECT_EQ(getLevel("x86-64-v4").kernels, "avx2");
  EXPECT_EQ(getLevel("x86-64+avx2+fma+f16c").kernels, "avx2");
  EXPECT_EQ(getLevel("x86-64-v2").kernels, "");
  EXPECT_TRUE(getLevel("x86-64-v2").extensions.empty());
}

TEST(CompileTargetTest, Arm) {
  CpuTarget plain = getLevel("aarch64+neon");
  EXPECT_EQ(plain.kernels, "");
  EXPECT_EQ(plain.vectorBytes, 16u);
  EXPECT_EQ(getLevel("aarch64+dotprod").kernels, "neon");
  CpuTarget i8mm = getLevel("aarch64+dotprod+i8mm");
  EXPECT_EQ(i8mm.kernels, "i8mm");
  EXPECT_EQ(llvm::join(i8mm.extensions, " "), "dotprod i8mm");
  CpuTarget sve = getLevel("aarch64+sve");
  EXPECT_EQ(sve.kernels, "sve");
  EXPECT_EQ(llvm::join(sve.extensions, " "), "fullfp16 sve");
  EXPECT_EQ(getLevel("aarch64+sve+i8mm").kernels, "sve-i8mm");
}

TEST(CompileTargetTest, SeveralLevels) {
  llvm::Expected<CompileTarget> target = CompileTarget::parse("x86-64");
  ASSERT_TRUE(bool(target));
  ASSERT_EQ(target->levels.size(), 3u);
  EXPECT_EQ(target->levels[0].kernels, "avx2");
  EXPECT_EQ(target->levels[1].kernels, "avx512vnni");
  EXPECT_EQ(target->levels[2].kernels, "amx");
  target = CompileTarget::parse("aarch64");
  ASSERT_TRUE(bool(target));
  ASSERT_EQ(target->levels.size(), 3u);
  EXPECT_EQ(target->levels[0].kernels, "neon");
  EXPECT_EQ(target->levels[1].kernels, "sve");
  EXPECT_EQ(target->levels[2].kernels, "i8mm");
}

TEST(CompileTargetTest, Gpu) {
  llvm::Expected<CompileTarget> target = CompileTarget::parse("sm_90");
  ASSERT_TRUE(bool(target));
  EXPECT_EQ(target->chip, "sm_90");
  // The host.
  ASSERT_EQ(target->levels.size(), 1u);
  EXPECT_EQ(target->levels.front().kernels, "");
}

TEST(CompileTargetTest, NamesWhatIsUnknown) {
  for (const char *text : {"", "x86", "x86-64-v5", "sm_7", "aarch32", "+avx2"})
    EXPECT_NE(getMessage(text).find("unknown target '" + std::string(text)),
              std::string::npos)
        << getMessage(text);
  EXPECT_EQ(getMessage("x86-64-v3+warp"),
            "target 'x86-64-v3+warp': unknown processor feature 'warp'");
  EXPECT_EQ(getMessage("aarch64+"),
            "target 'aarch64+' has a '+' without a feature");
}
