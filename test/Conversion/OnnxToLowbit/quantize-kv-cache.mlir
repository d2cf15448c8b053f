// RUN: quant-opt %s --quantize-kv-cache=symmetric -split-input-file -verify-diagnostics | FileCheck %s
// RUN: quant-opt %s --quantize-kv-cache="bits=4 group-size=32" -split-input-file -verify-diagnostics | FileCheck %s --check-prefix=INT4

// Arguments and results of other values stay where they are among the others; the
// dimensions keep their names.
// CHECK-LABEL: func.func @step
// CHECK-SAME: %[[Q:[a-z0-9]+]]: tensor<1x8x?x48xf32>
// CHECK-SAME: %[[K:[a-z0-9]+]]: tensor<1x2x?x48xf32>
// CHECK-SAME: %[[CODES:[a-z0-9]+]]: tensor<1x2x?x48xi8> {onnx.dim_params = ["", "", "capacity", ""], onnx.name = "past.key.codes"}
// CHECK-SAME: %[[SCALES:[a-z0-9]+]]: tensor<1x2x?x1xf16> {onnx.dim_params = ["", "", "capacity", ""], onnx.name = "past.key.scales"}
// CHECK-SAME: %[[STARTS:[a-z0-9]+]]: tensor<1xi64>
// CHECK-SAME: -> (tensor<1x8x?x48xf32> {onnx.name = "y"}
// CHECK-SAME: tensor<1x2x?x48xi8> {lowbit.updates = 2 : i64, onnx.name = "present.key.codes"}
// CHECK-SAME: tensor<1x2x?x1xf16> {lowbit.updates = 3 : i64, onnx.name = "present.key.scales"}
// CHECK-SAME: tensor<1xi64>, tensor<1xi64> {lowbit.updates = 4 : i64})
// CHECK: %[[ROWS:.+]] = lowbit.quantize %[[K]] : tensor<1x2x?x48xf32> -> !lowbit.tensor<1x2x?x48xf32, #[[FORMAT:.+]]>
// CHECK: %[[NEW:.+]]:2 = lowbit.disassemble %[[ROWS]]
// CHECK: %[[C:.+]] = onnx.TensorScatter(%[[CODES]], %[[NEW]]#0, %[[STARTS]]) {axis = 2 : i64}
// CHECK: %[[S:.+]] = onnx.TensorScatter(%[[SCALES]], %[[NEW]]#1, %[[STARTS]]) {axis = 2 : i64}
// CHECK: %[[CACHE:.+]] = lowbit.assemble %[[C]], %[[S]]
// CHECK: %[[FLOATS:.+]] = lowbit.dequantize %[[CACHE]]
// CHECK: %[[HEADS:.+]] = onnx.Shape(%[[CODES]]) {end = 2 : i64, start = 1 : i64}
// CHECK: %[[Y:[^,]+]], %{{.+}} = onnx.Attention(%[[Q]], %[[FLOATS]], %[[FLOATS]],
// CHECK: return %[[Y]], %[[C]], %[[S]], %[[HEADS]], %[[STARTS]]

