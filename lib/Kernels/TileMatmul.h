//===- TileMatmul.h - products of panels by a matrix unit -------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_KERNELS_TILEMATMUL_H
#define LOWBIT_LIB_KERNELS_TILEMATMUL_H

#include "PanelKernel.h"

namespace lowbit {

/// Computes as many of `tokens` tokens as fill tiles of 16, by a matrix unit.
/// Returns their number. The weight is of codes or of bf16.
mlir::Value buildTileMatmul(const PanelKernelBuilder &kernel,
                            const MatrixUnit &unit, mlir::Value tokens);

/// Products of tiles for one weight and token; groups fill them well or badly.
double countTileProducts(const PanelMatmulSpec &spec, const MatrixUnit &unit);

} // namespace lowbit

#endif // LOWBIT_LIB_KERNELS_TILEMATMUL_H
