//===- OutlierOps.td - columns with outliers apart ---------*- tablegen -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Included by LowbitOps.td.
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_DIALECT_LOWBIT_IR_OUTLIEROPS_TD
#define LOWBIT_DIALECT_LOWBIT_IR_OUTLIEROPS_TD

def Lowbit_FindOutliersOp : Lowbit_Op<"find_outliers", [Pure]> {
  let summary = "The columns of a tensor that hold an outlier";
  let description = [{
    The places, along the last dimension, that hold an element with
    `|x| >= threshold` in any row, in ascending order. How many there are is only
    known when the model runs. A NaN is no outlier, an infinity is one.

    Example:

    ```mlir
    %columns = lowbit.find_outliers %x {threshold = 6.0 : f32}
        : tensor<?x?x64xf32> -> tensor<?xi32>
    ```
  }];
  let arguments = (ins Lowbit_FloatTensor:$input, F32Attr:$threshold);
  let results = (outs 1DTensorOf<[I32]>:$columns);
  let assemblyFormat = [{
    $input attr-dict `:` type($input) `->` type($columns)
  }];
  let hasVerifier = 1;
}

def Lowbit_SplitColumnsOp : Lowbit_Op<"split_columns", [Pure,
    AllTypesMatch<["input", "rest"]>]> {
  let summary = "Takes some columns out of a tensor";
  let description = [{
    `rest` is the input with zeros in the named places of the last dimension, and
    `selected` consists of what stood there, in the order of `columns`. Columns
    are distinct; one that the input does not have is undefined behaviour.

    Example:

    ```mlir
    %rest, %selected = lowbit.split_columns %x, %columns
        : tensor<?x?x64xf32>, tensor<?xi32> -> tensor<?x?x?xf32>
    ```
  }];
  let arguments = (ins Lowbit_FloatTensor:$input,
                       1DTensorOf<[I32]>:$columns);
  let results = (outs Lowbit_FloatTensor:$rest, Lowbit_FloatTensor:$selected);
  let assemblyFormat = [{
    $input `,` $columns attr-dict `:` type($input) `,` type($columns) `->`
    type($selected)
  }];
  let hasVerifier = 1;
}

def Lowbit_ColumnMatmulOp : Lowbit_Op<"column_matmul", [Pure,
    AllTypesMatch<["init", "result"]>]> {
  let summary = "Adds the product with some columns of a quantized weight";
  let description = [{
    `init + input x dequantize(weight)[:, columns]^T`: the input has only those
    input channels of the weight that `columns` names, in that order, and only
    they are decoded. Columns that the weight does not have are undefined
    behaviour.

    With `lowbit.matmul` on what `lowbit.split_columns` leaves, this is the mixed
    product of LLM.int8().

    Example:

    ```mlir
    %y = lowbit.column_matmul %selected, %columns, %w add %0
        : tensor<?x?x?xf32>, tensor<?xi32>, !lowbit.tensor<96x64xf32, #s8>, tensor<?x?x96xf32>
    ```
  }];
  let arguments = (ins
    Lowbit_FloatTensor:$input,
    1DTensorOf<[I32]>:$columns,
    Lowbit_QuantTensor:$weight,
    Lowbit_FloatTensor:$init);
  let results = (outs Lowbit_FloatTensor:$result);
  let assemblyFormat = [{
    $input `,` $columns `,` $weight `add` $init attr-dict `:`
    type($input) `,` type($columns) `,` qualified(type($weight)) `,` type($init)
  }];
  let hasVerifier = 1;
}

#endif // LOWBIT_DIALECT_LOWBIT_IR_OUTLIEROPS_TD
