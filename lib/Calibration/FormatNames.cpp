//===- FormatNames.cpp - number formats by name ---------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FormatNames.h"
#include "lowbit/Dialect/Lowbit/IR/ElementTypes.h"
#include "lowbit/Support/OutputFile.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Regex.h"

using namespace lowbit;

namespace {
struct FormatSpelling {
  llvm::StringLiteral name;
  /// As IR has it. What it must state for a shape, such as padding, is added.
  llvm::StringLiteral spelling;
};
} // namespace

/// Formats that publications name. To add a name, add a line.
static constexpr FormatSpelling namedFormats[] = {
    // QLoRA: blocks of 64, and scales in 8 bits, of which 256 share an f32
    // scale. Where bitsandbytes takes 256 successive scales of the flattened
    // matrix, these are those of 256 rows, so that every shape has such blocks.
    {"nf4", "#lowbit.codebook<nf4, group = [1, 64], scale = "
            "#lowbit.codebook<dynamic8, group = [256, 1], scale = f32>, "
            "offset = f32>"},
    // As bitsandbytes stores it by default.
    {"fp4", "#lowbit.codebook<fp4, group = [1, 64], scale = f32>"},
    {"fp8", "#lowbit.codebook<e4m3, group = [1, *], scale = f32>"},
    // OCP Microscaling 1.0.
    {"mxfp4", "#lowbit.codebook<e2m1, group = [1, 32], scale = f8E8M0FNU>"},
    {"mxint8", "#lowbit.uniform<s8, group = [1, 32], scale = f8E8M0FNU, zero = "
               "none>"},
    {"mxfp8", "#lowbit.codebook<e4m3, group = [1, 32], scale = f8E8M0FNU>"},
    {"nvfp4", "#lowbit.codebook<e2m1, group = [1, 16], scale = "
              "#lowbit.codebook<e4m3, group = [*, *], scale = f32>>"},
};

/// What `use` reports, instead of printing it.
static std::string captureMessage(mlir::MLIRContext *context,
                                  llvm::function_ref<void()> use) {
  std::string message;
  mlir::ScopedDiagnosticHandler handler(context,
                                        [&](mlir::Diagnostic &diagnostic) {
                                          message = diagnostic.str();
                                          return mlir::success();
                                        });
  use();
  return message;
}

std::optional<ElementType> lowbit::parseFloatType(llvm::StringRef name) {
  return llvm::StringSwitch<std::optional<ElementType>>(name)
      .Case("f16", ElementType::F16)
      .Case("bf16", ElementType::BF16)
      .Case("f32", ElementType::F32)
      .Default(std::nullopt);
}

/// What an integer format is called in tables of results, `u4g64`, or one with
/// a number of groups, `s8n64`.
static std::optional<NamedFormat> parseInteger(mlir::MLIRContext *context,
                                               llvm::StringRef name) {
  static const llvm::Regex pattern("^([us])([1-8])(([gn])([1-9][0-9]{0,8}))?$");
  llvm::SmallVector<llvm::StringRef> parts;
  if (!pattern.match(name, &parts))
    return std::nullopt;
  UniformFormat::Spec spec;
  spec.isSigned = parts[1] == "s";
  spec.bits = parts[2].front() - '0';
  spec.zero = spec.isSigned ? ZeroKind::None : ZeroKind::Integer;
  spec.groupRows = 1;
  spec.groupCols = 0;
  spec.scales = ScaleType::F16;
  // A sign alone is no code.
  if (spec.isSigned && spec.bits == 1)
    return std::nullopt;
  int64_t number = 0;
  parts[5].getAsInteger(10, number);
  if (parts[4] == "n")
    return NamedFormat(UniformAttr::get(context, spec), number);
  spec.groupCols = number;
  return NamedFormat(UniformAttr::get(context, spec));
}

llvm::Expected<NamedFormat> lowbit::parseFormatName(mlir::MLIRContext *context,
                                                    llvm::StringRef text) {
  if (std::optional<ElementType> type = parseFloatType(text))
    return NamedFormat(FloatFormatAttr::get(context,
                                            getFloatType(context, *type),
                                            /*transposed=*/false));
  for (const GgmlLayout &layout : getGgmlLayouts())
    if (text.equals_insensitive(layout.name))
      return NamedFormat(GgmlAttr::get(context, layout.type));
  if (std::optional<NamedFormat> format = parseInteger(context, text))
    return *format;

  const auto *named =
      llvm::find_if(namedFormats, [&](const FormatSpelling &entry) {
        return entry.name == text;
      });
  const llvm::StringRef spelling =
      named != std::end(namedFormats) ? llvm::StringRef(named->spelling) : text;
  if (!spelling.starts_with("#"))
    return makeError(
        "'" + text +
        "', but must be a name such as f16, u4g64, q4_K or nf4, or "
        "a format as IR spells it, such as #lowbit.float<f16>");
  mlir::Attribute attr;
  std::string message = captureMessage(
      context, [&] { attr = mlir::parseAttribute(spelling, context); });
  if (!attr)
    return makeError("'" + text + "', which cannot be read: " + message);
  if (auto format = llvm::dyn_cast<QuantFormatAttrInterface>(attr))
    return NamedFormat(format);
  return makeError("'" + text + "', which is no number format");
}

/// The format with at least `numGroups` equal groups in a matrix: bundles of
/// rows, or parts of rows if there are not as many rows.
static llvm::Expected<UniformAttr>
cutIntoGroups(UniformAttr format, int64_t numGroups,
              llvm::ArrayRef<int64_t> shape) {
  const int64_t rows = shape.front(), cols = shape.back();
  if (numGroups > rows * cols)
    return makeError(llvm::Twine(numGroups) + " groups are more than the " +
                     llvm::Twine(rows) + " x " + llvm::Twine(cols) +
                     " elements of the matrix");
  UniformFormat::Spec spec = format.getSpec();
  const auto divides = [](int64_t size, int64_t by) { return size % by == 0; };
  if (numGroups <= rows) {
    spec.groupRows = rows / numGroups;
    while (!divides(rows, spec.groupRows))
      --spec.groupRows;
    spec.groupCols = 0;
  } else {
    int64_t parts = llvm::divideCeil(numGroups, rows);
    while (!divides(cols, parts))
      ++parts;
    spec.groupRows = 1;
    spec.groupCols = cols / parts;
  }
  return UniformAttr::get(format.getContext(), spec);
}

llvm::Expected<QuantFormatAttrInterface>
lowbit::fitFormat(const NamedFormat &named, llvm::ArrayRef<int64_t> shape) {
  QuantFormatAttrInterface format = named.format;
  if (named.numGroups != 0) {
    llvm::Expected<UniformAttr> grouped =
        cutIntoGroups(llvm::cast<UniformAttr>(format), named.numGroups, shape);
    if (!grouped)
      return grouped.takeError();
    format = *grouped;
  }
  mlir::MLIRContext *context = format.getContext();
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
}
