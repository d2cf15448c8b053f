//===- CpuTarget.cpp - the processor that code is made for ----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Execution/CpuTarget.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"

using namespace lowbit;
using llvm::StringRef;

/// The features of the host in LLVM's spelling, which complete "native": a
/// virtual machine may lack some that its processor's name implies.
static std::string getHostFeatures() {
  std::string features;
  for (const auto &feature : llvm::sys::getHostCPUFeatures()) {
    features += features.empty() ? "" : ",";
    features += (feature.second ? "+" : "-") + feature.first().str();
  }
  return features;
}

static std::unique_ptr<llvm::MCSubtargetInfo>
makeSubtarget(const llvm::Target &target, const llvm::Triple &triple,
              StringRef cpu, StringRef features) {
  return std::unique_ptr<llvm::MCSubtargetInfo>(
      target.createMCSubtargetInfo(triple, cpu, features));
}

static llvm::Error checkFeatureNames(const llvm::MCSubtargetInfo &subtarget,
                                     StringRef features) {
  llvm::SmallVector<StringRef> names;
  features.split(names, ',', -1, /*KeepEmpty=*/false);
  for (StringRef name : names) {
    StringRef plain = name;
    if (!plain.consume_front("+") && !plain.consume_front("-"))
      return makeError("feature '" + name + "' must start with + or -");
    if (llvm::none_of(subtarget.getAllProcessorFeatures(),
                      [&](const llvm::SubtargetFeatureKV &known) {
                        return plain == known.Key;
                      }))
      return makeError("unknown processor feature '" + plain + "'");
  }
  return llvm::Error::success();
}

llvm::Expected<CpuTarget> CpuTarget::get(StringRef cpu, StringRef features) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  llvm::Triple triple(llvm::sys::getProcessTriple());
  std::string message;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, message);
  if (!target)
    return makeError(message);

  CpuTarget result;
  result.features = features.str();
  if (cpu == "native") {
    result.cpu = llvm::sys::getHostCPUName().str();
    result.features = getHostFeatures();
    if (!features.empty())
      result.features += "," + features.str();
  } else {
    result.cpu = llvm::StringSwitch<StringRef>(cpu)
                     .Case("avx2", "x86-64-v3")
                     .Case("avx512", "x86-64-v4")
                     .Default(cpu);
    // Level 4 is older than the dot products that all its processors but the
    // first have.
    if (cpu == "avx512")
      result.features =
          "+avx512vnni" + (features.empty() ? "" : "," + features.str());
  }

  auto host = makeSubtarget(*target, triple, "", "");
  if (!host->isCPUStringValid(result.cpu))
    return makeError("unknown processor '" + cpu +
                     "'; known are native, avx2, avx512 and LLVM's names");
  if (llvm::Error error = checkFeatureNames(*host, features))
    return error;
  auto subtarget = makeSubtarget(*target, triple, result.cpu, result.features);
  auto native = makeSubtarget(*target, triple, llvm::sys::getHostCPUName(),
                              getHostFeatures());
  for (StringRef needed : {"avx2", "fma", "avx512f", "avx512bw", "avx512vl",
                           "avx512vnni", "amx-int8"})
    if (subtarget->checkFeatures(("+" + needed).str()) &&
        !native->checkFeatures(("+" + needed).str()))
      return makeError("this machine cannot execute code for '" + cpu +
                       "': it lacks " + needed);

  bool isX86 = triple.isX86();
  bool hasAvx512 = isX86 && subtarget->checkFeatures("+avx512f");
  bool hasAvx = isX86 && subtarget->checkFeatures("+avx");
  result.vectorBytes = hasAvx512 ? 64 : hasAvx ? 32 : 16;
  result.vectorRegisters = hasAvx512 || !isX86 ? 32 : 16;
  auto has = [&](StringRef name) {
    return subtarget->checkFeatures(("+" + name).str());
  };
  if (isX86 && has("avx512vnni") && has("avx512bw") && has("avx512vl"))
    result.kernels = "avx512vnni";
  else if (isX86 && has("avx2") && has("fma") && has("f16c"))
    result.kernels = "avx2";
  else if (triple.isAArch64() && has("dotprod"))
    result.kernels = "neon";
  return result;
}
