// RUN: rm -rf %t.state
// RUN: quant-opt %s --quantize-spqr="group-size=4 calibration=%S/Inputs/tokens.npy report=- state=%t.state" 2>%t.table -o %t.one.mlir
// RUN: FileCheck %s --input-file=%t.one.mlir
// RUN: FileCheck %s --check-prefix=TABLE --input-file=%t.table
// The same with any number of threads and any size of a block, and from the state of a run.
// RUN: quant-opt %s --quantize-spqr="group-size=4 calibration=%S/Inputs/tokens.npy threads=3 block-size=2" -o %t.two.mlir
// RUN: diff %t.one.mlir %t.two.mlir
// RUN: quant-opt %s --quantize-spqr="group-size=4 calibration=%S/Inputs/tokens.npy state=%t.state" -o %t.three.mlir 2>&1 | FileCheck %s --check-prefix=RESUMED
// RUN: diff %t.one.mlir %t.three.mlir
// RUN: quant-opt %s --quantize-spqr="group-size=4 threshold=inf act-order calibration=%S/Inputs/tokens.npy head embeddings" | FileCheck %s --check-prefix=NONE
// RUN: quant-opt %s --quantize-spqr='format="#lowbit.codebook<nf4, group = [1, 4], scale = f16>" simplified threshold=0 outlier-type=bf16 calibration=%S/Inputs/tokens.npy' | FileCheck %s --check-prefix=NF4
// RUN: quant-opt %s --spqr="bits=2 calibration=%S/Inputs/tokens.npy" | FileCheck %s --check-prefix=RECIPE
// RUN: quant-opt %s --spqr="bits=2 calibration=%S/Inputs/tokens.npy include=q" --dump-pass-pipeline 2>&1 >/dev/null | FileCheck %s --check-prefix=PIPELINE
// All of it can be decoded.
// RUN: quant-opt %t.one.mlir --convert-formats=to=f32 | FileCheck %s --check-prefix=FLOAT

// TABLE:      layer {{ *}}shape {{ *}}format {{ *}}bits/weight  weight error  output error
// TABLE-NEXT: query {{ *}}4x8 {{ *}}u4 [1, 4] f16 + {{[0-9]+}} outliers f16 {{.*}} 0.{{[0-9]+ +}}0.{{[0-9]+ +}}
// TABLE-NEXT: key {{ *}}4x8
// TABLE-NEXT: up {{ *}}8x4
// TABLE-NEXT: 3 layers

// RESUMED: remark: resumed from '{{.*}}': 3 of 3 layers are done
// RESUMED-NOT: warning

// CHECK-LABEL: func.func @model
// CHECK-COUNT-3: lowbit.matmul {{.*}}#lowbit.sparse_outliers<dense = #lowbit.uniform<u4, group = [1, 4], scale = f16, zero = u4>, count = {{[0-9]+}}, value = f16>
// CHECK: onnx.MatMul
// FLOAT-COUNT-3: lowbit.matmul {{.*}}!lowbit.tensor<{{.*}}, #lowbit.float<f32>>

// NONE: lowbit.gather {{.*}}#lowbit.uniform<u4, group = [1, 4], scale = f16, zero = u4>>
// NONE: onnx.Gather(%{{.*}}, %{{.*}}) {axis = 2 : i64}
// NONE-COUNT-4: lowbit.matmul {{.*}}count = 0, value = f16>
// NF4: lowbit.matmul {{.*}}#lowbit.sparse_outliers<dense = #lowbit.codebook<nf4, group = [1, 4], scale = f16>, count = {{[1-9][0-9]*}}, value = bf16>
// RECIPE: onnx.Gather(%{{.*}}, %{{.*}}) {axis = 2 : i64}
// RECIPE: lowbit.matmul {{.*}}#lowbit.sparse_outliers<dense = #lowbit.uniform<u2, group = [1, 16], scale = #lowbit.uniform<u3, group = [16, 1], scale = f16, zero = f16{{.*}}>, zero = #lowbit.uniform<u3, group = [16, 1], scale = f16, zero = f16{{.*}}>{{.*}}>, count = {{[0-9]+}}, value = f16>
// PIPELINE: quantize-spqr{{.*}}act-order=true{{.*}}damping=1.0{{.*}}include=q{{.*}}inputs=layer{{.*}}threshold=2.0{{0*}}e-01

