//===- LowerOutliers.h - columns with outliers in linalg --------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CONVERSION_LOWBITTOLINALG_LOWEROUTLIERS_H
#define LOWBIT_LIB_CONVERSION_LOWBITTOLINALG_LOWEROUTLIERS_H

#include "mlir/Transforms/DialectConversion.h"

namespace lowbit {

void populateOutlierPatterns(const mlir::TypeConverter &converter,
                             mlir::RewritePatternSet &patterns);

} // namespace lowbit

#endif // LOWBIT_LIB_CONVERSION_LOWBITTOLINALG_LOWEROUTLIERS_H
