// RUN: quant-opt %s --quantize-rtn="group-size=4 report=-" 2>%t.table | FileCheck %s
// RUN: FileCheck %s --check-prefix=TABLE --input-file=%t.table
// RUN: quant-opt %s --quantize-rtn="bits=3 symmetric group-size=-1 scale-type=f32 head" | FileCheck %s --check-prefix=SYM
// RUN: quant-opt %s --quantize-rtn="format=bf16" | FileCheck %s --check-prefix=BF16
// RUN: quant-opt %s --quantize-rtn='format="#lowbit.float<bf16>"' | FileCheck %s --check-prefix=BF16
// RUN: quant-opt %s --quantize-rtn='include=q_proj|emb format="#lowbit.uniform<u4, group = [1, 5], scale = f16, zero = u4>" embeddings' | FileCheck %s --check-prefix=INCLUDE
// RUN: quant-opt %s --quantize-rtn='include=q_proj|key format="#lowbit.codebook<nf4, group = [1, 3], scale = #lowbit.codebook<dynamic8, group = [3, 3], scale = f32>, offset = f32>"' | FileCheck %s --check-prefix=NF4
// RUN: quant-opt %s --quantize-rtn='include=key format="#lowbit.uniform<u3, group = [1, 4], scale = #lowbit.uniform<u3, group = [16, 1], scale = f16, zero = f16>, zero = #lowbit.uniform<u3, group = [16, 1], scale = f16, zero = f16>>"' | FileCheck %s --check-prefix=SPQR
// RUN: quant-opt %s --quantize-rtn="include=key format=mxint8" | FileCheck %s --check-prefix=POWERS
// RUN: quant-opt %s --quantize-rtn="include=key bits=8 symmetric group-size=32 scale-type=e8m0" | FileCheck %s --check-prefix=POWERS
// RUN: quant-opt %s --quantize-rtn="include=key range=percentile percentile=100" >%t.percentile
// RUN: quant-opt %s --quantize-rtn="include=key" | diff - %t.percentile
// RUN: quant-opt %s --quantize-rtn="include=key range=mse" >%t.mse
// RUN: quant-opt %s --quantize-rtn="include=key mse" | diff - %t.mse
// RUN: quant-opt %s --quantize-rtn="include=q_proj|emb group-size=5 embeddings" | FileCheck %s --check-prefix=INCLUDE
// RUN: quant-opt %s --quantize-rtn="exclude=^q_ report=%t.json" | FileCheck %s --check-prefix=EXCLUDE
// RUN: FileCheck %s --check-prefix=JSON --input-file=%t.json

// A second time there is nothing to do; the head is still the head.
// RUN: quant-opt %s --quantize-rtn --quantize-rtn="bits=3" 2>%t.again | FileCheck %s --check-prefix=AGAIN
// RUN: FileCheck %s --check-prefix=NOTHING --input-file=%t.again
// AGAIN-NOT: u3
// NOTHING: warning: there are no layers with float weights to quantize

// TABLE:      layer    shape  format {{ *}}bits/weight  weight error  output error  seconds
// TABLE-NEXT: q_proj   4x8    u4 [1, 4] f16
// TABLE-NEXT: up_proj  8x4    u4 [1, 4] f16
// TABLE-NEXT: key      8x8    u4 [1, 4] f16
// TABLE-NEXT: MatMul   6x8    u4 [1, 4] f16
// TABLE-NEXT: 4 layers 176 weights

// SPQR: lowbit.constant {codes = {{.*}}, scales_codes = {{.*}} : tensor<8x1xi8>, scales_scales = {{.*}} : tensor<1x2xf16>, scales_zeros = {{.*}} : tensor<1x2xf16>, zeros_codes = {{.*}} : tensor<8x1xi8>, zeros_scales = {{.*}} : tensor<1x2xf16>, zeros_zeros = {{.*}} : tensor<1x2xf16>} : !lowbit.tensor<8x8xf32, #lowbit.uniform<u3, group = [1, 4], scale = #lowbit.uniform<u3, group = [16, 1], scale = f16, zero = f16, pad>, zero = #lowbit.uniform<u3, group = [16, 1], scale = f16, zero = f16, pad>>>
// POWERS: lowbit.constant {codes = {{.*}} : tensor<8x8xi8>, scales = {{.*}} : tensor<8x1xi8>} : !lowbit.tensor<8x8xf32, #lowbit.uniform<s8, group = [1, 32], scale = f8E8M0FNU, zero = none, pad>>

// JSON:     "format": "u4 [1, 128] f16"
// JSON:     "layer": "up_proj"
// JSON:     "output_error": null

