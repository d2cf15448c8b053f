//===- OnnxInterfaces.td - onnx op interfaces --------------*- tablegen -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_ONNX_IR_ONNXINTERFACES_TD
#define LOWBIT_DIALECT_ONNX_IR_ONNXINTERFACES_TD

include "mlir/IR/OpBase.td"

def SchemaOpInterface : OpInterface<"SchemaOpInterface"> {
  let cppNamespace = "::lowbit::onnx";
  let description = [{
    An op that was generated from an ONNX operator schema. The interface checks
    what a schema says about several values at once: all that share a type
    variable have one element type.
  }];
  let methods = [
    StaticInterfaceMethod<"The schema that the op was generated from.",
                          "const ::lowbit::onnx::OpSchema &", "getSchema">
  ];
  let verify = "return ::lowbit::onnx::verifySchemaTypes($_op);";
}

def ShapeInferenceOpInterface : OpInterface<"ShapeInferenceOpInterface"> {
  let cppNamespace = "::lowbit::onnx";
  let description = [{
    An op that can tell the shapes of its results from those of its operands.
  }];
  let methods = [
    InterfaceMethod<[{
        Records in `shapes` what follows for the results (their dimensions, and
        the elements of small integer tensors) from what it holds about the
        operands. Results of which nothing is known are left out. Fails, with a
        diagnostic, only when the operands contradict each other; a known
        dimension of a result is never reason enough to change its type here.
      }],
      "::llvm::LogicalResult", "inferShapes",
      (ins "::lowbit::onnx::SymbolicShapes &":$shapes), "",
      "return ::mlir::success();">
  ];
}

#endif // LOWBIT_DIALECT_ONNX_IR_ONNXINTERFACES_TD
