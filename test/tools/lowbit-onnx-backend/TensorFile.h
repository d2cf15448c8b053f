//===- TensorFile.h - files of ONNX's tests -------------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_TEST_TOOLS_LOWBIT_ONNX_BACKEND_TENSORFILE_H
#define LOWBIT_TEST_TOOLS_LOWBIT_ONNX_BACKEND_TENSORFILE_H

#include "lowbit/Support/Tensor.h"
#include "llvm/Support/Error.h"

namespace lowbit {

/// Reads a serialized `TensorProto`.
llvm::Expected<Tensor> readTensorFile(llvm::StringRef path);

/// Says what a model has that Lowbit does not support by design: an operator
/// without an op, or an opset. Empty if there is no such thing.
llvm::Expected<std::string> getReasonToSkip(llvm::StringRef path);

/// Compares by the tolerances of ONNX's own runner: 1e-3 relative plus 1e-7 for
/// floats, equality for everything else. The error names the first difference.
llvm::Error compareTensors(const Tensor &actual, const Tensor &expected);

} // namespace lowbit

#endif // LOWBIT_TEST_TOOLS_LOWBIT_ONNX_BACKEND_TENSORFILE_H
