// RUN: quant-opt %s --quantize-activations 2>%t | FileCheck %s
// RUN: FileCheck %s --check-prefix=REMARK < %t
// RUN: quant-opt %s --quantize-activations="granularity=row bits=6" | FileCheck %s --check-prefix=ROW
// RUN: quant-opt %s --quantize-activations="include=q_proj exclude=0.q" | FileCheck %s --check-prefix=SELECT

#g32 = #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = u4>
#row = #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none>

// Matmuls that read the same input in the same way share the operation.
// CHECK-LABEL: @shared
// CHECK: %[[R:.+]] = lowbit.dynamic_quantize %{{.+}} : tensor<?x64xf32> -> !lowbit.tensor<?x64xf32, #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none, narrow>>
// CHECK-NEXT: %[[Q:.+]] = lowbit.dynamic_quantize %{{.+}} : tensor<?x64xf32> -> !lowbit.tensor<?x64xf32, #lowbit.uniform<s8, group = [1, 32], scale = f32, zero = none, narrow>>
// CHECK-NOT: lowbit.dynamic_quantize
// CHECK-DAG: lowbit.matmul %[[Q]], %arg1
// CHECK-DAG: lowbit.matmul %[[Q]], %arg2
// CHECK-DAG: lowbit.matmul %[[R]], %arg3
// ROW-LABEL: @shared
// ROW: lowbit.dynamic_quantize %{{.+}} -> !lowbit.tensor<?x64xf32, #lowbit.uniform<s6, group = [1, *], scale = f32, zero = none, narrow>>
// ROW-NOT: lowbit.dynamic_quantize
// ROW: return
// SELECT-LABEL: @shared
// SELECT: %[[Q:.+]] = lowbit.dynamic_quantize
// SELECT: lowbit.matmul %arg0, %arg1
// SELECT: lowbit.matmul %[[Q]], %arg2
// SELECT: lowbit.matmul %arg0, %arg3
func.func @shared(%x: tensor<?x64xf32>, %a: !lowbit.tensor<8x64xf32, #g32>, %b: !lowbit.tensor<16x64xf32, #g32>,
                  %c: !lowbit.tensor<8x64xf32, #row>) -> (tensor<?x8xf32>, tensor<?x16xf32>, tensor<?x8xf32>) {
  %0 = lowbit.matmul %x, %a : (tensor<?x64xf32>, !lowbit.tensor<8x64xf32, #g32>) -> tensor<?x8xf32> loc("layers.0.q_proj")
  %1 = lowbit.matmul %x, %b : (tensor<?x64xf32>, !lowbit.tensor<16x64xf32, #g32>) -> tensor<?x16xf32> loc("layers.1.q_proj")
  %2 = lowbit.matmul %x, %c : (tensor<?x64xf32>, !lowbit.tensor<8x64xf32, #row>) -> tensor<?x8xf32> loc("layers.1.k_proj")
  return %0, %1, %2 : tensor<?x8xf32>, tensor<?x16xf32>, tensor<?x8xf32>
}

// The padding of the weight's groups is that of the input's.
// CHECK-LABEL: @padded
// CHECK: lowbit.dynamic_quantize %{{.+}} -> !lowbit.tensor<2x3x50xf32, #lowbit.uniform<s8, group = [1, 32], scale = f32, zero = none, narrow, pad>>
func.func @padded(%x: tensor<2x3x50xf32>,
                  %w: !lowbit.tensor<8x50xf32, #lowbit.uniform<s4, group = [1, 32], scale = f16, zero = none, pad>>)
    -> tensor<2x3x8xf32> {
  %0 = lowbit.matmul %x, %w
      : (tensor<2x3x50xf32>, !lowbit.tensor<8x50xf32, #lowbit.uniform<s4, group = [1, 32], scale = f16, zero = none, pad>>)
      -> tensor<2x3x8xf32>
  return %0 : tensor<2x3x8xf32>
}

// An input that is quantized already stays as it is.
// CHECK-LABEL: @quantized
// CHECK-COUNT-1: lowbit.dynamic_quantize
// CHECK-NOT: lowbit.dynamic_quantize
func.func @quantized(%x: tensor<2x64xf32>, %w: !lowbit.tensor<8x64xf32, #g32>) -> tensor<2x8xf32> {
  %0 = lowbit.dynamic_quantize %x : tensor<2x64xf32>
      -> !lowbit.tensor<2x64xf32, #lowbit.uniform<s4, group = [1, 16], scale = f32, zero = none>>
  %1 = lowbit.matmul %0, %w
      : (!lowbit.tensor<2x64xf32, #lowbit.uniform<s4, group = [1, 16], scale = f32, zero = none>>, !lowbit.tensor<8x64xf32, #g32>)
      -> tensor<2x8xf32>
  return %1 : tensor<2x8xf32>
}

// Levels that are no integers are multiplied by floats, whatever the input is;
// those of E2M1 are halves of integers.
// CHECK-LABEL: @levels
// CHECK: %[[Q:.+]] = lowbit.dynamic_quantize
// CHECK-NOT: lowbit.dynamic_quantize
// CHECK: lowbit.matmul %arg0, %arg1
// CHECK: lowbit.matmul %arg0, %arg2
// CHECK: lowbit.matmul %[[Q]], %arg3
// REMARK: remark: the input stays float: levels that are no integers of eight bits times a constant are multiplied with float activations
// REMARK: remark: the input stays float: codes of 8 bits that stand for levels of a table are multiplied with float activations
#nf4 = #lowbit.codebook<nf4, group = [1, 32], scale = f16>
#fp8 = #lowbit.codebook<e4m3, group = [1, *], scale = f32>
#mxfp4 = #lowbit.codebook<e2m1, group = [1, 32], scale = f8E8M0FNU>
func.func @levels(%x: tensor<?x64xf32>, %a: !lowbit.tensor<8x64xf32, #nf4>, %b: !lowbit.tensor<8x64xf32, #fp8>,
                  %c: !lowbit.tensor<8x64xf32, #mxfp4>) -> (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>) {
  %0 = lowbit.matmul %x, %a : (tensor<?x64xf32>, !lowbit.tensor<8x64xf32, #nf4>) -> tensor<?x8xf32>
  %1 = lowbit.matmul %x, %b : (tensor<?x64xf32>, !lowbit.tensor<8x64xf32, #fp8>) -> tensor<?x8xf32>
  %2 = lowbit.matmul %x, %c : (tensor<?x64xf32>, !lowbit.tensor<8x64xf32, #mxfp4>) -> tensor<?x8xf32>
  return %0, %1, %2 : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>
}
