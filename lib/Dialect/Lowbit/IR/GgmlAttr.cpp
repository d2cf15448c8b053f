//===- GgmlAttr.cpp - the block types of GGML -----------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace lowbit;

std::shared_ptr<const BlockFormat> GgmlAttr::getBlockFormat() const {
  return std::make_shared<GgmlFormat>(getType());
}

int64_t GgmlAttr::getGroupCols(ArrayRef<int64_t>) const {
  return getLayout().groupCols;
}

/// The first type of the chain of fallbacks that holds rows of `cols`, or
/// nothing.
static const GgmlLayout *findFallback(const GgmlLayout &layout, int64_t cols) {
  for (std::optional<GgmlType> type = layout.fallback; type;
       type = getGgmlLayout(*type).fallback)
    if (cols % getGgmlLayout(*type).blockCols == 0)
      return &getGgmlLayout(*type);
  return nullptr;
}

LogicalResult GgmlAttr::verifyShape(
    ArrayRef<int64_t> shape,
    llvm::function_ref<InFlightDiagnostic()> emitError) const {
  const GgmlLayout &layout = getLayout();
  if (shape.empty())
    return emitError() << layout.name
                       << " stores tensors of at least one dimension, got a "
                          "scalar";
  const int64_t cols = shape.back();
  if (ShapedType::isDynamic(cols))
    return emitError() << "the last dimension must be static, because "
                       << layout.name << " cuts it into blocks";
  if (cols == 0)
    return emitError() << "the last dimension must not be empty";
  if (cols % layout.blockCols == 0)
    return success();
  InFlightDiagnostic diagnostic =
      emitError() << layout.name << " has blocks of " << layout.blockCols
                  << " columns, which do not divide the " << cols << "; ";
  if (const GgmlLayout *fallback = findFallback(layout, cols))
    return diagnostic << "ggml falls back to " << fallback->name;
  return diagnostic << "no type of ggml's does, use #lowbit.float<f16>";
}

SmallVector<FormatComponent>
GgmlAttr::getComponents(ArrayRef<int64_t> shape) const {
  SmallVector<int64_t> stored(shape);
  stored.back() = shape.back() / getLayout().blockCols * getLayout().blockBytes;
  return {{"blocks",
           RankedTensorType::get(stored, IntegerType::get(getContext(), 8))}};
}

Attribute GgmlAttr::parse(AsmParser &parser, Type) {
  StringRef name;
  if (parser.parseLess())
    return {};
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseKeyword(&name))
    return {};
  std::optional<GgmlType> type = getGgmlType(name);
  if (!type) {
    InFlightDiagnostic diagnostic =
        parser.emitError(loc, "the type must be one of ");
    llvm::interleaveComma(
        getGgmlLayouts(), diagnostic,
        [&](const GgmlLayout &layout) { diagnostic << layout.name; });
    diagnostic << ", got '" << name << "'";
    return {};
  }
  if (parser.parseGreater())
    return {};
  return get(parser.getContext(), *type);
}

void GgmlAttr::print(AsmPrinter &printer) const {
  printer << '<' << getLayout().name << '>';
}
