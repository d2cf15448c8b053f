//===- OnnxOps.td - onnx operations ------------------------*- tablegen -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_ONNX_IR_ONNXOPS_TD
#define LOWBIT_DIALECT_ONNX_IR_ONNXOPS_TD

include "lowbit/Dialect/Lowbit/IR/QuantizableOpInterface.td"
include "lowbit/Dialect/Onnx/IR/OnnxInterfaces.td"
include "lowbit/Dialect/Onnx/IR/OnnxTypes.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Onnx_Op<string mnemonic, list<Trait> traits = []>
    : Op<Onnx_Dialect, mnemonic, traits>;

//===----------------------------------------------------------------------===//
// Ops that no schema describes well
//===----------------------------------------------------------------------===//

def Onnx_ConstantValueAttr : Attr<
    CPred<"::lowbit::onnx::isConstantValue($_self)">,
    "dense or external tensor constant"> {
  let storageType = "::mlir::TypedAttr";
  let returnType = "::mlir::TypedAttr";
  let convertFromStorage = "$_self";
}

def Onnx_ConstantOp : Onnx_Op<"Constant", [
    Pure, ConstantLike, AllTypesMatch<["value", "output"]>,
    DeclareOpInterfaceMethods<ShapeInferenceOpInterface, ["inferShapes"]>]> {
  let summary = "A constant tensor";
  let description = [{
    An initializer of the graph, or ONNX's `Constant` operator. The value is
    either inline, for small tensors, or a slice of a file.

    Example:

    ```mlir
    %0 = onnx.Constant dense<[1, 2]> : tensor<2xi64>
    %1 = onnx.Constant #lowbit.external<"model.onnx.data", offset = 0, length = 65536> : tensor<128x128xf32>
    ```
  }];
  let arguments = (ins Onnx_ConstantValueAttr:$value);
  let results = (outs AnyStaticShapeTensor:$output);
  let assemblyFormat = "attr-dict $value";
  let hasFolder = 1;
}

def Onnx_NoValueOp : Onnx_Op<"NoValue", [Pure, ConstantLike]> {
  let summary = "An optional operand that is missing";
  let description = [{
    Example:

    ```mlir
    %none = onnx.NoValue
    %0 = onnx.Clip(%x, %none, %max)
        : (tensor<4xf32>, none, tensor<f32>) -> tensor<4xf32>
    ```
  }];
  let results = (outs NoneType:$none);
  let assemblyFormat = "attr-dict";
  let builders = [OpBuilder<(ins), [{
    build($_builder, $_state, $_builder.getNoneType());
  }]>];
  let hasFolder = 1;
}

def Onnx_CustomOp : Onnx_Op<"Custom"> {
  let summary = "A node of any operator, kept as it was";
  let description = [{
    A node whose operator the dialect has no op for (another domain, a rare
    operator, control flow), with its domain, the opset version that the model
    imports for that domain, and all its attributes: integers are `i64`, floats
    `f32`, lists of them dense arrays, tensors as in `onnx.Constant`. A graph is
    a region, whose attribute's name stands in `graphs`; it may use values of
    the graphs around it.

    Nothing is known of what the operator does, so it is neither moved nor
    removed.

    Example:

    ```mlir
    %0 = onnx.Custom "FusedMatMul"(%a, %b) opset(1) {
           domain = "com.microsoft", node_attributes = {alpha = 0.125 : f32}
         } : (tensor<?x64xf32>, tensor<64x?xf32>) -> tensor<?x?xf32>
    %1 = onnx.Custom "If"(%cond) opset(17) graphs ["then_branch", "else_branch"] {
      onnx.Yield %a : tensor<?xf32>
    }, {
      onnx.Yield %b : tensor<?xf32>
    } : (tensor<i1>) -> tensor<?xf32>
    ```
  }];
  let arguments = (ins
    StrAttr:$op_type,
    DefaultValuedStrAttr<StrAttr, "">:$domain,
    Onnx_IntAttr:$opset,
    DefaultValuedAttr<DictionaryAttr, "{}">:$node_attributes,
    OptionalAttr<StrArrayAttr>:$graphs,
    Variadic<AnyType>:$inputs
  );
  let results = (outs Variadic<AnyType>:$outputs);
  let regions = (region VariadicRegion<SizedRegion<1>>:$bodies);
  let assemblyFormat = [{
    $op_type `(` $inputs `)` `opset` `(` $opset `)` attr-dict
    (`graphs` $graphs^ $bodies)? `:` functional-type($inputs, $outputs)
  }];
  let hasVerifier = 1;
}

def Onnx_YieldOp : Onnx_Op<"Yield", [
    Pure, ReturnLike, Terminator, HasParent<"CustomOp">]> {
  let summary = "The outputs of a graph that is an attribute of a node";
  let description = [{
    Ends each region of an `onnx.Custom`; see there.

    Example:

    ```mlir
    onnx.Yield %a, %b : tensor<?xf32>, tensor<i64>
    ```
  }];
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}

//===----------------------------------------------------------------------===//
// Ops of the schemas
//===----------------------------------------------------------------------===//

class Onnx_SchemaOp<string mnemonic, list<Trait> traits = []>
    : Onnx_Op<mnemonic, !listconcat(
          [Pure, DeclareOpInterfaceMethods<SchemaOpInterface>], traits)> {
  let assemblyFormat =
      "`(` operands `)` attr-dict `:` functional-type(operands, results)";
}

include "lowbit/Dialect/Onnx/IR/OnnxGeneratedOps.td"

#endif // LOWBIT_DIALECT_ONNX_IR_ONNXOPS_TD
