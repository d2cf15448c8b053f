//===- Options.h - what quantizing passes share --------------- -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CALIBRATION_OPTIONS_H
#define LOWBIT_LIB_CALIBRATION_OPTIONS_H

#include "lowbit/Calibration/LayerSelection.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "lowbit/Dialect/Lowbit/IR/QuantizableOpInterface.h"
#include "lowbit/Quantize/LayerSummary.h"
#include "lowbit/Quantize/Solver.h"
#include <functional>
#include <memory>
#include <optional>

namespace lowbit {

/// The options of a pass that describe a format, as the user wrote them.
struct FormatOptions {
  std::string format;
  unsigned bits;
  int64_t groupSize;
  bool symmetric;
  std::string scaleType;
  std::string zeroType;
  std::string range = "minmax";
  double percentile = 0;
  bool mse = false;
  /// The option that names the format.
  llvm::StringRef formatOption = "format";
};

/// What the weight of a layer is stored in. Fails for a shape that the format
/// cannot store.
using FormatForLayer = std::function<llvm::Expected<QuantFormatAttrInterface>(
    QuantizableOpInterface layer)>;

/// What a solver makes of the format that the user asked for.
using ChangeFormat =
    std::function<QuantFormatAttrInterface(QuantFormatAttrInterface)>;

/// The type that an option names.
llvm::Expected<ElementType> parseFloatOption(llvm::StringRef option,
                                             llvm::StringRef text);

/// The format that was assigned to a layer, or else the one that the options
/// describe; the message names the wrong option.
llvm::Expected<FormatForLayer> parseFormat(mlir::MLIRContext *context,
                                           const FormatOptions &options,
                                           const ChangeFormat &change = {});

/// The formats of all layers. The message tells that it is not possible to
/// do `action` to the layer that a format does not suit.
llvm::Expected<llvm::SmallVector<QuantFormatAttrInterface>>
getFormats(const FormatForLayer &formatForLayer,
           llvm::ArrayRef<QuantizableLayer> layers, llvm::StringRef action);

/// The message names the wrong option.
llvm::Expected<std::unique_ptr<RangeSearch>>
makeRangeSearch(const FormatOptions &options);

/// What a solver's result looks like in the table of layers.
LayerSummary summarize(llvm::StringRef name, QuantFormatAttrInterface format,
                       const SolverResult &result, double seconds);

/// Writes the table to the file that the option `report` names, if any.
llvm::Error writeReport(llvm::StringRef path,
                        llvm::ArrayRef<LayerSummary> layers);

} // namespace lowbit

#endif // LOWBIT_LIB_CALIBRATION_OPTIONS_H