func.func @model(%tokens: tensor<?x?xi64> {onnx.name = "input_ids"}) -> (tensor<?x?x6xf32> {onnx.name = "logits"}) {
  %table = onnx.Constant dense<[[0.1, -0.4, 0.3, 0.9, -0.2, 0.5, 0.6, -1.0], [1.1, 0.2, -0.3, 0.4, 0.8, -0.9, 0.7, 0.3], [-0.6, 0.5, 0.4, -0.3, 0.2, 0.1, 0.9, -0.8], [0.7, 0.6, -0.5, 0.4, -0.3, 0.2, -0.1, 0.2], [-1.2, 0.1, 0.3, 0.5, 0.7, -0.9, 0.2, 0.4], [0.3, 0.3, 0.9, -0.9, 0.1, 0.6, -0.4, 0.8]]> : tensor<6x8xf32>
  %x = onnx.Gather(%table, %tokens) {axis = 0 : i64} : (tensor<6x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32> loc("embedding")
  %wq = onnx.Constant dense<[[0.9, 0.1, -0.3, 0.2], [0.4, -0.5, 0.6, 0.7], [-0.8, 0.9, 0.2, -0.1], [0.3, 0.5, -0.7, 0.9], [0.2, -0.4, 0.6, -0.8], [0.1, 0.3, 0.5, 0.7], [-0.9, 0.7, -0.5, 0.3], [0.6, 0.2, 0.8, -0.4]]> : tensor<8x4xf32>
  %q = onnx.MatMul(%x, %wq) : (tensor<?x?x8xf32>, tensor<8x4xf32>) -> tensor<?x?x4xf32> loc("query")
  %wk = onnx.Constant dense<[[0.2, 0.8, -0.1, 0.6], [0.7, -0.2, 0.5, 0.1], [-0.3, 0.4, 0.9, -0.6], [0.8, 0.1, -0.2, 0.7], [0.5, -0.6, 0.3, -0.4], [0.9, 0.2, 0.4, 0.6], [-0.1, 0.3, -0.7, 0.5], [0.4, 0.6, 0.1, -0.9]]> : tensor<8x4xf32>
  %k = onnx.MatMul(%x, %wk) : (tensor<?x?x8xf32>, tensor<8x4xf32>) -> tensor<?x?x4xf32> loc("key")
  %sum = onnx.Add(%q, %k) : (tensor<?x?x4xf32>, tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  %act = onnx.Relu(%sum) : (tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  %wu = onnx.Constant dense<[[0.1, 0.5, -0.3, 0.7, 0.2, -0.6, 0.4, 0.8], [0.9, -0.1, 0.3, 0.5, -0.7, 0.2, 0.6, -0.4], [-0.2, 0.6, 0.8, -0.4, 0.1, 0.3, -0.5, 0.7], [0.4, 0.2, -0.6, 0.8, 0.5, -0.9, 0.1, 0.3]]> : tensor<4x8xf32>
  %u = onnx.MatMul(%act, %wu) : (tensor<?x?x4xf32>, tensor<4x8xf32>) -> tensor<?x?x8xf32> loc("up")
  %h = onnx.Add(%u, %x) : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %wh = onnx.Constant dense<[[0.3, -0.2, 0.5, 0.1, 0.7, -0.4], [0.6, 0.8, -0.1, 0.3, -0.5, 0.2], [-0.7, 0.4, 0.2, 0.9, 0.1, -0.6], [0.5, -0.3, 0.8, -0.2, 0.4, 0.6], [0.1, 0.7, -0.9, 0.3, 0.2, -0.5], [0.8, -0.6, 0.4, 0.2, -0.1, 0.3], [-0.4, 0.5, 0.1, -0.7, 0.9, 0.2], [0.2, 0.1, 0.6, -0.8, 0.3, 0.4]]> : tensor<8x6xf32>
  %logits = onnx.MatMul(%h, %wh) : (tensor<?x?x8xf32>, tensor<8x6xf32>) -> tensor<?x?x6xf32> loc("head")
  return %logits : tensor<?x?x6xf32>
}
