//===- Options.cpp - what quantizing passes share -------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Options.h"
#include "FormatNames.h"
#include "lowbit/Support/OutputFile.h"
#include "lowbit/Support/ProcessGroup.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FormatVariadic.h"

using namespace lowbit;

llvm::Expected<ElementType> lowbit::parseFloatOption(llvm::StringRef option,
                                                     llvm::StringRef text) {
  if (std::optional<ElementType> type = parseFloatType(text))
    return *type;
  return makeError(option + " is '" + text + "', but must be f16, bf16 or f32");
}

static llvm::Expected<UniformFormat::Spec>
parseUniform(const FormatOptions &options) {
  UniformFormat::Spec spec;
  if (options.bits < 1 || options.bits > 8)
    return makeError("bits is " + llvm::Twine(options.bits) +
                     ", but must be 1 to 8");
  if (options.bits == 1 && options.symmetric)
    return makeError("bits is 1, but symmetric codes have at least 2");
  if (options.groupSize < -1)
    return makeError("group-size is " + llvm::Twine(options.groupSize) +
                     ", but must be positive, -1 for whole rows, or 0 for "
                     "whole weights");
  std::optional<ScaleType> scaleType =
      llvm::StringSwitch<std::optional<ScaleType>>(options.scaleType)
          .Case("f16", ScaleType::F16)
          .Case("bf16", ScaleType::BF16)
          .Case("f32", ScaleType::F32)
          .Case("e8m0", ScaleType::F8E8M0FNU)
          .Default(std::nullopt);
  if (!scaleType)
    return makeError("scale-type is '" + options.scaleType +
                     "', but must be f16, bf16, f32 or e8m0");
  std::optional<ZeroKind> zero =
      llvm::StringSwitch<std::optional<ZeroKind>>(options.zeroType)
          .Case("integer", ZeroKind::Integer)
          .Case("f16", ZeroKind::F16)
          .Case("bf16", ZeroKind::BF16)
          .Case("f32", ZeroKind::F32)
          .Default(std::nullopt);
  if (!zero)
    return makeError("zero-type is '" + options.zeroType +
                     "', but must be integer, f16, bf16 or f32");
  if (options.symmetric && zero != ZeroKind::Integer)
    return makeError("zero-type is " + options.zeroType +
                     ", but symmetric codes have no zero points");
  spec.bits = options.bits;
  spec.isSigned = options.symmetric;
  spec.zero = options.symmetric ? ZeroKind::None : *zero;
  spec.groupRows = options.groupSize == 0 ? 0 : 1;
  spec.groupCols = options.groupSize == -1 ? 0 : options.groupSize;
  spec.scales = *scaleType;
  return spec;
}

static llvm::Expected<NamedFormat>
parseAnyFormat(mlir::MLIRContext *context, const FormatOptions &options) {
  if (options.format == "uniform") {
    llvm::Expected<UniformFormat::Spec> spec = parseUniform(options);
    if (!spec)
      return spec.takeError();
    return NamedFormat(UniformAttr::get(context, *spec));
  }
  llvm::Expected<NamedFormat> format = parseFormatName(context, options.format);
  if (!format)
    return makeError(options.formatOption + " is " +
                     llvm::toString(format.takeError()));
  return format;
}

llvm::Expected<FormatForLayer> lowbit::parseFormat(mlir::MLIRContext *context,
                                                   const FormatOptions &options,
                                                   const ChangeFormat &change) {
  llvm::Expected<NamedFormat> format = parseAnyFormat(context, options);
  if (!format)
    return format.takeError();
  return FormatForLayer([format = *format, change](QuantizableOpInterface layer)
                            -> llvm::Expected<QuantFormatAttrInterface> {
    const llvm::SmallVector<int64_t, 2> shape = layer.getWeightMatrixShape();
    // What was assigned to the layer comes before what the pass was told.
    auto assigned = layer->getAttrOfType<QuantFormatAttrInterface>(
        LowbitDialect::formatAttrName);
    llvm::Expected<QuantFormatAttrInterface> wanted =
        fitFormat(assigned ? NamedFormat(assigned) : format, shape);
    if (!wanted || !change)
      return wanted;
    return fitFormat(change(*wanted), shape);
  });
}

llvm::Expected<llvm::SmallVector<QuantFormatAttrInterface>>
lowbit::getFormats(const FormatForLayer &formatForLayer,
                   llvm::ArrayRef<QuantizableLayer> layers,
                   llvm::StringRef action) {
  llvm::SmallVector<QuantFormatAttrInterface> formats;
  for (const QuantizableLayer &layer : layers) {
    llvm::Expected<QuantFormatAttrInterface> format = formatForLayer(layer.op);
    if (!format)
      return makeError("cannot " + action + " layer '" + layer.name +
                       "': " + llvm::toString(format.takeError()));
    formats.push_back(*format);
  }
  return formats;
}

llvm::Expected<std::unique_ptr<RangeSearch>>
lowbit::makeRangeSearch(const FormatOptions &options) {
  if (options.mse && options.range == "percentile")
    return makeError("range is percentile, but mse asks for another range");
  if (options.mse || options.range == "mse")
    return std::make_unique<MseSearch>();
  if (options.range == "percentile") {
    llvm::Expected<PercentileSearch> search =
        PercentileSearch::get(options.percentile);
    if (!search)
      return search.takeError();
    return std::make_unique<PercentileSearch>(*search);
  }
  if (options.range == "minmax")
    return std::make_unique<MinMaxSearch>();
  return makeError("range is '" + options.range +
                   "', but must be minmax, percentile or mse");
}

LayerSummary lowbit::summarize(llvm::StringRef name,
                               QuantFormatAttrInterface format,
                               const SolverResult &result, double seconds) {
  LayerSummary summary;
  summary.name = name.str();
  summary.rows = result.matrix.rows;
  summary.cols = result.matrix.cols;
  summary.format =
      format.adaptToMatrix(result.matrix).getBlockFormat()->describe();
  summary.bitsPerWeight = result.matrix.getBitsPerWeight();
  summary.weightError = result.weightError;
  summary.outputError = result.outputError;
  summary.seconds = seconds;
  return summary;
}

llvm::Error lowbit::writeReport(llvm::StringRef path,
                                llvm::ArrayRef<LayerSummary> layers) {
  if (path.empty() || !ProcessGroup::get().isFirst())
    return llvm::Error::success();
  if (path == "-") {
    printSummaryTable(llvm::errs(), layers);
    return llvm::Error::success();
  }
  llvm::Expected<OutputFile> file = OutputFile::create(path);
  if (!file)
    return file.takeError();
  if (path.ends_with(".json"))
    file->os() << llvm::formatv("{0:2}\n", toJSON(layers));
  else
    printSummaryTable(file->os(), layers);
  return file->commit();
}
