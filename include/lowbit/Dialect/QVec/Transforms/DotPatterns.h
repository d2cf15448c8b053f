//===- DotPatterns.h - bringing dot products to a target's shape - -*- C++
//-*--===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_QVEC_TRANSFORMS_DOTPATTERNS_H
#define LOWBIT_DIALECT_QVEC_TRANSFORMS_DOTPATTERNS_H

#include "mlir/IR/PatternMatch.h"

namespace lowbit::qvec {

/// Splits a `qvec.dot` of more than `lanes` 32-bit lanes into several of that
/// many.
void populateSplitDotLanesPatterns(mlir::RewritePatternSet &patterns,
                                   int64_t lanes);

/// Splits a `qvec.dot` whose codes exceed 127 into the dot product of their low
/// seven bits and that of their top bits, for instructions that read codes as
/// signed or that saturate.
void populateSplitDotRangePatterns(mlir::RewritePatternSet &patterns);

/// Expands `qvec.mul_add` for targets that multiply whole lanes as fast as
/// halves.
void populateExpandMulAddPatterns(mlir::RewritePatternSet &patterns);

} // namespace lowbit::qvec

#endif // LOWBIT_DIALECT_QVEC_TRANSFORMS_DOTPATTERNS_H
