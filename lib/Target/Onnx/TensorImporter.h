//===- TensorImporter.h - from TensorProto to attributes --------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_LIB_TARGET_ONNX_TENSORIMPORTER_H
#define LOWBIT_LIB_TARGET_ONNX_TENSORIMPORTER_H

#include "lowbit/Support/WeightStore.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/StringSet.h"
#include <onnx/onnx_pb.h>

namespace lowbit::onnx {

/// Makes attributes of a model's tensors: small ones inline, large ones as
/// slices of the file that holds them.
class TensorImporter {
public:
  /// `file` is the model's name in its folder and `size` its number of bytes.
  TensorImporter(mlir::MLIRContext *context, WeightStore &store,
                 llvm::StringRef file, uint64_t size)
      : context(context), store(&store), file(file), size(size) {}

  llvm::Expected<mlir::TypedAttr> import(const ::onnx::TensorProto &tensor);
  /// A sparse tensor, made dense.
  llvm::Expected<mlir::TypedAttr>
  import(const ::onnx::SparseTensorProto &tensor);

private:
  /// Where the bytes of a tensor are.
  struct Slice {
    std::string file;
    uint64_t offset;
    uint64_t length;
  };

  llvm::Expected<mlir::RankedTensorType>
  importType(const ::onnx::TensorProto &tensor);
  llvm::Expected<mlir::TypedAttr>
  importStrings(const ::onnx::TensorProto &tensor, mlir::RankedTensorType type);
  llvm::Expected<mlir::TypedAttr> importSlice(const ::onnx::TensorProto &tensor,
                                              mlir::RankedTensorType type,
                                              uint64_t length);
  llvm::Expected<Slice> locate(const ::onnx::TensorProto &tensor,
                               uint64_t length);
  /// From elements as ONNX packs them; `name` is used for what is written.
  llvm::Expected<mlir::TypedAttr> makeConstant(mlir::RankedTensorType type,
                                               llvm::ArrayRef<char> packed,
                                               llvm::StringRef name);

  mlir::MLIRContext *context;
  WeightStore *store;
  std::string file;
  uint64_t size;
  /// Names under which weights were written; nodes' tensors may have none.
  llvm::StringSet<> writtenNames;
};

} // namespace lowbit::onnx

#endif // LOWBIT_LIB_TARGET_ONNX_TENSORIMPORTER_H
