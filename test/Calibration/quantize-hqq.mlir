// RUN: quant-opt %s --hqq="report=-" 2>%t.table | FileCheck %s
// RUN: FileCheck %s --check-prefix=TABLE --input-file=%t.table
// RUN: quant-opt %s --quantize-hqq="group-size=4 bits=3 head embeddings" | FileCheck %s --check-prefix=INTEGER
// RUN: quant-opt %s --quantize-hqq='format="#lowbit.uniform<s2, group = [1, 4], scale = f32, zero = f32>"' | FileCheck %s --check-prefix=SPELLED
// RUN: quant-opt %s --hqq="bits=2 group-size=32 include=q head" --dump-pass-pipeline 2>&1 >/dev/null | FileCheck %s --check-prefix=PIPELINE

// The same with any number of threads.
// RUN: quant-opt %s --hqq="threads=1" > %t.1
// RUN: quant-opt %s --hqq="threads=3" > %t.3
// RUN: cmp %t.1 %t.3

// PIPELINE: quantize-hqq{{.*}}bits=2{{.*}}group-size=32{{.*}}head=true{{.*}}include=q{{.*}}zero-type=f16

// TABLE:      layer    shape  format
// TABLE-NEXT: q_proj   4x8    u4 [1, 64] f16 zero f16
// TABLE-NEXT: 1 layers 32 weights

// CHECK-LABEL: func.func @model
// INTEGER-LABEL: func.func @model
// SPELLED-LABEL: func.func @model
func.func @model(%tokens: tensor<?xi64>) -> tensor<?x6xf32> {
  // CHECK: onnx.Gather
  // INTEGER: lowbit.gather
  %table = onnx.Constant dense<0.5> : tensor<6x8xf32>
  %x = onnx.Gather(%table, %tokens) {axis = 0 : i64} : (tensor<6x8xf32>, tensor<?xi64>) -> tensor<?x8xf32> loc("embedding")

  // A constant group has its value as a multiple of its zero point.
  // CHECK: %[[W:.*]] = lowbit.constant {codes = dense<0> : tensor<4x4xi8>, scales = dense<{{.*}}> : tensor<4x1xf16>, zeros = dense<-2.048000e+03> : tensor<4x1xf16>}
  // CHECK-SAME: !lowbit.tensor<4x8xf32, #lowbit.uniform<u4, group = [1, 64], scale = f16, zero = f16, pad>>
  // CHECK: lowbit.matmul %{{.*}}, %[[W]]
  // INTEGER: lowbit.matmul {{.*}}!lowbit.tensor<4x8xf32, #lowbit.uniform<u3, group = [1, 4], scale = f16, zero = u3>>
  // SPELLED: lowbit.matmul {{.*}}!lowbit.tensor<4x8xf32, #lowbit.uniform<s2, group = [1, 4], scale = f32, zero = f32>>
  %wq = onnx.Constant dense<0.25> : tensor<8x4xf32>
  %q = onnx.MatMul(%x, %wq) : (tensor<?x8xf32>, tensor<8x4xf32>) -> tensor<?x4xf32> loc("q_proj")

  // CHECK: onnx.MatMul
  // INTEGER: lowbit.matmul {{.*}}!lowbit.tensor<6x4xf32
  %wh = onnx.Constant dense<1.0> : tensor<4x6xf32>
  %h = onnx.MatMul(%q, %wh) : (tensor<?x4xf32>, tensor<4x6xf32>) -> tensor<?x6xf32> loc("head")
  return %h : tensor<?x6xf32>
}
