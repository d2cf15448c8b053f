//===- ConvertFormats.cpp - the same weights in another format ------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FormatNames.h"
#include "lowbit/Calibration/LayerWeight.h"
#include "lowbit/Calibration/Passes.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "lowbit/Dialect/Lowbit/IR/NodeName.h"
#include "lowbit/Quantize/Conversion.h"
#include "lowbit/Support/NameFilter.h"
#include "lowbit/Support/OutputFile.h"

namespace lowbit {
#define GEN_PASS_DEF_CONVERTFORMATS
#include "lowbit/Calibration/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

namespace {
struct ConvertFormatsPass final
    : lowbit::impl::ConvertFormatsBase<ConvertFormatsPass> {
  using ConvertFormatsBase::ConvertFormatsBase;

  void runOnOperation() override;
  llvm::Error run();
  llvm::Error convert(ConstantOp constant, const NamedFormat &target,
                      StringRef name);
};
} // namespace

/// That of the first layer that reads the weight.
static StringRef getLayerName(ConstantOp constant) {
  for (Operation *user : constant->getUsers())
    if (StringRef name = getNodeName(user->getLoc()); !name.empty())
      return name;
  return getNodeName(constant.getLoc());
}

llvm::Error ConvertFormatsPass::convert(ConstantOp constant,
                                        const NamedFormat &target,
                                        StringRef name) {
  QuantTensorType from = constant.getType();
  if (from.getLayout())
    return makeError("it is packed for a target; convert weights before that");
  llvm::Expected<QuantFormatAttrInterface> format =
      fitFormat(target, from.getShape());
  if (!format)
    return format.takeError();
  if (*format == from.getFormat())
    return llvm::Error::success();

  SmallVector<TypedAttr> values = constant.getComponentValues();
  std::vector<SmallVector<char, 0>> expanded(values.size());
  SmallVector<ArrayRef<uint8_t>> components;
  for (auto [value, storage] : llvm::zip_equal(values, expanded)) {
    llvm::Expected<ArrayRef<char>> bytes = getConstantBytes(value, storage);
    if (!bytes)
      return bytes.takeError();
    components.push_back(
        {reinterpret_cast<const uint8_t *>(bytes->data()), bytes->size()});
  }
  const int64_t cols = from.getShape().back();
  llvm::Expected<QuantizedMatrix> matrix = convertExactly(
      *from.getFormat().getBlockFormat(), from.getNumElements() / cols, cols,
      components, *format->getBlockFormat(), threads);
  if (!matrix)
    return matrix.takeError();

  OpBuilder builder(constant);
  llvm::Expected<Value> converted = makeQuantizedConstant(
      builder, constant.getLoc(), name,
      QuantTensorType::get(from.getShape(), from.getElementType(),
                           format->adaptToMatrix(*matrix)),
      *matrix);
  if (!converted)
    return converted.takeError();
  constant.getResult().replaceAllUsesWith(*converted);
  constant.erase();
  ++numWeights;
  return llvm::Error::success();
}

llvm::Error ConvertFormatsPass::run() {
  llvm::Expected<NamedFormat> target = parseFormatName(&getContext(), to);
  if (!target)
    return makeError("to is " + llvm::toString(target.takeError()));
  llvm::Expected<NameFilter> filter = NameFilter::get(include, exclude);
  if (!filter)
    return filter.takeError();
  SmallVector<std::pair<ConstantOp, std::string>> weights;
  getOperation().walk([&](ConstantOp constant) {
    if (StringRef name = getLayerName(constant); filter->matches(name))
      weights.push_back({constant, name.str()});
  });
  for (auto &[constant, name] : weights)
    if (llvm::Error error = convert(constant, *target, name))
      return makeError("cannot convert the weight of '" + name +
                       "': " + llvm::toString(std::move(error)));
  return llvm::Error::success();
}

void ConvertFormatsPass::runOnOperation() {
  if (llvm::Error error = run()) {
    emitError(getOperation().getLoc()) << llvm::toString(std::move(error));
    signalPassFailure();
  }
}
