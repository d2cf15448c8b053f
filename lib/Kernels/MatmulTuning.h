//===- MatmulTuning.h - tiles that are not the cost model's -----*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_KERNELS_MATMULTUNING_H
#define LOWBIT_LIB_KERNELS_MATMULTUNING_H

#include "PanelMatmul.h"

namespace lowbit {

/// Fails, with a reason, if a kernel cannot compute in these tiles.
llvm::LogicalResult checkTiles(const PanelMatmulSpec &spec,
                               const CpuKernelOptions &options,
                               llvm::ArrayRef<MatmulTile> tiles,
                               std::string &reason);

/// Lists of tiles that may be faster than `tiles` for the tokens that go to the
/// one at `index`.
llvm::SmallVector<llvm::SmallVector<MatmulTile>>
getAlternativeTiles(const PanelMatmulSpec &spec,
                    const CpuKernelOptions &options,
                    llvm::ArrayRef<MatmulTile> tiles, unsigned index);

} // namespace lowbit

#endif // LOWBIT_LIB_KERNELS_MATMULTUNING_H