// CHECK-LABEL: func.func @model
// SYM-LABEL: func.func @model
// INCLUDE-LABEL: func.func @model
// EXCLUDE-LABEL: func.func @model
func.func @model(%tokens: tensor<?xi64>) -> tensor<?x6xf32> {
  // The embedding stays as it is unless it is asked for.
  // CHECK: onnx.Gather
  // INCLUDE: lowbit.gather %{{.*}}[%{{.*}}] : (!lowbit.tensor<6x8xf32, #lowbit.uniform<u4, group = [1, 5], scale = f16, zero = u4, pad>>
  %table = onnx.Constant dense<0.5> : tensor<6x8xf32>
  %x = onnx.Gather(%table, %tokens) {axis = 0 : i64} : (tensor<6x8xf32>, tensor<?xi64>) -> tensor<?x8xf32> loc("embedding")

  // [in, out] in the model, [out, in] in the quantized type.
  // CHECK: %[[W:.*]] = lowbit.constant {{.*}} : !lowbit.tensor<4x8xf32, #lowbit.uniform<u4, group = [1, 4], scale = f16, zero = u4>>
  // CHECK: lowbit.matmul %{{.*}}, %[[W]] : (tensor<?x8xf32>, !lowbit.tensor<4x8xf32{{.*}}) -> tensor<?x4xf32>
  // SYM: lowbit.matmul {{.*}}!lowbit.tensor<4x8xf32, #lowbit.uniform<s3, group = [1, *], scale = f32, zero = none>>
  // BF16: lowbit.matmul {{.*}}!lowbit.tensor<4x8xf32, #lowbit.float<bf16>>
  // EXCLUDE: onnx.MatMul
  // NF4: lowbit.matmul {{.*}}!lowbit.tensor<4x8xf32, #lowbit.codebook<nf4, group = [1, 3], scale = #lowbit.codebook<dynamic8, group = [3, 3], scale = f32, pad>, offset = f32, pad>>
  %wq = onnx.Constant dense<0.25> : tensor<8x4xf32>
  %q = onnx.MatMul(%x, %wq) : (tensor<?x8xf32>, tensor<8x4xf32>) -> tensor<?x4xf32> loc("q_proj")

  // A product of two activations is no layer.
  // CHECK: onnx.MatMul
  %t = onnx.Transpose(%q) {perm = array<i64: 1, 0>} : (tensor<?x4xf32>) -> tensor<4x?xf32>
  %s = onnx.MatMul(%q, %t) : (tensor<?x4xf32>, tensor<4x?xf32>) -> tensor<?x?xf32> loc("scores")
  %m = onnx.MatMul(%s, %q) : (tensor<?x?xf32>, tensor<?x4xf32>) -> tensor<?x4xf32> loc("mix")

  // A bias goes along.
  // CHECK: lowbit.matmul %{{.*}}, %{{.*}}, %{{.*}} : (tensor<?x4xf32>, !lowbit.tensor<8x4xf32{{.*}}, tensor<8xf32>) -> tensor<?x8xf32>
  // INCLUDE: onnx.Gemm
  // EXCLUDE: lowbit.matmul
  %wu = onnx.Constant dense<1.0> : tensor<8x4xf32>
  %bias = onnx.Constant dense<2.0> : tensor<8xf32>
  %u = onnx.Gemm(%m, %wu, %bias) {transB = 1 : i64} : (tensor<?x4xf32>, tensor<8x4xf32>, tensor<8xf32>) -> tensor<?x8xf32> loc("up_proj")

  // CHECK: onnx.MatMul
  // SYM: lowbit.matmul {{.*}}!lowbit.tensor<6x8xf32
  // INCLUDE: onnx.MatMul
  %wh = onnx.Constant dense<1.0> : tensor<8x6xf32>
  %h = onnx.MatMul(%u, %wh) : (tensor<?x8xf32>, tensor<8x6xf32>) -> tensor<?x6xf32> loc("head")
  return %h : tensor<?x6xf32>
}

// The head is found beside other results, and through what follows it.
// CHECK-LABEL: func.func private @with_cache
// CHECK: lowbit.matmul
// CHECK: onnx.MatMul
func.func private @with_cache(%x: tensor<?x8xf32>) -> (tensor<?x8xf32>, tensor<?x8xf32>) {
  %w = onnx.Constant dense<1.0> : tensor<8x8xf32>
  %k = onnx.MatMul(%x, %w) : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32> loc("key")
  %wh = onnx.Constant dense<2.0> : tensor<8x8xf32>
  %h = onnx.MatMul(%k, %wh) : (tensor<?x8xf32>, tensor<8x8xf32>) -> tensor<?x8xf32> loc("head")
  %bias = onnx.Constant dense<3.0> : tensor<8xf32>
  %y = onnx.Add(%h, %bias) : (tensor<?x8xf32>, tensor<8xf32>) -> tensor<?x8xf32>
  return %y, %k : tensor<?x8xf32>, tensor<?x8xf32>
}

// The only layer of a function is no head.
// CHECK-LABEL: func.func private @layer
// CHECK: lowbit.matmul
func.func private @layer(%x: tensor<?x8xf32>) -> tensor<?x6xf32> {
  %w = onnx.Constant dense<1.0> : tensor<8x6xf32>
  %y = onnx.MatMul(%x, %w) : (tensor<?x8xf32>, tensor<8x6xf32>) -> tensor<?x6xf32>
  return %y : tensor<?x6xf32>
}
