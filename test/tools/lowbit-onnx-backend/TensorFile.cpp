//===- TensorFile.cpp - files of ONNX's tests ---------------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TensorFile.h"
#include "lowbit/Dialect/Onnx/IR/OnnxSchema.h"
#include "lowbit/Target/Onnx/ImportOnnx.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include <cmath>
#include <cstring>
#include <onnx/onnx_pb.h>

using namespace llvm;
using namespace lowbit;

static std::optional<ElementType> getElementType(int dataType) {
  switch (dataType) {
  case ::onnx::TensorProto::FLOAT:
    return ElementType::F32;
  case ::onnx::TensorProto::UINT8:
    return ElementType::U8;
  case ::onnx::TensorProto::INT8:
    return ElementType::I8;
  case ::onnx::TensorProto::UINT16:
    return ElementType::U16;
  case ::onnx::TensorProto::INT16:
    return ElementType::I16;
  case ::onnx::TensorProto::INT32:
    return ElementType::I32;
  case ::onnx::TensorProto::INT64:
    return ElementType::I64;
  case ::onnx::TensorProto::BOOL:
    return ElementType::Bool;
  case ::onnx::TensorProto::FLOAT16:
    return ElementType::F16;
  case ::onnx::TensorProto::DOUBLE:
    return ElementType::F64;
  case ::onnx::TensorProto::UINT32:
    return ElementType::U32;
  case ::onnx::TensorProto::UINT64:
    return ElementType::U64;
  case ::onnx::TensorProto::BFLOAT16:
    return ElementType::BF16;
  default:
    return std::nullopt;
  }
}

template <typename Proto>
static Expected<Proto> readProto(StringRef path) {
  auto buffer = MemoryBuffer::getFile(path, /*IsText=*/false,
                                      /*RequiresNullTerminator=*/false);
  if (!buffer)
    return createStringError(path + ": " + buffer.getError().message());
  Proto proto;
  if (!proto.ParseFromArray((*buffer)->getBufferStart(),
                            (*buffer)->getBufferSize()))
    return createStringError(path + ": not a protobuf of the expected type");
  return proto;
}

/// Copies numbers that the protobuf stores one by one, each cut down to the
/// width of an element.
template <typename Numbers>
static void copyNumbers(const Numbers &numbers, Tensor &tensor) {
  unsigned size = getByteSize(tensor.getType());
  char *target = tensor.getBytes();
  for (auto number : numbers) {
    std::memcpy(target, &number, size);
    target += size;
  }
}

Expected<Tensor> lowbit::readTensorFile(StringRef path) {
  auto proto = readProto<::onnx::TensorProto>(path);
  if (!proto)
    return proto.takeError();
  std::optional<ElementType> type = getElementType(proto->data_type());
  if (!type)
    return createStringError(path + ": unsupported data type " +
                             Twine(proto->data_type()));
  SmallVector<int64_t> shape(proto->dims().begin(), proto->dims().end());
  Tensor tensor(*type, shape);
  auto hasAll = [&](int64_t count) { return count == tensor.getNumElements(); };
  if (proto->raw_data().size() == tensor.getByteSize())
    std::memcpy(tensor.getBytes(), proto->raw_data().data(),
                tensor.getByteSize());
  else if (hasAll(proto->float_data_size()))
    copyNumbers(proto->float_data(), tensor);
  else if (hasAll(proto->double_data_size()))
    copyNumbers(proto->double_data(), tensor);
  else if (hasAll(proto->int32_data_size()))
    copyNumbers(proto->int32_data(), tensor);
  else if (hasAll(proto->int64_data_size()))
    copyNumbers(proto->int64_data(), tensor);
  else if (hasAll(proto->uint64_data_size()))
    copyNumbers(proto->uint64_data(), tensor);
  else
    return createStringError(path + ": too few elements");
  return tensor;
}

/// The first operator of a graph that has no op.
static std::string findOpaqueOperator(const ::onnx::GraphProto &graph) {
  for (const ::onnx::NodeProto &node : graph.node()) {
    bool isDefault = node.domain().empty() || node.domain() == "ai.onnx";
    bool isKnown = node.op_type() == "Constant" ||
                   lowbit::onnx::lookupSchema(node.op_type()) != nullptr;
    if (!isDefault || !isKnown)
      return node.op_type();
  }
  return "";
}

Expected<std::string> lowbit::getReasonToSkip(StringRef path) {
  auto model = readProto<::onnx::ModelProto>(path);
  if (!model)
    return model.takeError();
  for (const ::onnx::OperatorSetIdProto &opset : model->opset_import())
    if (opset.domain().empty() && opset.version() < kMinOpset)
      return "opset " + std::to_string(opset.version());
  std::string name = findOpaqueOperator(model->graph());
  return name.empty() ? "" : "operator " + name;
}

/// A float of any width as a double.
static double getNumber(const Tensor &tensor, int64_t index) {
  if (tensor.getType() == ElementType::F64)
    return tensor.data<double>()[index];
  if (tensor.getType() == ElementType::F32)
    return tensor.data<float>()[index];
  uint16_t bits;
  std::memcpy(&bits, tensor.getBytes() + 2 * index, 2);
  const fltSemantics &semantics = tensor.getType() == ElementType::F16
                                      ? APFloat::IEEEhalf()
                                      : APFloat::BFloat();
  return APFloat(semantics, APInt(16, bits)).convertToDouble();
}

static bool isFloat(ElementType type) {
  return type == ElementType::F16 || type == ElementType::BF16 ||
         type == ElementType::F32 || type == ElementType::F64;
}

static bool isClose(double actual, double expected) {
  if (std::isnan(expected) || std::isinf(expected))
    return std::isnan(expected) ? std::isnan(actual) : actual == expected;
  return std::abs(actual - expected) <= 1e-7 + 1e-3 * std::abs(expected);
}

Error lowbit::compareTensors(const Tensor &actual, const Tensor &expected) {
  if (actual.getType() != expected.getType() ||
      actual.getShape() != expected.getShape())
    return createStringError("expected " + expected.describe() + ", got " +
                             actual.describe());
  unsigned size = getByteSize(actual.getType());
  for (int64_t i = 0; i < actual.getNumElements(); ++i) {
    if (isFloat(actual.getType())) {
      double x = getNumber(actual, i), y = getNumber(expected, i);
      if (!isClose(x, y))
        return createStringError("element %lld is %g, expected %g",
                                 static_cast<long long>(i), x, y);
      continue;
    }
    StringRef x(actual.getBytes() + i * size, size);
    StringRef y(expected.getBytes() + i * size, size);
    if (x != y)
      return createStringError("element " + Twine(i) + " has the bytes " +
                               toHex(x) + ", expected " + toHex(y));
  }
  return Error::success();
}
