//===- QuantizableOpInterface.td - what a quantizing pass sees --*- tablegen -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_LOWBIT_IR_QUANTIZABLEOPINTERFACE_TD
#define LOWBIT_DIALECT_LOWBIT_IR_QUANTIZABLEOPINTERFACE_TD

include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"

def Lowbit_QuantizableKind : I32EnumAttr<
    "QuantizableKind", "what an op does with its weight", [
      I32EnumAttrCase<"Linear", 0, "linear">,
      I32EnumAttrCase<"Convolution", 1, "convolution">,
      I32EnumAttrCase<"Embedding", 2, "embedding">
    ]> {
  let cppNamespace = "::lowbit";
  let genSpecializedAttr = 0;
}

def QuantizableOpInterface : OpInterface<"QuantizableOpInterface"> {
  let cppNamespace = "::lowbit";
  let description = [{
    An op with a constant weight that may be stored in few bits. Passes that
    quantize see models only through this interface and name no op of the graph
    dialect.

    The weight has an axis of input channels, over which the op sums (the K of a
    matrix product), and one of output channels (the N). The methods that speak
    of the weight may be called only if `isQuantizable` holds.
  }];
  let methods = [
    InterfaceMethod<[{
        True if the op's weight is a constant of a supported shape. A matrix
        product of two activations, for example, is not quantizable.
      }], "bool", "isQuantizable">,
    InterfaceMethod<"What the op does with its weight.",
                    "::lowbit::QuantizableKind", "getQuantizableKind">,
    InterfaceMethod<"The operand that the weight is.",
                    "::mlir::OpOperand &", "getQuantizableWeight">,
    InterfaceMethod<[{
        The operand whose channels meet the weight's input channels; for an
        embedding the operand that chooses the rows.
      }], "::mlir::OpOperand &", "getQuantizableInput">,
    InterfaceMethod<[{
        The operand that is added to the sums, or null if there is none.
      }], "::mlir::OpOperand *", "getQuantizableBias", (ins), "",
      "return nullptr;">,
    InterfaceMethod<"The weight's axis of input channels.",
                    "int64_t", "getInputChannelAxis">,
    InterfaceMethod<"The weight's axis of output channels.",
                    "int64_t", "getOutputChannelAxis">,
    InterfaceMethod<[{
        The axis of the input along which its channels lie; negative numbers
        count from the end.
      }], "int64_t", "getInputActivationAxis", (ins), "", "return -1;">
  ];
  let extraSharedClassDeclaration = [{
    /// [output channels, input channels], whichever way the weight lies in the
    /// model; other axes, such as those of a convolution's window, are left out.
    ::llvm::SmallVector<int64_t, 2> getWeightMatrixShape() {
      auto type = ::llvm::cast<::mlir::ShapedType>(
          $_op.getQuantizableWeight().get().getType());
      return {type.getDimSize($_op.getOutputChannelAxis()),
              type.getDimSize($_op.getInputChannelAxis())};
    }
  }];
}

#endif // LOWBIT_DIALECT_LOWBIT_IR_QUANTIZABLEOPINTERFACE_TD
