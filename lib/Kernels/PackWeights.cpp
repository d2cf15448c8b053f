//===- PackWeights.cpp - weights in the layout of a target's kernels ------===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.h"
#include "lowbit/Dialect/Lowbit/IR/LowbitOps.h"
#include "lowbit/Kernels/KernelGenerator.h"
#include "lowbit/Kernels/Passes.h"

namespace lowbit {
#define GEN_PASS_DEF_LOWBITPACKWEIGHTS
#include "lowbit/Kernels/Passes.h.inc"
} // namespace lowbit

using namespace mlir;
using namespace lowbit;

/// Names for the components of a weight that no other packed tensor has: that
/// of the stored component, if it has one, and the layout. What a format stores
/// in another way has the name of the first component and one of its own.
static std::string getPackedName(ConstantOp constant, unsigned index,
                                 StringRef name, unsigned number) {
  SmallVector<TypedAttr> values = constant.getComponentValues();
  std::optional<ScaledCodes> codes =
      constant.getType().getFormat().getScaledCodes();
  bool isOwn = codes && codes->ownStorage;
  auto external = dyn_cast<ExternalAttr>(values[isOwn ? 0 : index]);
  bool hasKey = external && !external.getKey().empty();
  std::string text;
  llvm::raw_string_ostream os(text);
  os << (hasKey ? external.getKey() : "weight");
  if (isOwn || !hasKey)
    os << '.' << name;
  os << ".packed" << number;
  return text;
}

/// The components of `constant` in the layout of `type`.
static llvm::Expected<SmallVector<TypedAttr>>
packComponents(ConstantOp constant, QuantTensorType type, unsigned number) {
  QuantTensorType from = constant.getType();
  SmallVector<TypedAttr> values = constant.getComponentValues();
  std::vector<SmallVector<char, 0>> expanded(values.size());
  SmallVector<ArrayRef<char>> bytes;
  for (auto [value, storage] : llvm::zip_equal(values, expanded)) {
    llvm::Expected<ArrayRef<char>> component = getConstantBytes(value, storage);
    if (!component)
      return component.takeError();
    bytes.push_back(*component);
  }

  SmallVector<FormatComponent> components = type.getComponents();
  std::vector<std::vector<char>> packed;
  SmallVector<MutableArrayRef<char>> views;
  packed.reserve(components.size());
  for (const FormatComponent &component : components)
    views.push_back(
        packed.emplace_back(ExternalAttr::getByteSize(component.type)));
  type.getLayout().pack(from.getFormat(), from.getShape(), bytes, views);
  for (TypedAttr value : values)
    if (auto external = dyn_cast<ExternalAttr>(value))
      external.release();

  SmallVector<TypedAttr> attributes;
  for (auto [index, component, data] : llvm::enumerate(components, packed)) {
    llvm::Expected<TypedAttr> attribute =
        storeConstant(getPackedName(constant, index, component.name, number),
                      component.type, data);
    if (!attribute)
      return attribute.takeError();
    attributes.push_back(*attribute);
  }
  return attributes;
}

namespace {

struct LowbitPackWeightsPass
    : lowbit::impl::LowbitPackWeightsBase<LowbitPackWeightsPass> {
  using LowbitPackWeightsBase::LowbitPackWeightsBase;

  void runOnOperation() override {
    std::unique_ptr<KernelGenerator> generator =
        createCpuKernelGenerator(target, getOperation().getLoc());
    if (!generator)
      return signalPassFailure();
    convertedInputs.clear();
    // A weight that several matmuls share is packed once for each layout.
    DenseMap<std::pair<Operation *, Type>, Value> packed;
    WalkResult result = getOperation().walk([&](MatmulOp op) {
      auto constant = op.getWeight().getDefiningOp<ConstantOp>();
      if (!constant || constant.getType().getLayout())
        return WalkResult::advance();
      QuantTensorType from = constant.getType();
      PackedLayoutAttrInterface layout = findLayout(*generator, op, from);
      if (!layout)
        return WalkResult::advance();
      auto type = QuantTensorType::get(from.getShape(), from.getElementType(),
                                       from.getFormat(), layout);
      Value &value = packed[{constant, type}];
      if (!value) {
        // Not the statistic, which LLVM may have been built without.
        llvm::Expected<SmallVector<TypedAttr>> components =
            packComponents(constant, type, packed.size());
        if (!components) {
          op.emitError(llvm::toString(components.takeError()));
          return WalkResult::interrupt();
        }
        OpBuilder builder(constant);
        value =
            ConstantOp::create(builder, constant.getLoc(), type, *components);
        ++numPacked;
      }
      op.getWeightMutable().assign(value);
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      return signalPassFailure();
    for (auto &[key, value] : packed) {
      sharePacked(key.first->getResult(0), value);
      if (key.first->use_empty())
        key.first->erase();
    }
  }

private:
  /// Lets products with single columns of a weight read what was packed, where
  /// they can, so that the weight is stored once.
  static void sharePacked(Value weight, Value packed) {
    auto type = cast<QuantTensorType>(packed.getType());
    if (!type.getLayout().canDecode(type.getFormat()))
      return;
    weight.replaceUsesWithIf(packed, [](OpOperand &use) {
      return isa<ColumnMatmulOp>(use.getOwner());
    });
  }

  /// Inputs as kernels take them, by what they were and what they became.
  DenseMap<std::pair<Value, Type>, Value> convertedInputs;

  /// The layout of the kernel that serves `op`, whose input becomes what the
  /// kernel takes: quantized activations that are no bytes are stored as such,
  /// or, if their levels are none, decoded. Null, with a remark, if there is no
  /// kernel.
  PackedLayoutAttrInterface findLayout(const KernelGenerator &generator,
                                       MatmulOp op, QuantTensorType weight) {
    auto input = dyn_cast<QuantTensorType>(op.getInput().getType());
    std::string reason;
    if (PackedLayoutAttrInterface layout =
            generator.getMatmulLayout(weight, input, reason))
      return layout;
    if (input) {
      // Of the bytes, why there is no kernel; or why there are no bytes.
      reason.clear();
      if (QuantTensorType widened = WidenOp::getWidened(input, reason))
        if (PackedLayoutAttrInterface layout =
                generator.getMatmulLayout(weight, widened, reason)) {
          convertInput<WidenOp>(op, widened);
          return layout;
        }
      std::string ignored;
      if (PackedLayoutAttrInterface layout =
              generator.getMatmulLayout(weight, QuantTensorType(), ignored)) {
        op.emitRemark("the ")
            << target << " kernel multiplies floats: " << reason;
        convertInput<DequantizeOp>(op, input.getExpressedType());
        return layout;
      }
    }
    op.emitRemark("no ") << target << " kernel: " << reason;
    return {};
  }

  template <typename OpTy>
  void convertInput(MatmulOp op, Type type) {
    Value input = op.getInput();
    Value &converted = convertedInputs[{input, type}];
    if (!converted) {
      OpBuilder builder(op);
      builder.setInsertionPointAfterValue(input);
      converted = OpTy::create(builder, op.getLoc(), type, input);
    }
    op.getInputMutable().assign(converted);
  }
};

} // namespace
