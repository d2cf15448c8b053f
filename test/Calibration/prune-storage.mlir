// What pruning leaves, without the zeros.

// N of every M: which, and their values; in float or in few bits.
// RUN: quant-opt %s --prune="pattern=1:2" --quantize-rtn='format="#lowbit.n_of_m<1:2, values = #lowbit.float<f16>>"' | FileCheck %s --check-prefix=FLOATS
// FLOATS: lowbit.constant {indices = dense<{{\[\[}}1], [2]]> : tensor<2x1xi8>, values = dense<{{\[\[}}3.000000e+00, 4.000000e+00], [-4.000000e+00, 8.000000e+00]]> : tensor<2x2xf16>}
// FLOATS-SAME: !lowbit.tensor<2x4xf32, #lowbit.n_of_m<1:2, values = #lowbit.float<f16>>>
// RUN: quant-opt %s --prune="pattern=1:2" --quantize-rtn='format="#lowbit.n_of_m<1:2, values = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>>"' | FileCheck %s --check-prefix=CODES
// CODES: lowbit.constant {codes = dense<{{\[\[}}118], [124]]> : tensor<2x1xi8>, indices = dense<{{\[\[}}1], [2]]> : tensor<2x1xi8>, scales = dense<{{\[\[}}5.332030e-01], [1.066410e+00]]> : tensor<2x1xf16>}
// CODES-SAME: !lowbit.tensor<2x4xf32, #lowbit.n_of_m<1:2, values = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>>>

// Any places: compressed rows, beside a bit for each weight that says nothing.
// RUN: quant-opt %s --prune="sparsity=0.75" --quantize-rtn='format="#lowbit.sparse_outliers<dense = #lowbit.uniform<u1, group = [*, *], scale = f16, zero = u1>, fraction = 0.25, value = f16>"' | FileCheck %s --check-prefix=ROWS
// ROWS: lowbit.constant {codes = dense<0> : tensor<2x1xi8>,
// ROWS-SAME: outlier_columns = dense<[0, 3]> : tensor<2xi16>, outlier_offsets = dense<[0, 0, 2]> : tensor<3xi32>, outlier_values = dense<[-4.000000e+00, 8.000000e+00]> : tensor<2xf16>, scales =

func.func @model(%x: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %w = onnx.Constant dense<[[1.0, -4.0], [3.0, 2.0], [4.0, 0.0], [1.0, 8.0]]> : tensor<4x2xf32>
  %0 = onnx.MatMul(%x, %w) : (tensor<?x4xf32>, tensor<4x2xf32>) -> tensor<?x2xf32> loc("only")
  return %0 : tensor<?x2xf32>
}
