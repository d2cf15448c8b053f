//===- GgmlAttrTest.cpp - the format attribute against the C++ format -----===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "mlir/IR/MLIRContext.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace lowbit;

namespace {
class GgmlAttrTest : public testing::Test {
protected:
  GgmlAttrTest() { context.loadDialect<LowbitDialect>(); }

  MLIRContext context;
};
} // namespace

// The two lists of components are made by different code and must be the same.
TEST_F(GgmlAttrTest, ComponentsAreThoseOfTheFormat) {
  const int64_t rows = 5, cols = 512;
  for (const GgmlLayout &layout : getGgmlLayouts()) {
    QuantFormatAttrInterface attr = GgmlAttr::get(&context, layout.type);
    auto components = attr.getComponents({rows, cols});
    auto expected = attr.getBlockFormat()->getComponents(rows, cols);
    ASSERT_EQ(components.size(), 1u);
    ASSERT_EQ(expected.size(), 1u);
    EXPECT_EQ(components[0].name, expected[0].name);
    EXPECT_EQ(components[0].type.getShape(),
              ArrayRef<int64_t>(expected[0].shape));
    EXPECT_EQ(ExternalAttr::getByteSize(components[0].type),
              static_cast<uint64_t>(expected[0].getByteSize()));
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
