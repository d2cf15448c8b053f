//===- QuantFormatInterface.cpp - what a number format has to say ---------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/QuantFormatInterface.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitTypes.h"

using namespace mlir;
using namespace lowbit;

#include "lowbit/Dialect/Lowbit/IR/QuantFormatInterface.cpp.inc"

StringRef lowbit::getSafeTensorsType(Type type) {
  if (type.isF64())
    return "F64";
  if (type.isF32())
    return "F32";
  if (type.isF16())
    return "F16";
  if (type.isBF16())
    return "BF16";
  if (auto integer = dyn_cast<IntegerType>(type)) {
    bool isUnsigned = integer.isUnsigned();
    switch (integer.getWidth()) {
    case 8:
      return isUnsigned ? "U8" : "I8";
    case 16:
      return isUnsigned ? "U16" : "I16";
    case 32:
      return isUnsigned ? "U32" : "I32";
    case 64:
      return isUnsigned ? "U64" : "I64";
    }
  }
  return "";
}

double QuantFormatAttrInterface::getBitsPerWeight(ArrayRef<int64_t> shape) {
  double bits = 0;
  for (const FormatComponent &component : getComponents(shape))
    bits += static_cast<double>(component.type.getNumElements()) *
            component.type.getElementTypeBitWidth();
  return bits / ShapedType::getNumElements(shape);
}
