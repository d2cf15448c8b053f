//===- QuantizeActivations.cpp - quantizes the inputs of matmuls ----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FormatNames.h"
#include "ValueCapture.h"
#include "lowbit/Calibration/Passes.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "lowbit/Dialect/Lowbit/IR/NodeName.h"
#include "lowbit/Quantize/ScaleCalibrator.h"
#include "lowbit/Support/NameFilter.h"
#include "lowbit/Support/OutputFile.h"
#include "llvm/ADT/MapVector.h"

namespace lowbit {
#define GEN_PASS_DEF_QUANTIZEACTIVATIONS
#include "lowbit/Calibration/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

namespace {
/// What activations are stored in, and what finds their scales.
struct StaticFormat {
  QuantFormatAttrInterface format;
  std::unique_ptr<ScaledLevels> levels;
  ScaleCalibrator::Options search;
};

struct QuantizeActivationsPass final
    : lowbit::impl::QuantizeActivationsBase<QuantizeActivationsPass> {
  using QuantizeActivationsBase::QuantizeActivationsBase;

  void runOnOperation() override {
    if (llvm::Error error = run()) {
      emitError(UnknownLoc::get(&getContext()))
          << "quantize-activations: " << llvm::toString(std::move(error));
      signalPassFailure();
    }
  }

private:
  llvm::Error run();
  llvm::Error checkOptions();
  llvm::Expected<SmallVector<MatmulOp>> findMatmuls();
  void quantizeDynamically(MatmulOp op);

  llvm::Expected<SmallVector<StaticFormat, 2>> getStaticFormats();
  llvm::Expected<StaticFormat> getStaticFormat(StringRef option,
                                               StringRef text);
  llvm::Error quantizeStatically(ArrayRef<MatmulOp> matmuls);

  /// Quantized by `create` right after its definition, where it dominates all
  /// uses; once for each type.
  void replaceInput(MatmulOp op, QuantTensorType type,
                    llvm::function_ref<Value(OpBuilder &)> create) {
    Value &value = quantized[{op.getInput(), type}];
    if (!value) {
      OpBuilder builder(op);
      builder.setInsertionPointAfterValue(op.getInput());
      value = create(builder);
      ++numQuantized;
    }
    op.getInputMutable().assign(value);
    ++numMatmuls;
  }

  /// Keyed by the float value and what it is quantized to.
  DenseMap<std::pair<Value, Type>, Value> quantized;
};
} // namespace

//===----------------------------------------------------------------------===//
// Options
//===----------------------------------------------------------------------===//

llvm::Error QuantizeActivationsPass::checkOptions() {
  if (bits < 2 || bits > 8)
    return makeError("bits is " + Twine(bits) + ", but must be 2 to 8");
  if (!granularity.empty() && granularity != "group" && granularity != "row" &&
      granularity != "tensor")
    return makeError("granularity is '" + granularity +
                     "', but must be 'group', 'row' or 'tensor'");
  if (!calibration.empty())
    isStatic = true;
  if (isStatic) {
    if (granularity.empty())
      granularity = "tensor";
    if (granularity != "tensor")
      return makeError("granularity is '" + granularity +
                       "', but static scales are for whole tensors");
    if (!orFormat.empty() && format.empty())
      return makeError("or-format is a second choice, but format names no "
                       "first one");
    return llvm::Error::success();
  }
  for (auto [option, value] :
       {std::pair<StringRef, StringRef>{"format", format},
        {"or-format", orFormat},
        {"range", range}})
    if (!value.empty())
      return makeError(option + " is '" + value +
                       "', but is for static scales only: add 'static', or "
                       "calibration data");
  if (granularity.empty())
    granularity = "group";
  return llvm::Error::success();
}

/// Whether kernels could make use of integers: not if the codes of a weight
/// stand for other numbers.
static bool multipliesIntegers(QuantTensorType weight, std::string &reason) {
  std::optional<ScaledCodes> codes = weight.getFormat().getScaledCodes();
  return !codes || codes->levels.empty() || getByteLevels(*codes, reason);
}

llvm::Expected<SmallVector<MatmulOp>> QuantizeActivationsPass::findMatmuls() {
  llvm::Expected<NameFilter> names = NameFilter::get(include, exclude);
  if (!names)
    return names.takeError();
  SmallVector<MatmulOp> matmuls;
  getOperation().walk([&](MatmulOp op) {
    std::string reason;
    if (!isa<RankedTensorType>(op.getInput().getType()) ||
        !names->matches(getNodeName(op.getLoc())))
      return;
    if (format.empty() && !multipliesIntegers(op.getWeight().getType(), reason))
      op.emitRemark("the input stays float: ") << reason;
    else
      matmuls.push_back(op);
  });
  return matmuls;
}

llvm::Error QuantizeActivationsPass::run() {
  quantized.clear();
  if (llvm::Error error = checkOptions())
    return error;
  llvm::Expected<SmallVector<MatmulOp>> matmuls = findMatmuls();
  if (!matmuls)
    return matmuls.takeError();
  if (isStatic)
    return quantizeStatically(*matmuls);
  for (MatmulOp op : *matmuls)
    quantizeDynamically(op);
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Dynamic scales
//===----------------------------------------------------------------------===//

void QuantizeActivationsPass::quantizeDynamically(MatmulOp op) {
  auto input = cast<RankedTensorType>(op.getInput().getType());
  QuantTensorType weight = op.getWeight().getType();
  UniformFormat::Spec spec;
  spec.bits = bits;
  spec.isSigned = true;
  spec.zero = ZeroKind::None;
  spec.narrowRange = true;
  spec.scales = ScaleType::F32;
  spec.groupRows = granularity == "tensor" ? 0 : 1;
  spec.groupCols = 0;
  if (granularity == "group") {
    int64_t group = weight.getFormat().getGroupCols(weight.getShape());
    if (group < weight.getDimSize(1))
      spec.groupCols = group;
  }
  auto type = QuantTensorType::get(
      input.getShape(), input.getElementType(),
      UniformAttr::get(&getContext(), spec, input.getShape()));
  replaceInput(op, type, [&](OpBuilder &builder) -> Value {
    return DynamicQuantizeOp::create(builder, op.getLoc(), type, op.getInput());
  });
}

//===----------------------------------------------------------------------===//
// Static scales
//===----------------------------------------------------------------------===//

llvm::Expected<StaticFormat>
QuantizeActivationsPass::getStaticFormat(StringRef option, StringRef text) {
  StaticFormat result;
  bool hasGroups = false;
  if (text.empty()) {
    UniformFormat::Spec spec;
    spec.bits = bits;
    spec.isSigned = true;
    spec.zero = ZeroKind::None;
    spec.scales = ScaleType::F32;
    spec.groupRows = spec.groupCols = 0;
    result.format = UniformAttr::get(&getContext(), spec);
  } else {
    llvm::Expected<NamedFormat> named = parseFormatName(&getContext(), text);
    if (!named)
      return makeError(option + " is " + llvm::toString(named.takeError()));
    result.format = named->format;
    hasGroups = named->numGroups != 0;
  }
  result.levels = result.format.getBlockFormat()->getScaledLevels();
  if (!result.levels || hasGroups)
    return makeError(option + " is '" + text +
                     "', but static activations take a format with one f16, "
                     "bf16 or f32 scale for the whole tensor and no zero "
                     "points: #lowbit.uniform with signed codes, or "
                     "#lowbit.ovp, and group = [*, *]");
  std::optional<RangeMethod> method =
      range.empty() ? result.levels->hasOutliers() ? RangeMethod::Sigma
                                                   : RangeMethod::MinMax
                    : getRangeMethod(range);
  if (!method)
    return makeError("range is '" + range +
                     "', but must be minmax, average, percentile, entropy, mse "
                     "or sigma");
  result.search = {*method, percentile};
  if (llvm::Error error = ScaleCalibrator::check(result.search))
    return std::move(error);
  return result;
}

llvm::Expected<SmallVector<StaticFormat, 2>>
QuantizeActivationsPass::getStaticFormats() {
  SmallVector<StaticFormat, 2> formats;
  for (auto [option, text] : {std::pair<StringRef, StringRef>{"format", format},
                              {"or-format", orFormat}}) {
    if (!formats.empty() && text.empty())
      break;
    llvm::Expected<StaticFormat> found = getStaticFormat(option, text);
    if (!found)
      return found.takeError();
    formats.push_back(std::move(*found));
  }
  if (formats.size() > 1)
    for (const StaticFormat &entry : formats)
      if (entry.search.method != RangeMethod::Mse &&
          entry.search.method != RangeMethod::Sigma)
        return makeError("or-format compares errors, which are measured with "
                         "range=mse and range=sigma only");
  return formats;
}

/// The function that all matmuls stand in.
static llvm::Expected<func::FuncOp> findFunction(ArrayRef<MatmulOp> matmuls) {
  func::FuncOp function;
  for (MatmulOp op : matmuls) {
    auto parent = dyn_cast<func::FuncOp>(op->getParentOp());
    if (!parent)
      return makeError("'" + getNodeName(op.getLoc()) +
                       "' lies in the body of another op, where it cannot be "
                       "calibrated; exclude it");
    if (function && function != parent)
      return makeError("the matmuls lie in the functions '" +
                       function.getName() + "' and '" + parent.getName() +
                       "'; calibrate one of them at a time");
    function = parent;
  }
  return function;
}

/// Says whose input cannot be calibrated.
static llvm::Error describe(llvm::Error error, MatmulOp reader) {
  return makeError("cannot calibrate the input of '" +
                   getNodeName(reader.getLoc()) +
                   "': " + llvm::toString(std::move(error)));
}

/// Watches the inputs in each of the formats.
static llvm::Error
calibrate(ValueCapture &capture,
          MutableArrayRef<SmallVector<ScaleCalibrator>> inputs,
          ArrayRef<MatmulOp> readers, unsigned threads) {
  int64_t numPasses = 0;
  for (ArrayRef<ScaleCalibrator> input : inputs)
    for (const ScaleCalibrator &calibrator : input)
      numPasses = std::max(numPasses, calibrator.getNumPasses());
  for (int64_t pass = 0; pass < numPasses; ++pass) {
    for (auto [input, reader] : llvm::zip_equal(inputs, readers))
      for (ScaleCalibrator &calibrator : input)
        if (pass > 0 && pass < calibrator.getNumPasses())
          if (llvm::Error error = calibrator.beginPass())
            return describe(std::move(error), reader);
    llvm::Error error = capture.run([&](unsigned number, ConstMatrixView rows) {
      for (ScaleCalibrator &calibrator : inputs[number])
        if (pass < calibrator.getNumPasses())
          calibrator.update(rows, threads);
    });
    if (error)
      return error;
  }
  return llvm::Error::success();
}

llvm::Error
QuantizeActivationsPass::quantizeStatically(ArrayRef<MatmulOp> matmuls) {
  llvm::Expected<SmallVector<StaticFormat, 2>> formats = getStaticFormats();
  if (!formats)
    return formats.takeError();
  if (matmuls.empty())
    return llvm::Error::success();
  llvm::Expected<func::FuncOp> function = findFunction(matmuls);
  if (!function)
    return function.takeError();

  // Each value is calibrated once, whoever reads it.
  llvm::MapVector<Value, MatmulOp> readers;
  for (MatmulOp op : matmuls) {
    if (!cast<RankedTensorType>(op.getInput().getType())
             .getElementType()
             .isF32())
      return makeError("the input of '" + getNodeName(op.getLoc()) +
                       "' is not f32, which alone can be calibrated");
    readers.insert({op.getInput(), op});
  }
  SmallVector<Value> values;
  SmallVector<MatmulOp> first;
  SmallVector<SmallVector<ScaleCalibrator>> calibrators(readers.size());
  for (auto [reader, input] : llvm::zip_equal(readers, calibrators)) {
    values.push_back(reader.first);
    first.push_back(reader.second);
    for (const StaticFormat &entry : *formats)
      input.emplace_back(*entry.levels, entry.search);
  }
  llvm::Expected<ValueCapture> capture = ValueCapture::prepare(
      *function, values,
      {calibration, tokenizer, samples, sampling, length, seed,
       /*memoryBudget=*/0, threads});
  if (!capture)
    return capture.takeError();
  if (llvm::Error error = calibrate(*capture, calibrators, first, threads))
    return error;

  // The format and the scale of each input.
  DenseMap<Value, std::pair<QuantFormatAttrInterface, float>> found;
  for (auto [value, reader, input] :
       llvm::zip_equal(values, first, calibrators)) {
    size_t best = 0;
    if (input.size() > 1 && *input[1].getError() < *input[0].getError())
      best = 1;
    llvm::Expected<float> scale = input[best].getScale();
    if (!scale)
      return describe(scale.takeError(), reader);
    found[value] = {(*formats)[best].format, *scale};
  }
  for (MatmulOp op : matmuls) {
    auto input = cast<RankedTensorType>(op.getInput().getType());
    auto [format, scale] = found.lookup(op.getInput());
    auto type = QuantTensorType::get(input.getShape(), input.getElementType(),
                                     format.adaptToShape(input.getShape()));
    replaceInput(op, type, [&, scale = scale](OpBuilder &builder) -> Value {
      return StaticQuantizeOp::create(builder, op.getLoc(), type, op.getInput(),
                                      builder.getF32FloatAttr(scale));
    });
  }
  return llvm::Error::success();
}
