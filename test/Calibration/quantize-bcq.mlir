// RUN: quant-opt %s --quantize-bcq="group-size=4 report=-" 2>%t.table | FileCheck %s
// RUN: FileCheck %s --check-prefix=TABLE --input-file=%t.table
// RUN: quant-opt %s --quantize-bcq="bits=1 group-size=-1 scale-type=f32 rounds=0 head embeddings" | FileCheck %s --check-prefix=GREEDY
// RUN: quant-opt %s --quantize-bcq="bits=2 offset" | FileCheck %s --check-prefix=OFFSET

// The same with any number of threads.
// RUN: quant-opt %s --quantize-bcq="threads=1" > %t.1
// RUN: quant-opt %s --quantize-bcq="threads=3" > %t.3
// RUN: cmp %t.1 %t.3

// TABLE:      layer    shape  format
// TABLE-NEXT: q_proj   4x8    bcq3 [1, 4] f16
// TABLE-NEXT: 1 layers 32 weights

// CHECK-LABEL: func.func @model
// GREEDY-LABEL: func.func @model
// OFFSET-LABEL: func.func @model
func.func @model(%tokens: tensor<?xi64>) -> tensor<?x6xf32> {
  // CHECK: onnx.Gather
  // GREEDY: lowbit.gather {{.*}}!lowbit.tensor<6x8xf32, #lowbit.bcq<bits = 1, group = [1, *], scale = f32>>
  %table = onnx.Constant dense<0.5> : tensor<6x8xf32>
  %x = onnx.Gather(%table, %tokens) {axis = 0 : i64} : (tensor<6x8xf32>, tensor<?xi64>) -> tensor<?x8xf32> loc("embedding")

  // CHECK: %[[W:.*]] = lowbit.constant {planes = dense<{{.*}}> : tensor<3x4x1xi8>, scales = dense<{{.*}}> : tensor<3x4x2xf16>}
  // CHECK-SAME: !lowbit.tensor<4x8xf32, #lowbit.bcq<bits = 3, group = [1, 4], scale = f16>>
  // CHECK: lowbit.matmul %{{.*}}, %[[W]]
  // GREEDY: lowbit.constant {planes = dense<-1> : tensor<1x4x1xi8>, scales = dense<2.500000e-01> : tensor<1x4x1xf32>}
  // OFFSET: lowbit.constant {offsets = {{.*}} : tensor<4x1xf16>, planes = {{.*}}, scales = {{.*}} : tensor<2x4x1xf16>}
  // OFFSET: lowbit.matmul {{.*}}#lowbit.bcq<bits = 2, group = [1, 128], scale = f16, offset, pad>>
  %wq = onnx.Constant dense<0.25> : tensor<8x4xf32>
  %q = onnx.MatMul(%x, %wq) : (tensor<?x8xf32>, tensor<8x4xf32>) -> tensor<?x4xf32> loc("q_proj")

  // CHECK: onnx.MatMul
  // GREEDY: lowbit.matmul {{.*}}!lowbit.tensor<6x4xf32
  %wh = onnx.Constant dense<1.0> : tensor<4x6xf32>
  %h = onnx.MatMul(%q, %wh) : (tensor<?x4xf32>, tensor<4x6xf32>) -> tensor<?x6xf32> loc("head")
  return %h : tensor<?x6xf32>
}
