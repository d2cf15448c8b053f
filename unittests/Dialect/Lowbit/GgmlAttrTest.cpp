//===- GgmlAttrTest.cpp - the format attribute against the C++ format -----===//
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
using GgmlAttrTest = FormatAttrTest;
} // namespace

TEST_F(GgmlAttrTest, ComponentsAreThoseOfTheFormat) {
  const int64_t rows = 5, cols = 512;
  for (const GgmlLayout &layout : getGgmlLayouts()) {
    QuantFormatAttrInterface attr = GgmlAttr::get(&context, layout.type);
    checkComponents(attr, rows, cols);
    EXPECT_DOUBLE_EQ(attr.getBitsPerWeight({rows, cols}),
                     8.0 * layout.blockBytes / layout.blockCols);
    EXPECT_EQ(attr.getGroupCols({rows, cols}), layout.groupCols);
  }
}

TEST_F(GgmlAttrTest, RowsOfMoreDimensionsAreCounted) {
  auto attr = GgmlAttr::get(&context, GgmlType::Q8_0);
  auto components = attr.getComponents({2, ShapedType::kDynamic, 64});
  EXPECT_EQ(components[0].type.getShape(),
            (ArrayRef<int64_t>{2, ShapedType::kDynamic, 68}));
}
