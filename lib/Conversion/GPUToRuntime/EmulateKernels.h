//===- EmulateKernels.h - kernels as host functions ----------- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CONVERSION_GPUTORUNTIME_EMULATEKERNELS_H
#define LOWBIT_LIB_CONVERSION_GPUTORUNTIME_EMULATEKERNELS_H

#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/BuiltinOps.h"

namespace lowbit {

/// Whether the threads of a block must run side by side: they wait for each
/// other or exchange values.
bool isCooperative(mlir::gpu::GPUFuncOp kernel);

/// The name of what the host's program has for a kernel, which may have the
/// name of a function of the host or of a kernel of another module.
std::string getHostName(mlir::StringAttr device, mlir::StringAttr kernel);

/// Makes a host function of each kernel of `device` that runs one thread of it,
/// and a function of the kernel's host name that takes the kernel's arguments
/// as an array of pointers to them, as a driver does. The identity of the
/// thread, barriers and shuffles become calls of the emulator.
mlir::LogicalResult emulateKernels(mlir::gpu::GPUModuleOp device,
                                   const mlir::LLVMTypeConverter &converter);

/// Declares a private function of the runtime, unless it is declared.
mlir::func::FuncOp declareRuntimeFunction(mlir::ModuleOp module,
                                          llvm::StringRef name,
                                          mlir::FunctionType type);

} // namespace lowbit

#endif // LOWBIT_LIB_CONVERSION_GPUTORUNTIME_EMULATEKERNELS_H
