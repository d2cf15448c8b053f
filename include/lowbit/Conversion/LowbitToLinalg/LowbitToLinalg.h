//===- LowbitToLinalg.h - patterns of the reference lowering ----*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_CONVERSION_LOWBITTOLINALG_LOWBITTOLINALG_H
#define LOWBIT_CONVERSION_LOWBITTOLINALG_LOWBITTOLINALG_H

#include "mlir/Transforms/DialectConversion.h"

namespace lowbit {

/// Converts a quantized tensor to the component tensors of its format. All
/// other types are kept.
class ComponentTypeConverter : public mlir::TypeConverter {
public:
  ComponentTypeConverter();
};

/// The patterns that turn lowbit operations into linalg. With `keepMatmul`,
/// products with unpacked weights, too, become `lowbit.packed_matmul`.
void populateLowbitToLinalgPatterns(const ComponentTypeConverter &converter,
                                    mlir::RewritePatternSet &patterns,
                                    bool keepMatmul = false);

} // namespace lowbit

#endif // LOWBIT_CONVERSION_LOWBITTOLINALG_LOWBITTOLINALG_H
