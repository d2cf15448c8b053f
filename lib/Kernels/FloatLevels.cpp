//===- FloatLevels.cpp - what codes stand for, as floats ------------------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FloatLevels.h"
#include "lowbit/Dialect/QVec/IR/QVecOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include <limits>

using namespace mlir;
using namespace lowbit;

/// The entries of a table that registers hold.
static constexpr int64_t tableEntries = 16;

/// A constant of the module that `b` builds in, shared by all its kernels.
static Value getGlobal(ImplicitLocOpBuilder &b, ArrayRef<float> values) {
  auto module =
      b.getInsertionBlock()->getParentOp()->getParentOfType<ModuleOp>();
  auto contents = DenseElementsAttr::get(
      RankedTensorType::get(values.size(), b.getF32Type()), values);
  auto type = MemRefType::get(values.size(), b.getF32Type());
  std::string name;
  for (unsigned number = 0;; ++number) {
    name = "lowbit_levels_" + std::to_string(number);
    Operation *other = module.lookupSymbol(name);
    if (!other) {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(module.getBody());
      memref::GlobalOp::create(b, name, b.getStringAttr("private"), type,
                               contents, /*constant=*/true,
                               /*alignment=*/b.getI64IntegerAttr(64));
      break;
    }
    auto global = dyn_cast<memref::GlobalOp>(other);
    if (global && global.getInitialValueAttr() == contents)
      break;
  }
  return memref::GetGlobalOp::create(b, type, name);
}

FloatLevels::FloatLevels(KernelBuilder &k, const PanelMatmulSpec &spec)
    : k(k), spec(spec) {
  if (spec.codeType)
    return;
  if (spec.looksUpInMemory()) {
    table = getGlobal(k.b, spec.levels);
    return;
  }
  auto getTable = [&](uint32_t first) -> Value {
    SmallVector<float> entries;
    for (uint32_t index = 0; index < tableEntries; ++index) {
      // Bits above the code are ignored.
      uint32_t code = index & spec.maxCode;
      entries.push_back(spec.levels.empty() ? code : spec.levels[first + code]);
    }
    return arith::ConstantOp::create(
        k.b, DenseElementsAttr::get(
                 VectorType::get({tableEntries}, k.b.getF32Type()),
                 ArrayRef<float>(entries)));
  };
  normal = getTable(0);
  if (spec.identifier)
    changed = getTable(spec.maxCode + 1);
}

Value FloatLevels::isolate(Value slice, int64_t byte) {
  auto lanes = cast<VectorType>(slice.getType());
  if (byte)
    slice = arith::ShRUIOp::create(k.b, slice, k.splat(lanes, 8 * byte));
  // Shorter tables are repeated; shuffles need no mask of four bits.
  bool isFour = takesFourBits() && !spec.identifier;
  return arith::AndIOp::create(
      k.b, slice, k.splat(lanes, isFour ? tableEntries - 1 : spec.maxCode));
}

/// f16 has at least as many bits of exponent and of mantissa, so the bits of a
/// code just move, in two bytes of a lane at once: exactly, subnormal numbers,
/// infinity and NaN of f8E5M2 included. All exponents of f8E4M3FN are those of
/// numbers, which differ from f16's by a constant factor.
Value lowbit::decodeFloat8(KernelBuilder &k, Type type, Value slice,
                           int64_t byte) {
  auto lanes = cast<VectorType>(slice.getType());
  auto keep = [&](Value bits, uint32_t mask) -> Value {
    return arith::AndIOp::create(k.b, bits, k.splat(lanes, int32_t(mask)));
  };
  Value halves = slice;
  if (byte % 2 == 0)
    halves = arith::ShLIOp::create(k.b, halves, k.splat(lanes, 8));
  const bool isE4M3 = isa<Float8E4M3FNType>(type);
  if (isE4M3) {
    Value magnitudes = arith::ShRUIOp::create(k.b, halves, k.splat(lanes, 1));
    halves = arith::OrIOp::create(k.b, keep(halves, 0x80008000),
                                  keep(magnitudes, 0x3f803f80));
  } else {
    halves = keep(halves, 0xff00ff00);
  }
  if (byte >= 2)
    halves = arith::ShRUIOp::create(k.b, halves, k.splat(lanes, 16));
  Value half =
      arith::TruncIOp::create(k.b, lanes.clone(k.b.getI16Type()), halves);
  half = arith::BitcastOp::create(k.b, lanes.clone(k.b.getF16Type()), half);
  VectorType floats = lanes.clone(k.b.getF32Type());
  Value value = arith::ExtFOp::create(k.b, floats, half);
  if (!isE4M3)
    return value;
  value = arith::MulFOp::create(k.b, value, k.splat(floats, 256));
  // The one magnitude that is no number.
  Value isNaN =
      arith::CmpIOp::create(k.b, arith::CmpIPredicate::eq, keep(halves, 0x3f80),
                            k.splat(lanes, 0x3f80));
  Value nan = arith::ConstantOp::create(
      k.b,
      DenseElementsAttr::get(floats, std::numeric_limits<float>::quiet_NaN()));
  return arith::SelectOp::create(k.b, isNaN, nan, value);
}

Value FloatLevels::gather(Value indices) {
  auto lanes = cast<VectorType>(indices.getType());
  VectorType floats = lanes.clone(k.b.getF32Type());
  return vector::GatherOp::create(
      k.b, floats, table, ValueRange{k.index(0)}, indices,
      k.splat(lanes.clone(k.b.getI1Type()), 1), k.splat(floats, 0));
}

Value FloatLevels::get(Value slice, int64_t byte) {
  if (spec.codeType)
    return decodeFloat8(k, spec.codeType, slice, byte);
  Value code = isolate(slice, byte);
  Value isChanged;
  if (spec.identifier)
    isChanged = arith::CmpIOp::create(
        k.b, arith::CmpIPredicate::eq, isolate(slice, byte ^ 1),
        k.splat(cast<VectorType>(code.getType()), *spec.identifier));
  if (table) {
    if (isChanged)
      code = arith::SelectOp::create(
          k.b, isChanged,
          arith::OrIOp::create(
              k.b, code,
              k.splat(cast<VectorType>(code.getType()), spec.maxCode + 1)),
          code);
    return gather(code);
  }
  Value value = qvec::LookupOp::create(k.b, normal, code);
  if (!isChanged)
    return value;
  return arith::SelectOp::create(
      k.b, isChanged, qvec::LookupOp::create(k.b, changed, code), value);
}
