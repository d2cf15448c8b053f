// RUN: quant-opt %s --olive="report=-" 2>%t.table | FileCheck %s
// RUN: FileCheck %s --check-prefix=TABLE --input-file=%t.table
// RUN: quant-opt %s --olive="bits=8 head embeddings include=uneven|head|embedding" | FileCheck %s --check-prefix=BYTES
// RUN: quant-opt %s --quantize-rtn='format="#lowbit.ovp<int4, group = [1, 4], scale = f16, keep = left>" or-format=bf16' | FileCheck %s --check-prefix=OTHER
// RUN: quant-opt %s --olive="include=uneven threads=2" --dump-pass-pipeline 2>&1 >/dev/null | FileCheck %s --check-prefix=PIPELINE

// Activations, too: on data, or on what the model generates.
// RUN: %python %S/../Integration/Inputs/make_npz.py %t.tokens.npy "x=np.array([[1, 3, 5, 2], [0, 4, 2, 2]], np.int32)"
// RUN: quant-opt %s --olive="calibration=%t.tokens.npy" | FileCheck %s --check-prefix=INPUTS
// RUN: quant-opt %s --olive="bits=8 activations samples=2 exclude=^even" 2>&1 | FileCheck %s --check-prefix=GENERATED
// RUN: quant-opt %s --olive="calibration=%t.tokens.npy samples=1 include=uneven bits=8" --dump-pass-pipeline 2>&1 >/dev/null | FileCheck %s --check-prefix=INPUT-PIPELINE
// Scales of inputs are found in another way, if asked.
// RUN: quant-opt %s --olive="range=mse calibration=%t.tokens.npy bits=8" --dump-pass-pipeline 2>&1 >/dev/null | FileCheck %s --check-prefix=RANGE
// RUN: quant-opt %s --olive="range=mse bits=8 samples=2" 2>&1 | FileCheck %s --check-prefix=GENERATED-MSE
// RUN: not quant-opt %s --olive="range=widest calibration=%t.tokens.npy" 2>&1 | FileCheck %s --check-prefix=BAD-RANGE
// RUN: not quant-opt %s --olive="range=minmax calibration=%t.tokens.npy" 2>&1 | FileCheck %s --check-prefix=NO-ERRORS
// RANGE: quantize-activations{{.*}}format={#lowbit.ovp<int8, group = [*, *], scale = f32>}{{.*}}range=mse
// GENERATED-MSE: lowbit.static_quantize {{.*}}#lowbit.ovp<int8, group = [*, *]
// BAD-RANGE: error: {{.*}}quantize-activations: range is 'widest', but must be minmax, average, percentile, entropy, mse or sigma
// NO-ERRORS: error: {{.*}}quantize-activations: or-format compares errors, which are measured with range=mse and range=sigma only
// One token will do.
// RUN: %python %S/../Integration/Inputs/make_npz.py %t.one.npy "x=np.array([[1]], np.int32)"
// RUN: quant-opt %s --olive="calibration=%t.one.npy" | FileCheck %s --check-prefix=INPUTS
// INPUTS: lowbit.static_quantize %{{.*}} scale {{.*}} -> !lowbit.tensor<?x?x7xf32, #lowbit.ovp<{{int4|flint4}}, group = [*, *], scale = f32, pad>>
// INPUTS: lowbit.matmul
// INPUTS: lowbit.static_quantize %{{.*}} scale {{.*}} -> !lowbit.tensor<?x?x4xf32, #lowbit.ovp<{{int4|flint4}}, group = [*, *], scale = f32>>
// GENERATED: remark: no calibration data given: the model generated 2 samples of {{[0-9]+}} tokens
// GENERATED: onnx.MatMul
// GENERATED: lowbit.static_quantize %{{.*}} scale {{.*}} -> !lowbit.tensor<?x?x4xf32, #lowbit.ovp<int8, group = [*, *], scale = f32>>
// INPUT-PIPELINE: quantize-rtn{
// INPUT-PIPELINE-NEXT: quantize-activations{{.*}}calibration={{.*}}tokens.npy{{.*}}format={#lowbit.ovp<int8, group = [*, *], scale = f32>}{{.*}}include=uneven{{.*}}samples=1{{.*}}static=true

// The same with any number of threads.
// RUN: quant-opt %s --olive="threads=1" > %t.1
// RUN: quant-opt %s --olive="threads=3" > %t.3
// RUN: cmp %t.1 %t.3

