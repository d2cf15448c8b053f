//===- LowbitAttrs.td - lowbit attributes ------------------*- tablegen -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_LOWBIT_IR_LOWBITATTRS_TD
#define LOWBIT_DIALECT_LOWBIT_IR_LOWBITATTRS_TD

include "lowbit/Dialect/Lowbit/IR/LowbitDialect.td"
// One file for each number format.
include "lowbit/Dialect/Lowbit/IR/BcqAttr.td"
include "lowbit/Dialect/Lowbit/IR/CodebookAttr.td"
include "lowbit/Dialect/Lowbit/IR/FloatFormatAttr.td"
include "lowbit/Dialect/Lowbit/IR/GgmlAttr.td"
include "lowbit/Dialect/Lowbit/IR/NOfMAttr.td"
include "lowbit/Dialect/Lowbit/IR/OvpAttr.td"
include "lowbit/Dialect/Lowbit/IR/SparseOutliersAttr.td"
include "lowbit/Dialect/Lowbit/IR/UniformAttr.td"
// One file for each packed layout.
include "lowbit/Dialect/Lowbit/IR/PanelsAttr.td"
include "lowbit/Dialect/Lowbit/IR/MatmulTuningAttr.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"

def Lowbit_ExternalAttr : Lowbit_Attr<"External", "external",
                                      [TypedAttrInterface]> {
  let summary = "A tensor constant whose bytes lie in a file";
  let description = [{
    Names a slice of a file: either a tensor of a safetensors file by its name,
    or the raw bytes `[offset, offset + length)` of any file (ONNX external data,
    or an `.onnx` file itself). The path is relative to the directory of the
    `.mlir` file that mentions it, so that both can be moved together. Elements
    are little-endian, row-major and dense.

    Example:

    ```mlir
    #lowbit.external<"model.safetensors", "layers.0.q_proj.codes"> : tensor<64x32xi8>
    #lowbit.external<"model.onnx.data", offset = 4096, length = 65536> : tensor<128x128xf32>
    ```
  }];
  let parameters = (ins
    AttributeSelfTypeParameter<"", "::mlir::RankedTensorType">:$type,
    StringRefParameter<"path of the file">:$file,
    StringRefParameter<"name of the tensor; empty for a raw slice">:$key,
    "uint64_t":$offset,
    "uint64_t":$length
  );
  let builders = [
    AttrBuilderWithInferredContext<(ins "::mlir::RankedTensorType":$type,
        "::llvm::StringRef":$file, "::llvm::StringRef":$key), [{
      return $_get(type.getContext(), type, file, key, 0, 0);
    }]>,
    AttrBuilderWithInferredContext<(ins "::mlir::RankedTensorType":$type,
        "::llvm::StringRef":$file, "uint64_t":$offset, "uint64_t":$length), [{
      return $_get(type.getContext(), type, file, "", offset, length);
    }]>
  ];
  let extraClassDeclaration = [{
    /// The bytes, through the weight store of the dialect. They stay mapped as
    /// long as the store lives.
    ::llvm::Expected<::llvm::ArrayRef<char>> getBytes() const;
    /// Tells the system that the bytes are not needed for now. They stay valid.
    void release() const;
    /// The number of bytes that a dense tensor of this type takes.
    static uint64_t getByteSize(::mlir::RankedTensorType type);
  }];
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let skipDefaultBuilders = 0;
}

#endif // LOWBIT_DIALECT_LOWBIT_IR_LOWBITATTRS_TD
