//===- BlockFormat.h - A number format as solvers see it --------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The line between solvers and formats. A solver (round-to-nearest, GPTQ, ...)
// decides in which order the values of a matrix are coded and how the errors
// made so far change the values to come. A format decides what parameters
// (scale, zero point, codebook, ...) a group of values shares and which code is
// nearest to a value. Neither knows the other's name.
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_QUANTIZE_BLOCKFORMAT_H
#define LOWBIT_QUANTIZE_BLOCKFORMAT_H

#include "lowbit/Quantize/MatrixView.h"
#include "lowbit/Quantize/QuantizedMatrix.h"
#include "lowbit/Quantize/RangeSearch.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>

namespace lowbit {

/// What the encoder of a format offers in which a value is scale * (code -
/// zero), with a scale and perhaps a zero point for each group: a solver may
/// choose these between `fit` and `encode`.
class AffineParameters {
public:
  virtual ~AffineParameters();

  /// Rows that share a scale and a zero point.
  virtual int64_t getSharedRows() const = 0;
  /// Whether there are zero points, which are 0 otherwise.
  virtual bool hasZeros() const = 0;
  /// The least and the greatest code.
  virtual std::pair<float, float> getCodeRange() const = 0;
  /// The parameters of a column group for the rows from `firstRow` on. Rows
  /// that share parameters have the same ones.
  virtual void getParameters(int64_t firstRow, int64_t group,
                             llvm::MutableArrayRef<float> scales,
                             llvm::MutableArrayRef<float> zeros) const = 0;
  /// Sets them to the nearest ones that can be stored, and tells those.
  virtual void setParameters(int64_t firstRow, int64_t group,
                             llvm::MutableArrayRef<float> scales,
                             llvm::MutableArrayRef<float> zeros) = 0;
};

/// Codes one matrix, piece by piece, in any order that a solver likes.
///
/// Columns are coded in groups: `fit` finds the parameters of a group, `encode`
/// codes columns with them. Calls on disjoint ranges of rows may run in
/// parallel; ranges for `fit` begin at multiples of `getGroupRows()`. What one
/// row is coded to does not depend on how the rows are cut into ranges.
class MatrixEncoder {
public:
  virtual ~MatrixEncoder();

  int64_t getRows() const { return rows; }
  int64_t getCols() const { return cols; }
  /// Rows that share parameters, or whose parameters are stored together.
  int64_t getGroupRows() const { return groupRows; }
  /// Adjacent stored columns that share parameters; the last group may be
  /// shorter.
  int64_t getGroupCols() const { return groupCols; }

  /// Finds the parameters of column group `group` for the rows from `firstRow`
  /// on. `values` are what the group is about to code, in the order of the
  /// stored columns; `importance`, unless it is empty, is how much a squared
  /// error in each of these columns counts. A format whose parameters do not
  /// follow from errors takes no notice of it.
  virtual void fit(int64_t firstRow, int64_t group, ConstMatrixView values,
                   llvm::ArrayRef<float> importance = {}) = 0;

  /// The same for values that are to be coded exactly: finds parameters with
  /// which `encode` does that, if there are any.
  virtual void fitExactly(int64_t firstRow, int64_t group,
                          ConstMatrixView values) {
    fit(firstRow, group, values);
  }

  /// Codes values into the stored columns from `firstCol` on, which must lie in
  /// a group that was fitted, and tells what they decode to. Columns come in
  /// whole units of the format, `BlockFormat::getUnitCols`.
  virtual void encode(int64_t firstRow, int64_t firstCol,
                      ConstMatrixView values, MatrixView decoded) = 0;

  /// Multiplies the scale of a group, for the rows from `firstRow` on, by
  /// `factors`, as far as the format can store that; codes stay. `decoded`
  /// holds what the stored columns decode to, one column for each of
  /// `storedCols`, and is updated. Factors of rows that share parameters are
  /// averaged. A format without scales does nothing.
  virtual void rescale(int64_t firstRow, llvm::ArrayRef<int64_t> storedCols,
                       llvm::ArrayRef<float> factors, MatrixView decoded) {}
  /// Whether `rescale` does anything.
  virtual bool hasScales() const { return false; }

