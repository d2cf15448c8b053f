//===- LowbitToCpu.h - models to x86 and ARM --------------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_CONVERSION_LOWBITTOCPU_LOWBITTOCPU_H
#define LOWBIT_CONVERSION_LOWBITTOCPU_LOWBITTOCPU_H

#include "lowbit/Conversion/LinalgToCpu/Passes.h"
#include "lowbit/Conversion/LowbitToCpu/KvCache.h"

namespace lowbit {

/// Brings a graph into the form that is lowered to the fastest code, and its
/// quantized weights into the layout of the kernels, if there are any for the
/// target. Past and present keys and values of a decoder become what `kvCache`
/// says.
void buildPackingPhase(mlir::OpPassManager &pm, llvm::StringRef kernels,
                       KvCache kvCache = KvCache::AsIs);

/// Lowers what `buildPackingPhase` leaves, or a module of any later phase, to
/// the LLVM dialect, or to `stopAfter`.
void buildLowerPackedToCpu(mlir::OpPassManager &pm,
                           const CpuLoweringOptions &options);

/// Instruction sets that there are kernels for.
enum class X86Level { Avx2, Avx512Vnni, Amx };

struct LowerToX86Options : CpuPipelineOptions<LowerToX86Options> {
  Option<X86Level> level{
      *this, "level", llvm::cl::desc("The instruction set"),
      llvm::cl::init(X86Level::Avx2),
      llvm::cl::values(
          clEnumValN(X86Level::Avx2, "avx2", "AVX2, FMA and F16C"),
          clEnumValN(X86Level::Avx512Vnni, "avx512vnni",
                     "AVX-512 F, BW, VL and VNNI"),
          clEnumValN(X86Level::Amx, "amx", "the same, AMX-INT8 and AMX-BF16"))};
};

enum class ArmLevel { Neon, I8mm, Sve, SveI8mm };

struct LowerToArmOptions : CpuPipelineOptions<LowerToArmOptions> {
  Option<ArmLevel> level{
      *this, "level", llvm::cl::desc("The instruction set"),
      llvm::cl::init(ArmLevel::Neon),
      llvm::cl::values(
          clEnumValN(ArmLevel::Neon, "neon", "NEON with dotprod"),
          clEnumValN(ArmLevel::I8mm, "i8mm", "the same and I8MM"),
          clEnumValN(ArmLevel::Sve, "sve", "SVE"),
          clEnumValN(ArmLevel::SveI8mm, "sve-i8mm", "SVE and I8MM"))};
};

/// Both phases for one architecture, from a module in any phase.
void buildLowerToX86(mlir::OpPassManager &pm, const LowerToX86Options &options);
void buildLowerToArm(mlir::OpPassManager &pm, const LowerToArmOptions &options);

/// `--lower-to-x86` and `--lower-to-arm`.
void registerLowbitToCpuPipelines();

} // namespace lowbit

#endif // LOWBIT_CONVERSION_LOWBITTOCPU_LOWBITTOCPU_H
