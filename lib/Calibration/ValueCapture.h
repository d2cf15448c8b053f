//===- ValueCapture.h - values of a model on real inputs --------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_CALIBRATION_VALUECAPTURE_H
#define LOWBIT_LIB_CALIBRATION_VALUECAPTURE_H

#include "Calibration.h"

namespace lowbit {

/// Runs a model as it is, with quantized layers or without, on calibration data
/// and shows values inside of it. Nothing is replaced meanwhile: for that there
/// is `Calibration::walk`.
class ValueCapture {
public:
  /// For at least one value of the body of `function`: float tensors. Data that
  /// the model has to generate is, with a remark.
  static llvm::Expected<ValueCapture>
  prepare(mlir::func::FuncOp function, llvm::ArrayRef<mlir::Value> values,
          const CalibrationOptions &options);

  /// Shows the values for each of the samples in turn: rows as long as the
  /// value's last dimension. A model that takes several samples at once yields
  /// each value for all of these before the next one. May be called several
  /// times.
  llvm::Error
  run(llvm::function_ref<void(unsigned value, ConstMatrixView rows)> use);

private:
  ValueCapture(CalibrationData data, std::unique_ptr<CalibrationModel> model,
               std::unique_ptr<Session> session)
      : data(std::move(data)), model(std::move(model)),
        session(std::move(session)) {}

  CalibrationData data;
  /// Its context outlives the session.
  std::unique_ptr<CalibrationModel> model;
  std::unique_ptr<Session> session;
};

} // namespace lowbit

#endif // LOWBIT_LIB_CALIBRATION_VALUECAPTURE_H
