//===- LowbitToQuant.cpp - express constants in the quant dialect ---------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Conversion/LowbitQuant/Passes.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "lowbit/Quantize/BitPacking.h"
#include "lowbit/Quantize/FloatStorage.h"
#include "lowbit/Support/OutputFile.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/PatternMatch.h"

namespace lowbit {
#define GEN_PASS_DEF_CONVERTLOWBITTOQUANT
#include "lowbit/Conversion/LowbitQuant/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

namespace {
/// A constant of a uniform format, in the terms of the quant dialect.
struct UniformConstant {
  UniformFormat format;
  /// One code in a byte.
  TypedAttr codes;
  SmallVector<double> scales;
  SmallVector<int64_t> zeros;
};
} // namespace

/// Codes of `bits` bits as bytes, row by row.
static std::vector<uint8_t> unpackCodes(const UniformFormat::Spec &spec,
                                        ArrayRef<uint8_t> packed, int64_t rows,
                                        int64_t cols) {
  std::vector<uint8_t> codes = unpackRows(packed, rows, cols, spec.bits);
  if (spec.isSigned)
    for (uint8_t &code : codes)
      code = static_cast<uint8_t>(signExtendCode(code, spec.bits));
  return codes;
}

/// The codes as a tensor of bytes.
static llvm::Expected<TypedAttr> getCodes(const UniformFormat::Spec &spec,
                                          QuantTensorType type, TypedAttr attr,
                                          ArrayRef<uint8_t> packed) {
  if (spec.bits == 8)
    return attr;
  const int64_t cols = type.getShape().back();
  std::vector<uint8_t> codes =
      unpackCodes(spec, packed, type.getNumElements() / cols, cols);
  auto tensor = RankedTensorType::get(type.getShape(),
                                      IntegerType::get(type.getContext(), 8));
  ArrayRef<char> bytes(reinterpret_cast<const char *>(codes.data()),
                       codes.size());
  if (auto external = dyn_cast<ExternalAttr>(attr))
    return storeConstant((external.getKey() + ".unpacked").str(), tensor,
                         bytes);
  return TypedAttr(DenseElementsAttr::getFromRawBuffer(tensor, bytes));
}

static llvm::Expected<UniformConstant> readConstant(ConstantOp op) {
  QuantTensorType type = op.getType();
  auto attr = dyn_cast<UniformAttr>(type.getFormat());
  if (!attr || type.getLayout())
    return makeError("its format is not uniform, or it is packed");
  if (attr.getZero() != ZeroKind::None && attr.getZero() != ZeroKind::Integer)
    return makeError("its zero points are floats, but those of the quant "
                     "dialect are integers");
  if (!attr.isInteger())
    return makeError("its scales are not stored as f16, bf16 or f32");
  SmallVector<FormatComponent> components = type.getComponents();
  ArrayRef<int64_t> groups = components[1].type.getShape();
  const bool perRow =
      type.getRank() == 2 && groups[1] == 1 && groups[0] == type.getDimSize(0);
  if (!perRow && components[1].type.getNumElements() != 1)
    return makeError("its groups are neither the tensor nor its rows");

  const UniformFormat format =
      llvm::cantFail(UniformFormat::get(attr.getSpec()));
  const UniformFormat::Spec &spec = format.getSpec();
  SmallVector<TypedAttr> values = op.getComponentValues();
  std::vector<SmallVector<char, 0>> storage(values.size());
  SmallVector<ArrayRef<uint8_t>> bytes;
  for (auto [value, expanded] : llvm::zip_equal(values, storage)) {
    llvm::Expected<ArrayRef<char>> read = getConstantBytes(value, expanded);
    if (!read)
      return read.takeError();
    bytes.emplace_back(reinterpret_cast<const uint8_t *>(read->data()),
                       read->size());
  }
  llvm::Expected<TypedAttr> codes = getCodes(spec, type, values[0], bytes[0]);
  if (!codes)
    return codes.takeError();

  UniformConstant constant{format, *codes, {}, {}};
  const int64_t numGroups = components[1].type.getNumElements();
  const ElementType scaleType = getStoredType(spec.scales.getType());
  for (int64_t i = 0; i < numGroups; ++i)
    constant.scales.push_back(
        loadFloat(scaleType, bytes[1].data() + i * getByteSize(scaleType)));
  // A row of zero points holds one, since there is one group in it.
  constant.zeros.resize(numGroups);
  if (spec.hasZeroPoint())
    for (auto [zero, code] : llvm::zip_equal(
             constant.zeros, unpackCodes(spec, bytes[2], numGroups, 1)))
      zero = spec.isSigned ? static_cast<int8_t>(code) : code;
  return constant;
}

/// Replaces the operation, or says why it stays.
static llvm::Error convert(DequantizeOp op) {
  auto constantOp = op.getInput().getDefiningOp<ConstantOp>();
  if (!constantOp)
    return makeError("its input is not a constant");
  llvm::Expected<UniformConstant> constant = readConstant(constantOp);
  if (!constant)
    return constant.takeError();
  QuantTensorType type = constantOp.getType();

  IRRewriter rewriter(op);
  const UniformFormat &format = constant->format;
  unsigned flags =
      format.getSpec().isSigned ? quant::QuantizationFlags::Signed : 0;
  Type quantType;
  if (constant->scales.size() == 1)
    quantType = quant::UniformQuantizedType::get(
        flags, rewriter.getI8Type(), type.getElementType(),
        constant->scales.front(), constant->zeros.front(), format.getMinCode(),
        format.getMaxCode());
  else
    quantType = quant::UniformQuantizedPerAxisType::get(
        flags, rewriter.getI8Type(), type.getElementType(), constant->scales,
        constant->zeros, /*quantizedDimension=*/0, format.getMinCode(),
        format.getMaxCode());
  Value stored;
  if (auto dense = dyn_cast<DenseElementsAttr>(constant->codes))
    stored = arith::ConstantOp::create(rewriter, op.getLoc(), dense);
  else
    stored = WeightOp::create(rewriter, op.getLoc(), constant->codes);
  Value quantized = quant::StorageCastOp::create(
      rewriter, op.getLoc(), RankedTensorType::get(type.getShape(), quantType),
      stored);
  rewriter.replaceOpWithNewOp<quant::DequantizeCastOp>(op, op.getType(),
                                                       quantized);
  return llvm::Error::success();
}

namespace {
struct ConvertLowbitToQuantPass final
    : lowbit::impl::ConvertLowbitToQuantBase<ConvertLowbitToQuantPass> {
  void runOnOperation() override {
    getOperation()->walk([](DequantizeOp op) {
      if (llvm::Error error = convert(op))
        op.emitRemark() << "stays, because "
                        << llvm::toString(std::move(error));
    });
    getOperation()->walk([](ConstantOp op) {
      if (op.use_empty())
        op.erase();
    });
  }
};
} // namespace
