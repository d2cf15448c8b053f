//===- SparseAttrTest.cpp - sparse formats against the C++ ones -----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/MLIRContext.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace lowbit;

namespace {
class SparseAttrTest : public testing::Test {
protected:
  SparseAttrTest() { context.loadDialect<LowbitDialect>(); }

  QuantFormatAttrInterface parse(StringRef text) {
    return cast<QuantFormatAttrInterface>(parseAttribute(text, &context));
  }
  static std::string print(Attribute attr) {
    std::string text;
    llvm::raw_string_ostream(text) << attr;
    return text;
  }

  MLIRContext context;
};
} // namespace

// The two lists of components are made by different code and must be the same.
TEST_F(SparseAttrTest, ComponentsAreThoseOfTheFormat) {
  for (auto [rows, cols] : {std::pair<int64_t, int64_t>{5, 50}, {2, 70000}})
    for (StringRef text :
         {"#lowbit.sparse_outliers<dense = #lowbit.uniform<s4, group = [1, *], "
          "scale = f16, zero = none>, count = 7, value = f16>",
          "#lowbit.sparse_outliers<dense = #lowbit.codebook<nf4, group = [1, "
          "16], scale = f16>, fraction = 0.1, value = f32>",
          "#lowbit.sparse_outliers<dense = #lowbit.float<bf16>, count = 0, "
          "value = bf16>",
          "#lowbit.n_of_m<2:4, values = #lowbit.float<f16>>",
          "#lowbit.n_of_m<3:7, values = #lowbit.uniform<u4, group = [1, 12], "
          "scale = f16, zero = u4>>"}) {
      QuantFormatAttrInterface attr = parse(text).adaptToShape({rows, cols});
      auto components = attr.getComponents({rows, cols});
      auto expected = attr.getBlockFormat()->getComponents(rows, cols);
      ASSERT_EQ(components.size(), expected.size());
      for (auto [component, other] : llvm::zip(components, expected)) {
        EXPECT_EQ(component.name.str(), other.name);
        EXPECT_EQ(component.type.getShape(), ArrayRef<int64_t>(other.shape));
        EXPECT_EQ(ExternalAttr::getByteSize(component.type),
                  static_cast<uint64_t>(other.getByteSize()));
      }
    }
}

TEST_F(SparseAttrTest, ShapesAndMatricesSayWhatIsMissing) {
  QuantFormatAttrInterface attr = parse(
      "#lowbit.sparse_outliers<dense = #lowbit.uniform<s4, group = [1, 16], "
      "scale = f16, zero = none>, fraction = 0.1, value = f16>");
  StringRef stated =
      "#lowbit.sparse_outliers<dense = #lowbit.uniform<s4, group = [1, 16], "
      "scale = f16, zero = none, pad>, count = ";
  attr = attr.adaptToShape({3, 50});
  EXPECT_EQ(print(attr), (stated + "15, value = f16>").str());
  QuantizedMatrix matrix;
  matrix.components.push_back({{"outlier_values", ElementType::F16, {4}}, {}});
  EXPECT_EQ(print(attr.adaptToMatrix(matrix)),
            (stated + "4, value = f16>").str());
}

TEST_F(SparseAttrTest, GroupsAreThoseOfTheElements) {
  EXPECT_EQ(parse("#lowbit.n_of_m<2:4, values = #lowbit.uniform<s4, group = "
                  "[1, 16], scale = f16, zero = none>>")
                .getGroupCols({8, 64}),
            32);
  EXPECT_EQ(parse("#lowbit.n_of_m<2:4, values = #lowbit.float<f16>>")
                .getGroupCols({8, 30}),
            30);
}
