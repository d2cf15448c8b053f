//===- ScaleStorage.h - How the scales of groups are stored -----*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The scales of a matrix are a matrix themselves, [row groups x column groups].
// It is stored as numbers of some float type, or in a number format of its own.
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_SCALESTORAGE_H
#define LOWBIT_QUANTIZE_SCALESTORAGE_H

#include "lowbit/Quantize/BlockFormat.h"

namespace lowbit {

/// The types that scales are stored in as numbers. Those of 8 bits lie in
/// memory as bytes: powers of two from 2^-127 to 2^127, and e4m3.
enum class ScaleType : uint8_t { F32, F16, BF16, F8E8M0FNU, F8E4M3FN };

/// A type as MLIR spells it: "f32", "f8E8M0FNU", ...
llvm::StringRef getName(ScaleType type);
/// What the scales lie in memory as: bytes are I8.
ElementType getStoredType(ScaleType type);
/// The largest scale of a type.
float getLargest(ScaleType type);
/// The nearest scale of a type, ties to even. A positive number becomes
/// neither zero nor infinite; zero becomes zero where there is one.
float roundToType(ScaleType type, float scale);
/// What `byte` stands for in f8E8M0FNU: 2^(byte - 127), and NaN for 255.
float decodeE8M0(uint8_t byte);

/// Stores the scales of one matrix, or its zero points, while the matrix is
/// coded.
class ScaleEncoder {
public:
  virtual ~ScaleEncoder();

  /// Ranges of rows that `fit` is called for in parallel begin at multiples of
  /// this.
  virtual int64_t getGroupRows() const = 0;
  /// Stores the scales of column `col`, for the rows from `firstRow` on, and
  /// changes them to what codes are to be chosen with.
  virtual void fit(int64_t firstRow, int64_t col,
                   llvm::MutableArrayRef<float> scales) = 0;
  /// Stores scales with which codes are exact, which stay as they are; in what,
  /// is known when all of them are. If this is called for one column, it is for
  /// all.
  virtual void fitExactly(int64_t firstRow, int64_t col,
                          llvm::ArrayRef<float> scales) = 0;
  /// As `fit`, as near as what the scales share with others allows.
  virtual void update(int64_t firstRow, int64_t col,
                      llvm::MutableArrayRef<float> scales) = 0;
  /// The components, when all scales are stored. May be called once.
  virtual llvm::SmallVector<Component, 3> finish() = 0;
};

/// Either a type, or a format, whose components get the prefix "scales_". Zero
/// points that a format stores are kept in the same way, under another name.
///
/// The scales of a group of the format are quantized together. When one call of
/// `ScaleEncoder::fit` has them all, this is done there. If not, what the group
/// shares is found beforehand, from the scales of the unmodified weights, and
/// each scale takes the nearest code when it is stored. Either way codes are
/// chosen with scales as they are stored.
///
/// With an offset, which is the mean of all scales, what the format stores are
/// the differences from it: the double quantization of QLoRA. The mean is known
/// at the end only, so codes are chosen with the unrounded scales there.
class ScaleStorage {
public:
  /// NOLINTNEXTLINE(google-explicit-constructor): a type is a storage.
  ScaleStorage(ScaleType type) : type(type) {}
  explicit ScaleStorage(std::shared_ptr<const BlockFormat> format,
                        bool hasOffset = false, std::string name = "scales")
      : format(std::move(format)), offset(hasOffset), name(std::move(name)) {}

  bool isFormat() const { return format != nullptr; }
  bool hasOffset() const { return offset; }
  /// If the scales are no format's.
  ScaleType getType() const {
    assert(!format && "the scales have a format");
    return type;
  }

  /// Whether they are numbers of a type that processors compute with.
  bool isPlain() const {
    return !format && (type == ScaleType::F32 || type == ScaleType::F16 ||
                       type == ScaleType::BF16);
  }

  /// An error if scales cannot be stored so.
  llvm::Error check() const;

  /// As a table of results shows it: "f16", or "(dynamic8 [4, 64] f32)".
  std::string describe() const;
  llvm::SmallVector<ComponentSpec, 3> getComponents(int64_t rows,
                                                    int64_t cols) const;
  /// `scale` as it reads back, as far as that depends on no other scale.
  float round(float scale) const {
    return format ? scale : roundToType(type, scale);
  }
  /// Starts to store the scales of a matrix; `scales` are those of the matrix
  /// as it is. Fails if there is one that is too large.
  llvm::Expected<std::unique_ptr<ScaleEncoder>>
  createEncoder(ConstMatrixView scales) const;
  /// Reads the scales back from their components, which have the right sizes.
  llvm::Error decode(llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components,
                     MatrixView scales) const;

private:
  ScaleType type = ScaleType::F32;
  std::shared_ptr<const BlockFormat> format;
  bool offset = false;
  std::string name = "scales";
};

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_SCALESTORAGE_H
