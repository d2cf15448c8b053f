//===- FormatAttrTest.h - format attributes in unit tests -------*- C++ -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_UNITTESTS_DIALECT_LOWBIT_FORMATATTRTEST_H
#define LOWBIT_UNITTESTS_DIALECT_LOWBIT_FORMATATTRTEST_H

#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/MLIRContext.h"
#include "gtest/gtest.h"

namespace lowbit {

class FormatAttrTest : public testing::Test {
protected:
  /// `mnemonic` is of the formats that `parse` is given the parameters of.
  explicit FormatAttrTest(llvm::StringRef mnemonic = "") : mnemonic(mnemonic) {
    context.loadDialect<LowbitDialect>();
  }

  QuantFormatAttrInterface parse(llvm::StringRef text) {
    std::string spelled = text.str();
    if (!mnemonic.empty())
      spelled = ("#lowbit." + mnemonic + "<" + text + ">").str();
    return llvm::cast<QuantFormatAttrInterface>(
        mlir::parseAttribute(spelled, &context));
  }

  static std::string print(mlir::Attribute attr) {
    std::string text;
    llvm::raw_string_ostream(text) << attr;
    return text;
  }

  /// The lists of components of the attribute and of its C++ format are made by
  /// different code and must be the same.
  static void checkComponents(QuantFormatAttrInterface attr, int64_t rows,
                              int64_t cols) {
    SCOPED_TRACE(print(attr));
    auto components = attr.getComponents({rows, cols});
    auto expected = attr.getBlockFormat()->getComponents(rows, cols);
    ASSERT_EQ(components.size(), expected.size());
    for (auto [component, other] : llvm::zip(components, expected)) {
      EXPECT_EQ(component.name.str(), other.name);
      EXPECT_EQ(component.type.getShape(),
                llvm::ArrayRef<int64_t>(other.shape));
      EXPECT_EQ(ExternalAttr::getByteSize(component.type),
                static_cast<uint64_t>(other.getByteSize()));
    }
  }

  mlir::MLIRContext context;

private:
  llvm::StringRef mnemonic;
};

} // namespace lowbit

#endif // LOWBIT_UNITTESTS_DIALECT_LOWBIT_FORMATATTRTEST_H
