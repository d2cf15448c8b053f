//===- VectorsTest.cpp - The solvers against an independent reference -----===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The files in vectors/ are written by python/lowbit/reference/make_vectors.py
// from a numpy implementation that shares nothing with this one. Codes, zero
// points and orders must agree bit for bit, scales to rounding errors.
//
//===----------------------------------------------------------------------===//

#include "TestUtils.h"
#include "lowbit/Quantize/BitPacking.h"
#include "lowbit/Quantize/FloatStorage.h"
#include "lowbit/Quantize/Gptq.h"
#include "lowbit/Support/Npy.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

using namespace lowbit;
using namespace lowbit::testing;

namespace {

std::string getFolder() {
  return std::string(LOWBIT_UNITTEST_SOURCE_DIR) + "/vectors/";
}

std::vector<std::string> getCases() {
  std::vector<std::string> cases;
  std::error_code error;
  for (llvm::sys::fs::directory_iterator it(getFolder(), error), end;
       it != end && !error; it.increment(error))
    if (llvm::sys::path::extension(it->path()) == ".json")
      cases.push_back(llvm::sys::path::stem(it->path()).str());
  return cases;
}

class Vectors : public ::testing::TestWithParam<std::string> {
protected:
  Tensor read(llvm::StringRef kind) {
    return unwrap(
        readNpy(getFolder() + GetParam() + "." + kind.str() + ".npy"));
  }
};

TEST(VectorFiles, ArePresent) { EXPECT_GE(getCases().size(), 24u); }

TEST_P(Vectors, Agree) {
  auto buffer = llvm::MemoryBuffer::getFile(getFolder() + GetParam() + ".json");
  ASSERT_TRUE(static_cast<bool>(buffer));
  llvm::json::Value json = unwrap(llvm::json::parse((*buffer)->getBuffer()));
  const llvm::json::Object &options = *json.getAsObject();

  UniformFormat::Spec spec;
  spec.bits = *options.getInteger("bits");
  spec.isSigned = *options.getBoolean("symmetric");
  spec.zero = spec.isSigned ? ZeroKind::None : ZeroKind::Integer;
  spec.groupCols = std::max<int64_t>(*options.getInteger("group_size"), 0);
  const ScaleType type =
      llvm::StringSwitch<ScaleType>(*options.getString("scale_type"))
          .Case("f16", ScaleType::F16)
          .Case("bf16", ScaleType::BF16)
          .Case("f32", ScaleType::F32);
  spec.scales = type;
  const ElementType scaleType = getStoredType(type);
  UniformFormat format = unwrap(UniformFormat::get(spec));
  MinMaxSearch minMax;
  MseSearch mse;
  const RangeSearch &search = *options.getBoolean("mse")
                                  ? static_cast<const RangeSearch &>(mse)
                                  : minMax;

  Tensor weight = read("weight");
  const int64_t rows = weight.getShape()[0], cols = weight.getShape()[1];
  ConstMatrixView weights(weight.data<float>(), rows, cols);
  SolverResult result;
  if (std::optional<bool> actOrder = options.getBoolean("act_order")) {
    GptqOptions gptqOptions;
    gptqOptions.actOrder = *actOrder;
    gptqOptions.staticGroups = *options.getBoolean("static_groups");
    gptqOptions.blockSize = *options.getInteger("block_size");
    gptqOptions.damping = *options.getNumber("damping");
    Tensor inputs = read("inputs");
    HessianAccumulator accumulator(cols);
    accumulator.update(
        ConstMatrixView(inputs.data<float>(), inputs.getShape()[0], cols), 1);
    GptqFactor factor = unwrap(
        GptqFactor::compute(std::move(accumulator).finish(), gptqOptions));
    result = unwrap(gptq(format, weights, factor, search, gptqOptions));
  } else {
    result = unwrap(roundToNearest(format, weights, search));
  }

  // The reference keeps columns in their own order, and says the order of the
  // stored ones apart.
  Tensor codes = read("codes"), zeros = read("zeros"), scales = read("scales");
  if (!result.columnOrder.empty()) {
    Tensor order = read("order");
    for (int64_t i = 0; i < cols; ++i)
      EXPECT_EQ(result.columnOrder[i], order.values<int32_t>()[i]);
  } else {
    EXPECT_EQ(result.matrix.components[0].bytes,
              llvm::ArrayRef(read("packed").values<uint8_t>()).vec());
  }
  const int64_t codeBytes = getPackedBytes(cols, spec.bits);
  const int64_t groups = format.getNumColGroups(cols);
  const int64_t zeroBytes = getPackedBytes(groups, spec.bits);
  auto toInt = [&](uint8_t code) -> int32_t {
    return spec.isSigned ? signExtendCode(code, spec.bits) : code;
  };
  for (int64_t row = 0; row < rows; ++row) {
    std::vector<uint8_t> rowCodes(cols), rowZeros(groups);
    unpackBits(llvm::ArrayRef(result.matrix.components[0].bytes)
                   .slice(row * codeBytes, codeBytes),
               spec.bits, rowCodes);
    for (int64_t i = 0; i < cols; ++i) {
      const int64_t col =
          result.columnOrder.empty() ? i : result.columnOrder[i];
      EXPECT_EQ(toInt(rowCodes[i]), codes.values<int32_t>()[row * cols + col])
          << "row " << row << ", column " << col;
    }
    if (spec.hasZeroPoint())
      unpackBits(llvm::ArrayRef(result.matrix.components[2].bytes)
                     .slice(row * zeroBytes, zeroBytes),
                 spec.bits, rowZeros);
    for (int64_t group = 0; group < groups; ++group) {
      const int64_t index = row * groups + group;
      EXPECT_EQ(spec.hasZeroPoint() ? rowZeros[group] : 0,
                zeros.values<int32_t>()[index]);
      const float expected = scales.values<float>()[index];
      EXPECT_NEAR(
          loadFloat(scaleType, &result.matrix.components[1]
                                    .bytes[index * getByteSize(scaleType)]),
          expected, 1e-4f * expected);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Reference, Vectors, ::testing::ValuesIn(getCases()),
                         [](const ::testing::TestParamInfo<std::string> &info) {
                           std::string name = info.param;
                           for (char &c : name)
                             if (!std::isalnum(static_cast<unsigned char>(c)))
                               c = '_';
                           return name;
                         });

} // namespace
