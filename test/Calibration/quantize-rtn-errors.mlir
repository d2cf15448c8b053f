// RUN: not quant-opt %s --quantize-rtn="bits=9" -o %t.mlir 2>&1 | FileCheck %s --check-prefix=BITS
// RUN: not test -e %t.mlir
// RUN: not quant-opt %s --quantize-rtn="group-size=-7" 2>&1 | FileCheck %s --check-prefix=GROUP
// RUN: not quant-opt %s --quantize-rtn="format=f8" 2>&1 | FileCheck %s --check-prefix=FORMAT
// RUN: not quant-opt %s --quantize-rtn='format="#lowbit.uniform<u9, group = [1, 2], scale = f16, zero = u9>"' 2>&1 | FileCheck %s --check-prefix=SPELLED
// RUN: not quant-opt %s --quantize-rtn='format="#lowbit.no_format"' 2>&1 | FileCheck %s --check-prefix=UNKNOWN
// RUN: not quant-opt %s --quantize-rtn='format="#lowbit.panels"' 2>&1 | FileCheck %s --check-prefix=LAYOUT
// RUN: not quant-opt %s --quantize-rtn="scale-type=f8" 2>&1 | FileCheck %s --check-prefix=SCALE
// RUN: not quant-opt %s --quantize-rtn="range=median" 2>&1 | FileCheck %s --check-prefix=RANGE
// RUN: not quant-opt %s --quantize-rtn="range=percentile percentile=50" 2>&1 | FileCheck %s --check-prefix=PERCENTILE
// RUN: not quant-opt %s --quantize-rtn="range=percentile mse" 2>&1 | FileCheck %s --check-prefix=RANGES
// RUN: not quant-opt %s --quantize-rtn="include=(" 2>&1 | FileCheck %s --check-prefix=REGEX
// RUN: not quant-opt %s --quantize-rtn="exclude=." 2>&1 | FileCheck %s --check-prefix=NONE
// RUN: not quant-opt %s --quantize-rtn="include=bad" 2>&1 | FileCheck %s --check-prefix=NAN
// RUN: not quant-opt %s --quantize-rtn="include=large" 2>&1 | FileCheck %s --check-prefix=LARGE
// RUN: not quant-opt %s --quantize-rtn="include=good report=/no/such/folder/x" 2>&1 | FileCheck %s --check-prefix=REPORT
// Tables that are unknown or malformed.
// RUN: not quant-opt %s --quantize-rtn='format="#lowbit.codebook<nf9, group = [1, 64], scale = f16>"' 2>&1 | FileCheck %s --check-prefix=TABLE
// RUN: not quant-opt %s --quantize-rtn='format="#lowbit.codebook<[1.0], group = [1, 64], scale = f16>"' 2>&1 | FileCheck %s --check-prefix=LEVELS
// RUN: not quant-opt %s --quantize-rtn='format="#lowbit.codebook<[1.0, 0.0], group = [1, 64], scale = f16>"' 2>&1 | FileCheck %s --check-prefix=ORDER
// RUN: not quant-opt %s --quantize-rtn='format="#lowbit.codebook<[0.0, 1.0e60], group = [1, 64], scale = f16>"' 2>&1 | FileCheck %s --check-prefix=FINITE
// What one layer cannot hold.
// RUN: not quant-opt %s --quantize-rtn='include=good format="#lowbit.sparse_outliers<dense = #lowbit.float<f16>, count = 5, value = f16>"' 2>&1 | FileCheck %s --check-prefix=COUNT
// RUN: not quant-opt %s --quantize-rtn='include=good format="#lowbit.n_of_m<1:2, values = #lowbit.ggml<q4_0>>"' 2>&1 | FileCheck %s --check-prefix=VALUES
// RUN: not quant-opt %s --quantize-rtn='include=good format="#lowbit.n_of_m<1:2, values = #lowbit.n_of_m<1:2, values = #lowbit.float<f16>>>"' 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: quant-opt %s --quantize-rtn="include=large scale-type=bf16" | FileCheck %s --check-prefix=WIDE

// BITS: error: bits is 9, but must be 1 to 8
// GROUP: error: group-size is -7, but must be positive, -1 for whole rows, or 0 for whole weights
// FORMAT: error: format is 'f8', but must be a name such as f16, u4g64, q4_K or nf4, or a format as IR spells it, such as #lowbit.float<f16>
// SPELLED: error: format is '#lowbit.uniform<u9, group = [1, 2], scale = f16, zero = u9>', which cannot be read: bits is 9, but a uniform format has 1 to 8 bits
// UNKNOWN: error: format is '#lowbit.no_format', which cannot be read: {{.*}}no_format
// LAYOUT: error: format is '#lowbit.panels', which is no number format
// SCALE: error: scale-type is 'f8', but must be f16, bf16, f32 or e8m0
// RANGE: error: range is 'median', but must be minmax, percentile or mse
// PERCENTILE: error: percentile is 50, but must lie in (50, 100]
// RANGES: error: range is percentile, but mse asks for another range
// REGEX: error: include is '(', which is no regular expression: parentheses not balanced
// NONE: error: include='' exclude='.' leave none of the 3 layers to quantize
// NAN: error: cannot quantize layer 'bad': the weight in row 1, column 0 is NaN; only finite weights can be quantized
// LARGE: error: cannot quantize layer 'large': weights between 0 and 1e+09 need scales up to 6.66667e+07, but f16 ends at 65504; a wider scale type is needed
// REPORT: error: {{.*}}/no/such/folder/x
// TABLE: error: format is {{.*}}, which cannot be read: there is no table 'nf9'; those with a name are nf4, fp4, e2m1, e4m3, e5m2, dynamic8
// LEVELS: error: format is {{.*}}, which cannot be read: a codebook has 2 to 16 levels, got 1
// ORDER: error: format is {{.*}}, which cannot be read: the levels of a codebook must be finite and ascend, but level 1 is 0 after 1
// FINITE: error: format is {{.*}}, which cannot be read: the levels of a codebook must be finite and ascend, but level 1 is inf after 0
// COUNT: error: cannot quantize layer 'good': there are 5 outliers, but the matrix has 4 elements
// VALUES: error: cannot quantize layer 'good': of the values, q4_0 has blocks of 32 columns, which do not divide the 1;
// TWICE: error: cannot quantize layer 'good': the values must not be N:M themselves, got #lowbit.n_of_m<1:2, values = #lowbit.float<f16>>
// WIDE: lowbit.matmul
func.func @model(%x: tensor<?x2xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>) {
  %good = onnx.Constant dense<1.0> : tensor<2x2xf32>
  %0 = onnx.MatMul(%x, %good) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32> loc("good")
  %bad = onnx.Constant dense<[[1.0, 0x7FC00000], [2.0, 3.0]]> : tensor<2x2xf32>
  %1 = onnx.MatMul(%x, %bad) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32> loc("bad")
  %large = onnx.Constant dense<1.0e9> : tensor<2x2xf32>
  %2 = onnx.MatMul(%x, %large) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32> loc("large")
  // The last layer counts as the model's head, which stays float.
  %head = onnx.Constant dense<2.0> : tensor<2x2xf32>
  %3 = onnx.MatMul(%x, %head) : (tensor<?x2xf32>, tensor<2x2xf32>) -> tensor<?x2xf32> loc("head")
  return %0, %1, %2, %3 : tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>
}