  /// Sets to zero what belongs to elements that are stored apart from codes:
  /// outliers, whose codes do not matter. `values` are of the stored columns
  /// from `firstCol` on.
  virtual void clearOutliers(int64_t firstRow, int64_t firstCol,
                             MatrixView values) const {}

  /// Null where the parameters of a group are others than a scale and perhaps a
  /// zero point.
  virtual AffineParameters *getAffineParameters() { return nullptr; }

  /// The result, when every value has been coded. May be called once.
  virtual QuantizedMatrix finish() = 0;

protected:
  MatrixEncoder(int64_t rows, int64_t cols, int64_t groupRows,
                int64_t groupCols)
      : rows(rows), cols(cols), groupRows(groupRows), groupCols(groupCols) {}

private:
  int64_t rows;
  int64_t cols;
  int64_t groupRows;
  int64_t groupCols;
};

/// The levels of a format in which one scale is for a whole tensor: a value is
/// scale * level. They are symmetric about 0, as far as ranges are concerned.
class ScaledLevels {
public:
  virtual ~ScaledLevels();

  /// The level that stands for the end of a range.
  virtual float getRangeEnd() const = 0;
  /// Whether there are levels for values beyond the range, too.
  virtual bool hasOutliers() const { return false; }
  /// The nearest levels of adjacent values of a row, from its first column on,
  /// which are in units of the scale.
  virtual void round(llvm::ArrayRef<float> values,
                     llvm::MutableArrayRef<float> levels) const = 0;
  /// A positive scale as it is stored: positive and finite.
  virtual float roundScale(float scale) const = 0;
};

/// A way to store matrices: immutable, and cheap to copy in the derived class.
class BlockFormat {
public:
  virtual ~BlockFormat();

  /// The format as a table of results shows it, e.g. "u4 g64 f16".
  virtual std::string describe() const = 0;

  /// How many adjacent stored columns, from a multiple of this on, are coded
  /// together: more than one where a code depends on its neighbours. The last
  /// ones of a matrix may be fewer.
  virtual int64_t getUnitCols() const { return 1; }

  /// The tensors that store a matrix of this shape.
  virtual llvm::SmallVector<ComponentSpec, 3>
  getComponents(int64_t rows, int64_t cols) const = 0;

  /// The same format with `count` elements stored apart from the codes, those
  /// farthest from the mean of a matrix. Null for formats without outliers.
  virtual std::shared_ptr<const BlockFormat> withOutliers(int64_t count) const {
    return nullptr;
  }

  /// Starts to code `weights`. Fails when the format cannot represent them:
  /// values that are not finite, or too large for the type of the scales. The
  /// encoder keeps a reference to `search`.
  virtual llvm::Expected<std::unique_ptr<MatrixEncoder>>
  createEncoder(ConstMatrixView weights, const RangeSearch &search) const = 0;

  /// For codes with a scale that is known before the values are. Null for
  /// formats with other parameters, or with other groups than the whole tensor.
  virtual std::unique_ptr<ScaledLevels> getScaledLevels() const {
    return nullptr;
  }

  /// Decodes a whole matrix from the bytes of its components, which are listed
  /// as in `getComponents`. Fails when a component has the wrong size.
  virtual llvm::Error decode(llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components,
                             MatrixView decoded) const = 0;

  /// An error if components of the right sizes hold what cannot be decoded,
  /// such as indices that are out of range.
  virtual llvm::Error
  verifyContents(llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components,
                 int64_t rows, int64_t cols) const {
    return llvm::Error::success();
  }

  llvm::Error decode(const QuantizedMatrix &matrix, MatrixView decoded) const {
    return decode(matrix.getBytes(), decoded);
  }

protected:
  /// An error that names the first value that is NaN or infinite.
  static llvm::Error checkFinite(ConstMatrixView weights);
  /// An error if `components` are not what `getComponents` asks for.
  llvm::Error
  checkComponentSizes(llvm::ArrayRef<llvm::ArrayRef<uint8_t>> components,
                      int64_t rows, int64_t cols) const;
};

} // namespace lowbit

#endif // LOWBIT_QUANTIZE_BLOCKFORMAT_H
