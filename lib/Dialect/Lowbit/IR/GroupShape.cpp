//===- GroupShape.cpp - blocks of elements that share a scale -------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GroupShape.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lowbit;

static ParseResult parseSize(AsmParser &parser, int64_t &size) {
  if (succeeded(parser.parseOptionalStar())) {
    size = 0;
    return success();
  }
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseInteger(size))
    return failure();
  if (size < 1)
    return parser.emitError(loc)
           << "a group size is positive, or * for the whole dimension, got "
           << size;
  return success();
}

FailureOr<GroupShape> GroupShape::parse(AsmParser &parser) {
  GroupShape group;
  if (parser.parseKeyword("group") || parser.parseEqual() ||
      parser.parseLSquare() || parseSize(parser, group.rows) ||
      parser.parseComma() || parseSize(parser, group.cols) ||
      parser.parseRSquare())
    return failure();
  return group;
}

void GroupShape::print(AsmPrinter &printer) const {
  auto printSize = [&](int64_t size) {
    if (size == 0)
      printer << '*';
    else
      printer << size;
  };
  printer << "group = [";
  printSize(rows);
  printer << ", ";
  printSize(cols);
  printer << ']';
}

static bool isCut(int64_t size, int64_t group) {
  return group != 0 && size % group != 0;
}

bool GroupShape::needsPadding(ArrayRef<int64_t> shape) const {
  return isCut(shape.back(), cols) ||
         (shape.size() == 2 && rows > 1 && isCut(shape.front(), rows));
}

LogicalResult
GroupShape::verify(ArrayRef<int64_t> shape, bool padded, StringRef what,
                   llvm::function_ref<InFlightDiagnostic()> emitError) const {
  if (shape.empty())
    return emitError() << what
                       << " stores tensors of at least one dimension, got a "
                          "scalar";
  if (ShapedType::isDynamic(shape.back()))
    return emitError() << "the last dimension must be static, because codes "
                          "are packed along it";
  if (shape.back() == 0)
    return emitError() << "the last dimension must not be empty";
  auto needsPad = [&](int64_t group, StringRef what, int64_t size) {
    return emitError() << "groups of " << group << " " << what
                       << " do not divide the " << size
                       << "; state the padding with 'pad'";
  };
  if (!padded && isCut(shape.back(), cols))
    return needsPad(cols, "columns", shape.back());
  if (rows <= 1)
    return success();
  if (shape.size() != 2)
    return emitError() << "groups of " << rows << " rows need a matrix, got "
                       << shape.size() << " dimensions";
  if (ShapedType::isDynamic(shape.front()))
    return emitError() << "groups of " << rows
                       << " rows need a static number of rows";
  if (!padded && isCut(shape.front(), rows))
    return needsPad(rows, "rows", shape.front());
  return success();
}

SmallVector<int64_t> GroupShape::getGrid(ArrayRef<int64_t> shape) const {
  SmallVector<int64_t> grid(shape);
  grid.back() = llvm::divideCeil(shape.back(), getCols(shape));
  if (rows != 1)
    for (int64_t &size : llvm::MutableArrayRef(grid).drop_back())
      size = rows == 0 ? 1 : llvm::divideCeil(size, rows);
  return grid;
}