// RUN: not quant-opt %s --olive="bits=5" 2>&1 | FileCheck %s --check-prefix=BITS
// RUN: not quant-opt %s --quantize-rtn="or-format=nf5" 2>&1 | FileCheck %s --check-prefix=FORMAT
// RUN: not quant-opt %s --quantize-rtn='or-format="#lowbit.ggml<q4_0>"' 2>&1 | FileCheck %s --check-prefix=SHAPE
// RUN: not quant-opt %s --quantize-hqq='format="#lowbit.ovp<int4, group = [1, *], scale = f16>"' 2>&1 | FileCheck %s --check-prefix=HQQ
// RUN: not quant-opt %s --gptq='calibration=%S/Inputs/tokens.npy format="#lowbit.ovp<int4, group = [1, *], scale = f16>"' 2>&1 | FileCheck %s --check-prefix=GPTQ

// PIPELINE: quantize-rtn{{.*}}format={#lowbit.ovp<int4, group = [1, *], scale = f16>}{{.*}}include=uneven{{.*}}or-format={#lowbit.ovp<flint4, group = [1, *], scale = f16>}{{.*}}threads=2

// TABLE:      layer   shape  format
// TABLE-NEXT: even    4x7    ovp int4 [1, *] f16
// TABLE-NEXT: uneven  8x4    ovp flint4 [1, *] f16
// TABLE-NEXT: 2 layers

// BITS: error: format is '#lowbit.ovp<int5, group = [1, *], scale = f16>', which cannot be read: normal levels are int4, flint4 or int8, got 'int5'
// FORMAT: error: or-format is 'nf5', but must be a name such as f16, u4g64, q4_K or nf4, or a format as IR spells it
// SHAPE: error: cannot quantize layer 'even': q4_0 has blocks of 32 columns, which do not divide the 7
// HQQ: error: cannot quantize layer 'even': HQQ chooses the zero points of groups, which the format ovp int4 [1, *] f16 does not have
// GPTQ: error: cannot quantize layer 'even': GPTQ codes one column after the other, but the format ovp int4 [1, *] f16 codes 2 together

// CHECK-LABEL: func.func @model
// BYTES-LABEL: func.func @model
// OTHER-LABEL: func.func @model
func.func @model(%tokens: tensor<?x?xi64> {onnx.name = "input_ids"}) -> tensor<?x?x6xf32> {
  // CHECK: onnx.Gather
  // BYTES: lowbit.gather {{.*}}!lowbit.tensor<6x7xf32, #lowbit.ovp<int8, group = [1, *], scale = f16, pad>>
  %table = onnx.Constant dense<0.5> : tensor<6x7xf32>
  %x = onnx.Gather(%table, %tokens) {axis = 0 : i64} : (tensor<6x7xf32>, tensor<?x?xi64>) -> tensor<?x?x7xf32> loc("embedding")

  // A constant row has no deviation: 6 times the scale for 1.17 is nearest. The
  // last column has a neighbour of 0.
  // CHECK: %[[W:.*]] = lowbit.constant {codes = dense<{{\[\[}}102, 102, 102, 96], {{.*}}]> : tensor<4x4xi8>, scales = dense<{{.*}}> : tensor<4x1xf16>}
  // CHECK-SAME: !lowbit.tensor<4x7xf32, #lowbit.ovp<int4, group = [1, *], scale = f16, pad>>
  // CHECK: lowbit.matmul %{{.*}}, %[[W]]
  // OTHER: lowbit.matmul {{.*}}!lowbit.tensor<4x7xf32, #lowbit.float<bf16>>
  // BYTES: onnx.MatMul
  %we = onnx.Constant dense<0.25> : tensor<7x4xf32>
  %e = onnx.MatMul(%x, %we) : (tensor<?x?x7xf32>, tensor<7x4xf32>) -> tensor<?x?x4xf32> loc("even")

  // Magnitudes that double are what flint4 is for.
  // CHECK: lowbit.matmul {{.*}}!lowbit.tensor<8x4xf32, #lowbit.ovp<flint4, group = [1, *], scale = f16>>
  // BYTES: lowbit.matmul {{.*}}!lowbit.tensor<8x4xf32, #lowbit.ovp<int8, group = [1, *], scale = f16>>
  %wu = onnx.Constant dense<[[1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0], [4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0], [8.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0, 8.0]]> : tensor<4x8xf32>
  %u = onnx.MatMul(%e, %wu) : (tensor<?x?x4xf32>, tensor<4x8xf32>) -> tensor<?x?x8xf32> loc("uneven")

  // CHECK: onnx.MatMul
  // BYTES: lowbit.matmul {{.*}}!lowbit.tensor<6x8xf32, #lowbit.ovp<int8
  %wh = onnx.Constant dense<1.0> : tensor<8x6xf32>
  %h = onnx.MatMul(%u, %wh) : (tensor<?x?x8xf32>, tensor<8x6xf32>) -> tensor<?x?x6xf32> loc("head")
  return %h : tensor<?x?x6xf32>
}
