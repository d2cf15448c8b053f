//===- Indexing.cpp - verifiers of ops that move elements -----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Verifiers.h"

using namespace mlir;
using namespace lowbit::onnx;

LogicalResult GatherOp::verify() {
  return verifyAxis(*this, "axis", getAxis(), getData());
}

LogicalResult GatherElementsOp::verify() {
  if (RankedTensorType data = getRanked(getData()))
    if (failed(verifyRank(*this, "indices", getIndices(), data.getRank())))
      return failure();
  return verifyAxis(*this, "axis", getAxis(), getData());
}

LogicalResult GatherNDOp::verify() {
  RankedTensorType data = getRanked(getData());
  RankedTensorType indices = getRanked(getIndices());
  if (!data || !indices)
    return success();
  int64_t batch = getBatchDims();
  if (batch < 0 || batch >= std::min(data.getRank(), indices.getRank()))
    return emitOpError() << "batch_dims must be non-negative and less than "
                            "both ranks, got "
                         << batch;
  std::optional<int64_t> depth = getStaticDim(getIndices(), -1);
  if (depth && (*depth < 1 || *depth > data.getRank() - batch))
    return emitOpError() << "the last dimension of 'indices' must be in [1, "
                         << data.getRank() - batch << "], got " << *depth;
  return success();
}

LogicalResult ScatterElementsOp::verify() {
  if (RankedTensorType data = getRanked(getData()))
    if (failed(verifyRank(*this, "indices", getIndices(), data.getRank())) ||
        failed(verifyRank(*this, "updates", getUpdates(), data.getRank())))
      return failure();
  return verifyAxis(*this, "axis", getAxis(), getData());
}

LogicalResult ScatterNDOp::verify() {
  RankedTensorType data = getRanked(getData());
  std::optional<int64_t> depth = getStaticDim(getIndices(), -1);
  if (data && depth && *depth > data.getRank())
    return emitOpError() << "the last dimension of 'indices' must be at most "
                         << data.getRank() << ", got " << *depth;
  return success();
}

LogicalResult TensorScatterOp::verify() {
  if (failed(verifyAxis(*this, "axis", getAxis(), getPastCache())))
    return failure();
  RankedTensorType cache = getRanked(getPastCache());
  if (cache &&
      failed(verifyRank(*this, "update", getUpdate(), cache.getRank())))
    return failure();
  RankedTensorType update = getRanked(getUpdate());
  if (!cache || !update)
    return success();
  int64_t axis = getAxis() < 0 ? getAxis() + cache.getRank() : getAxis();
  if (axis == 0)
    return emitOpError("axis must not be the batch, dimension 0");
  for (int64_t dim = 0; dim < cache.getRank(); ++dim) {
    if (cache.isDynamicDim(dim) || update.isDynamicDim(dim))
      continue;
    if (dim == axis ? update.getDimSize(dim) > cache.getDimSize(dim)
                    : update.getDimSize(dim) != cache.getDimSize(dim))
      return emitOpError() << "'update' must fit into the cache in dimension "
                           << dim << ", got " << update << " and " << cache;
  }
  return verifySameDim(*this, "the batches of the cache and of 'write_indices'",
                       getStaticDim(getPastCache(), 0),
                       isPresent(getWriteIndices())
                           ? getStaticDim(getWriteIndices(), 0)
                           : std::nullopt);
}

LogicalResult OneHotOp::verify() {
  std::optional<int64_t> values = getStaticDim(getValues(), 0);
  if (values && *values != 2)
    return emitOpError() << "'values' must be [off, on], got " << *values
                         << " elements";
  return verifyAxis(*this, "axis", getAxis(), getIndices(), /*extra=*/1);
}

LogicalResult ConcatOp::verify() {
  RankedTensorType first;
  for (Value input : getInputs()) {
    RankedTensorType type = getRanked(input);
    if (!type)
      continue;
    if (failed(verifyAxis(*this, "axis", getAxis(), input)))
      return failure();
    if (!first) {
      first = type;
      continue;
    }
    int64_t rank = first.getRank();
    if (type.getRank() != rank)
      return emitOpError() << "inputs must have one rank, got " << first
                           << " and " << type;
    int64_t axis = getAxis() < 0 ? getAxis() + rank : getAxis();
    for (int64_t dim = 0; dim < rank; ++dim)
      if (dim != axis && !first.isDynamicDim(dim) && !type.isDynamicDim(dim) &&
          first.getDimSize(dim) != type.getDimSize(dim))
        return emitOpError() << "inputs must agree in dimension " << dim
                             << ", got " << first << " and " << type;
  }
  return success();
}

LogicalResult SplitOp::verify() {
  size_t numResults = getOutputs().size();
  if (isPresent(getSplit())) {
    if (getNumOutputs())
      return emitOpError("must not have both 'split' and num_outputs");
    std::optional<int64_t> parts = getStaticDim(getSplit(), 0);
    if (parts && *parts != static_cast<int64_t>(numResults))
      return emitOpError() << "'split' has " << *parts << " elements, but "
                           << numResults << " results";
  } else if (getNumOutputs() &&
             *getNumOutputs() != static_cast<int64_t>(numResults)) {
    return emitOpError() << "num_outputs is " << *getNumOutputs() << ", but "
                         << numResults << " results";
  }
  return verifyAxis(*this, "axis", getAxis(), getInput());
}

LogicalResult TransposeOp::verify() {
  std::optional<ArrayRef<int64_t>> perm = getPerm();
  if (!perm)
    return success();
  RankedTensorType data = getRanked(getData());
  if (data && data.getRank() != static_cast<int64_t>(perm->size()))
    return emitOpError() << "perm has " << perm->size() << " elements, but "
                         << data << " has rank " << data.getRank();
  SmallVector<bool> seen(perm->size());
  for (int64_t dim : *perm) {
    if (dim < 0 || dim >= static_cast<int64_t>(perm->size()) || seen[dim])
      return emitOpError() << "perm must be a permutation of 0 to "
                           << perm->size() - 1 << ", got [" << *perm << "]";
    seen[dim] = true;
  }
  return success();
}
