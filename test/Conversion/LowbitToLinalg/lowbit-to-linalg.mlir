// RUN: quant-opt %s --lowbit-to-linalg --canonicalize --cse -split-input-file | FileCheck %s

// Constants become weights; a 4-bit signed code is shifted up to the sign bit and
// back, then scaled by its row's scale.
// CHECK-LABEL: @dequantize
// CHECK-DAG: %[[CODES:.+]] = lowbit.weight #lowbit.external<"{{.*}}w.safetensors", "c"> : tensor<2x4xi8>
// CHECK-DAG: %[[SCALES:.+]] = lowbit.weight #lowbit.external<"{{.*}}w.safetensors", "s"> : tensor<2x1xf16>
// CHECK: linalg.generic
// CHECK-SAME: iterator_types = ["parallel", "parallel"]
// CHECK-SAME: outs(%{{.+}} : tensor<2x8xf32>)
// CHECK: %[[ROW:.+]] = linalg.index 0
// CHECK: %[[K:.+]] = linalg.index 1
// CHECK: %[[BIT:.+]] = arith.muli %[[K]], %c4
// CHECK: %[[BYTE:.+]] = arith.shrui %[[BIT]], %c3
// CHECK: tensor.extract %[[CODES]][%[[ROW]], %[[BYTE]]]
// CHECK: arith.andi %[[BIT]], %c7
// CHECK: arith.shli
// CHECK: %[[CODE:.+]] = arith.shrsi %{{.+}}, %c28_i32
// CHECK: %[[VALUE:.+]] = arith.sitofp %[[CODE]] : i32 to f32
// CHECK: %[[SCALE:.+]] = tensor.extract %[[SCALES]][%[[ROW]], %c0]
// CHECK: %[[WIDE:.+]] = arith.extf %[[SCALE]] : f16 to f32
// CHECK: %[[PRODUCT:.+]] = arith.mulf %[[WIDE]], %[[VALUE]]
// CHECK: linalg.yield %[[PRODUCT]]
// CHECK-NOT: lowbit.dequantize
func.func @dequantize() -> tensor<2x8xf32> {
  %0 = lowbit.constant {
    codes = #lowbit.external<"w.safetensors", "c"> : tensor<2x4xi8>,
    scales = #lowbit.external<"w.safetensors", "s"> : tensor<2x1xf16>
  } : !lowbit.tensor<2x8xf32, #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>>
  %1 = lowbit.dequantize %0
      : !lowbit.tensor<2x8xf32, #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>> -> tensor<2x8xf32>
  return %1 : tensor<2x8xf32>
}

// -----

