//===- OnnxDialect.td - the onnx dialect -------------------*- tablegen -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_ONNX_IR_ONNXDIALECT_TD
#define LOWBIT_DIALECT_ONNX_IR_ONNXDIALECT_TD

include "mlir/IR/OpBase.td"

def Onnx_Dialect : Dialect {
  let name = "onnx";
  let cppNamespace = "::lowbit::onnx";
  let summary = "Graphs of ONNX operators";
  let description = [{
    One op for each ONNX operator that Lowbit lowers, with ONNX's names and at
    one opset (the importer upgrades older models). Every other operator is an
    `onnx.Custom` that keeps all that the node said.

    - A model is a `func.func`; its arguments and results carry their ONNX name
      in `onnx.name` and the names of their dynamic dimensions in
      `onnx.dim_params`. An integer argument whose value is the size of a
      dimension has the dimension's name in `onnx.dim_value`. What else the model
      says about itself stands on the module: `onnx.ir_version`,
      `onnx.opset_imports`, `onnx.producer_name`, `onnx.metadata_props` and so
      on.
    - The name of a node is the name of its op's location.
    - An optional operand that is missing is an `onnx.NoValue`; an optional
      result that is missing has the type `none`. So an op always has all
      operands and results of its schema, in the schema's order.
    - Signed integers are signless (`i64`), unsigned ones are not (`ui8`), and
      booleans are `i1`.
    - Tensors of 64 KiB and more are not part of the IR: `onnx.Constant` names a
      slice of a file by `#lowbit.external`.
  }];
  let useDefaultTypePrinterParser = 1;
  let extraClassDeclaration = [{
  private:
    void registerTypes();

  public:
  }];
  let hasConstantMaterializer = 1;
  let dependentDialects = ["::lowbit::LowbitDialect",
                           "::mlir::func::FuncDialect"];
  let discardableAttrs = (ins
    "::mlir::StringAttr":$name,
    "::mlir::ArrayAttr":$dim_params,
    "::mlir::IntegerAttr":$ir_version,
    "::mlir::DictionaryAttr":$opset_imports,
    "::mlir::StringAttr":$producer_name,
    "::mlir::StringAttr":$producer_version,
    "::mlir::StringAttr":$domain,
    "::mlir::IntegerAttr":$model_version,
    "::mlir::StringAttr":$doc_string,
    "::mlir::DictionaryAttr":$metadata_props
  );
}

#endif // LOWBIT_DIALECT_ONNX_IR_ONNXDIALECT_TD
