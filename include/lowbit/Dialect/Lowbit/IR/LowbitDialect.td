//===- LowbitDialect.td - the lowbit dialect ---------------*- tablegen -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_LOWBIT_IR_LOWBITDIALECT_TD
#define LOWBIT_DIALECT_LOWBIT_IR_LOWBITDIALECT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"

def Lowbit_Dialect : Dialect {
  let name = "lowbit";
  let cppNamespace = "::lowbit";
  let summary = "Quantized tensors, their number formats and their operations";
  let description = [{
    The `lowbit` dialect expresses what ONNX and the upstream `quant` dialect
    lack: tensors stored in few bits whose scales, zero points and codebooks are
    data that travel with the value, and operations that run from that form.

    Weights are not part of the IR. A module names slices of files through
    `#lowbit.external`; their bytes are reached through the dialect's
    `WeightStore`.

    The attribute `lowbit.updates = N` of a function's result says that it is
    argument `N` after the call: whoever lowers the function writes it where the
    argument lies, and callers of the lowered function get no such result. A
    cache that grows with every call is described so.
  }];
  let hasRegionResultAttrVerify = 1;
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let extraClassDeclaration = [{
    /// Tensors of this many bytes or more lie in files, not in the module.
    static constexpr uint64_t inlineLimit = 64 << 10;

    /// Of a function's result: which argument it is after the call.
    static constexpr ::llvm::StringLiteral updatesAttrName = "lowbit.updates";
    /// Of a function's argument on buffers: that the function changes it.
    static constexpr ::llvm::StringLiteral updatedAttrName = "lowbit.updated";

    /// The store through which `#lowbit.external` attributes are read.
    ::lowbit::WeightStore &getWeightStore() { return *weightStore; }
    /// Replaces the store, which a tool shares between contexts and configures
    /// with the directories of its input and output.
    void setWeightStore(std::shared_ptr<::lowbit::WeightStore> store) {
      weightStore = std::move(store);
    }

  private:
    void registerAttributes();
    void registerTypes();
    void registerOps();

    std::shared_ptr<::lowbit::WeightStore> weightStore;

  public:
  }];
}

class Lowbit_Attr<string name, string attrMnemonic, list<Trait> traits = []>
    : AttrDef<Lowbit_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
}

class Lowbit_Type<string name, string typeMnemonic, list<Trait> traits = []>
    : TypeDef<Lowbit_Dialect, name, traits> {
  let mnemonic = typeMnemonic;
}

class Lowbit_Op<string mnemonic, list<Trait> traits = []>
    : Op<Lowbit_Dialect, mnemonic, traits>;

#endif // LOWBIT_DIALECT_LOWBIT_IR_LOWBITDIALECT_TD