// A quantized tensor in a signature is its components. A 3-bit code may straddle
// two bytes; the zero point is unpacked at the group's place.
// CHECK-LABEL: @straddling
// CHECK-SAME: %[[CODES:.+]]: tensor<2x12xi8>, %[[SCALES:.+]]: tensor<2x2xf32>, %[[ZEROS:.+]]: tensor<2x1xi8>
// CHECK: linalg.generic
// CHECK: %[[GROUP:.+]] = arith.divui %{{.+}}, %c16
// CHECK: tensor.extract %[[CODES]]
// CHECK: arith.minui %{{.+}}, %c11
// CHECK: tensor.extract %[[CODES]]
// CHECK: tensor.extract %[[ZEROS]]
// CHECK: arith.subi
// CHECK: tensor.extract %[[SCALES]][%{{.+}}, %[[GROUP]]]
func.func @straddling(%w: !lowbit.tensor<2x32xf32, #lowbit.uniform<u3, group = [1, 16], scale = f32, zero = u3>>)
    -> tensor<2x32xf32> {
  %0 = lowbit.dequantize %w
      : !lowbit.tensor<2x32xf32, #lowbit.uniform<u3, group = [1, 16], scale = f32, zero = u3>> -> tensor<2x32xf32>
  return %0 : tensor<2x32xf32>
}

// -----

#w = #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none>

// CHECK-LABEL: @matmul
// CHECK-SAME: %[[X:.+]]: tensor<?x?x8xf32>
// CHECK: %[[ROWS:.+]] = tensor.collapse_shape %[[X]] {{\[\[}}0, 1], [2]] : tensor<?x?x8xf32> into tensor<?x8xf32>
// CHECK: %[[W:.+]] = linalg.generic {{.+}} outs(%{{.+}} : tensor<4x8xf32>)
// CHECK: %[[ZERO:.+]] = linalg.fill
// CHECK: %[[Y:.+]] = linalg.matmul {{.*}} ins(%[[ROWS]], %[[W]] : tensor<?x8xf32>, tensor<4x8xf32>) outs(%[[ZERO]] : tensor<?x4xf32>)
// CHECK: tensor.expand_shape %[[Y]] {{\[\[}}0, 1], [2]] output_shape [%{{.+}}, %{{.+}}, 4] : tensor<?x4xf32> into tensor<?x?x4xf32>
func.func @matmul(%x: tensor<?x?x8xf32>, %w: !lowbit.tensor<4x8xf32, #w>) -> tensor<?x?x4xf32> {
  %0 = lowbit.matmul %x, %w : (tensor<?x?x8xf32>, !lowbit.tensor<4x8xf32, #w>) -> tensor<?x?x4xf32>
  return %0 : tensor<?x?x4xf32>
}

// -----

#w = #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none>

// The bias is what the products are added to.
// CHECK-LABEL: @bias
// CHECK: %[[INIT:.+]] = linalg.broadcast ins(%{{.+}} : tensor<4xf32>) outs(%{{.+}} : tensor<2x4xf32>) dimensions = [0]
// CHECK: linalg.matmul {{.*}} outs(%[[INIT]] : tensor<2x4xf32>)
func.func @bias(%x: tensor<2x8xf32>, %w: !lowbit.tensor<4x8xf32, #w>, %b: tensor<4xf32>) -> tensor<2x4xf32> {
  %0 = lowbit.matmul %x, %w, %b : (tensor<2x8xf32>, !lowbit.tensor<4x8xf32, #w>, tensor<4xf32>) -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// -----

#w = #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none>

// CHECK-LABEL: @vector
// CHECK: tensor.expand_shape %{{.+}} {{\[\[}}0, 1]] output_shape [1, 8] : tensor<8xf32> into tensor<1x8xf32>
// CHECK: tensor.collapse_shape %{{.+}} {{\[\[}}0, 1]] : tensor<1x4xf32> into tensor<4xf32>
func.func @vector(%x: tensor<8xf32>, %w: !lowbit.tensor<4x8xf32, #w>) -> tensor<4xf32> {
  %0 = lowbit.matmul %x, %w : (tensor<8xf32>, !lowbit.tensor<4x8xf32, #w>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

#w = #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none>
#x = #lowbit.uniform<s8, group = [1, 4], scale = f32, zero = none, narrow>

// Scales come from the greatest magnitude of each group; the range of an all-zero
// group is [-1, 1]. Where groups divide a row, their elements are operands.
// CHECK-LABEL: @dynamic_quantize
// CHECK-SAME: %[[X:.+]]: tensor<?x8xf32>
// CHECK: tensor.expand_shape %[[X]] {{\[\[}}0], [1, 2]]
// CHECK: %[[RANGES:.+]]:2 = linalg.generic
// CHECK-SAME: iterator_types = ["parallel", "parallel", "reduction"]
// CHECK: arith.minimumf
// CHECK: arith.maximumf
// CHECK: %[[SCALES:.+]] = linalg.generic
// CHECK: arith.divf %{{.+}}, %cst
// CHECK: %[[CODES:.+]] = linalg.generic
// CHECK: arith.divf
// CHECK: math.roundeven
// CHECK: arith.fptosi
// CHECK: arith.trunci
// CHECK: %[[WHOLE:.+]] = tensor.collapse_shape %[[CODES]] {{\[\[}}0], [1, 2]]
// CHECK: linalg.generic
// CHECK: tensor.extract %[[WHOLE]]
// CHECK: linalg.matmul
func.func @dynamic_quantize(%x: tensor<?x8xf32>, %w: !lowbit.tensor<4x8xf32, #w>) -> tensor<?x4xf32> {
  %0 = lowbit.dynamic_quantize %x : tensor<?x8xf32> -> !lowbit.tensor<?x8xf32, #x>
  %1 = lowbit.matmul %0, %w : (!lowbit.tensor<?x8xf32, #x>, !lowbit.tensor<4x8xf32, #w>) -> tensor<?x4xf32>
  return %1 : tensor<?x4xf32>
}

// -----

#w = #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none>

// Only the rows that are asked for are decoded; negative indices count from the end.
// CHECK-LABEL: @gather
// CHECK-SAME: %[[CODES:.+]]: tensor<100x8xi8>, %[[SCALES:.+]]: tensor<100x1xf32>, %[[TOKENS:.+]]: tensor<?xi64>
// CHECK: linalg.generic
// CHECK-SAME: ins(%[[TOKENS]] : tensor<?xi64>) outs(%{{.+}} : tensor<?x8xf32>)
// CHECK: %[[I:.+]] = arith.index_cast
// CHECK: %[[END:.+]] = arith.addi %[[I]], %c100
// CHECK: %[[NEGATIVE:.+]] = arith.cmpi slt, %[[I]], %c0
// CHECK: %[[ROW:.+]] = arith.select %[[NEGATIVE]], %[[END]], %[[I]]
// CHECK: tensor.extract %[[CODES]][%[[ROW]],
// CHECK: tensor.extract %[[SCALES]][%[[ROW]],
func.func @gather(%table: !lowbit.tensor<100x8xf32, #w>, %tokens: tensor<?xi64>) -> tensor<?x8xf32> {
  %0 = lowbit.gather %table[%tokens] : (!lowbit.tensor<100x8xf32, #w>, tensor<?xi64>) -> tensor<?x8xf32>
  return %0 : tensor<?x8xf32>
}

// -----

!t = !lowbit.tensor<2x8xf32, #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none>>

// Calls, returns and control flow carry the components.
// CHECK-LABEL: @callee
// CHECK-SAME: -> (tensor<2x8xi8>, tensor<2x1xf32>)
func.func private @callee(%w: !t) -> !t {
  return %w : !t
}
// CHECK-LABEL: @structural
// CHECK: %[[CALL:.+]]:2 = call @callee
// CHECK: scf.for {{.+}} iter_args(%{{.+}} = %[[CALL]]#0, %{{.+}} = %[[CALL]]#1) -> (tensor<2x8xi8>, tensor<2x1xf32>)
func.func @structural(%w: !t, %lb: index, %ub: index, %step: index) -> !t {
  %0 = call @callee(%w) : (!t) -> !t
  %1 = scf.for %i = %lb to %ub step %step iter_args(%v = %0) -> !t {
    %2 = func.call @callee(%v) : (!t) -> !t
    scf.yield %2 : !t
  }
  return %1 : !t
}

// -----

#w = #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = u4>
#x = #lowbit.uniform<s8, group = [1, 32], scale = f32, zero = none, narrow>
!w = !lowbit.tensor<96x64xf32, #w, #lowbit.panels>

// A packed weight is for kernels: rows become one dimension, nothing is decoded.
// CHECK-LABEL: @packed
// CHECK-SAME: %[[X:.+]]: tensor<2x?x64xf32>
// CHECK: %[[ROWS:.+]] = tensor.collapse_shape %[[X]] {{\[\[}}0, 1], [2]]
// CHECK: %[[INIT:.+]] = tensor.empty(%{{.+}}) : tensor<?x96xf32>
// CHECK: %[[Y:.+]] = lowbit.packed_matmul ins(%[[ROWS]] : tensor<?x64xf32>)
// CHECK-SAME: weight(%{{.+}}, %{{.+}}, %{{.+}} : tensor<6x8x64xi8>, tensor<6x2x16xf16>, tensor<6x2x16xi8> as !lowbit.tensor<96x64xf32, {{.+}}, #lowbit.panels>)
// CHECK-SAME: bias(%{{.+}} : tensor<96xf32>) outs(%[[INIT]] : tensor<?x96xf32>) -> tensor<?x96xf32>
// CHECK: tensor.expand_shape %[[Y]]
func.func @packed(%x: tensor<2x?x64xf32>, %w: !w, %b: tensor<96xf32>) -> tensor<2x?x96xf32> {
  %0 = lowbit.matmul %x, %w, %b : (tensor<2x?x64xf32>, !w, tensor<96xf32>) -> tensor<2x?x96xf32>
  return %0 : tensor<2x?x96xf32>
}

// The components of a quantized input are collapsed each, and their type says so.
// CHECK-LABEL: @packed_quantized
// CHECK-DAG: %[[CODES:.+]] = tensor.collapse_shape %{{.+}} {{\[\[}}0, 1], [2]] : tensor<2x3x64xi8> into tensor<6x64xi8>
// CHECK-DAG: %[[SCALES:.+]] = tensor.collapse_shape %{{.+}} {{\[\[}}0, 1], [2]] : tensor<2x3x2xf32> into tensor<6x2xf32>
// CHECK: lowbit.packed_matmul ins(%[[CODES]], %[[SCALES]] : tensor<6x64xi8>, tensor<6x2xf32> as !lowbit.tensor<6x64xf32, #lowbit.uniform<s8, group = [1, 32], scale = f32, zero = none, narrow>>)
func.func @packed_quantized(%x: !lowbit.tensor<2x3x64xf32, #x>, %w: !w) -> tensor<2x3x96xf32> {
  %0 = lowbit.matmul %x, %w : (!lowbit.tensor<2x3x64xf32, #x>, !w) -> tensor<2x3x96xf32>
  return %0 : tensor<2x3x96xf32>
}
