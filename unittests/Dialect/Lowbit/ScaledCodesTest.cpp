//===- ScaledCodesTest.cpp - what kernels are told of formats -------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FormatAttrTest.h"
#include "lowbit/Dialect/Lowbit/IR/ElementTypes.h"
#include "lowbit/Quantize/BitPacking.h"
#include "lowbit/Quantize/Codebook.h"
#include "lowbit/Quantize/FloatStorage.h"
#include "lowbit/Quantize/ScaleStorage.h"
#include "llvm/ADT/bit.h"
#include <cmath>
#include <random>

using namespace mlir;
using namespace lowbit;

namespace {
using ScaledCodesTest = FormatAttrTest;
} // namespace

/// The number at `index` of a component whose elements are of `type`.
static float readNumber(Type type, ArrayRef<char> bytes, int64_t index) {
  const auto *at = reinterpret_cast<const uint8_t *>(bytes.data()) +
                   index * (type.getIntOrFloatBitWidth() / 8);
  if (isa<Float8E8M0FNUType>(type))
    return decodeE8M0(*at);
  if (isa<Float8E4M3FNType>(type))
    return Codebook::find("e4m3")->getLevels()[*at];
  if (type.isSignedInteger())
    return static_cast<int8_t>(*at);
  if (type.isUnsignedInteger())
    return *at;
  return loadFloat(*getStoredFloatType(type), at);
}

/// The matrix that the components stand for, as the description says.
static std::vector<float> decode(const ScaledCodes &format, int64_t rows,
                                 int64_t cols, int64_t groupCols,
                                 ArrayRef<ArrayRef<char>> components) {
  const int64_t groupRows = format.groupRows ? format.groupRows : rows;
  const int64_t groups = llvm::divideCeil(cols, groupCols);
  const int64_t perFactor = format.factorGroups ? format.factorGroups : groups;
  const int64_t factors = llvm::divideCeil(groups, perFactor);
  const int64_t rowBytes = getPackedBytes(cols, format.bits);
  std::vector<float> matrix(rows * cols);
  for (int64_t row = 0; row < rows; ++row) {
    SmallVector<uint8_t> codes(cols);
    unpackBits({reinterpret_cast<const uint8_t *>(components[0].data()) +
                    row * rowBytes,
                static_cast<size_t>(rowBytes)},
               format.bits, codes);
    for (int64_t col = 0; col < cols; ++col) {
      const int64_t group = row / groupRows * groups + col / groupCols;
      const int64_t factor =
          row / groupRows * factors + col / groupCols / perFactor;
      size_t next = 1;
      auto read = [&](Type type, Type factorType) {
        float number = readNumber(type, components[next++], group);
        if (factorType)
          number *= readNumber(factorType, components[next++], factor);
        return number;
      };
      const float scale = read(format.scaleType, format.factorType);
      auto decode = [&](uint8_t code) -> float {
        return format.isSigned ? signExtendCode(code, format.bits) : code;
      };
      float level = !format.levels.empty() ? format.levels[codes[col]]
                                           : decode(codes[col]);
      if (isa_and_nonnull<FloatType>(format.zeroType)) {
        level -= read(format.zeroType, {});
      } else if (format.zeroType) {
        const int64_t zeroBytes = getPackedBytes(groups, format.bits);
        SmallVector<uint8_t> zeros(groups);
        unpackBits({reinterpret_cast<const uint8_t *>(components[next].data()) +
                        row / groupRows * zeroBytes,
                    static_cast<size_t>(zeroBytes)},
                   format.bits, zeros);
        ++next;
        level -= decode(zeros[col / groupCols]);
      }
      float value = scale * level;
      if (format.offsetType)
        value += read(format.offsetType, format.offsetFactorType);
      matrix[row * cols + col] = value;
    }
  }
  return matrix;
}

