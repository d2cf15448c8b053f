//===- Options.cpp - what quantizing passes share -------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Options.h"
#include "lowbit/Dialect/Lowbit/IR/ElementTypes.h"
#include "lowbit/Support/OutputFile.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FormatVariadic.h"

using namespace lowbit;

static std::optional<ElementType> parseFloatType(llvm::StringRef name) {
  return llvm::StringSwitch<std::optional<ElementType>>(name)
      .Case("f16", ElementType::F16)
      .Case("bf16", ElementType::BF16)
      .Case("f32", ElementType::F32)
      .Default(std::nullopt);
}

static llvm::Expected<UniformFormat::Spec>
parseUniform(const FormatOptions &options) {
  UniformFormat::Spec spec;
  if (options.bits < 1 || options.bits > 8)
    return makeError("bits is " + llvm::Twine(options.bits) +
                     ", but must be 1 to 8");
  if (options.bits == 1 && options.symmetric)
    return makeError("bits is 1, but symmetric codes have at least 2");
  if (options.groupSize < 1 && options.groupSize != -1)
    return makeError("group-size is " + llvm::Twine(options.groupSize) +
                     ", but must be positive, or -1 for whole rows");
  std::optional<ElementType> scaleType = parseFloatType(options.scaleType);
  if (!scaleType)
    return makeError("scale-type is '" + options.scaleType +
                     "', but must be f16, bf16 or f32");
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
  spec.groupRows = 1;
  spec.groupCols = options.groupSize == -1 ? 0 : options.groupSize;
  spec.scaleType = *scaleType;
  return spec;
}

/// What `use` reports, instead of printing it.
static std::string
captureMessage(mlir::MLIRContext *context, llvm::function_ref<void()> use) {
  std::string message;
  mlir::ScopedDiagnosticHandler handler(
      context, [&](mlir::Diagnostic &diagnostic) {
        message = diagnostic.str();
        return mlir::success();
      });
  use();
  return message;
}

/// A format that is spelled as in IR. What it must state for a shape may be left
/// out.
static llvm::Expected<QuantFormatAttrInterface>
parseFormatAttr(mlir::MLIRContext *context, llvm::StringRef text) {
  mlir::Attribute attr;
  std::string message = captureMessage(
      context, [&] { attr = mlir::parseAttribute(text, context); });
  if (!attr)
    return makeError("format is '" + text +
                     "', which cannot be read: " + message);
  if (auto format = llvm::dyn_cast<QuantFormatAttrInterface>(attr))
    return format;
  return makeError("format is '" + text + "', which is no number format");
}

static llvm::Expected<QuantFormatAttrInterface>
parseAnyFormat(mlir::MLIRContext *context, const FormatOptions &options) {
  if (std::optional<ElementType> type = parseFloatType(options.format))
    return FloatFormatAttr::get(context, getFloatType(context, *type),
                                /*transposed=*/false);
  if (llvm::StringRef(options.format).starts_with("#"))
    return parseFormatAttr(context, options.format);
  if (options.format != "uniform")
    return makeError("format is '" + options.format +
                     "', but must be uniform, f32, f16, bf16, or a format as "
                     "IR spells it, such as #lowbit.float<f16>");
  llvm::Expected<UniformFormat::Spec> spec = parseUniform(options);
  if (!spec)
    return spec.takeError();
  return UniformAttr::get(context, *spec);
}

llvm::Expected<FormatForShape>
lowbit::parseFormat(mlir::MLIRContext *context, const FormatOptions &options) {
  llvm::Expected<QuantFormatAttrInterface> format =
      parseAnyFormat(context, options);
  if (!format)
    return format.takeError();
  return FormatForShape(
      [context, format = *format](llvm::ArrayRef<int64_t> shape)
          -> llvm::Expected<QuantFormatAttrInterface> {
        QuantFormatAttrInterface adapted = format.adaptToShape(shape);
        bool fits = true;
        std::string message = captureMessage(context, [&] {
          fits = mlir::succeeded(adapted.verifyShape(shape, [&] {
            return mlir::emitError(mlir::UnknownLoc::get(context));
          }));
        });
        if (fits)
          return adapted;
        return makeError(message);
      });
}

std::unique_ptr<RangeSearch>
lowbit::makeRangeSearch(const FormatOptions &options) {
  if (options.mse)
    return std::make_unique<MseSearch>();
  return std::make_unique<MinMaxSearch>();
}

LayerSummary lowbit::summarize(llvm::StringRef name,
                               QuantFormatAttrInterface format,
                               const SolverResult &result, double seconds) {
  LayerSummary summary;
  summary.name = name.str();
  summary.rows = result.matrix.rows;
  summary.cols = result.matrix.cols;
  summary.format = format.getBlockFormat()->describe();
  summary.bitsPerWeight = result.matrix.getBitsPerWeight();
  summary.weightError = result.weightError;
  summary.outputError = result.outputError;
  summary.seconds = seconds;
  return summary;
}

llvm::Error lowbit::writeReport(llvm::StringRef path,
                                llvm::ArrayRef<LayerSummary> layers) {
  if (path.empty())
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
