// RUN: quant-opt %s | quant-opt | FileCheck %s
// RUN: quant-opt %s --mlir-print-op-generic | quant-opt | FileCheck %s
// RUN: quant-opt %s --emit-bytecode | quant-opt | FileCheck %s

#u4 = #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = u4>
#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
#s8 = #lowbit.uniform<s8, group = [1, 32], scale = f32, zero = none, narrow>
#tensor8 = #lowbit.uniform<s8, group = [*, *], scale = f32, zero = none>
#pairs = #lowbit.ovp<int4, group = [*, *], scale = f16, pad>

// CHECK-LABEL: @constants
func.func @constants() {
  // CHECK: lowbit.weight #lowbit.external<"{{.*}}w.safetensors", "codes"> : tensor<64x32xi8>
  %0 = lowbit.weight #lowbit.external<"w.safetensors", "codes"> : tensor<64x32xi8>
  // CHECK: lowbit.weight dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
  %1 = lowbit.weight dense<[1.0, 2.0]> : tensor<2xf32>
  // CHECK: lowbit.weight dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32> to memref<2xf32>
  %2 = lowbit.weight dense<[1.0, 2.0]> : tensor<2xf32> to memref<2xf32>
  // CHECK: lowbit.constant {codes = dense<17> : tensor<2x4xi8>, scales = #lowbit.external<"{{.*}}w.safetensors", "s"> : tensor<2x1xf16>} : !lowbit.tensor<2x8xf32, #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>>
  %3 = lowbit.constant {
    codes = dense<17> : tensor<2x4xi8>,
    scales = #lowbit.external<"w.safetensors", "s"> : tensor<2x1xf16>
  } : !lowbit.tensor<2x8xf32, #s4>
  return
}

// CHECK-LABEL: @assemble
func.func @assemble(%codes: tensor<64x32xi8>, %scales: tensor<64x2xf16>, %zeros: tensor<64x1xi8>)
    -> !lowbit.tensor<64x64xf32, #u4> {
  // CHECK: lowbit.assemble %{{.+}}, %{{.+}}, %{{.+}} : (tensor<64x32xi8>, tensor<64x2xf16>, tensor<64x1xi8>) -> !lowbit.tensor<64x64xf32, #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = u4>>
  %0 = lowbit.assemble %codes, %scales, %zeros
      : (tensor<64x32xi8>, tensor<64x2xf16>, tensor<64x1xi8>) -> !lowbit.tensor<64x64xf32, #u4>
  return %0 : !lowbit.tensor<64x64xf32, #u4>
}

// CHECK-LABEL: @disassemble
func.func @disassemble(%q: !lowbit.tensor<1x2x?x64xf32, #u4>) -> (tensor<1x2x?x32xi8>, tensor<1x2x?x2xf16>, tensor<1x2x?x1xi8>) {
  // CHECK: %{{.+}}:3 = lowbit.disassemble %{{.+}} : !lowbit.tensor<1x2x?x64xf32, #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = u4>> -> tensor<1x2x?x32xi8>, tensor<1x2x?x2xf16>, tensor<1x2x?x1xi8>
  %codes, %scales, %zeros = lowbit.disassemble %q
      : !lowbit.tensor<1x2x?x64xf32, #u4> -> tensor<1x2x?x32xi8>, tensor<1x2x?x2xf16>, tensor<1x2x?x1xi8>
  return %codes, %scales, %zeros : tensor<1x2x?x32xi8>, tensor<1x2x?x2xf16>, tensor<1x2x?x1xi8>
}

// CHECK-LABEL: @conversions
func.func @conversions(%x: tensor<?x64xf32>, %w: tensor<96x64xf32>) -> (tensor<?x64xf32>, tensor<96x64xf32>) {
  // CHECK: lowbit.dynamic_quantize %{{.+}} : tensor<?x64xf32> -> !lowbit.tensor<?x64xf32, #lowbit.uniform<s8, group = [1, 32], scale = f32, zero = none, narrow>>
  %0 = lowbit.dynamic_quantize %x : tensor<?x64xf32> -> !lowbit.tensor<?x64xf32, #s8>
  // CHECK: lowbit.dequantize %{{.+}} : !lowbit.tensor<?x64xf32, {{.+}}> -> tensor<?x64xf32>
  %1 = lowbit.dequantize %0 : !lowbit.tensor<?x64xf32, #s8> -> tensor<?x64xf32>
  // CHECK: lowbit.quantize %{{.+}} : tensor<96x64xf32> -> !lowbit.tensor<96x64xf32, {{.+}}>
  %2 = lowbit.quantize %w : tensor<96x64xf32> -> !lowbit.tensor<96x64xf32, #u4>
  %3 = lowbit.dequantize %2 : !lowbit.tensor<96x64xf32, #u4> -> tensor<96x64xf32>
  return %1, %3 : tensor<?x64xf32>, tensor<96x64xf32>
}

