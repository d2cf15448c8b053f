//===- Attention.cpp - verifiers of attention and its parts ---------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Verifiers.h"

using namespace mlir;
using namespace lowbit::onnx;

LogicalResult RotaryEmbeddingOp::verify() {
  RankedTensorType x = getRanked(getX());
  if (x && x.getRank() != 3 && x.getRank() != 4)
    return emitOpError() << "'X' must have rank 3 or 4, got " << x;
  if (x && x.getRank() == 3 && !getNumHeads())
    return emitOpError("with 'X' of rank 3 needs num_heads");
  // With position ids the caches are tables, else one row for each position.
  int64_t rank = isPresent(getPositionIds()) ? 2 : 3;
  if (failed(verifyRank(*this, "cos_cache", getCosCache(), rank)) ||
      failed(verifyRank(*this, "sin_cache", getSinCache(), rank)))
    return failure();
  return verifySameDim(*this, "the last dimensions of the caches",
                       getStaticDim(getCosCache(), -1),
                       getStaticDim(getSinCache(), -1));
}

LogicalResult AttentionOp::verify() {
  RankedTensorType q = getRanked(getQ());
  if (q && q.getRank() != 3 && q.getRank() != 4)
    return emitOpError() << "'Q' must have rank 3 or 4, got " << q;
  if (q && (failed(verifyRank(*this, "K", getK(), q.getRank())) ||
            failed(verifyRank(*this, "V", getV(), q.getRank()))))
    return failure();
  if (q && q.getRank() == 3 && (!getQNumHeads() || !getKvNumHeads()))
    return emitOpError("with 'Q' of rank 3 needs q_num_heads and kv_num_heads");
  if (isPresent(getPastKey()) != isPresent(getPastValue()))
    return emitOpError("needs both of 'past_key' and 'past_value', or neither");
  std::optional<int64_t> queryHeads = getQNumHeads(),
                         keyHeads = getKvNumHeads();
  if (q && q.getRank() == 4) {
    queryHeads = getStaticDim(getQ(), 1);
    keyHeads = getStaticDim(getK(), 1);
  }
  if (queryHeads && keyHeads &&
      (*keyHeads <= 0 || *queryHeads % *keyHeads != 0))
    return emitOpError() << "the number of query heads, " << *queryHeads
                         << ", must be a multiple of the number of key heads, "
                         << *keyHeads;
  return verifySameDim(*this, "the sequence lengths of 'K' and 'V'",
                       getStaticDim(getK(), -2), getStaticDim(getV(), -2));
}
