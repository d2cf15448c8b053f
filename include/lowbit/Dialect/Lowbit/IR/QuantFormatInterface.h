//===- QuantFormatInterface.h - what a number format has to say -*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_LOWBIT_IR_QUANTFORMATINTERFACE_H
#define LOWBIT_DIALECT_LOWBIT_IR_QUANTFORMATINTERFACE_H

#include "lowbit/Quantize/BlockFormat.h"
#include "mlir/IR/Attributes.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Diagnostics.h"
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace lowbit {

/// One of the dense tensors that store a quantized tensor.
struct FormatComponent {
  /// "codes", "scales", "zeros", ...: a literal, or a string of the context.
  llvm::StringRef name;
  /// Its dynamic dimensions are those of the quantized tensor.
  mlir::RankedTensorType type;
};

/// What is to be known of codes that can change what a neighbour stands for.
/// Columns 2i and 2i + 1 are a pair; rows have an even number of codes, the
/// last of which may be no part of the tensor.
struct PairedCodes {
  /// The code that changes its neighbour.
  uint8_t identifier;
  /// What a code stands for beside the identifier, in the order of bit
  /// patterns.
  llvm::SmallVector<float, 16> levels;
  /// Whether the right code of a pair comes first in the stream of bits.
  bool isSwapped = false;

  bool operator==(const PairedCodes &) const = default;
};

/// What is to be known of a format whose elements are `scale * (level[code] -
/// zero)`.
struct ScaledCodes {
  bool operator==(const ScaledCodes &) const = default;

  unsigned bits;
  bool isSigned = false;
  /// Null if there are no zero points, i8 if these are codes, or a float type.
  mlir::Type zeroType = {};
  /// Whether a bit of 0 stands for -1.
  bool areSigns = false;
  /// In the order of the codes' bit patterns; empty if a code is its own level.
  llvm::SmallVector<float, 16> levels = {};
  /// The shape of a group; 0 stands for the whole dimension.
  int64_t groupRows, groupCols;
  /// f32, f16 or bf16, or in bytes f8E8M0FNU, f8E4M3FN, si8 or ui8.
  mlir::Type scaleType;
  /// How many such products an element is the sum of. Each has codes and scales
  /// of its own: if there are several, their number comes before the other
  /// dimensions of these components, and there are no zero points.
  int64_t terms = 1;
  /// If a group has an offset, which is added to the sum: its type, one of
  /// those of scales.
  mlir::Type offsetType = {};
  /// Whether the format stores all this in its own way, and `unpackScaledCodes`
  /// has to take it apart.
  bool ownStorage = false;
  /// f32, f16 or bf16 if a scale is what is stored for the group times a factor
  /// of this type that adjacent groups of a row share, rounded to f32. There is
  /// one term then.
  mlir::Type factorType = {};
  /// How many groups share a factor; 0 stands for the whole row.
  int64_t factorGroups = 0;
  /// The same for offsets; null if these have no factors.
  mlir::Type offsetFactorType = {};
  /// f8E4M3FN or f8E5M2 if codes are the bits of such a float, which `levels`
  /// says, too: kernels can convert them instead of looking them up.
  mlir::Type codeType = {};
  /// If the level of a code depends on its neighbour.
  std::optional<PairedCodes> pairs = {};
};

/// Levels that are `unit * (byte - zero)`.
struct ByteLevels {
  float unit;
  int32_t zero;
  /// Those of all codes; if there are pairs, then those beside the identifier.
  llvm::SmallVector<uint8_t, 32> bytes;
};

/// The levels of codes as bytes, which can be multiplied by quantized
/// activations; nothing, and why, if they are none or if codes have more than
/// four bits.
std::optional<ByteLevels> getByteLevels(const ScaledCodes &codes,
                                        std::string &reason);

/// The name that a safetensors file gives to elements of `type`; empty if it
/// has none.
llvm::StringRef getSafeTensorsType(mlir::Type type);

} // namespace lowbit

#include "lowbit/Dialect/Lowbit/IR/QuantFormatInterface.h.inc"

#endif // LOWBIT_DIALECT_LOWBIT_IR_QUANTFORMATINTERFACE_H
