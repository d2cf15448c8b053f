// RUN: quant-opt %s --easyquant="report=- fraction=0.1" 2>%t.table | FileCheck %s
// RUN: FileCheck %s --check-prefix=TABLE --input-file=%t.table
// RUN: quant-opt %s --quantize-easyquant='format="#lowbit.codebook<nf4, group = [1, 4], scale = f16>" sigma=1 fraction=1 outlier-type=f32 head embeddings' | FileCheck %s --check-prefix=NF4
// RUN: quant-opt %s --quantize-easyquant='format="#lowbit.sparse_outliers<dense = #lowbit.ggml<q4_0>, fraction = 0.5, value = bf16>" include=wide' | FileCheck %s --check-prefix=SPELLED
// RUN: quant-opt %s --quantize-rtn='format="#lowbit.sparse_outliers<dense = #lowbit.uniform<s4, group = [1, 5], scale = f16, zero = none>, fraction = 0.25, value = bf16>" include=q_proj' | FileCheck %s --check-prefix=RTN
// RUN: quant-opt %s --easyquant="bits=3 include=q head" --dump-pass-pipeline 2>&1 >/dev/null | FileCheck %s --check-prefix=PIPELINE

// The same with any number of threads.
// RUN: quant-opt %s --easyquant="threads=1" > %t.1
// RUN: quant-opt %s --easyquant="threads=3" > %t.3
// RUN: cmp %t.1 %t.3

// PIPELINE: quantize-easyquant{{.*}}bits=3{{.*}}fraction=1.0{{0*}}e-02{{.*}}group-size=-1{{.*}}head=true{{.*}}include=q{{.*}}symmetric=true

// TABLE:      layer    shape  format
// TABLE-NEXT: q_proj   2x8    s4 [1, *] f16 + 1 outliers f16
// TABLE-NEXT: wide     2x64   s4 [1, *] f16 + 0 outliers f16

// CHECK-LABEL: func.func @model
// NF4-LABEL: func.func @model
// SPELLED-LABEL: func.func @model
// RTN-LABEL: func.func @model
func.func @model(%tokens: tensor<?xi64>, %z: tensor<?x64xf32>) -> (tensor<?x6xf32>, tensor<?x2xf32>) {
  // CHECK: onnx.Gather
  // NF4: lowbit.gather {{.*}}!lowbit.tensor<6x8xf32, #lowbit.sparse_outliers<dense = #lowbit.codebook<nf4, group = [1, 4], scale = f16>, count = 0, value = f32>>
  %table = onnx.Constant dense<0.5> : tensor<6x8xf32>
  %x = onnx.Gather(%table, %tokens) {axis = 0 : i64} : (tensor<6x8xf32>, tensor<?xi64>) -> tensor<?x8xf32> loc("embedding")

  // The outlier, 40, is the last weight of the first row; the others are exact
  // with the best scales for their codes, 4 and -8, and 1 and 7.
  // CHECK: %[[W:.*]] = lowbit.constant {
  // CHECK-SAME: codes = dense<{{\[\[}}-124, 0, 0, 0], [113, 0, 0, 0]]> : tensor<2x4xi8>
  // CHECK-SAME: outlier_columns = dense<7> : tensor<1xi16>, outlier_offsets = dense<[0, 1, 1]> : tensor<3xi32>, outlier_values = dense<4.000000e+01> : tensor<1xf16>
  // CHECK-SAME: scales = dense<{{\[\[}}2.500000e-01], [1.000000e+00]]> : tensor<2x1xf16>
  // CHECK-SAME: !lowbit.tensor<2x8xf32, #lowbit.sparse_outliers<dense = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>, count = 1, value = f16>>
  // CHECK: lowbit.matmul %{{.*}}, %[[W]]
  // NF4: lowbit.matmul {{.*}}!lowbit.tensor<2x8xf32, #lowbit.sparse_outliers<dense = #lowbit.codebook<nf4, group = [1, 4], scale = f16>, count = 1, value = f32>>
  // RTN: lowbit.matmul {{.*}}!lowbit.tensor<2x8xf32, #lowbit.sparse_outliers<dense = #lowbit.uniform<s4, group = [1, 5], scale = f16, zero = none, pad>, count = 4, value = bf16>>
  %wq = onnx.Constant dense<[[1.0, 1.0], [-2.0, 7.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 0.0], [40.0, 0.0]]> : tensor<8x2xf32>
  %q = onnx.MatMul(%x, %wq) : (tensor<?x8xf32>, tensor<8x2xf32>) -> tensor<?x2xf32> loc("q_proj")

  // SPELLED: lowbit.matmul {{.*}}!lowbit.tensor<2x64xf32, #lowbit.sparse_outliers<dense = #lowbit.ggml<q4_0>, count = 0, value = bf16>>
  %ww = onnx.Constant dense<0.5> : tensor<64x2xf32>
  %w = onnx.MatMul(%z, %ww) : (tensor<?x64xf32>, tensor<64x2xf32>) -> tensor<?x2xf32> loc("wide")

  // CHECK: onnx.MatMul
  // NF4: lowbit.matmul {{.*}}!lowbit.tensor<6x2xf32
  %wh = onnx.Constant dense<1.0> : tensor<2x6xf32>
  %h = onnx.MatMul(%q, %wh) : (tensor<?x2xf32>, tensor<2x6xf32>) -> tensor<?x6xf32> loc("head")
  return %h, %w : tensor<?x6xf32>, tensor<?x2xf32>
}