// CHECK-LABEL: @matmul
func.func @matmul(%x: tensor<?x?x64xf32>, %w: !lowbit.tensor<96x64xf32, #u4>, %bias: tensor<96xf32>)
    -> (tensor<?x?x96xf32>, tensor<?x?x96xf32>) {
  // CHECK: lowbit.matmul %{{.+}}, %{{.+}} : (tensor<?x?x64xf32>, !lowbit.tensor<96x64xf32, {{.+}}>) -> tensor<?x?x96xf32>
  %0 = lowbit.matmul %x, %w : (tensor<?x?x64xf32>, !lowbit.tensor<96x64xf32, #u4>) -> tensor<?x?x96xf32>
  %q = lowbit.dynamic_quantize %0 : tensor<?x?x96xf32> -> !lowbit.tensor<?x?x96xf32, #s8>
  %d = lowbit.dequantize %q : !lowbit.tensor<?x?x96xf32, #s8> -> tensor<?x?x96xf32>
  %qx = lowbit.dynamic_quantize %x : tensor<?x?x64xf32> -> !lowbit.tensor<?x?x64xf32, #s8>
  // CHECK: lowbit.matmul %{{.+}}, %{{.+}}, %{{.+}} : (!lowbit.tensor<?x?x64xf32, {{.+}}>, !lowbit.tensor<96x64xf32, {{.+}}>, tensor<96xf32>) -> tensor<?x?x96xf32>
  %1 = lowbit.matmul %qx, %w, %bias
      : (!lowbit.tensor<?x?x64xf32, #s8>, !lowbit.tensor<96x64xf32, #u4>, tensor<96xf32>) -> tensor<?x?x96xf32>
  return %d, %1 : tensor<?x?x96xf32>, tensor<?x?x96xf32>
}

// Activations with scales that are known before, and their levels as bytes.
// CHECK-LABEL: @static_quantize
func.func @static_quantize(%x: tensor<?x64xf32>, %y: tensor<2x?x9xf32>) -> (tensor<?x64xf32>, tensor<2x?x9xf32>) {
  // CHECK: lowbit.static_quantize %{{.+}} scale 1.250000e-02 : tensor<?x64xf32> -> !lowbit.tensor<?x64xf32, #lowbit.uniform<s8, group = [*, *], scale = f32, zero = none>>
  %0 = lowbit.static_quantize %x scale 0.0125 : tensor<?x64xf32> -> !lowbit.tensor<?x64xf32, #tensor8>
  %1 = lowbit.dequantize %0 : !lowbit.tensor<?x64xf32, #tensor8> -> tensor<?x64xf32>
  // CHECK: lowbit.static_quantize %{{.+}} scale 5.000000e-01 : tensor<2x?x9xf32> -> !lowbit.tensor<2x?x9xf32, #lowbit.ovp<int4, group = [*, *], scale = f16, pad>>
  %2 = lowbit.static_quantize %y scale 0.5 : tensor<2x?x9xf32> -> !lowbit.tensor<2x?x9xf32, #pairs>
  // CHECK: lowbit.widen %{{.+}} : !lowbit.tensor<2x?x9xf32, #lowbit.ovp<int4, {{.+}}> -> !lowbit.tensor<2x?x9xf32, #lowbit.uniform<s8, group = [*, *], scale = f32, zero = none>>
  %3 = lowbit.widen %2 : !lowbit.tensor<2x?x9xf32, #pairs> -> !lowbit.tensor<2x?x9xf32, #tensor8>
  %4 = lowbit.dequantize %3 : !lowbit.tensor<2x?x9xf32, #tensor8> -> tensor<2x?x9xf32>
  return %1, %4 : tensor<?x64xf32>, tensor<2x?x9xf32>
}

// CHECK-LABEL: @sparse_matmul
func.func @sparse_matmul(%x: tensor<?x3x64xf32>, %offsets: tensor<97xi32>, %columns: tensor<61xi16>,
                         %values: tensor<61xf16>, %y: tensor<?x3x96xf32>) -> tensor<?x3x96xf32> {
  // CHECK: lowbit.sparse_matmul %{{.+}}, %{{.+}}, %{{.+}}, %{{.+}} add %{{.+}} : tensor<?x3x64xf32>, tensor<97xi32>, tensor<61xi16>, tensor<61xf16>, tensor<?x3x96xf32>
  %0 = lowbit.sparse_matmul %x, %offsets, %columns, %values add %y
      : tensor<?x3x64xf32>, tensor<97xi32>, tensor<61xi16>, tensor<61xf16>, tensor<?x3x96xf32>
  return %0 : tensor<?x3x96xf32>
}

// CHECK-LABEL: @gather
func.func @gather(%table: !lowbit.tensor<100x64xf32, #u4>, %tokens: tensor<?x?xi64>) -> tensor<?x?x64xf32> {
  // CHECK: lowbit.gather %{{.+}}[%{{.+}}] : (!lowbit.tensor<100x64xf32, {{.+}}>, tensor<?x?xi64>) -> tensor<?x?x64xf32>
  %0 = lowbit.gather %table[%tokens] : (!lowbit.tensor<100x64xf32, #u4>, tensor<?x?xi64>) -> tensor<?x?x64xf32>
  return %0 : tensor<?x?x64xf32>
}

// CHECK-LABEL: @packed_matmul
func.func @packed_matmul(%x: tensor<?x64xf32>, %codes: tensor<96x32xi8>, %scales: tensor<96x1xf16>,
                         %bias: tensor<96xf32>, %init: tensor<?x96xf32>) -> tensor<?x96xf32> {
  // CHECK: lowbit.packed_matmul ins(%{{.+}} : tensor<?x64xf32>) weight(%{{.+}}, %{{.+}} : tensor<96x32xi8>, tensor<96x1xf16> as !lowbit.tensor<96x64xf32, {{.+}}>) bias(%{{.+}} : tensor<96xf32>) outs(%{{.+}} : tensor<?x96xf32>) -> tensor<?x96xf32>
  %0 = lowbit.packed_matmul ins(%x : tensor<?x64xf32>)
      weight(%codes, %scales : tensor<96x32xi8>, tensor<96x1xf16> as !lowbit.tensor<96x64xf32, #s4>)
      bias(%bias : tensor<96xf32>) outs(%init : tensor<?x96xf32>) -> tensor<?x96xf32>
  return %0 : tensor<?x96xf32>
}

// CHECK-LABEL: @packed_matmul_buffers
func.func @packed_matmul_buffers(%x: memref<?x64xi8>, %s: memref<?x2xf32>, %codes: memref<96x32xi8>,
                                 %scales: memref<96x1xf16, strided<[1, 1], offset: ?>>, %init: memref<?x96xf32>) {
  // CHECK: lowbit.packed_matmul ins(%{{.+}}, %{{.+}} : memref<?x64xi8>, memref<?x2xf32> as !lowbit.tensor<?x64xf32, {{.+}}>) weight({{.+}}) outs(%{{.+}} : memref<?x96xf32>){{$}}
  lowbit.packed_matmul ins(%x, %s : memref<?x64xi8>, memref<?x2xf32> as !lowbit.tensor<?x64xf32, #s8>)
      weight(%codes, %scales : memref<96x32xi8>, memref<96x1xf16, strided<[1, 1], offset: ?>>
             as !lowbit.tensor<96x64xf32, #s4>)
      outs(%init : memref<?x96xf32>)
  return
}

// CHECK-LABEL: @attention
func.func @attention(%q: tensor<?x8x?x64xf32>, %k: tensor<?x2x?x64xf32>, %v: tensor<?x2x?x24xf32>,
                     %m: tensor<?x1x?x?xi8>, %n: index, %init: tensor<?x8x?x24xf32>)
    -> (tensor<?x8x?x24xf32>, tensor<?x8x?x24xf32>) {
  // CHECK: lowbit.attention ins(%{{.+}} : tensor<?x8x?x64xf32>) key(%{{.+}} : tensor<?x2x?x64xf32>) value(%{{.+}} : tensor<?x2x?x24xf32>) causal(%{{.+}}) outs(%{{.+}} : tensor<?x8x?x24xf32>) {scale = 1.250000e-01 : f32} -> tensor<?x8x?x24xf32>
  %0 = lowbit.attention ins(%q : tensor<?x8x?x64xf32>)
      key(%k : tensor<?x2x?x64xf32>) value(%v : tensor<?x2x?x24xf32>)
      causal(%n) outs(%init : tensor<?x8x?x24xf32>) {scale = 0.125 : f32} -> tensor<?x8x?x24xf32>
  // CHECK: lowbit.attention ins({{.+}}) mask(%{{.+}} : tensor<?x1x?x?xi8>) outs({{.+}}) {scale = 1.250000e-01 : f32, softcap = 3.000000e+01 : f32}
  %1 = lowbit.attention ins(%q : tensor<?x8x?x64xf32>)
      key(%k : tensor<?x2x?x64xf32>) value(%v : tensor<?x2x?x24xf32>)
      mask(%m : tensor<?x1x?x?xi8>) outs(%init : tensor<?x8x?x24xf32>)
      {scale = 0.125 : f32, softcap = 30.0 : f32} -> tensor<?x8x?x24xf32>
  return %0, %1 : tensor<?x8x?x24xf32>, tensor<?x8x?x24xf32>
}

// CHECK-LABEL: @attention_quantized
func.func @attention_quantized(%q: tensor<?x8x?x64xf32>, %kc: tensor<?x2x?x32xi8>, %ks: tensor<?x2x?x1xf16>,
                               %v: tensor<?x2x?x24xf32>, %init: tensor<?x8x?x24xf32>) -> tensor<?x8x?x24xf32> {
  // CHECK: lowbit.attention ins({{.+}}) key(%{{.+}}, %{{.+}} : tensor<?x2x?x32xi8>, tensor<?x2x?x1xf16> as !lowbit.tensor<?x2x?x64xf32, #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>>) value(%{{.+}} : tensor<?x2x?x24xf32>)
  %0 = lowbit.attention ins(%q : tensor<?x8x?x64xf32>)
      key(%kc, %ks : tensor<?x2x?x32xi8>, tensor<?x2x?x1xf16> as !lowbit.tensor<?x2x?x64xf32, #s4>)
      value(%v : tensor<?x2x?x24xf32>)
      outs(%init : tensor<?x8x?x24xf32>) {scale = 0.125 : f32} -> tensor<?x8x?x24xf32>
  return %0 : tensor<?x8x?x24xf32>
}

// CHECK-LABEL: @attention_buffers
func.func @attention_buffers(%q: memref<1x2x1x16xf32>, %k: memref<1x2x?x16xf32, strided<[?, ?, 16, 1]>>,
                             %v: memref<1x2x?x16xf32>, %m: memref<1x1x1x?xf32>, %init: memref<1x2x1x16xf32>) {
  // CHECK: lowbit.attention ins({{.+}}) mask(%{{.+}} : memref<1x1x1x?xf32>) outs(%{{.+}} : memref<1x2x1x16xf32>) {scale = 2.500000e-01 : f32}{{$}}
  lowbit.attention
      ins(%q : memref<1x2x1x16xf32>)
      key(%k : memref<1x2x?x16xf32, strided<[?, ?, 16, 1]>>) value(%v : memref<1x2x?x16xf32>)
      mask(%m : memref<1x1x1x?xf32>) outs(%init : memref<1x2x1x16xf32>) {scale = 0.25 : f32}
  return
}

// CHECK-LABEL: @cache_append
func.func @cache_append(%rows: tensor<1x2x?x64xf32>, %cache: tensor<?x2x?x64xf32>, %batch: index, %past: index)
    -> (tensor<?x2x?x64xf32> {lowbit.updates = 1 : i64}) {
  // CHECK: lowbit.cache_append %{{.+}} to %{{.+}}[%{{.+}}, %{{.+}}] {axis = 2 : i64} : tensor<1x2x?x64xf32> to tensor<?x2x?x64xf32>
  %0 = lowbit.cache_append %rows to %cache[%batch, %past] {axis = 2 : i64} : tensor<1x2x?x64xf32> to tensor<?x2x?x64xf32>
  return %0 : tensor<?x2x?x64xf32>
}
