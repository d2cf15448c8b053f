//===- ValueCapture.cpp - values of a model on real inputs ----------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ValueCapture.h"
#include "lowbit/Support/OutputFile.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace lowbit;

/// A copy of `function` that returns `values`, by their numbers, and nothing
/// else.
static OwningOpRef<func::FuncOp> exposeValues(func::FuncOp function,
                                              ArrayRef<Value> values) {
  IRMapping mapping;
  OwningOpRef<func::FuncOp> copy(function.clone(mapping));
  Builder builder(function.getContext());
  SmallVector<Value> results;
  SmallVector<DictionaryAttr> names;
  for (auto [number, value] : llvm::enumerate(values)) {
    results.push_back(mapping.lookup(value));
    names.push_back(builder.getDictionaryAttr(builder.getNamedAttr(
        "onnx.name", builder.getStringAttr(Twine(number)))));
  }
  copy->getBody().front().getTerminator()->setOperands(results);
  copy->setType(builder.getFunctionType(copy->getArgumentTypes(),
                                        TypeRange(ValueRange(results))));
  copy->setAllResultAttrs(names);
  return copy;
}

llvm::Expected<ValueCapture>
ValueCapture::prepare(func::FuncOp function, ArrayRef<Value> values,
                      const CalibrationOptions &options) {
  llvm::Expected<CalibrationData> data = getCalibrationData(function, options);
  if (!data)
    return data.takeError();
  llvm::Expected<std::unique_ptr<CalibrationModel>> model =
      CalibrationModel::create(*exposeValues(function, values), /*layers=*/{},
                               options.threads);
  if (!model)
    return model.takeError();
  llvm::Expected<std::unique_ptr<Session>> session = (*model)->compileModel();
  if (!session)
    return session.takeError();
  return ValueCapture(std::move(*data), std::move(*model), std::move(*session));
}

llvm::Error ValueCapture::run(
    llvm::function_ref<void(unsigned value, ConstMatrixView rows)> use) {
  llvm::Expected<std::vector<GraphWalk::Batch>> samples = data.makeBatches(1);
  if (!samples)
    return samples.takeError();
  // A model may take several samples at once.
  const int64_t count =
      data.getNumSamples() / static_cast<int64_t>(samples->size());
  for (const GraphWalk::Batch &sample : *samples) {
    llvm::Expected<std::vector<Tensor>> values = session->run(sample);
    if (!values)
      return values.takeError();
    for (auto [number, value] : llvm::enumerate(*values)) {
      const int64_t cols = value.getShape().back();
      const int64_t rows = value.getNumElements() / cols;
      // What is not of single samples is shown as a whole.
      const int64_t part = rows % count == 0 ? rows / count : rows;
      for (int64_t row = 0; row < rows; row += part)
        use(number,
            ConstMatrixView(value.data<float>() + row * cols, part, cols));
    }
  }
  return llvm::Error::success();
}
