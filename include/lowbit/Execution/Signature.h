//===- Signature.h - the inputs and outputs of a compiled model - -*- C++
//-*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_EXECUTION_SIGNATURE_H
#define LOWBIT_EXECUTION_SIGNATURE_H

#include "lowbit/Support/Tensor.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/Support/Error.h"
#include <optional>

namespace lowbit {

/// The name and type of one input or output.
struct TensorSpec {
  struct Dim {
    /// -1 if it is known at run time only.
    int64_t size = -1;
    /// Dimensions of one name have one size; empty if there is none.
    std::string name;
  };

  std::string name;
  ElementType type = ElementType::F32;
  llvm::SmallVector<Dim, 4> dims;
  /// Of an input: whether a run changes its elements, as those of a KV cache.
  bool isUpdated = false;

  /// As users see it: "int64[batch, sequence]".
  std::string describe() const;
};

struct Signature {
  std::vector<TensorSpec> inputs, outputs;

  const TensorSpec *findInput(llvm::StringRef name) const;
  const TensorSpec *findOutput(llvm::StringRef name) const;

  /// Reads the types of `function` and the names that the importer gave its
  /// arguments and results (`onnx.name`, `onnx.dim_params`). A result that
  /// updates an argument (`lowbit.updates`) is no output.
  static llvm::Expected<Signature> get(mlir::func::FuncOp function);

  /// Checks the number, element types and shapes of `inputs`, and that
  /// dimensions of one name have one size.
  llvm::Error checkInputs(llvm::ArrayRef<Tensor> inputs) const;
  /// Puts `inputs` into the order of the signature; an input that is missing or
  /// unknown is an error.
  llvm::Expected<std::vector<Tensor>>
  orderInputs(const NamedTensors &inputs) const;
};

} // namespace lowbit

#endif // LOWBIT_EXECUTION_SIGNATURE_H
