//===- OpsetUpgrade.cpp - from older opsets to the dialect's --------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// What changed between opset 11 and the dialect's, for the operators that the
// dialect has: attributes became operands, and softmax another function. Types
// that were added since, and attributes whose default is the old meaning, need
// no rule. The rules of an operator apply in the order of the table.
//
//===----------------------------------------------------------------------===//

#include "ModelImporter.h"
#include "lowbit/Support/OutputFile.h"

using namespace mlir;
using namespace lowbit;
using namespace lowbit::onnx;

using Results = llvm::Expected<SmallVector<Value>>;

/// The node goes on as one op.
static Results goOn() { return SmallVector<Value>(); }

static llvm::Error setOperand(Node &node, unsigned index, Value value) {
  if (index < node.operands.size() && node.operands[index])
    return makeError("has input " + Twine(index) +
                     ", which came with a later opset");
  while (node.operands.size() <= index)
    node.operands.push_back({});
  node.operands[index] = value;
  return llvm::Error::success();
}

/// Moves a list of integers from an attribute to operand 1, as a constant.
static Results moveListToOperand(Node &node, OpBuilder &builder,
                                 StringRef name) {
  Attribute value = node.attributes.erase(name);
  if (!value)
    return goOn();
  auto list = dyn_cast<DenseI64ArrayAttr>(value);
  if (!list)
    return makeError("attribute '" + name + "' must be a list of integers");
  auto type = RankedTensorType::get({list.size()}, builder.getI64Type());
  Value constant =
      ConstantOp::create(builder, node.loc,
                         cast<TypedAttr>(static_cast<Attribute>(
                             DenseElementsAttr::get(type, list.asArrayRef()))));
  if (llvm::Error error = setOperand(node, 1, constant))
    return error;
  return goOn();
}

static Results upgradeAxes(Node &node, OpBuilder &builder) {
  return moveListToOperand(node, builder, "axes");
}

static Results upgradeSplit13(Node &node, OpBuilder &builder) {
  return moveListToOperand(node, builder, "split");
}

/// Since opset 18 a split into equal parts says how many.
static Results upgradeSplit18(Node &node, OpBuilder &builder) {
  if (node.operands.size() < 2 || !node.operands[1])
    node.attributes.set("num_outputs",
                        builder.getI64IntegerAttr(node.outputTypes.size()));
  return goOn();
}

static Results upgradeDropout(Node &node, OpBuilder &builder) {
  Attribute value = node.attributes.erase("ratio");
  if (!value)
    return goOn();
  auto ratio = dyn_cast<FloatAttr>(value);
  if (!ratio)
    return makeError("attribute 'ratio' must be a float");
  auto type = RankedTensorType::get({}, builder.getF32Type());
  Value constant =
      ConstantOp::create(builder, node.loc,
                         cast<TypedAttr>(static_cast<Attribute>(
                             DenseElementsAttr::get(type, ratio.getValue()))));
  if (llvm::Error error = setOperand(node, 1, constant))
    return error;
  return goOn();
}

/// Before opset 13 softmax worked on the matrix that the axis cuts the input
/// into, that is, over all dimensions from the axis on.
static Results upgradeSoftmax(Node &node, OpBuilder &builder) {
  Attribute written = node.attributes.get("axis");
  auto axisAttr = dyn_cast_or_null<IntegerAttr>(written);
  if (written && !axisAttr)
    return makeError("attribute 'axis' must be an integer");
  if (node.operands.size() != 1 || !node.operands[0] ||
      node.outputTypes.size() != 1)
    return makeError("must have one input and one output");
  int64_t axis = axisAttr ? axisAttr.getInt() : 1;
  Value input = node.operands[0];
  auto type = cast<TensorType>(input.getType());
  if (axis == -1 || (type.hasRank() && axis == type.getRank() - 1)) {
    node.attributes.set("axis", builder.getI64IntegerAttr(-1));
    return goOn();
  }
  Type declared = node.outputTypes[0];
  if (declared && !mergeTypes(declared, type))
    return makeError("the output must have the type of the input");

  SmallVector<int64_t> dynamic(2, ShapedType::kDynamic);
  Type matrix = RankedTensorType::get(dynamic, type.getElementType());
  Type shapeType = RankedTensorType::get(
      {type.hasRank() ? type.getRank() : ShapedType::kDynamic},
      builder.getI64Type());
  Value flat = FlattenOp::create(builder, node.loc, matrix, input, axis);
  Value result =
      node.opType == "Softmax"
          ? SoftmaxOp::create(builder, node.loc, matrix, flat, -1).getResult()
          : LogSoftmaxOp::create(builder, node.loc, matrix, flat, -1)
                .getResult();
  Value shape = ShapeOp::create(builder, node.loc, shapeType, input,
                                /*end=*/IntegerAttr(), /*start=*/0);
  Value reshaped =
      ReshapeOp::create(builder, node.loc, declared ? declared : type, result,
                        shape, /*allowzero=*/false);
  return SmallVector<Value>{reshaped};
}

namespace {
struct Rule {
  StringLiteral opType;
  /// The rule is for models of opsets before this one.
  int64_t before;
  Results (*apply)(Node &, OpBuilder &);
};
} // namespace

static constexpr Rule rules[] = {
    {"Dropout", 12, upgradeDropout},      {"LogSoftmax", 13, upgradeSoftmax},
    {"ReduceL2", 18, upgradeAxes},        {"ReduceMax", 18, upgradeAxes},
    {"ReduceMean", 18, upgradeAxes},      {"ReduceMin", 18, upgradeAxes},
    {"ReduceProd", 18, upgradeAxes},      {"ReduceSum", 13, upgradeAxes},
    {"ReduceSumSquare", 18, upgradeAxes}, {"Softmax", 13, upgradeSoftmax},
    {"Split", 13, upgradeSplit13},        {"Split", 18, upgradeSplit18},
    {"Squeeze", 13, upgradeAxes},         {"Unsqueeze", 13, upgradeAxes},
};

Results lowbit::onnx::upgradeNode(Node &node, OpBuilder &builder) {
  for (const Rule &rule : rules) {
    if (rule.opType != node.opType || node.opset >= rule.before)
      continue;
    Results results = rule.apply(node, builder);
    if (!results || !results->empty())
      return results;
  }
  return goOn();
}
