//===- Conversion.h - Exactly the same values in another format  -*- C++
//-*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_CONVERSION_H
#define LOWBIT_QUANTIZE_CONVERSION_H

#include "lowbit/Quantize/BlockFormat.h"

namespace lowbit {

/// Stores exactly what components in the format `from` decode to in the format
/// `to`, with parameters that `MatrixEncoder::fitExactly` finds. Fails with the
/// first value that is another one then.
llvm::Expected<QuantizedMatrix>
convertExactly(const BlockFormat &from, int64_t rows, int64_t cols,
               llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components,
               const BlockFormat &to, unsigned threads = 0);

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_CONVERSION_H
