//===- MatmulTuningAttr.td - how a kernel multiplies -------*- tablegen -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_LOWBIT_IR_MATMULTUNINGATTR_TD
#define LOWBIT_DIALECT_LOWBIT_IR_MATMULTUNINGATTR_TD

include "lowbit/Dialect/Lowbit/IR/LowbitDialect.td"
include "mlir/IR/CommonAttrConstraints.td"
include "mlir/IR/EnumAttr.td"

def Lowbit_MatmulStrategy : I32EnumAttr<
    "MatmulStrategy", "how a kernel multiplies activations by codes", [
      // Whichever of the others is the fastest for the tokens at hand.
      I32EnumAttrCase<"Auto", 0, "auto">,
      // Integer dot products of int8 activations and codes.
      I32EnumAttrCase<"Dot", 1, "dot">,
      // Codes become f32, which float activations are multiplied by.
      I32EnumAttrCase<"Dequantize", 2, "dequantize">,
      // Sums of products with int8 activations, looked up by codes of at most
      // four bits.
      I32EnumAttrCase<"Lut", 3, "lut">,
      // Integer products of tiles of 16 tokens by a matrix unit; dot products
      // for the tokens that are left.
      I32EnumAttrCase<"Tiles", 4, "tiles">
    ]> {
  let cppNamespace = "::lowbit";
  let genSpecializedAttr = 0;
}

def Lowbit_MatmulTuningAttr : Lowbit_Attr<"MatmulTuning", "matmul_tuning"> {
  let summary = "How the kernel of a product computes on one kind of CPU";
  let description = [{
    Takes the place of the cost model: what `quant-compile --tune` has measured.
    It holds for the kernels of one target, by the name that
    `--lowbit-generate-kernels` knows; others ignore it. The numbers that a
    kernel computes do not depend on it.

    A tile is some tokens and some panels of 16 output channels that are computed
    together, by a strategy: `dot`, `dequantize`, `lut` or `tiles`. Tokens go to
    the first tile as long as they fill it, the rest to the next one, and so on;
    the last one takes single tokens, and its panels are also what a thread takes
    at a time. `prefetch` is how many bytes ahead of its use a weight is asked
    for; with 0 it is not.

    Example: twelve tokens and more are computed by twelve, the others one by
    one, by table lookup.

    ```mlir
    #lowbit.matmul_tuning<"avx512vnni", [dot 12 x 2, lut 1 x 8], prefetch = 768>
    ```
  }];
  let parameters = (ins
    StringRefParameter<"the kernels that it is for">:$target,
    ArrayRefParameter<"::lowbit::MatmulTile">:$tiles,
    "int64_t":$prefetchBytes
  );
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def Lowbit_MatmulTuningsAttr : TypedArrayAttrBase<Lowbit_MatmulTuningAttr,
    "array of `#lowbit.matmul_tuning`, one for each target">;

#endif // LOWBIT_DIALECT_LOWBIT_IR_MATMULTUNINGATTR_TD
