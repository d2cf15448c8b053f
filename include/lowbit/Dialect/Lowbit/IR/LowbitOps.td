//===- LowbitOps.td - lowbit operations --------------------*- tablegen -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_LOWBIT_IR_LOWBITOPS_TD
#define LOWBIT_DIALECT_LOWBIT_IR_LOWBITOPS_TD

include "lowbit/Dialect/Lowbit/IR/LowbitAttrs.td"
include "lowbit/Dialect/Lowbit/IR/LowbitTypes.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Lowbit_FloatTensor : RankedTensorOf<[AnyFloat]>;
def Lowbit_IndexTensor : RankedTensorOf<[I32, I64, Index]>;
def Lowbit_Activation : AnyTypeOf<[Lowbit_FloatTensor, Lowbit_QuantTensor],
    "ranked tensor of float values or quantized tensor">;
def Lowbit_TensorOrMemRef : AnyTypeOf<[AnyRankedTensor, AnyStridedMemRef],
    "ranked tensor or strided memref">;

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

def Lowbit_WeightOp : Lowbit_Op<"weight", [ConstantLike, Pure]> {
  let summary = "A tensor constant that may lie in a file";
  let description = [{
    The value is dense, or lies in a file (`#lowbit.external`). It is read-only:
    lowered code holds its address, never a copy. After bufferization the result
    is a memref of the same shape.

    Example:

    ```mlir
    %0 = lowbit.weight #lowbit.external<"model.safetensors", "q.codes"> : tensor<64x32xi8>
    %1 = lowbit.weight dense<[1.0, 2.0]> : tensor<2xf32>
    %2 = lowbit.weight dense<[1.0, 2.0]> : tensor<2xf32> to memref<2xf32>
    ```
  }];
  let arguments = (ins TypedAttrInterface:$value);
  let results = (outs Lowbit_TensorOrMemRef:$result);
  let builders = [OpBuilder<(ins "::mlir::TypedAttr":$value), [{
    build($_builder, $_state, value.getType(), value);
  }]>];
  let assemblyFormat = [{
    attr-dict custom<WeightValue>($value, type($result))
  }];
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Lowbit_ConstantOp : Lowbit_Op<"constant", [ConstantLike, Pure]> {
  let summary = "A quantized tensor constant";
  let description = [{
    Names the value of each component of the result's type. A component is dense
    or lies in a file.

    Example:

    ```mlir
    %w = lowbit.constant {
      codes = #lowbit.external<"model.safetensors", "q.codes"> : tensor<64x32xi8>,
      scales = #lowbit.external<"model.safetensors", "q.scales"> : tensor<64x1xf16>
    } : !lowbit.tensor<64x64xf32, #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>>
    ```
  }];
  let arguments = (ins DictionaryAttr:$components);
  let results = (outs Lowbit_QuantTensor:$result);
  let builders = [
    OpBuilder<(ins "::lowbit::QuantTensorType":$type,
                   "::llvm::ArrayRef<::mlir::TypedAttr>":$components)>
  ];
  let extraClassDeclaration = [{
    /// The values of the components, in the order in which the type lists them.
    ::llvm::SmallVector<::mlir::TypedAttr> getComponentValues();
    /// Checks what the components hold, as far as a format can hold what is
    /// wrong (indices out of range). The verifier does so for inline ones; before
    /// others are relied on, this reads their files, if they can be read.
    ::llvm::LogicalResult verifyContents();
  }];
  let assemblyFormat = "$components attr-dict `:` qualified(type($result))";
  let hasFolder = 1;
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Conversions
//===----------------------------------------------------------------------===//

def Lowbit_AssembleOp : Lowbit_Op<"assemble", [Pure]> {
  let summary = "Makes a quantized tensor of its components";
  let description = [{
    The operands are the components that the result's type lists, in order.

    Example:

    ```mlir
    %w = lowbit.assemble %codes, %scales
        : (tensor<64x32xi8>, tensor<64x1xf16>)
        -> !lowbit.tensor<64x64xf32, #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>>
    ```
  }];
  let arguments = (ins Variadic<AnyRankedTensor>:$components);
  let results = (outs Lowbit_QuantTensor:$result);
  let assemblyFormat = [{
    $components attr-dict `:` functional-type($components, $result)
  }];
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Lowbit_DisassembleOp : Lowbit_Op<"disassemble", [Pure]> {
  let summary = "The components of a quantized tensor";
  let description = [{
    The inverse of `lowbit.assemble`: the results are the components that the
    input's type lists, in order.

    Example:

    ```mlir
    %codes, %scales = lowbit.disassemble %q
        : !lowbit.tensor<64x64xf32, #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>>
        -> tensor<64x32xi8>, tensor<64x1xf16>
    ```
  }];
  let arguments = (ins Lowbit_QuantTensor:$input);
  let results = (outs Variadic<AnyRankedTensor>:$components);
  let builders = [OpBuilder<(ins "::mlir::Value":$input)>];
  let assemblyFormat = [{
    $input attr-dict `:` qualified(type($input)) `->` type($components)
  }];
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Lowbit_QuantizeOp : Lowbit_Op<"quantize", [Pure]> {
  let summary = "Rounds a float tensor to the nearest codes of a format";
  let description = [{
    Every group spans the range of its values (nothing is clipped), and every
    value becomes the nearest code, ties to even. This is the encoder of the
    format; better ways to choose the codes of a weight are solvers.

    For `#lowbit.uniform` and a group with values in [lo, hi], where lo <= 0 <= hi
    is forced and [-1, 1] stands in for [0, 0]:

    * with a zero point: scale = (hi - lo) / (2^bits - 1),
      zero = round(-lo / scale), moved to the signed codes if they are signed;
    * without one, signed: scale = 2 max(-lo, hi) / (2^bits - 1), or
      max(-lo, hi) / (2^(bits-1) - 1) if the range is narrow;
    * without one, unsigned: scale = hi / (2^bits - 1); negative values clip.

    The scale is rounded to its storage type, and kept finite and above 0; then
    code = clamp(round(value / scale) + zero). A group that contains a NaN has a
    scale that is NaN.

    Example:

    ```mlir
    %q = lowbit.quantize %w : tensor<64x64xf32>
        -> !lowbit.tensor<64x64xf32, #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = u4>>
    ```
  }];
  let arguments = (ins Lowbit_FloatTensor:$input);
  let results = (outs Lowbit_QuantTensor:$result);
  let assemblyFormat = "$input attr-dict `:` qualified(type($input)) `->` qualified(type($result))";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Lowbit_DequantizeOp : Lowbit_Op<"dequantize", [Pure]> {
  let summary = "The float tensor that a quantized tensor stands for";
  let description = [{
    Exact: each element is what its format says that the stored bits mean.

    Example:

    ```mlir
    %x = lowbit.dequantize %q
        : !lowbit.tensor<64x64xf32, #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>>
        -> tensor<64x64xf32>
    ```
  }];
  let arguments = (ins Lowbit_QuantTensor:$input);
  let results = (outs Lowbit_FloatTensor:$result);
  let builders = [OpBuilder<(ins
      "::mlir::TypedValue<::lowbit::QuantTensorType>":$input), [{
    build($_builder, $_state, input.getType().getExpressedType(), input);
  }]>];
  let assemblyFormat = "$input attr-dict `:` qualified(type($input)) `->` qualified(type($result))";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Lowbit_DynamicQuantizeOp : Lowbit_Op<"dynamic_quantize", [Pure]> {
  let summary = "Quantizes activations while the model runs";
  let description = [{
    What `lowbit.quantize` computes, for the input of a quantized operation:
    signed codes without zero points whose groups lie within a row (a token), or
    are the whole tensor, so that the operation can multiply integers. Lowerings
    never quantize activations of their own accord; this operation is where it is
    said. A NaN or an infinity becomes the scale of its group, so that what is
    computed from the group is not finite either.

    Example:

    ```mlir
    %q = lowbit.dynamic_quantize %x : tensor<?x4096xf32>
        -> !lowbit.tensor<?x4096xf32, #lowbit.uniform<s8, group = [1, 128], scale = f32, zero = none, narrow>>
    ```
  }];
  let arguments = (ins Lowbit_FloatTensor:$input);
  let results = (outs Lowbit_QuantTensor:$result);
  let assemblyFormat = "$input attr-dict `:` qualified(type($input)) `->` qualified(type($result))";
  let hasVerifier = 1;
}

def Lowbit_StaticQuantizeOp : Lowbit_Op<"static_quantize", [Pure]> {
  let summary = "Quantizes activations with a scale that is known before";
  let description = [{
    Rounds every value to the nearest level of the format, which has one scale
    for the whole tensor: a number that was found on calibration data. What lies
    beyond the levels takes the last one. Of `#lowbit.uniform` it is the code
    clamp(round(value / scale)), ties to even; of `#lowbit.ovp` values take
    levels pair by pair. The scale is rounded to what the format stores scales
    as. Which code a NaN becomes is not defined.

    Example:

    ```mlir
    %q = lowbit.static_quantize %x scale 0.0125 : tensor<?x4096xf32>
        -> !lowbit.tensor<?x4096xf32, #lowbit.uniform<s8, group = [*, *], scale = f32, zero = none>>
    %p = lowbit.static_quantize %x scale 0.25 : tensor<?x4096xf32>
        -> !lowbit.tensor<?x4096xf32, #lowbit.ovp<int4, group = [*, *], scale = f32>>
    ```
  }];
  let arguments = (ins Lowbit_FloatTensor:$input, F32Attr:$scale);
  let results = (outs Lowbit_QuantTensor:$result);
  let assemblyFormat = [{
    $input `scale` $scale attr-dict `:`
    qualified(type($input)) `->` qualified(type($result))
  }];
  let hasVerifier = 1;
}

def Lowbit_WidenOp : Lowbit_Op<"widen", [Pure]> {
  let summary = "The same values, their levels stored as bytes";
  let description = [{
    Kernels multiply activations that are signed bytes with f32 scales. Codes of
    other formats whose levels are such bytes, without zero points, become these
    here; no value changes.

    Example:

    ```mlir
    %w = lowbit.widen %q
        : !lowbit.tensor<?x64xf32, #lowbit.ovp<int4, group = [*, *], scale = f32>>
        -> !lowbit.tensor<?x64xf32, #lowbit.uniform<s8, group = [*, *], scale = f32, zero = none>>
    ```
  }];
  let arguments = (ins Lowbit_QuantTensor:$input);
  let results = (outs Lowbit_QuantTensor:$result);
  let extraClassDeclaration = [{
    /// What `type` becomes; null, and why, if its levels are no bytes.
    static ::lowbit::QuantTensorType getWidened(::lowbit::QuantTensorType type,
                                                std::string &reason);
  }];
  let assemblyFormat = "$input attr-dict `:` qualified(type($input)) `->` qualified(type($result))";
  let hasVerifier = 1;
}

def Lowbit_PackOp : Lowbit_Op<"pack", [Pure]> {
  let summary = "Reorders a weight's bytes for a kernel";
  let description = [{
    The result is the same tensor, of the same shape and format, in the layout
    that its type names. Weights are packed at compile time.

    Example:

    ```mlir
    %p = lowbit.pack %w : !lowbit.tensor<64x64xf32, #format>
        -> !lowbit.tensor<64x64xf32, #format, #layout>
    ```
  }];
  let arguments = (ins Lowbit_QuantTensor:$input);
  let results = (outs Lowbit_QuantTensor:$result);
  let assemblyFormat = "$input attr-dict `:` qualified(type($input)) `->` qualified(type($result))";
  let hasFolder = 1;
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Computations
//===----------------------------------------------------------------------===//

def Lowbit_MatmulOp : Lowbit_Op<"matmul", [Pure,
    DeclareOpInterfaceMethods<InferTypeOpInterface>]> {
  let summary = "Multiplies activations by a quantized weight";
  let description = [{
    A linear layer: `input x dequantize(weight)^T + bias`. The weight is a matrix
    of output channels x input channels; the input's last dimension is the input
    channels, and all others are kept. The input is float, or quantized by
    `lowbit.dynamic_quantize` or `lowbit.static_quantize`. `tunings` say how kernels compute where that was
    measured.

    Example:

    ```mlir
    %y = lowbit.matmul %x, %w, %bias
        : (tensor<?x?x64xf32>, !lowbit.tensor<96x64xf32, #format>, tensor<96xf32>)
        -> tensor<?x?x96xf32>
    ```
  }];
  let arguments = (ins
    Lowbit_Activation:$input,
    Lowbit_QuantTensor:$weight,
    Optional<Lowbit_FloatTensor>:$bias,
    OptionalAttr<Lowbit_MatmulTuningsAttr>:$tunings);
  let results = (outs Lowbit_FloatTensor:$result);
  let extraClassDeclaration = [{
    /// A result may have more or less static dimensions than was inferred.
    static bool isCompatibleReturnTypes(::mlir::TypeRange inferred,
                                        ::mlir::TypeRange actual);
  }];
  let assemblyFormat = [{
    $input `,` $weight (`,` $bias^)? attr-dict `:` functional-type(operands, $result)
  }];
  let hasVerifier = 1;
}

def Lowbit_SparseMatmulOp : Lowbit_Op<"sparse_matmul", [Pure,
    AllTypesMatch<["init", "result"]>]> {
  let summary = "Adds the product with a sparse weight";
  let description = [{
    `init + input x S^T`, the part of a linear layer that its outliers make. S is
    a matrix of output channels x input channels in compressed rows (CSR): row r
    has the elements from `offsets[r]` to `offsets[r + 1]` of `values`, in the
    columns that `columns` names, as unsigned numbers in ascending order. The
    input's last dimension is the input channels, and all others are kept. The
    products of a row are summed from left to right, and then added to `init`.

    Example:

    ```mlir
    %y = lowbit.sparse_matmul %x, %offsets, %columns, %values add %dense
        : tensor<?x64xf32>, tensor<97xi32>, tensor<61xi16>, tensor<61xf16>, tensor<?x96xf32>
    ```
  }];
  let arguments = (ins
    Lowbit_FloatTensor:$input,
    1DTensorOf<[I32]>:$offsets,
    1DTensorOf<[I16, I32]>:$columns,
    1DTensorOf<[AnyFloat]>:$values,
    Lowbit_FloatTensor:$init);
  let results = (outs Lowbit_FloatTensor:$result);
  let assemblyFormat = [{
    $input `,` $offsets `,` $columns `,` $values `add` $init attr-dict `:`
    type($input) `,` type($offsets) `,` type($columns) `,` type($values) `,`
    type($init)
  }];
  let hasVerifier = 1;
}

def Lowbit_GatherOp : Lowbit_Op<"gather", [Pure,
    DeclareOpInterfaceMethods<InferTypeOpInterface>]> {
  let summary = "Looks up rows of a quantized matrix";
  let description = [{
    An embedding: row `indices[i...]` of the table, decoded. Only the rows that
    are asked for are decoded. As in ONNX, a negative index counts from the end;
    an index outside the table is undefined behaviour.

    Example:

    ```mlir
    %y = lowbit.gather %table[%tokens]
        : (!lowbit.tensor<32000x64xf32, #format>, tensor<?x?xi64>) -> tensor<?x?x64xf32>
    ```
  }];
  let arguments = (ins Lowbit_QuantTensor:$table, Lowbit_IndexTensor:$indices);
  let results = (outs Lowbit_FloatTensor:$result);
  let extraClassDeclaration = [{
    /// A result may have more or less static dimensions than was inferred.
    static bool isCompatibleReturnTypes(::mlir::TypeRange inferred,
                                        ::mlir::TypeRange actual);
  }];
  let assemblyFormat = [{
    $table `[` $indices `]` attr-dict `:` functional-type(operands, $result)
  }];
  let hasVerifier = 1;
}

def Lowbit_PackedMatmulOp : Lowbit_Op<"packed_matmul", [
    AttrSizedOperandSegments, DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "`lowbit.matmul` on component tensors or buffers";
  let description = [{
    `lowbit.matmul` as kernels see it: the rows of the input are one dimension,
    quantized tensors are split into the components of the types that `as`
    names, and the result goes to `outs`, whose former content is not read.
    After bufferization all operands are memrefs and there is no result.

    The weight has any format, and a packed layout or none: kernels of CPUs take
    the layouts that `lowbit.pack` makes for them, kernels of GPUs weights as they
    are stored.

    Example:

    ```mlir
    %y = lowbit.packed_matmul ins(%x : tensor<?x64xf32>)
        weight(%codes, %scales : tensor<96x32xi8>, tensor<96x1xf16>
               as !lowbit.tensor<96x64xf32, #format>)
        bias(%bias : tensor<96xf32>)
        outs(%init : tensor<?x96xf32>) -> tensor<?x96xf32>
    ```
  }];
  let arguments = (ins
    Variadic<Lowbit_TensorOrMemRef>:$input,
    Variadic<Lowbit_TensorOrMemRef>:$weight,
    Optional<Lowbit_TensorOrMemRef>:$bias,
    Lowbit_TensorOrMemRef:$init,
    OptionalAttr<TypeAttrOf<Lowbit_QuantTensor>>:$inputType,
    TypeAttrOf<Lowbit_QuantTensor>:$weightType,
    OptionalAttr<Lowbit_MatmulTuningsAttr>:$tunings);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return ::mlir::MutableOperandRange(getInitMutable());
    }
  }];
  let assemblyFormat = [{
    `ins` `(` $input `:` type($input) (`as` $inputType^)? `)`
    `weight` `(` $weight `:` type($weight) `as` $weightType `)`
    (`bias` `(` $bias^ `:` type($bias) `)`)?
    `outs` `(` $init `:` type($init) `)`
    attr-dict (`->` type($result)^)?
  }];
  let hasVerifier = 1;
}

def Lowbit_HadamardOp : Lowbit_Op<"hadamard", [Pure,
    AllTypesMatch<["input", "result"]>]> {
  let summary = "Mixes channels by a Hadamard matrix";
  let description = [{
    Multiplies each row, along the last dimension, by an orthogonal matrix whose
    entries all have the same magnitude: no channel stays an outlier. The last
    dimension is cut into blocks of `block` channels (all of them, if it is the
    dimension's size), and each is multiplied by H / sqrt(block). With
    `transposed` it is the transpose of H, which undoes the operation.

    H is the Kronecker product P x S: S is Sylvester's matrix of as many powers of
    two as `block` has over P, and P is 1 or the smallest matrix that one of
    Paley's two constructions gives (of order 12, 20, 28, 36, ...), such that the
    product of the orders is `block`. A block for which there is none is an
    error.

    Example:

    ```mlir
    %y = lowbit.hadamard %x {block = 352 : i64} : tensor<?x?x352xf32>
    %z = lowbit.hadamard %y {block = 352 : i64, transposed} : tensor<?x?x352xf32>
    ```
  }];
  let arguments = (ins Lowbit_FloatTensor:$input, I64Attr:$block,
                       UnitAttr:$transposed);
  let results = (outs Lowbit_FloatTensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($result)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Columns with outliers
//===----------------------------------------------------------------------===//

include "lowbit/Dialect/Lowbit/IR/OutlierOps.td"

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

def Lowbit_AttentionOp : Lowbit_Op<"attention", [
    AttrSizedOperandSegments, DestinationStyleOpInterface,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "Scaled dot product attention as kernels see it";
  let description = [{
    For each query row, with `keys` those of its batch and head:

    ```
    scores = scale * (query . keys)
    scores = softcap * tanh(scores / softcap)      if there is a softcap
    scores = scores + mask, or minus infinity where an integer mask is zero
    scores = minus infinity for the keys after row + offset     if causal
    result = softmax(scores) . values
    ```

    A row of which all scores are minus infinity gives zero. Values of keys that
    are masked out must be finite: whether zero times another reaches the result
    is not defined, and a kernel need not read them.

    Operands are `[batch, heads, rows, size]`. The number of query heads is a
    multiple of that of the key heads: neighbours share one. Numbers of heads and
    sizes of heads are static. The mask broadcasts: each of its four dimensions
    is the static size 1 or that of the scores, `[batch, heads, rows, keys]`.

    Keys and values may be quantized, each in a format of its own. They are then
    given as the components of the type that `as` names, which stand for exactly
    what `lowbit.dequantize` makes of them: codes of 4 or 8 bits whose groups are
    whole rows, or a multiple of 16 elements.

    The result goes to `outs`, whose former content is not read. After
    bufferization tensors are memrefs and there is no result.

    Example:

    ```mlir
    %y = lowbit.attention ins(%q : tensor<?x8x?x64xf32>)
        key(%k : tensor<?x2x?x64xf32>) value(%v : tensor<?x2x?x64xf32>)
        causal(%past)
        outs(%init : tensor<?x8x?x64xf32>) {scale = 0.125 : f32} -> tensor<?x8x?x64xf32>
    %z = lowbit.attention ins(%q : tensor<?x8x?x64xf32>)
        key(%k_codes, %k_scales : tensor<?x2x?x64xi8>, tensor<?x2x?x1xf16>
            as !lowbit.tensor<?x2x?x64xf32, #s8>)
        value(%v_codes, %v_scales : tensor<?x2x?x64xi8>, tensor<?x2x?x1xf16>
            as !lowbit.tensor<?x2x?x64xf32, #s8>)
        mask(%m : tensor<?x1x?x?xi8>)
        outs(%init : tensor<?x8x?x64xf32>)
        {scale = 0.125 : f32, softcap = 30.0 : f32} -> tensor<?x8x?x64xf32>
    ```
  }];
  let arguments = (ins
    Lowbit_TensorOrMemRef:$query,
    Variadic<Lowbit_TensorOrMemRef>:$key,
    Variadic<Lowbit_TensorOrMemRef>:$value,
    Optional<Lowbit_TensorOrMemRef>:$mask,
    Optional<Index>:$offset,
    Lowbit_TensorOrMemRef:$init,
    OptionalAttr<TypeAttrOf<Lowbit_QuantTensor>>:$keyType,
    OptionalAttr<TypeAttrOf<Lowbit_QuantTensor>>:$valueType,
    F32Attr:$scale,
    OptionalAttr<F32Attr>:$softcap);
  let results = (outs Optional<AnyRankedTensor>:$result);
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return ::mlir::MutableOperandRange(getInitMutable());
    }
    /// Whether keys and values may be stored in such a type.
    static bool canRead(::lowbit::QuantTensorType type);
    /// What keys and values are, whether quantized or not.
    ::mlir::ShapedType getKeyShape();
    ::mlir::ShapedType getValueShape();
    /// How many query heads share a key head.
    int64_t getGroupSize();
  }];
  let assemblyFormat = [{
    `ins` `(` $query `:` type($query) `)`
    `key` `(` $key `:` type($key) (`as` $keyType^)? `)`
    `value` `(` $value `:` type($value) (`as` $valueType^)? `)`
    (`mask` `(` $mask^ `:` type($mask) `)`)?
    (`causal` `(` $offset^ `)`)?
    `outs` `(` $init `:` type($init) `)`
    attr-dict (`->` type($result)^)?
  }];
  let hasVerifier = 1;
}

def Lowbit_CacheAppendOp : Lowbit_Op<"cache_append", [Pure,
    DestinationStyleOpInterface, AllTypesMatch<["cache", "result"]>]> {
  let summary = "Writes rows into a cache";
  let description = [{
    The result is `cache` with `rows` in it, from `row` on along dimension `axis`
    and from `batch` on along the first; in all others both have one size. Rows
    that do not fit are undefined behaviour: whoever makes the operation checks
    that before.

    This is a `tensor.insert_slice` to which nothing before it is moved:
    bufferization would let whatever computes the rows write them into the cache
    at once, ahead of the check. The cache is written in place if its buffer may
    be.

    Example:

    ```mlir
    %updated = lowbit.cache_append %k to %cache[%batch, %past] {axis = 2 : i64}
        : tensor<?x2x?x64xf32> to tensor<?x2x?x64xf32>
    ```
  }];
  let arguments = (ins
    AnyRankedTensor:$rows,
    AnyRankedTensor:$cache,
    Index:$batch,
    Index:$row,
    I64Attr:$axis);
  let results = (outs AnyRankedTensor:$result);
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return ::mlir::MutableOperandRange(getCacheMutable());
    }
  }];
  let assemblyFormat = [{
    $rows `to` $cache `[` $batch `,` $row `]` attr-dict
    `:` type($rows) `to` type($cache)
  }];
  let hasVerifier = 1;
}

#endif // LOWBIT_DIALECT_LOWBIT_IR_LOWBITOPS_TD
