//===- OnnxSchema.h - operator schemas as tables ----------------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_ONNX_IR_ONNXSCHEMA_H
#define LOWBIT_DIALECT_ONNX_IR_ONNXSCHEMA_H

#include "mlir/IR/Operation.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace lowbit::onnx {

/// The opset that the ops of the dialect have.
inline constexpr int64_t kOpset = 24;

enum class ValueArity { Single, Optional, Variadic };

/// An operand or a result of an operator.
struct ValueSchema {
  llvm::StringLiteral name;
  ValueArity arity;
  /// Values with the same variable have the same element type; -1 for none.
  int typeVariable;
  /// ONNX's number of the only element type that is allowed, or 0.
  int elementType;
};

enum class AttributeKind {
  Int,
  Float,
  String,
  Tensor,
  Ints,
  Floats,
  Strings,
  /// In ONNX the number of a data type, in the IR a type.
  ElementType
};

struct AttributeSchema {
  llvm::StringLiteral name;
  AttributeKind kind;
  bool required;
};

/// What ONNX says about an operator, as far as the importer and the verifier
/// need it at run time.
struct OpSchema {
  llvm::StringLiteral name;
  int sinceVersion;
  llvm::ArrayRef<ValueSchema> operands;
  llvm::ArrayRef<ValueSchema> results;
  llvm::ArrayRef<AttributeSchema> attributes;

  /// The operand or result at a position; a variadic one stands for all
  /// positions from its own on. Null if there are fewer.
  const ValueSchema *getOperand(unsigned index) const;
  const ValueSchema *getResult(unsigned index) const;
  const AttributeSchema *getAttribute(llvm::StringRef name) const;
  /// How many operands a node must have at least, and at most.
  unsigned getMinOperands() const;
  unsigned getMaxOperands() const;
};

/// The schema of an operator by its ONNX name, or null if the dialect has no op
/// for it.
const OpSchema *lookupSchema(llvm::StringRef operatorName);

/// The schema of another operator of the default domain, without attributes;
/// for the types of an opaque node's results.
const OpSchema *lookupOpaqueSchema(llvm::StringRef operatorName);

/// ONNX's number of a data type (`TensorProto.DataType`) as an MLIR type, and
/// back. Null and 0 for what has no counterpart.
mlir::Type getElementType(mlir::MLIRContext *context, int dataType);
int getDataType(mlir::Type elementType);

/// The element type that a result must have, from the schema, the types of the
/// operands and the attributes. Null if they do not determine it.
mlir::Type inferResultElementType(const OpSchema &schema, unsigned result,
                                  mlir::TypeRange operands,
                                  mlir::DictionaryAttr attributes);

/// Checks that the values of an op that share a type variable have one element
/// type; see SchemaOpInterface.
llvm::LogicalResult verifySchemaTypes(mlir::Operation *op);

} // namespace lowbit::onnx

#endif // LOWBIT_DIALECT_ONNX_IR_ONNXSCHEMA_H
