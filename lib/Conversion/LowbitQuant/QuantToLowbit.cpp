//===- QuantToLowbit.cpp - take over constants of the quant dialect -------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Conversion/LowbitQuant/Passes.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "lowbit/Quantize/BitPacking.h"
#include "lowbit/Support/OutputFile.h"
#include "mlir/Dialect/Quant/IR/Quant.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

namespace lowbit {
#define GEN_PASS_DEF_CONVERTQUANTTOLOWBIT
#include "lowbit/Conversion/LowbitQuant/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

namespace {
/// What a uniform quant type says.
struct Parameters {
  SmallVector<double> scales;
  SmallVector<int64_t> zeros;
};
} // namespace

static llvm::Expected<Parameters> getParameters(quant::QuantizedType type,
                                                RankedTensorType tensor) {
  if (auto uniform = dyn_cast<quant::UniformQuantizedType>(type))
    return Parameters{{uniform.getScale()}, {uniform.getZeroPoint()}};
  auto perAxis = dyn_cast<quant::UniformQuantizedPerAxisType>(type);
  if (!perAxis || tensor.getRank() != 2 || perAxis.getQuantizedDimension() != 0)
    return makeError("its scales are neither of the tensor nor of the rows of "
                     "a matrix");
  return Parameters{SmallVector<double>(perAxis.getScales()),
                    SmallVector<int64_t>(perAxis.getZeroPoints())};
}

/// The format whose codes are those of the type.
static llvm::Expected<UniformFormat> getFormat(quant::QuantizedType type,
                                               const Parameters &parameters) {
  const int64_t min = type.getStorageTypeMin(), max = type.getStorageTypeMax();
  UniformFormat::Spec spec;
  spec.isSigned = type.isSigned();
  const bool hasZeroPoint =
      llvm::any_of(parameters.zeros, [](int64_t zero) { return zero != 0; });
  spec.zero = hasZeroPoint ? ZeroKind::Integer : ZeroKind::None;
  spec.groupRows = parameters.scales.size() == 1 ? 0 : 1;
  spec.groupCols = 0;
  spec.scales = ScaleType::F32;
  // Zero points keep a format from being narrow, but decode no differently.
  const bool narrow = spec.isSigned && min == -max;
  spec.narrowRange = narrow && !hasZeroPoint;
  for (spec.bits = spec.isSigned ? 2 : 1; spec.bits <= 8; ++spec.bits) {
    llvm::Expected<UniformFormat> format = UniformFormat::get(spec);
    if (!format)
      return format.takeError();
    if (format->getMaxCode() != max ||
        (format->getMinCode() != min && !(narrow && hasZeroPoint)))
      continue;
    for (int64_t zero : parameters.zeros)
      if (zero < format->getMinCode() || zero > format->getMaxCode())
        return makeError("its zero point " + Twine(zero) + " is not a code");
    return format;
  }
  return makeError("its codes go from " + Twine(min) + " to " + Twine(max) +
                   ", as those of no uniform format");
}

/// Packs rows of codes, one in a byte; fails if one is no code of the format.
static llvm::Expected<std::vector<char>>
packRows(const UniformFormat &format, ArrayRef<char> codes, int64_t cols) {
  const UniformFormat::Spec &spec = format.getSpec();
  for (char byte : codes) {
    int code =
        spec.isSigned ? static_cast<int8_t>(byte) : static_cast<uint8_t>(byte);
    if (code < format.getMinCode() || code > format.getMaxCode())
      return makeError("its constant has the code " + Twine(code) +
                       ", which is outside the range of its type");
  }
  const int64_t rows = codes.size() / cols;
  const int64_t rowBytes = getPackedBytes(cols, spec.bits);
  std::vector<char> packed(rows * rowBytes);
  ArrayRef<uint8_t> from(reinterpret_cast<const uint8_t *>(codes.data()),
                         codes.size());
  MutableArrayRef<uint8_t> to(reinterpret_cast<uint8_t *>(packed.data()),
                              packed.size());
  for (int64_t row = 0; row < rows; ++row)
    packBits(from.slice(row * cols, cols), spec.bits,
             to.slice(row * rowBytes, rowBytes));
  return packed;
}

static llvm::Expected<SmallVector<TypedAttr>>
makeComponents(QuantTensorType type, const UniformFormat &format,
               Attribute codes, const Parameters &parameters) {
  SmallVector<FormatComponent> components = type.getComponents();
  SmallVector<char> storage;
  llvm::Expected<ArrayRef<char>> bytes = getConstantBytes(codes, storage);
  if (!bytes)
    return bytes.takeError();
  llvm::Expected<std::vector<char>> packed =
      packRows(format, *bytes, type.getShape().back());
  if (!packed)
    return packed.takeError();

  SmallVector<TypedAttr> values;
  auto external = dyn_cast<ExternalAttr>(codes);
  if (format.getSpec().bits == 8) {
    values.push_back(cast<TypedAttr>(codes));
  } else if (external) {
    llvm::Expected<TypedAttr> stored = storeConstant(
        (external.getKey() + ".packed").str(), components[0].type, *packed);
    if (!stored)
      return stored.takeError();
    values.push_back(*stored);
  } else {
    values.push_back(
        DenseElementsAttr::getFromRawBuffer(components[0].type, *packed));
  }
  SmallVector<float> scales(parameters.scales.begin(), parameters.scales.end());
  values.push_back(
      DenseElementsAttr::get(components[1].type, ArrayRef<float>(scales)));
  if (format.getSpec().hasZeroPoint()) {
    SmallVector<char> zeros(parameters.zeros.begin(), parameters.zeros.end());
    llvm::Expected<std::vector<char>> packedZeros =
        packRows(format, zeros, /*cols=*/1);
    if (!packedZeros)
      return packedZeros.takeError();
    values.push_back(
        DenseElementsAttr::getFromRawBuffer(components[2].type, *packedZeros));
  }
  return values;
}

/// Replaces the operation, or says why it stays.
static llvm::Error convert(quant::DequantizeCastOp op) {
  auto cast = op.getInput().getDefiningOp<quant::StorageCastOp>();
  Attribute codes;
  if (!cast || !matchPattern(cast.getInput(), m_Constant(&codes)))
    return makeError("its input is not a constant of stored codes");
  auto tensor = dyn_cast<RankedTensorType>(op.getResult().getType());
  quant::QuantizedType quantType = op.getQuantizedType();
  if (!tensor || tensor.getRank() == 0 ||
      quantType.getStorageTypeIntegralWidth() != 8)
    return makeError("it is not a tensor of codes stored as bytes");
  llvm::Expected<Parameters> parameters = getParameters(quantType, tensor);
  if (!parameters)
    return parameters.takeError();
  llvm::Expected<UniformFormat> format = getFormat(quantType, *parameters);
  if (!format)
    return format.takeError();

  IRRewriter rewriter(op);
  auto type = QuantTensorType::get(
      tensor.getShape(), tensor.getElementType(),
      UniformAttr::get(op.getContext(), format->getSpec(), tensor.getShape()));
  llvm::Expected<SmallVector<TypedAttr>> components =
      makeComponents(type, *format, codes, *parameters);
  if (!components)
    return components.takeError();
  Value constant = ConstantOp::create(rewriter, op.getLoc(), type, *components);
  rewriter.replaceOpWithNewOp<DequantizeOp>(op, tensor, constant);
  if (cast->use_empty())
    rewriter.eraseOp(cast);
  return llvm::Error::success();
}

namespace {
struct ConvertQuantToLowbitPass final
    : lowbit::impl::ConvertQuantToLowbitBase<ConvertQuantToLowbitPass> {
  void runOnOperation() override {
    getOperation()->walk([](quant::DequantizeCastOp op) {
      if (llvm::Error error = convert(op))
        op.emitRemark() << "stays, because "
                        << llvm::toString(std::move(error));
    });
  }
};
} // namespace
