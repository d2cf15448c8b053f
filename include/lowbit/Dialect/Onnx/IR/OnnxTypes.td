//===- OnnxTypes.td - onnx types and constraints -----------*- tablegen -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_ONNX_IR_ONNXTYPES_TD
#define LOWBIT_DIALECT_ONNX_IR_ONNXTYPES_TD

include "lowbit/Dialect/Onnx/IR/OnnxDialect.td"
include "mlir/IR/AttrTypeBase.td"

//===----------------------------------------------------------------------===//
// Types that only ONNX has
//===----------------------------------------------------------------------===//

class Onnx_Type<string name, string typeMnemonic>
    : TypeDef<Onnx_Dialect, name> {
  let mnemonic = typeMnemonic;
}

def Onnx_StringType : Onnx_Type<"String", "string"> {
  let summary = "The element type of a tensor of strings";
  let description = [{
    Example: `tensor<3x!onnx.string>`.
  }];
}

def Onnx_UnknownType : Onnx_Type<"Unknown", "unknown"> {
  let summary = "The type of a value of which the model says nothing";
  let description = [{
    A result of an operator that Lowbit does not know, for which the model
    declares no type either. Only `onnx.Custom` and `onnx.Yield` take such
    values.
  }];
}

def Onnx_SequenceType : Onnx_Type<"Sequence", "seq"> {
  let summary = "A sequence of values";
  let description = [{
    Example: `!onnx.seq<tensor<?xf32>>`.
  }];
  let parameters = (ins "::mlir::Type":$elementType);
  let assemblyFormat = "`<` $elementType `>`";
}

def Onnx_OptionalType : Onnx_Type<"Optional", "opt"> {
  let summary = "A value that may be absent at run time";
  let description = [{
    Example: `!onnx.opt<tensor<?xf32>>`.
  }];
  let parameters = (ins "::mlir::Type":$elementType);
  let assemblyFormat = "`<` $elementType `>`";
}

def Onnx_MapType : Onnx_Type<"Map", "map"> {
  let summary = "A map from an integer or a string to a value";
  let description = [{
    Example: `!onnx.map<i64, tensor<f32>>`.
  }];
  let parameters = (ins "::mlir::Type":$keyType, "::mlir::Type":$valueType);
  let assemblyFormat = "`<` $keyType `,` $valueType `>`";
}

def Onnx_SparseTensorType : Onnx_Type<"SparseTensor", "sparse_tensor"> {
  let summary = "A sparse tensor in ONNX's coordinate form";
  let description = [{
    Example: `!onnx.sparse_tensor<tensor<8x8xf32>>`.
  }];
  let parameters = (ins "::mlir::TensorType":$denseType);
  let assemblyFormat = "`<` $denseType `>`";
}

//===----------------------------------------------------------------------===//
// Element types, in the groups in which the schemas name them
//===----------------------------------------------------------------------===//

def Onnx_I4 : I<4>;
def Onnx_UI4 : UI<4>;

def Onnx_Float : AnyTypeOf<[F16, F32, F64, BF16], "float">;
def Onnx_Int : AnyTypeOf<[I8, I16, I32, I64], "signless integer">;
def Onnx_UInt : AnyTypeOf<[UI8, UI16, UI32, UI64], "unsigned integer">;
def Onnx_Float8 : AnyTypeOf<[F8E4M3FN, F8E4M3FNUZ, F8E5M2, F8E5M2FNUZ],
                            "8-bit float">;
def Onnx_Complex : AnyTypeOf<[Complex<F32>, Complex<F64>], "complex">;
def Onnx_Int4 : AnyTypeOf<[Onnx_I4, Onnx_UI4], "4-bit integer">;

class Onnx_TensorOf<list<Type> elements> : TensorOf<elements>;

// A value that may be missing, as `none`.
class Onnx_Optional<Type type> : AnyTypeOf<[type, NoneType]>;

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

def Onnx_IntAttr : TypedSignlessIntegerAttrBase<
    I64, "int64_t", "64-bit signless integer attribute"> {
  let convertFromStorage = "$_self.getInt()";
}

def Onnx_BoolAttr : TypedSignlessIntegerAttrBase<
    I64, "bool", "64-bit signless integer attribute that is 0 or 1"> {
  let predicate = And<[SignlessIntegerAttrBase<I64, "">.predicate,
      CPred<"::llvm::cast<::mlir::IntegerAttr>($_self).getValue().ule(1)">]>;
  let convertFromStorage = "($_self.getInt() != 0)";
  let constBuilderCall = "$_builder.getI64IntegerAttr($0)";
}

def Onnx_FloatAttr : FloatAttrBase<F32, "32-bit float attribute"> {
  let returnType = "float";
  let convertFromStorage = "$_self.getValue().convertToFloat()";
  let constBuilderCall = "$_builder.getF32FloatAttr($0)";
}

class Onnx_StringEnumAttr<list<string> values> : StringBasedAttr<
    And<[CPred<"::llvm::isa<::mlir::StringAttr>($_self)">,
         CPred<"::llvm::is_contained({" #
               !interleave(!foreach(value, values,
                                    "::llvm::StringRef(\"" # value # "\")"),
                           ", ") #
               "}, ::llvm::cast<::mlir::StringAttr>($_self).getValue())">]>,
    "string attribute that is one of " # !interleave(values, ", ")>;

#endif // LOWBIT_DIALECT_ONNX_IR_ONNXTYPES_TD
