//===- SparseAttrTest.cpp - sparse formats against the C++ ones -----------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FormatAttrTest.h"

using namespace mlir;
using namespace lowbit;

namespace {
using SparseAttrTest = FormatAttrTest;
} // namespace

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
      checkComponents(attr, rows, cols);
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
