// RUN: quant-opt %s --quantize-rtn='format="#lowbit.ggml<q4_K>" include=wide report=-' 2>%t.table | FileCheck %s
// RUN: FileCheck %s --check-prefix=TABLE --input-file=%t.table
// RUN: quant-opt %s --quantize-rtn='format="#lowbit.ggml<q8_0>" include=wide|part' | FileCheck %s --check-prefix=BYTES
// RUN: not quant-opt %s --quantize-rtn='format="#lowbit.ggml<q4_K>"' 2>&1 | FileCheck %s --check-prefix=COLUMNS
// RUN: not quant-opt %s --quantize-rtn='format="#lowbit.ggml<q9_0>"' 2>&1 | FileCheck %s --check-prefix=TYPE
// RUN: not quant-opt %s --quantize-rtn='format="#lowbit.ggml<q4_0>" include=broken' 2>&1 | FileCheck %s --check-prefix=NAN
// RUN: not quant-opt %s --quantize-rtn='format="#lowbit.ggml<q5_1>" include=large' 2>&1 | FileCheck %s --check-prefix=LARGE

// TABLE:      wide {{ *}}3x256 {{ *}}q4_K {{ *}}4.500
// COLUMNS: error: cannot quantize layer 'part': q4_K has blocks of 256 columns, which do not divide the 32; ggml falls back to q5_0
// TYPE: error: format is '#lowbit.ggml<q9_0>', which cannot be read: the type must be one of q4_0, {{.*}}, got 'q9_0'
// NAN: error: cannot quantize layer 'broken': the weight in row 0, column 0 is NaN; only finite weights can be quantized
// LARGE: error: cannot quantize layer 'large': the weight in row 0, column 0 is 100000, but q5_1, whose scales are f16, ends at 65504

// CHECK-LABEL: func.func @model
// BYTES-LABEL: func.func @model
func.func @model(%x: tensor<?x256xf32>, %y: tensor<?x32xf32>)
    -> (tensor<?x3xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>) {
  // Groups of one value: scale and code are 0, and that is the min.
  // CHECK: %[[W:.*]] = lowbit.constant {blocks = dense<{{.*}}> : tensor<3x144xi8>} : !lowbit.tensor<3x256xf32, #lowbit.ggml<q4_K>>
  // CHECK: lowbit.matmul %{{.*}}, %[[W]] : (tensor<?x256xf32>, !lowbit.tensor<3x256xf32, #lowbit.ggml<q4_K>>) -> tensor<?x3xf32>
  %wide = onnx.Constant dense<-0.5> : tensor<256x3xf32>
  %0 = onnx.MatMul(%x, %wide) : (tensor<?x256xf32>, tensor<256x3xf32>) -> tensor<?x3xf32> loc("wide")

  // 2 / 127 as f16 is 0x2408; then 32 codes.
  // BYTES: tensor<3x272xi8>
  // BYTES: blocks = dense<{{\[\[}}8, 36, 127, 127, {{.*}}127], [8, 36, 127, {{.*}}127]]> : tensor<2x34xi8>
  %part = onnx.Constant dense<2.0> : tensor<32x2xf32>
  %1 = onnx.MatMul(%y, %part) : (tensor<?x32xf32>, tensor<32x2xf32>) -> tensor<?x2xf32> loc("part")

  %broken = onnx.Constant dense<0x7FC00000> : tensor<32x2xf32>
  %2 = onnx.MatMul(%y, %broken) : (tensor<?x32xf32>, tensor<32x2xf32>) -> tensor<?x2xf32> loc("broken")
  %large = onnx.Constant dense<1.0e5> : tensor<32x2xf32>
  %3 = onnx.MatMul(%y, %large) : (tensor<?x32xf32>, tensor<32x2xf32>) -> tensor<?x2xf32> loc("large")
  // The last layer counts as the model's head, which stays float.
  %head = onnx.Constant dense<3.0> : tensor<32x2xf32>
  %4 = onnx.MatMul(%y, %head) : (tensor<?x32xf32>, tensor<32x2xf32>) -> tensor<?x2xf32> loc("head")
  return %0, %1, %2, %3, %4 : tensor<?x3xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>
}
