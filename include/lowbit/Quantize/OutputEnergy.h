//===- OutputEnergy.h - Squares of what a weight makes of inputs *- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_OUTPUTENERGY_H
#define LOWBIT_QUANTIZE_OUTPUTENERGY_H

#include "lowbit/Quantize/Hessian.h"

namespace lowbit {

/// tr(M H Mᵀ) for a matrix [out, in]: with H = 2/N sum XᵀX that is 2/N
/// ||X Mᵀ||², the energy of the outputs of weights M, or, for the rounding
/// error of weights, that of the error of the outputs. The sum does not depend
/// on `threads`; 0 takes all processors.
double getOutputEnergy(const Hessian &hessian, ConstMatrixView matrix,
                       unsigned threads = 0);

/// tr(H) / K for K input channels: the mean of the eigenvalues of H, which
/// HAWQ-V2 (Dong et al. 2020, arXiv 1911.03852) takes for the sensitivity of a
/// layer.
double getMeanTrace(const Hessian &hessian);

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_OUTPUTENERGY_H
