//===- Npy.h - numpy's files of arrays ------------------------ -*- C++
//-*--===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_SUPPORT_NPY_H
#define LOWBIT_SUPPORT_NPY_H

#include "lowbit/Support/Tensor.h"
#include "llvm/Support/Error.h"

namespace lowbit {

/// Reads the content of a `.npy` file: little-endian, C order, any element type
/// of `ElementType` that numpy has. `name` serves the messages only.
llvm::Expected<Tensor> parseNpy(llvm::ArrayRef<char> content,
                                llvm::StringRef name);
llvm::Expected<Tensor> readNpy(llvm::StringRef path);

/// The content of a `.npy` file that holds `tensor`.
llvm::Expected<std::string> serializeNpy(const Tensor &tensor);
llvm::Error writeNpy(llvm::StringRef path, const Tensor &tensor);

/// Reads and writes `.npz` files, which are zip archives of `.npy` files named
/// after their arrays. Writing replaces the file at once or not at all.
llvm::Expected<NamedTensors> readNpz(llvm::StringRef path);
llvm::Error writeNpz(llvm::StringRef path, const NamedTensors &tensors);

} // namespace lowbit

#endif // LOWBIT_SUPPORT_NPY_H
