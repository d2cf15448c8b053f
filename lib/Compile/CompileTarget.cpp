//===- CompileTarget.cpp - what to compile for ----------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Compile/CompileTarget.h"
#include "lowbit/Conversion/LowbitToNvptx/LowbitToNvptx.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/TargetParser/Host.h"

using namespace lowbit;
using llvm::StringRef;

static constexpr llvm::StringLiteral kLinuxX86 = "x86_64-unknown-linux-gnu";
static constexpr llvm::StringLiteral kLinuxArm = "aarch64-unknown-linux-gnu";

/// LLVM's name of a feature that users know by another.
static StringRef getFeatureName(StringRef name) {
  return llvm::StringSwitch<StringRef>(name)
      .Case("vnni", "avx512vnni")
      .Case("fp16", "fullfp16")
      .Default(name);
}

/// "a+b" as LLVM spells it: "+a,+b".
static llvm::Expected<std::string> getFeatures(StringRef text,
                                               StringRef target) {
  std::string features;
  llvm::SmallVector<StringRef> names;
  text.split(names, '+');
  for (StringRef name : names) {
    if (name.empty())
      return makeError("target '" + target + "' has a '+' without a feature");
    features += (features.empty() ? "+" : ",+") + getFeatureName(name).str();
  }
  return features;
}

static llvm::Error addLevel(CompileTarget &target, StringRef cpu,
                            StringRef features) {
  llvm::Expected<CpuTarget> level =
      CpuTarget::getFor(target.triple, cpu, features);
  if (!level)
    return level.takeError();
  target.levels.push_back(std::move(*level));
  return llvm::Error::success();
}

static llvm::Expected<CompileTarget> getNative() {
  llvm::Expected<CpuTarget> host = CpuTarget::get();
  if (!host)
    return host.takeError();
  CompileTarget target;
  target.triple = host->triple;
  target.levels = {std::move(*host)};
  return target;
}

/// One library for all machines with AVX2.
static llvm::Expected<CompileTarget> getAllX86() {
  CompileTarget target;
  target.triple = llvm::Triple(kLinuxX86);
  if (llvm::Error error = addLevel(target, "x86-64-v3", ""))
    return error;
  if (llvm::Error error = addLevel(target, "x86-64-v4", "+avx512vnni"))
    return error;
  if (llvm::Error error =
          addLevel(target, "x86-64-v4", "+avx512vnni,+amx-int8,+amx-bf16"))
    return error;
  return target;
}

/// One library for all machines with dot products, or with vectors of 512 bits.
static llvm::Expected<CompileTarget> getAllArm() {
  CompileTarget target;
  target.triple = llvm::Triple(kLinuxArm);
  for (StringRef features : {"+dotprod", "+sve", "+dotprod,+i8mm"})
    if (llvm::Error error = addLevel(target, "generic", features))
      return error;
  return target;
}

/// A GPU in any machine of this machine's architecture.
static llvm::Expected<CompileTarget> getGpu(StringRef chip) {
  CompileTarget target;
  target.chip = chip;
  bool isArm = llvm::Triple(llvm::sys::getDefaultTargetTriple()).isAArch64();
  target.triple = llvm::Triple(isArm ? kLinuxArm : kLinuxX86);
  if (llvm::Error error = addLevel(target, isArm ? "generic" : "x86-64", ""))
    return error;
  // Kernels for GPUs read weights as the solvers store them.
  target.levels.front().kernels.clear();
  return target;
}

llvm::Expected<CompileTarget> CompileTarget::parse(StringRef text) {
  if (text == "native")
    return getNative();
  if (text == "x86-64")
    return getAllX86();
  if (text == "aarch64")
    return getAllArm();
  if (isNvptxChip(text))
    return getGpu(text);
  CompileTarget target;
  auto [base, list] = text.split('+');
  bool isX86 =
      llvm::StringSwitch<bool>(base)
          .Cases({"x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4"}, true)
          .Default(false);
  if (!isX86 && base != "aarch64")
    return makeError("unknown target '" + text +
                     "'; known are native, x86-64, x86-64-v2, x86-64-v3, "
                     "x86-64-v4 and aarch64, with +feature behind them, and "
                     "GPUs such as sm_80");
  target.triple = llvm::Triple(isX86 ? kLinuxX86 : kLinuxArm);
  std::string features;
  if (text.contains('+')) {
    llvm::Expected<std::string> parsed = getFeatures(list, text);
    if (!parsed)
      return parsed.takeError();
    features = std::move(*parsed);
  }
  if (llvm::Error error = addLevel(target, isX86 ? base : "generic", features))
    return makeError("target '" + text +
                     "': " + llvm::toString(std::move(error)));
  return target;
}