// Of any bytes, so that whatever a file may hold is covered.
TEST_F(ScaledCodesTest, UnpackedCodesStandForTheSameNumbers) {
  const int64_t rows = 5, cols = 512;
  SmallVector<std::string> formats;
  for (const GgmlLayout &layout : getGgmlLayouts())
    formats.push_back(("#lowbit.ggml<" + layout.name + ">").str());
  for (StringRef text :
       {"nf4, group = [2, 64], scale = f16",
        "e2m1, group = [1, 16], scale = f8E4M3FN",
        "e2m1, group = [1, 16], scale = #lowbit.codebook<e4m3, group = [*, *], "
        "scale = f32>",
        "nf4, group = [1, 32], scale = #lowbit.codebook<e4m3, group = [3, 5], "
        "scale = bf16>",
        "nf4, group = [2, 64], scale = #lowbit.codebook<dynamic8, group = [2, "
        "3], scale = f32>, offset = f32",
        "nf4, group = [1, 16], scale = #lowbit.codebook<e4m3, group = [1, 4], "
        "scale = f8E8M0FNU>",
        "nf4, group = [1, 16], scale = #lowbit.uniform<u3, group = [2, 1], "
        "scale = f16, zero = u3>",
        "nf4, group = [1, 16], scale = #lowbit.uniform<s7, group = [1, 5], "
        "scale = f32, zero = s7>",
        "nf4, group = [1, 16], scale = #lowbit.uniform<u8, group = [1, *], "
        "scale = f16, zero = none>",
        "nf4, group = [1, 16], scale = #lowbit.uniform<u8, group = [1, *], "
        "scale = f16, zero = u8>",
        "nf4, group = [1, 16], scale = #lowbit.uniform<u4, group = [1, 8], "
        "scale = f16, zero = f16>"})
    formats.push_back(("#lowbit.codebook<" + text + ">").str());

  const std::string u3 =
      "#lowbit.uniform<u3, group = [16, 1], scale = f16, zero = f16>";
  for (const std::string &text :
       {std::string("u4, group = [2, 64], scale = f8E8M0FNU, zero = u4"),
        std::string("s8, group = [1, 32], scale = f8E4M3FN, zero = none"),
        "u3, group = [1, 16], scale = " + u3 + ", zero = " + u3,
        "s4, group = [1, 16], scale = f16, zero = " + u3,
        "u4, group = [1, 16], scale = " + u3 + ", zero = u4, offset = f32",
        std::string("s4, group = [1, 16], scale = #lowbit.uniform<u6, group = "
                    "[2, 4], scale = f16, zero = u6>, zero = s4")})
    formats.push_back("#lowbit.uniform<" + text + ">");

  std::mt19937 random(0);
  for (const std::string &text : formats) {
    SCOPED_TRACE(text);
    QuantFormatAttrInterface attr = parse(text).adaptToShape({rows, cols});
    std::optional<ScaledCodes> codes = attr.getScaledCodes();
    ASSERT_TRUE(codes);
    SmallVector<std::vector<char>> stored;
    for (const FormatComponent &component : attr.getComponents({rows, cols})) {
      stored.emplace_back(ExternalAttr::getByteSize(component.type));
      for (char &byte : stored.back())
        byte = static_cast<char>(random());
    }
    SmallVector<ArrayRef<char>> components(stored.begin(), stored.end());
    SmallVector<ArrayRef<uint8_t>> bytes;
    for (ArrayRef<char> component : components)
      bytes.emplace_back(reinterpret_cast<const uint8_t *>(component.data()),
                         component.size());
    std::vector<float> expected(rows * cols);
    llvm::cantFail(attr.getBlockFormat()->decode(
        bytes, MatrixView(expected.data(), rows, cols)));

    SmallVector<std::vector<char>> unpacked;
    if (codes->ownStorage) {
      unpacked = attr.unpackScaledCodes({rows, cols}, components);
      components.assign(unpacked.begin(), unpacked.end());
    }
    std::vector<float> actual =
        decode(*codes, rows, cols, attr.getGroupCols({rows, cols}), components);
    for (int64_t i = 0; i < rows * cols; ++i)
      ASSERT_TRUE(llvm::bit_cast<uint32_t>(actual[i]) ==
                      llvm::bit_cast<uint32_t>(expected[i]) ||
                  (std::isnan(actual[i]) && std::isnan(expected[i])))
          << i << ": " << actual[i] << " instead of " << expected[i];
  }
}

// What a scale takes in a panel: bytes where a product of a byte and a shared
// factor is what the format stores, four bytes for all else.
TEST_F(ScaledCodesTest, ScalesOfScalesStaySmall) {
  auto getTypes = [&](StringRef text) {
    ScaledCodes codes = *parse(text).getScaledCodes();
    std::string types;
    llvm::raw_string_ostream os(types);
    os << codes.scaleType;
    if (codes.factorType)
      os << " x " << codes.factorType << " / " << codes.factorGroups;
    return types;
  };
  EXPECT_EQ(getTypes("#lowbit.ggml<q8_0>"), "f16");
  EXPECT_EQ(getTypes("#lowbit.ggml<q4_K>"), "ui8 x f16 / 8");
  EXPECT_EQ(getTypes("#lowbit.ggml<q6_K>"), "si8 x f16 / 16");
  EXPECT_EQ(getTypes("#lowbit.codebook<e2m1, group = [1, 16], scale = "
                     "#lowbit.codebook<e4m3, group = [*, *], scale = f32>>"),
            "f8E4M3FN x f32 / 0");
  EXPECT_EQ(getTypes("#lowbit.codebook<nf4, group = [1, 16], scale = "
                     "#lowbit.uniform<u3, group = [4, 8], scale = f16, zero = "
                     "u3>>"),
            "si8 x f16 / 8");
  EXPECT_EQ(getTypes("#lowbit.uniform<u4, group = [1, 16], scale = "
                     "#lowbit.uniform<u6, group = [1, 16], scale = f16, zero = "
                     "none>, zero = u4>"),
            "ui8 x f16 / 16");
  EXPECT_EQ(
      getTypes("#lowbit.codebook<nf4, group = [1, 64], scale = "
               "#lowbit.codebook<dynamic8, group = [4, 64], scale = f32>, "
               "offset = f32>"),
      "f32");
}
