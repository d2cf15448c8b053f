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

    Two attributes of ops with a constant weight (`QuantizableOpInterface`) say
    how the weight is to be quantized, whichever pass does it:

    * `lowbit.format` is the number format that the weight gets, which must be
      able to store it, or `"float"` if the layer stays as it is.
      `--assign-formats` writes it; passes that quantize take it over their own
      options.
    * `lowbit.importance`, a `tensor<Kxf32>`, weighs the squared error of each of
      the K input channels. `--collect-importance` writes it; formats that search
      for their parameters use it.

    Both go with the layer when it is quantized.

    ```mlir
    %y = onnx.MatMul(%x, %w) {lowbit.format = #lowbit.ggml<q6_K>} : (tensor<?x256xf32>, tensor<256x64xf32>) -> tensor<?x64xf32>
    ```
  }];
  let hasOperationAttrVerify = 1;
  let hasRegionResultAttrVerify = 1;
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let hasConstantMaterializer = 1;
  let extraClassDeclaration = [{
    /// Tensors of this many bytes or more lie in files, not in the module.
    static constexpr uint64_t inlineLimit = 64 << 10;

    /// Of an op with a constant weight: the format that the weight gets.
    static constexpr ::llvm::StringLiteral formatAttrName = "lowbit.format";
    /// The value of `lowbit.format` of layers that are not quantized.
    static constexpr ::llvm::StringLiteral keepFloat = "float";
    /// Of an op with a constant weight: what errors of its columns cost.
    static constexpr ::llvm::StringLiteral importanceAttrName =
        "lowbit.importance";
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
