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
#include <dlfcn.h>
#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#endif

using namespace lowbit;
using llvm::ArrayRef;
using llvm::StringLiteral;
using llvm::StringRef;

/// Whether the system lets this process use the tiles of AMX: it must be asked,
/// for they make the state of threads larger.
static bool requestTiles() {
#if defined(__x86_64__) && defined(__linux__)
  constexpr int requestPermission = 0x1023, tileData = 18;
  return syscall(SYS_arch_prctl, requestPermission, tileData) == 0;
#else
  return false;
#endif
}

/// Whether vectors of SVE have at least 512 bits.
static bool hasLongVectors() {
#if defined(__aarch64__) && defined(__linux__)
  return (getauxval(AT_HWCAP) & HWCAP_SVE) &&
         (prctl(PR_SVE_GET_VL) & PR_SVE_VL_LEN_MASK) >= 64;
#else
  return false;
#endif
}

/// Whether test/tools/amx-emulator is preloaded.
static bool hasEmulatedTiles() {
  static const bool isEmulated = dlsym(RTLD_DEFAULT, "lowbit_emulates_amx");
  return isEmulated;
}

/// What LLVM calls the host; with emulated tiles, a processor that has them, as
/// its backend does not allocate tiles properly for others.
static std::string getHostName() {
  return hasEmulatedTiles() ? "sapphirerapids"
                            : llvm::sys::getHostCPUName().str();
}

/// The features of the host in LLVM's spelling, which complete "native": a
/// virtual machine may lack some that its processor's name implies.
static std::string getHostFeatures() {
  llvm::StringMap<bool> all = llvm::sys::getHostCPUFeatures();
  if (llvm::Triple(llvm::sys::getProcessTriple()).isX86()) {
    static const bool isGranted = requestTiles();
    for (StringRef name : {"amx-tile", "amx-int8", "amx-bf16"})
      all[name] = hasEmulatedTiles() || (all[name] && isGranted);
  }
  // What shorter vectors can do, NEON does with twice as many instructions a
  // cycle.
  if (llvm::Triple(llvm::sys::getProcessTriple()).isAArch64() &&
      !hasLongVectors())
    all["sve"] = false;
  std::string features;
  for (const auto &feature : all) {
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

static llvm::Expected<const llvm::Target *>
lookupTarget(const llvm::Triple &triple) {
  // All that the packaged LLVM has and that models are compiled for.
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmPrinter();
  LLVMInitializeAArch64TargetInfo();
  LLVMInitializeAArch64Target();
  LLVMInitializeAArch64TargetMC();
  LLVMInitializeAArch64AsmPrinter();
  std::string message;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, message);
  if (!target)
    return makeError(message);
  return target;
}

/// The instruction sets on which generated code depends, in the order in which
/// an error names the first that is missing.
static ArrayRef<StringLiteral> getExtensions(const llvm::Triple &triple) {
  static constexpr StringLiteral x86[] = {
      "avx",      "avx2",     "fma",      "f16c",       "avx512f", "avx512bw",
      "avx512dq", "avx512vl", "avx512cd", "avx512vnni", "amx-int8"};
  static constexpr StringLiteral arm[] = {"dotprod", "i8mm", "fullfp16", "sve"};
  return triple.isX86() ? ArrayRef(x86) : ArrayRef(arm);
}

llvm::Expected<CpuTarget> CpuTarget::getFor(const llvm::Triple &triple,
                                            StringRef cpu, StringRef features) {
  llvm::Expected<const llvm::Target *> target = lookupTarget(triple);
  if (!target)
    return target.takeError();
  auto base = makeSubtarget(**target, triple, "", "");
  if (!base->isCPUStringValid(cpu))
    return makeError("unknown processor '" + cpu + "'");
  if (llvm::Error error = checkFeatureNames(*base, features))
    return error;
  auto subtarget = makeSubtarget(**target, triple, cpu, features);
  auto has = [&](StringRef name) {
    return subtarget->checkFeatures(("+" + name).str());
  };

  CpuTarget result;
  result.triple = triple;
  result.cpu = cpu;
  result.features = features;
  for (StringRef extension : getExtensions(triple))
    if (has(extension))
      result.extensions.push_back(extension.str());
  bool isX86 = triple.isX86();
  bool hasAvx512 = isX86 && has("avx512f");
  result.vectorBytes = hasAvx512 ? 64 : isX86 && has("avx") ? 32 : 16;
  result.vectorRegisters = hasAvx512 || !isX86 ? 32 : 16;
  if (isX86 && has("avx512vnni") && has("avx512bw") && has("avx512vl"))
    result.kernels = has("amx-int8") && has("amx-bf16") ? "amx" : "avx512vnni";
  else if (isX86 && has("avx2") && has("fma") && has("f16c"))
    result.kernels = "avx2";
  else if (triple.isAArch64() && has("sve"))
    result.kernels = has("i8mm") ? "sve-i8mm" : "sve";
  else if (triple.isAArch64() && has("dotprod"))
    result.kernels = has("i8mm") ? "i8mm" : "neon";
  return result;
}

llvm::Expected<CpuTarget> CpuTarget::get(StringRef cpu, StringRef features) {
  llvm::Triple triple(llvm::sys::getProcessTriple());
  std::string name = llvm::StringSwitch<std::string>(cpu)
                         .Case("native", getHostName())
                         .Case("avx2", "x86-64-v3")
                         .Cases({"avx512", "amx"}, "x86-64-v4")
                         .Default(cpu.str());
  // Level 4 is older than the dot products that all its processors but the
  // first have.
  std::string all = cpu == "native"   ? getHostFeatures()
                    : cpu == "avx512" ? "+avx512vnni"
                    : cpu == "amx"    ? "+avx512vnni,+amx-int8,+amx-bf16"
                                      : "";
  if (!features.empty())
    all += (all.empty() ? "" : ",") + features.str();
  llvm::Expected<const llvm::Target *> target = lookupTarget(triple);
  if (!target)
    return target.takeError();
  if (!makeSubtarget(**target, triple, "", "")->isCPUStringValid(name))
    return makeError("unknown processor '" + cpu +
                     "'; known are native, avx2, avx512, amx and LLVM's names");
  llvm::Expected<CpuTarget> result = getFor(triple, name, all);
  if (!result)
    return result.takeError();
  llvm::Expected<std::string> missing = result->findMissing();
  if (!missing)
    return missing.takeError();
  if (!missing->empty())
    return makeError("this machine cannot execute code for '" + cpu +
                     "': it lacks " + *missing);
  return result;
}

llvm::Expected<std::string> CpuTarget::findMissing() const {
  llvm::Triple here(llvm::sys::getProcessTriple());
  if (triple.getArch() != here.getArch())
    return triple.getArchName().str();
  llvm::Expected<CpuTarget> native =
      getFor(here, getHostName(), getHostFeatures());
  if (!native)
    return native.takeError();
  for (const std::string &needed : extensions)
    if (!llvm::is_contained(native->extensions, needed))
      return needed;
  return std::string();
}