// A short last group is stated, and zero points are a third component.
// INT4-LABEL: func.func @step
// INT4-SAME: %[[CODES:[a-z0-9]+]]: tensor<1x2x?x24xi8> {{{.+}}"past.key.codes"}
// INT4-SAME: %[[SCALES:[a-z0-9]+]]: tensor<1x2x?x2xf16> {{{.+}}"past.key.scales"}
// INT4-SAME: %[[ZEROS:[a-z0-9]+]]: tensor<1x2x?x1xi8> {{{.+}}"past.key.zeros"}
// INT4: lowbit.quantize {{.+}} -> !lowbit.tensor<1x2x?x48xf32, #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = u4, pad>>
// INT4-COUNT-3: onnx.TensorScatter
// INT4: lowbit.assemble
func.func @step(%q: tensor<1x8x?x48xf32>, %k: tensor<1x2x?x48xf32>,
                %cache: tensor<1x2x?x48xf32> {onnx.dim_params = ["", "", "capacity", ""], onnx.name = "past.key"},
                // expected-remark @below {{cache in argument 3 is not quantized: it is no tensor of floats with rows of a static size}}
                %starts: tensor<1xi64>)
    -> (tensor<1x8x?x48xf32> {onnx.name = "y"},
        tensor<1x2x?x48xf32> {lowbit.updates = 2 : i64, onnx.name = "present.key"}, tensor<1xi64>,
        tensor<1xi64> {lowbit.updates = 3 : i64}) {
  %none = onnx.NoValue
  %0 = onnx.TensorScatter(%cache, %k, %starts) {axis = 2 : i64}
      : (tensor<1x2x?x48xf32>, tensor<1x2x?x48xf32>, tensor<1xi64>) -> tensor<1x2x?x48xf32>
  %heads = onnx.Shape(%cache) {start = 1 : i64, end = 2 : i64} : (tensor<1x2x?x48xf32>) -> tensor<1xi64>
  %y, %1, %2, %3 = onnx.Attention(%q, %0, %0, %none, %none, %none, %starts) {is_causal = 1 : i64}
      : (tensor<1x8x?x48xf32>, tensor<1x2x?x48xf32>, tensor<1x2x?x48xf32>, none, none, none, tensor<1xi64>)
      -> (tensor<1x8x?x48xf32>, none, none, none)
  return %y, %0, %heads, %starts : tensor<1x8x?x48xf32>, tensor<1x2x?x48xf32>, tensor<1xi64>, tensor<1xi64>
}

// -----

// What cannot be quantized stays, with a remark.
// CHECK-LABEL: func.func @others
// CHECK-COUNT-2: lowbit.quantize
// CHECK-NOT: lowbit.quantize
func.func @others(
    %a: tensor<1x?x16xf16>, %a_new: tensor<1x3x16xf16>,
    %b: tensor<1x2x?x8xf32>, %b_new: tensor<1x2x1x8xf32>,
    // expected-remark @below {{cache 'read' is not quantized: it is also read before its update, by onnx.Relu}}
    %c: tensor<1x2x?x16xf32> {onnx.name = "read"},
    // expected-remark @below {{cache in argument 5 is not quantized: its rows are not updated as a whole}}
    %d: tensor<1x2x2x9xf32>, %d_new: tensor<1x2x2x1xf32>,
    // expected-remark @below {{cache in argument 7 is not quantized: it is not updated by onnx.TensorScatter}}
    %e: tensor<1x2x?x16xf32>, %start: tensor<1xi64>)
    -> (tensor<1x?x16xf16> {lowbit.updates = 0 : i64}, tensor<1x2x?x8xf32> {lowbit.updates = 2 : i64},
        tensor<1x2x?x16xf32> {lowbit.updates = 4 : i64}, tensor<1x2x2x9xf32> {lowbit.updates = 5 : i64},
        tensor<1x2x?x16xf32> {lowbit.updates = 7 : i64}) {
  %a1 = onnx.TensorScatter(%a, %a_new, %start) {axis = 1 : i64} : (tensor<1x?x16xf16>, tensor<1x3x16xf16>, tensor<1xi64>) -> tensor<1x?x16xf16>
  %b1 = onnx.TensorScatter(%b, %b_new, %start) {axis = -2 : i64, mode = "circular"} : (tensor<1x2x?x8xf32>, tensor<1x2x1x8xf32>, tensor<1xi64>) -> tensor<1x2x?x8xf32>
  %relu = onnx.Relu(%c) : (tensor<1x2x?x16xf32>) -> tensor<1x2x?x16xf32>
  %c1 = onnx.TensorScatter(%c, %relu, %start) {axis = 2 : i64} : (tensor<1x2x?x16xf32>, tensor<1x2x?x16xf32>, tensor<1xi64>) -> tensor<1x2x?x16xf32>
  %d1 = onnx.TensorScatter(%d, %d_new, %start) {axis = -1 : i64} : (tensor<1x2x2x9xf32>, tensor<1x2x2x1xf32>, tensor<1xi64>) -> tensor<1x2x2x9xf32>
  %e1 = onnx.Relu(%e) : (tensor<1x2x?x16xf32>) -> tensor<1x2x?x16xf32>
  return %a1, %b1, %c1, %d1, %e1 : tensor<1x?x16xf16>, tensor<1x2x?x8xf32>, tensor<1x2x?x16xf32>, tensor<1x2x2x9xf32>, tensor<1x2x?x16xf32>
}
