// RUN: quant-opt %s -split-input-file -verify-diagnostics

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>

func.func @weight_scalar() {
  // expected-error @below {{'lowbit.weight' op value must be a dense or external tensor, got 1 : i32}}
  %0 = "lowbit.weight"() {value = 1 : i32} : () -> tensor<i32>
  return
}

// -----

func.func @weight_untyped() {
  // expected-error @below {{expected a typed attribute, got [1]}}
  %0 = lowbit.weight [1]
  return
}

// -----

func.func @weight_shape() {
  // expected-error @below {{result must have the shape and the element type of the value, 'tensor<2xf32>', got 'memref<3xf32>'}}
  %0 = lowbit.weight dense<1.0> : tensor<2xf32> to memref<3xf32>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
func.func @constant_lacks() {
  // expected-error @below {{'lowbit.constant' op lacks the component 'scales' of type 'tensor<2x1xf16>'}}
  %0 = lowbit.constant {codes = dense<1> : tensor<2x4xi8>} : !lowbit.tensor<2x8xf32, #s4>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
func.func @constant_kind() {
  // expected-error @below {{component 'codes' must be a dense or external tensor, got "w"}}
  %0 = lowbit.constant {codes = "w", scales = dense<1.0> : tensor<2x1xf16>} : !lowbit.tensor<2x8xf32, #s4>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
func.func @constant_type() {
  // expected-error @below {{component 'codes' must have type 'tensor<2x4xi8>', got 'tensor<2x8xi8>'}}
  %0 = lowbit.constant {codes = dense<1> : tensor<2x8xi8>, scales = dense<1.0> : tensor<2x1xf16>} : !lowbit.tensor<2x8xf32, #s4>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
func.func @constant_extra() {
  // expected-error @below {{has a component "zeros", which #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none> does not have}}
  %0 = lowbit.constant {codes = dense<1> : tensor<2x4xi8>, scales = dense<1.0> : tensor<2x1xf16>, zeros = dense<0> : tensor<2x1xi8>}
      : !lowbit.tensor<2x8xf32, #s4>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
func.func @assemble_count(%codes: tensor<2x4xi8>) {
  // expected-error @below {{result takes 2 components (codes, scales), got 1}}
  %0 = lowbit.assemble %codes : (tensor<2x4xi8>) -> !lowbit.tensor<2x8xf32, #s4>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
func.func @assemble_type(%codes: tensor<2x4xi8>, %scales: tensor<2x1xf32>) {
  // expected-error @below {{result component 'scales' must have shape and element type as in 'tensor<2x1xf16>', got 'tensor<2x1xf32>'}}
  %0 = lowbit.assemble %codes, %scales : (tensor<2x4xi8>, tensor<2x1xf32>) -> !lowbit.tensor<2x8xf32, #s4>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
func.func @disassemble_type(%q: !lowbit.tensor<2x8xf32, #s4>) {
  // expected-error @below {{input component 'codes' must have shape and element type as in 'tensor<2x4xi8>', got 'tensor<2x8xi8>'}}
  %0, %1 = lowbit.disassemble %q : !lowbit.tensor<2x8xf32, #s4> -> tensor<2x8xi8>, tensor<2x1xf16>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
func.func @quantize_shape(%x: tensor<2x16xf32>) {
  // expected-error @below {{float side must be 'tensor<2x8xf32>', which the quantized side expresses, got 'tensor<2x16xf32>'}}
  %0 = lowbit.quantize %x : tensor<2x16xf32> -> !lowbit.tensor<2x8xf32, #s4>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
func.func @dequantize_type(%x: !lowbit.tensor<2x8xf32, #s4>) {
  // expected-error @below {{float side must be 'tensor<2x8xf32>', which the quantized side expresses, got 'tensor<2x8xf16>'}}
  %0 = lowbit.dequantize %x : !lowbit.tensor<2x8xf32, #s4> -> tensor<2x8xf16>
  return
}

// -----

#u8 = #lowbit.uniform<u8, group = [1, *], scale = f32, zero = u8>
func.func @dynamic_zero(%x: tensor<2x8xf32>) {
  // expected-error @below {{result must be of a #lowbit.uniform format with signed codes, scales of f16, bf16 or f32, zero = none and groups of one row or of the whole tensor, got}}
  %0 = lowbit.dynamic_quantize %x : tensor<2x8xf32> -> !lowbit.tensor<2x8xf32, #u8>
  return
}

// -----

#s8 = #lowbit.uniform<s8, group = [*, 4], scale = f32, zero = none>
func.func @dynamic_rows(%x: tensor<2x8xf32>) {
  // expected-error @below {{result must be of a #lowbit.uniform format with signed codes, scales of f16, bf16 or f32, zero = none and groups of one row or of the whole tensor, got}}
  %0 = lowbit.dynamic_quantize %x : tensor<2x8xf32> -> !lowbit.tensor<2x8xf32, #s8>
  return
}

// -----

#s8 = #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none>
func.func @dynamic_shape(%x: tensor<2x9xf32>) {
  // expected-error @below {{float side must be 'tensor<2x8xf32>'}}
  %0 = lowbit.dynamic_quantize %x : tensor<2x9xf32> -> !lowbit.tensor<2x8xf32, #s8>
  return
}

// -----

#row = #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none>
func.func @static_groups(%x: tensor<2x8xf32>) {
  // expected-error @below {{result must be of a format with one f16, bf16 or f32 scale for the whole tensor and no zero points, #lowbit.uniform with signed codes or #lowbit.ovp, got}}
  %0 = lowbit.static_quantize %x scale 1.0 : tensor<2x8xf32> -> !lowbit.tensor<2x8xf32, #row>
  return
}

// -----

#codebook = #lowbit.codebook<nf4, group = [*, *], scale = f32>
func.func @static_codebook(%x: tensor<2x8xf32>) {
  // expected-error @below {{result must be of a format with one f16, bf16 or f32 scale}}
  %0 = lowbit.static_quantize %x scale 1.0 : tensor<2x8xf32> -> !lowbit.tensor<2x8xf32, #codebook>
  return
}

// -----

#s8 = #lowbit.uniform<s8, group = [*, *], scale = f32, zero = none>
func.func @static_scale(%x: tensor<2x8xf32>) {
  // expected-error @below {{scale must be positive and finite, got -1}}
  %0 = lowbit.static_quantize %x scale -1.0 : tensor<2x8xf32> -> !lowbit.tensor<2x8xf32, #s8>
  return
}

// -----

#s8 = #lowbit.uniform<s8, group = [*, *], scale = f32, zero = none>
func.func @static_shape(%x: tensor<2x9xf32>) {
  // expected-error @below {{float side must be 'tensor<2x8xf32>'}}
  %0 = lowbit.static_quantize %x scale 1.0 : tensor<2x9xf32> -> !lowbit.tensor<2x8xf32, #s8>
  return
}

// -----

#flint = #lowbit.ovp<flint4, group = [*, *], scale = f32>
#s8 = #lowbit.uniform<s8, group = [*, *], scale = f32, zero = none>
func.func @widen_levels(%x: !lowbit.tensor<2x8xf32, #flint>) {
  // expected-error @below {{cannot store the levels of the input as bytes: activations have the level 128, which is no signed byte, got}}
  %0 = lowbit.widen %x : !lowbit.tensor<2x8xf32, #flint> -> !lowbit.tensor<2x8xf32, #s8>
  return
}

// -----

#u4 = #lowbit.uniform<u4, group = [1, *], scale = f32, zero = u4>
#s8 = #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none>
func.func @widen_zeros(%x: !lowbit.tensor<2x8xf32, #u4>) {
  // expected-error @below {{cannot store the levels of the input as bytes: activations are no scaled codes without zero points, got}}
  %0 = lowbit.widen %x : !lowbit.tensor<2x8xf32, #u4> -> !lowbit.tensor<2x8xf32, #s8>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f32, zero = none>
#s8 = #lowbit.uniform<s8, group = [*, *], scale = f32, zero = none>
func.func @widen_groups(%x: !lowbit.tensor<2x8xf32, #s4>) {
  // expected-error @below {{result must be '!lowbit.tensor<2x8xf32, #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none>>', got '!lowbit.tensor<2x8xf32, #lowbit.uniform<s8, group = [*, *]}}
  %0 = lowbit.widen %x : !lowbit.tensor<2x8xf32, #s4> -> !lowbit.tensor<2x8xf32, #s8>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
func.func @pack_unpacked(%x: !lowbit.tensor<2x8xf32, #s4>) {
  // expected-error @below {{result must have a packed layout, got '!lowbit.tensor<2x8xf32}}
  %0 = lowbit.pack %x : !lowbit.tensor<2x8xf32, #s4> -> !lowbit.tensor<2x8xf32, #s4>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
func.func @pack_twice(%x: !lowbit.tensor<2x8xf32, #s4, #lowbit.panels>) {
  // expected-error @below {{input must not be packed, but is laid out as #lowbit.panels}}
  %0 = lowbit.pack %x : !lowbit.tensor<2x8xf32, #s4, #lowbit.panels> -> !lowbit.tensor<2x8xf32, #s4, #lowbit.panels>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
func.func @pack_shape(%x: !lowbit.tensor<2x8xf32, #s4>) {
  // expected-error @below {{result must differ from the input '!lowbit.tensor<2x8xf32, #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>>' in its layout only, got}}
  %0 = lowbit.pack %x : !lowbit.tensor<2x8xf32, #s4> -> !lowbit.tensor<2x16xf32, #s4, #lowbit.panels>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
func.func @dequantize_packed(%x: !lowbit.tensor<2x8xf32, #s4, #lowbit.panels>) {
  // expected-error @below {{'lowbit.dequantize' op input must not be packed}}
  %0 = lowbit.dequantize %x : !lowbit.tensor<2x8xf32, #s4, #lowbit.panels> -> tensor<2x8xf32>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
func.func @quantize_packed(%x: tensor<2x8xf32>) {
  // expected-error @below {{'lowbit.quantize' op result must not be packed}}
  %0 = lowbit.quantize %x : tensor<2x8xf32> -> !lowbit.tensor<2x8xf32, #s4, #lowbit.panels>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
func.func @gather_packed(%x: !lowbit.tensor<2x8xf32, #s4, #lowbit.panels>, %i: tensor<3xi64>) {
  // expected-error @below {{'lowbit.gather' op table must not be packed}}
  %0 = lowbit.gather %x[%i] : (!lowbit.tensor<2x8xf32, #s4, #lowbit.panels>, tensor<3xi64>) -> tensor<3x8xf32>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
func.func @matmul_packed_input(%x: !lowbit.tensor<2x8xf32, #s4, #lowbit.panels>, %w: !lowbit.tensor<4x8xf32, #s4>) {
  // expected-error @below {{'lowbit.matmul' op input must not be packed}}
  %0 = lowbit.matmul %x, %w : (!lowbit.tensor<2x8xf32, #s4, #lowbit.panels>, !lowbit.tensor<4x8xf32, #s4>) -> tensor<2x4xf32>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
func.func @matmul_rank(%x: tensor<2x8xf32>, %w: !lowbit.tensor<4x2x8xf32, #s4>) {
  // expected-error @below {{'lowbit.matmul' op weight must be a matrix of static shape, got}}
  %0 = lowbit.matmul %x, %w : (tensor<2x8xf32>, !lowbit.tensor<4x2x8xf32, #s4>) -> tensor<2x4xf32>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
func.func @matmul_scalar(%x: tensor<f32>, %w: !lowbit.tensor<4x8xf32, #s4>) {
  // expected-error @below {{input must have a dimension, got 'tensor<f32>'}}
  %0 = lowbit.matmul %x, %w : (tensor<f32>, !lowbit.tensor<4x8xf32, #s4>) -> tensor<4xf32>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
func.func @matmul_static(%x: tensor<2x8xf32>, %w: !lowbit.tensor<?x8xf32, #s4>) {
  // expected-error @below {{'lowbit.matmul' op weight must be a matrix of static shape, got}}
  %0 = lowbit.matmul %x, %w : (tensor<2x8xf32>, !lowbit.tensor<?x8xf32, #s4>) -> tensor<2x?xf32>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
func.func @matmul_channels(%x: tensor<2x9xf32>, %w: !lowbit.tensor<4x8xf32, #s4>) {
  // expected-error @below {{input's last dimension must be the weight's 8 input channels, got 'tensor<2x9xf32>'}}
  %0 = lowbit.matmul %x, %w : (tensor<2x9xf32>, !lowbit.tensor<4x8xf32, #s4>) -> tensor<2x4xf32>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
func.func @matmul_element(%x: tensor<2x8xf16>, %w: !lowbit.tensor<4x8xf32, #s4>) {
  // expected-error @below {{input and weight must express the same element type, got 'f16' and 'f32'}}
  %0 = lowbit.matmul %x, %w : (tensor<2x8xf16>, !lowbit.tensor<4x8xf32, #s4>) -> tensor<2x4xf32>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
func.func @matmul_bias(%x: tensor<2x8xf32>, %w: !lowbit.tensor<4x8xf32, #s4>, %b: tensor<8xf32>) {
  // expected-error @below {{bias must be 'tensor<4xf32>', one value for each output channel, got 'tensor<8xf32>'}}
  %0 = lowbit.matmul %x, %w, %b : (tensor<2x8xf32>, !lowbit.tensor<4x8xf32, #s4>, tensor<8xf32>) -> tensor<2x4xf32>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
func.func @matmul_result(%x: tensor<2x8xf32>, %w: !lowbit.tensor<4x8xf32, #s4>) {
  // expected-error @below {{failed to infer returned types}}
  // expected-error @below {{inferred type(s) 'tensor<2x4xf32>' are incompatible with return type(s) of operation 'tensor<2x5xf32>'}}
  %0 = lowbit.matmul %x, %w : (tensor<2x8xf32>, !lowbit.tensor<4x8xf32, #s4>) -> tensor<2x5xf32>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
func.func @gather_rank(%w: !lowbit.tensor<4x2x8xf32, #s4>, %i: tensor<3xi64>) {
  // expected-error @below {{'lowbit.gather' op table must be a matrix, got}}
  %0 = lowbit.gather %w[%i] : (!lowbit.tensor<4x2x8xf32, #s4>, tensor<3xi64>) -> tensor<3x8xf32>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
func.func @gather_result(%w: !lowbit.tensor<4x8xf32, #s4>, %i: tensor<3xi64>) {
  // expected-error @below {{failed to infer returned types}}
  // expected-error @below {{inferred type(s) 'tensor<3x8xf32>' are incompatible with return type(s) of operation 'tensor<3x4xf32>'}}
  %0 = lowbit.gather %w[%i] : (!lowbit.tensor<4x8xf32, #s4>, tensor<3xi64>) -> tensor<3x4xf32>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
func.func @packed_weight(%x: tensor<?x8xf32>, %c: tensor<4x4xi8>, %s: tensor<4x2xf16>, %o: tensor<?x4xf32>) {
  // expected-error @below {{weight component 'scales' must have shape and element type as in 'tensor<4x1xf16>', got 'tensor<4x2xf16>'}}
  %0 = lowbit.packed_matmul ins(%x : tensor<?x8xf32>)
      weight(%c, %s : tensor<4x4xi8>, tensor<4x2xf16> as !lowbit.tensor<4x8xf32, #s4>)
      outs(%o : tensor<?x4xf32>) -> tensor<?x4xf32>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
func.func @packed_dynamic(%x: tensor<?x8xf32>, %c: tensor<?x4xi8>, %s: tensor<?x1xf16>, %o: tensor<?x4xf32>) {
  // expected-error @below {{weight must be a matrix of static shape, got}}
  %0 = lowbit.packed_matmul ins(%x : tensor<?x8xf32>)
      weight(%c, %s : tensor<?x4xi8>, tensor<?x1xf16> as !lowbit.tensor<?x8xf32, #s4>)
      outs(%o : tensor<?x4xf32>) -> tensor<?x4xf32>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
func.func @packed_input_channels(%x: tensor<?x9xf32>, %c: tensor<4x4xi8>, %s: tensor<4x1xf16>, %o: tensor<?x4xf32>) {
  // expected-error @below {{input must have shape and element type as in 'tensor<?x8xf32>', got 'tensor<?x9xf32>'}}
  %0 = lowbit.packed_matmul ins(%x : tensor<?x9xf32>)
      weight(%c, %s : tensor<4x4xi8>, tensor<4x1xf16> as !lowbit.tensor<4x8xf32, #s4>)
      outs(%o : tensor<?x4xf32>) -> tensor<?x4xf32>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
func.func @packed_input_count(%x: tensor<?x8xi8>, %xs: tensor<?x1xf32>, %c: tensor<4x4xi8>, %s: tensor<4x1xf16>, %o: tensor<?x4xf32>) {
  // expected-error @below {{input must be one float matrix, or name its quantized type with 'as', got 2 operands}}
  %0 = lowbit.packed_matmul ins(%x, %xs : tensor<?x8xi8>, tensor<?x1xf32>)
      weight(%c, %s : tensor<4x4xi8>, tensor<4x1xf16> as !lowbit.tensor<4x8xf32, #s4>)
      outs(%o : tensor<?x4xf32>) -> tensor<?x4xf32>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
#s8 = #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none, narrow>
func.func @packed_input_type(%x: tensor<?x9xi8>, %xs: tensor<?x1xf32>, %c: tensor<4x4xi8>, %s: tensor<4x1xf16>, %o: tensor<?x4xf32>) {
  // expected-error @below {{input must be a matrix with the weight's 8 input channels and element type 'f32', got}}
  %0 = lowbit.packed_matmul ins(%x, %xs : tensor<?x9xi8>, tensor<?x1xf32> as !lowbit.tensor<?x9xf32, #s8>)
      weight(%c, %s : tensor<4x4xi8>, tensor<4x1xf16> as !lowbit.tensor<4x8xf32, #s4>)
      outs(%o : tensor<?x4xf32>) -> tensor<?x4xf32>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
#s8 = #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none, narrow>
func.func @packed_input_component(%x: tensor<?x8xi8>, %c: tensor<4x4xi8>, %s: tensor<4x1xf16>, %o: tensor<?x4xf32>) {
  // expected-error @below {{input takes 2 components (codes, scales), got 1}}
  %0 = lowbit.packed_matmul ins(%x : tensor<?x8xi8> as !lowbit.tensor<?x8xf32, #s8>)
      weight(%c, %s : tensor<4x4xi8>, tensor<4x1xf16> as !lowbit.tensor<4x8xf32, #s4>)
      outs(%o : tensor<?x4xf32>) -> tensor<?x4xf32>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
func.func @packed_bias(%x: tensor<?x8xf32>, %c: tensor<4x4xi8>, %s: tensor<4x1xf16>, %b: tensor<8xf32>, %o: tensor<?x4xf32>) {
  // expected-error @below {{bias must have shape and element type as in 'tensor<4xf32>', got 'tensor<8xf32>'}}
  %0 = lowbit.packed_matmul ins(%x : tensor<?x8xf32>)
      weight(%c, %s : tensor<4x4xi8>, tensor<4x1xf16> as !lowbit.tensor<4x8xf32, #s4>)
      bias(%b : tensor<8xf32>) outs(%o : tensor<?x4xf32>) -> tensor<?x4xf32>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
func.func @packed_init(%x: tensor<?x8xf32>, %c: tensor<4x4xi8>, %s: tensor<4x1xf16>, %o: tensor<?x5xf32>) {
  // expected-error @below {{init must have shape and element type as in 'tensor<?x4xf32>', got 'tensor<?x5xf32>'}}
  %0 = lowbit.packed_matmul ins(%x : tensor<?x8xf32>)
      weight(%c, %s : tensor<4x4xi8>, tensor<4x1xf16> as !lowbit.tensor<4x8xf32, #s4>)
      outs(%o : tensor<?x5xf32>) -> tensor<?x5xf32>
  return
}

// -----

#s4 = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>
func.func @packed_no_result(%x: tensor<?x8xf32>, %c: tensor<4x4xi8>, %s: tensor<4x1xf16>, %o: tensor<?x4xf32>) {
  // expected-error @below {{expected the number of tensor results (0) to be equal to the number of output tensors (1)}}
  lowbit.packed_matmul ins(%x : tensor<?x8xf32>)
      weight(%c, %s : tensor<4x4xi8>, tensor<4x1xf16> as !lowbit.tensor<4x8xf32, #s4>)
      outs(%o : tensor<?x4xf32>)
  return
}

// -----

func.func @attention_rank(%q: tensor<8x?x64xf32>, %k: tensor<?x2x?x64xf32>, %v: tensor<?x2x?x64xf32>, %o: tensor<?x8x?x64xf32>) {
  // expected-error @below {{query must be [batch, heads, rows, size] of floats with static heads and size, got}}
  %0 = lowbit.attention ins(%q : tensor<8x?x64xf32>)
      key(%k : tensor<?x2x?x64xf32>) value(%v : tensor<?x2x?x64xf32>)
      outs(%o : tensor<?x8x?x64xf32>) {scale = 1.0 : f32} -> tensor<?x8x?x64xf32>
  return
}

// -----

func.func @attention_heads_known(%q: tensor<?x8x?x64xf32>, %k: tensor<?x?x?x64xf32>, %v: tensor<?x2x?x64xf32>, %o: tensor<?x8x?x64xf32>) {
  // expected-error @below {{key must be [batch, heads, rows, size] of floats with static heads and size, got}}
  %0 = lowbit.attention ins(%q : tensor<?x8x?x64xf32>)
      key(%k : tensor<?x?x?x64xf32>) value(%v : tensor<?x2x?x64xf32>)
      outs(%o : tensor<?x8x?x64xf32>) {scale = 1.0 : f32} -> tensor<?x8x?x64xf32>
  return
}

// -----

func.func @attention_heads(%q: tensor<?x8x?x64xf32>, %k: tensor<?x3x?x64xf32>, %v: tensor<?x3x?x64xf32>, %o: tensor<?x8x?x64xf32>) {
  // expected-error @below {{the number of query heads must be a multiple of that of the key heads, got 8 and 3}}
  %0 = lowbit.attention ins(%q : tensor<?x8x?x64xf32>)
      key(%k : tensor<?x3x?x64xf32>) value(%v : tensor<?x3x?x64xf32>)
      outs(%o : tensor<?x8x?x64xf32>) {scale = 1.0 : f32} -> tensor<?x8x?x64xf32>
  return
}

// -----

func.func @attention_size(%q: tensor<?x8x?x64xf32>, %k: tensor<?x2x?x32xf32>, %v: tensor<?x2x?x64xf32>, %o: tensor<?x8x?x64xf32>) {
  // expected-error @below {{key must have shape and element type as in 'tensor<?x2x?x64xf32>', got 'tensor<?x2x?x32xf32>'}}
  %0 = lowbit.attention ins(%q : tensor<?x8x?x64xf32>)
      key(%k : tensor<?x2x?x32xf32>) value(%v : tensor<?x2x?x64xf32>)
      outs(%o : tensor<?x8x?x64xf32>) {scale = 1.0 : f32} -> tensor<?x8x?x64xf32>
  return
}

// -----

func.func @attention_keys(%q: tensor<?x8x?x64xf32>, %k: tensor<?x2x5x64xf32>, %v: tensor<?x2x6x24xf32>, %o: tensor<?x8x?x24xf32>) {
  // expected-error @below {{value must have shape and element type as in 'tensor<?x2x5x24xf32>', got 'tensor<?x2x6x24xf32>'}}
  %0 = lowbit.attention ins(%q : tensor<?x8x?x64xf32>)
      key(%k : tensor<?x2x5x64xf32>) value(%v : tensor<?x2x6x24xf32>)
      outs(%o : tensor<?x8x?x24xf32>) {scale = 1.0 : f32} -> tensor<?x8x?x24xf32>
  return
}

// -----

func.func @attention_init(%q: tensor<?x8x?x64xf32>, %k: tensor<?x2x5x64xf32>, %v: tensor<?x2x5x24xf32>, %o: tensor<?x8x?x64xf32>) {
  // expected-error @below {{init must have shape and element type as in 'tensor<?x8x?x24xf32>', got 'tensor<?x8x?x64xf32>'}}
  %0 = lowbit.attention ins(%q : tensor<?x8x?x64xf32>)
      key(%k : tensor<?x2x5x64xf32>) value(%v : tensor<?x2x5x24xf32>)
      outs(%o : tensor<?x8x?x64xf32>) {scale = 1.0 : f32} -> tensor<?x8x?x64xf32>
  return
}

// -----

func.func @attention_components(%q: tensor<?x8x?x64xf32>, %k: tensor<?x2x?x64xf32>, %s: tensor<?x2x?x1xf16>) {
  // expected-error @below {{key must be one float tensor, or name its quantized type with 'as', got 2 operands}}
  %0 = lowbit.attention ins(%q : tensor<?x8x?x64xf32>)
      key(%k, %s : tensor<?x2x?x64xf32>, tensor<?x2x?x1xf16>) value(%k : tensor<?x2x?x64xf32>)
      outs(%q : tensor<?x8x?x64xf32>) {scale = 1.0 : f32} -> tensor<?x8x?x64xf32>
  return
}

// -----

#s8 = #lowbit.uniform<s8, group = [1, *], scale = f16, zero = none>
func.func @attention_scales(%q: tensor<?x8x?x64xf32>, %k: tensor<?x2x?x64xi8>, %s: tensor<?x2x?x1xf32>) {
  // expected-error @below {{value component 'scales' must have shape and element type as in 'tensor<?x2x?x1xf16>', got 'tensor<?x2x?x1xf32>'}}
  %0 = lowbit.attention ins(%q : tensor<?x8x?x64xf32>) key(%q : tensor<?x8x?x64xf32>)
      value(%k, %s : tensor<?x2x?x64xi8>, tensor<?x2x?x1xf32> as !lowbit.tensor<?x2x?x64xf32, #s8>)
      outs(%q : tensor<?x8x?x64xf32>) {scale = 1.0 : f32} -> tensor<?x8x?x64xf32>
  return
}

// -----

#s3 = #lowbit.uniform<s3, group = [1, *], scale = f16, zero = none>
func.func @attention_bits(%q: tensor<?x8x?x64xf32>, %k: tensor<?x2x?x24xi8>, %s: tensor<?x2x?x1xf16>) {
  // expected-error @below {{key must express f32 in #lowbit.uniform of 4 or 8 bits, in groups of whole rows or multiples of 16 columns, without float zero points, got}}
  %0 = lowbit.attention ins(%q : tensor<?x8x?x64xf32>)
      key(%k, %s : tensor<?x2x?x24xi8>, tensor<?x2x?x1xf16> as !lowbit.tensor<?x2x?x64xf32, #s3>)
      value(%q : tensor<?x8x?x64xf32>)
      outs(%q : tensor<?x8x?x64xf32>) {scale = 1.0 : f32} -> tensor<?x8x?x64xf32>
  return
}

// -----

#s8 = #lowbit.uniform<s8, group = [1, 8], scale = f16, zero = none>
func.func @attention_groups(%q: tensor<?x8x?x64xf32>, %k: tensor<?x8x?x64xi8>, %s: tensor<?x8x?x8xf16>) {
  // expected-error @below {{value must express f32 in #lowbit.uniform of 4 or 8 bits, in groups of whole rows or multiples of 16 columns, without float zero points, got}}
  %0 = lowbit.attention ins(%q : tensor<?x8x?x64xf32>) key(%q : tensor<?x8x?x64xf32>)
      value(%k, %s : tensor<?x8x?x64xi8>, tensor<?x8x?x8xf16> as !lowbit.tensor<?x8x?x64xf32, #s8>)
      outs(%q : tensor<?x8x?x64xf32>) {scale = 1.0 : f32} -> tensor<?x8x?x64xf32>
  return
}

// -----

func.func @attention_mask_type(%q: tensor<?x8x?x64xf32>, %k: tensor<?x2x?x64xf32>, %v: tensor<?x2x?x64xf32>, %m: tensor<?x1x?x?xi1>, %o: tensor<?x8x?x64xf32>) {
  // expected-error @below {{mask must have elements of type 'f32' or i8, got 'tensor<?x1x?x?xi1>'}}
  %0 = lowbit.attention ins(%q : tensor<?x8x?x64xf32>)
      key(%k : tensor<?x2x?x64xf32>) value(%v : tensor<?x2x?x64xf32>)
      mask(%m : tensor<?x1x?x?xi1>) outs(%o : tensor<?x8x?x64xf32>) {scale = 1.0 : f32} -> tensor<?x8x?x64xf32>
  return
}

// -----

func.func @attention_mask_shape(%q: tensor<?x8x?x64xf32>, %k: tensor<?x2x5x64xf32>, %v: tensor<?x2x5x64xf32>, %m: tensor<?x1x?x6xf32>, %o: tensor<?x8x?x64xf32>) {
  // expected-error @below {{mask must broadcast to the scores, 'tensor<?x8x?x5xf32>', got 'tensor<?x1x?x6xf32>'}}
  %0 = lowbit.attention ins(%q : tensor<?x8x?x64xf32>)
      key(%k : tensor<?x2x5x64xf32>) value(%v : tensor<?x2x5x64xf32>)
      mask(%m : tensor<?x1x?x6xf32>) outs(%o : tensor<?x8x?x64xf32>) {scale = 1.0 : f32} -> tensor<?x8x?x64xf32>
  return
}

// -----

func.func @attention_mask_rank(%q: tensor<?x8x?x64xf32>, %k: tensor<?x2x?x64xf32>, %v: tensor<?x2x?x64xf32>, %m: tensor<?x?xf32>, %o: tensor<?x8x?x64xf32>) {
  // expected-error @below {{mask must broadcast to the scores, 'tensor<?x8x?x?xf32>', got 'tensor<?x?xf32>'}}
  %0 = lowbit.attention ins(%q : tensor<?x8x?x64xf32>)
      key(%k : tensor<?x2x?x64xf32>) value(%v : tensor<?x2x?x64xf32>)
      mask(%m : tensor<?x?xf32>) outs(%o : tensor<?x8x?x64xf32>) {scale = 1.0 : f32} -> tensor<?x8x?x64xf32>
  return
}

// -----

func.func @cache_axis(%rows: tensor<1x4xf32>, %cache: tensor<1x8xf32>, %i: index) {
  // expected-error @below {{axis must be in [1, 1] for 'tensor<1x8xf32>', got 0}}
  %0 = lowbit.cache_append %rows to %cache[%i, %i] {axis = 0 : i64} : tensor<1x4xf32> to tensor<1x8xf32>
  return
}

// -----

func.func @cache_rows(%rows: tensor<1x3x4x16xf32>, %cache: tensor<1x2x8x16xf32>, %i: index) {
  // expected-error @below {{rows must have shape and element type as in 'tensor<1x2x4x16xf32>', got 'tensor<1x3x4x16xf32>'}}
  %0 = lowbit.cache_append %rows to %cache[%i, %i] {axis = 2 : i64} : tensor<1x3x4x16xf32> to tensor<1x2x8x16xf32>
  return
}

// -----

// expected-error @below {{"lowbit.updates" must be the number of an argument, got 1 : i64}}
func.func @updates_no_argument(%a: tensor<4xf32>) -> (tensor<4xf32> {lowbit.updates = 1 : i64}) {
  return %a : tensor<4xf32>
}

// -----

// expected-error @below {{result 0 updates argument 0 and must have its type, 'tensor<4xf32>', got 'tensor<?xf32>'}}
func.func @updates_another_type(%a: tensor<4xf32>, %b: tensor<?xf32>) -> (tensor<?xf32> {lowbit.updates = 0 : i64}) {
  return %b : tensor<?xf32>
}

// -----

// expected-error @below {{results 0 and 1 both update argument 0}}
func.func @updated_twice(%a: tensor<4xf32>)
    -> (tensor<4xf32> {lowbit.updates = 0 : i64}, tensor<4xf32> {lowbit.updates = 0 : i64}) {
  return %a, %a : tensor<4xf32>, tensor<4xf32>
}

// -----

func.func @format_without_weight(%x: tensor<2x4xf32>, %w: tensor<4x2xf32>) -> tensor<2x2xf32> {
  // expected-error @below {{"lowbit.format", but no constant weight to quantize}}
  %y = onnx.MatMul(%x, %w) {lowbit.format = "float"} : (tensor<2x4xf32>, tensor<4x2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// -----

func.func @sparse_rows(%x: tensor<2x8xf32>, %o: tensor<4xi32>, %c: tensor<5xi16>, %v: tensor<5xf16>, %y: tensor<3x3xf32>) {
  // expected-error @below {{input and init must have the same dimensions but for the last one, got 'tensor<2x8xf32>' and 'tensor<3x3xf32>'}}
  %0 = lowbit.sparse_matmul %x, %o, %c, %v add %y : tensor<2x8xf32>, tensor<4xi32>, tensor<5xi16>, tensor<5xf16>, tensor<3x3xf32>
  return
}

// -----

func.func @importance_of_a_function(%x: tensor<2x4xf32>) -> tensor<2x4xf32> {
  // expected-error @below {{"lowbit.importance", but no constant weight to quantize}}
  %y = onnx.Relu(%x) {lowbit.importance = dense<1.0> : tensor<4xf32>} : (tensor<2x4xf32>) -> tensor<2x4xf32>
  return %y : tensor<2x4xf32>
}

// -----

func.func @sparse_types(%x: tensor<2x8xf16>, %o: tensor<4xi32>, %c: tensor<5xi16>, %v: tensor<5xf16>, %y: tensor<2x3xf32>) {
  // expected-error @below {{input and init must have the same element type, got 'tensor<2x8xf16>' and 'tensor<2x3xf32>'}}
  %0 = lowbit.sparse_matmul %x, %o, %c, %v add %y : tensor<2x8xf16>, tensor<4xi32>, tensor<5xi16>, tensor<5xf16>, tensor<2x3xf32>
  return
}

// -----

func.func @no_format(%x: tensor<2x4xf32>) -> tensor<2x2xf32> {
  %w = onnx.Constant dense<1.0> : tensor<4x2xf32>
  // expected-error @below {{"lowbit.format" must be a number format or "float", got "u4"}}
  %y = onnx.MatMul(%x, %w) {lowbit.format = "u4"} : (tensor<2x4xf32>, tensor<4x2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// -----

func.func @sparse_offsets(%x: tensor<2x8xf32>, %o: tensor<3xi32>, %c: tensor<5xi16>, %v: tensor<5xf16>, %y: tensor<2x3xf32>) {
  // expected-error @below {{offsets must be one more than the output channels of init, got 'tensor<3xi32>' for 'tensor<2x3xf32>'}}
  %0 = lowbit.sparse_matmul %x, %o, %c, %v add %y : tensor<2x8xf32>, tensor<3xi32>, tensor<5xi16>, tensor<5xf16>, tensor<2x3xf32>
  return
}

// -----

func.func @format_of_other_widths(%x: tensor<2x4xf32>) -> tensor<2x2xf32> {
  %w = onnx.Constant dense<1.0> : tensor<4x2xf32>
  // expected-error @below {{"lowbit.format" does not fit: q8_0 has blocks of 32 columns, which do not divide the 4}}
  %y = onnx.MatMul(%x, %w) {lowbit.format = #lowbit.ggml<q8_0>} : (tensor<2x4xf32>, tensor<4x2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// -----

func.func @sparse_counts(%x: tensor<2x8xf32>, %o: tensor<4xi32>, %c: tensor<5xi16>, %v: tensor<6xf16>, %y: tensor<2x3xf32>) {
  // expected-error @below {{columns and values must be as many, got 'tensor<5xi16>' and 'tensor<6xf16>'}}
  %0 = lowbit.sparse_matmul %x, %o, %c, %v add %y : tensor<2x8xf32>, tensor<4xi32>, tensor<5xi16>, tensor<6xf16>, tensor<2x3xf32>
  return
}

// -----

func.func @importance_of_outputs(%x: tensor<2x4xf32>) -> tensor<2x2xf32> {
  %w = onnx.Constant dense<1.0> : tensor<4x2xf32>
  // expected-error @below {{"lowbit.importance" must have a value for each of the 4 input channels, as 'tensor<4xf32>', got dense<1.000000e+00> : tensor<2xf32>}}
  %y = onnx.MatMul(%x, %w) {lowbit.importance = dense<1.0> : tensor<2xf32>} : (tensor<2x4xf32>, tensor<4x2xf32>) -> tensor<2x2xf32>
  return %y : tensor<2x2xf32>
}

// -----

#outliers = #lowbit.sparse_outliers<dense = #lowbit.uniform<s8, group = [1, *], scale = f16, zero = none>, count = 2, value = f16>
func.func @offsets_fall() {
  // expected-error @below {{'outlier_offsets' fall from 3 to 2 in row 1}}
  %0 = lowbit.constant {
    codes = dense<1> : tensor<2x4xi8>, scales = dense<1.0> : tensor<2x1xf16>,
    outlier_offsets = dense<[0, 3, 2]> : tensor<3xi32>, outlier_columns = dense<[1, 2]> : tensor<2xi16>,
    outlier_values = dense<5.0> : tensor<2xf16>
  } : !lowbit.tensor<2x4xf32, #outliers>
  return
}

// -----

#outliers = #lowbit.sparse_outliers<dense = #lowbit.uniform<s8, group = [1, *], scale = f16, zero = none>, count = 2, value = f16>
func.func @columns_out_of_range() {
  // expected-error @below {{'outlier_columns' names column 65535 in row 0, but there are 4 columns}}
  %0 = lowbit.constant {
    codes = dense<1> : tensor<2x4xi8>, scales = dense<1.0> : tensor<2x1xf16>,
    outlier_offsets = dense<[0, 1, 2]> : tensor<3xi32>, outlier_columns = dense<[-1, 2]> : tensor<2xi16>,
    outlier_values = dense<5.0> : tensor<2xf16>
  } : !lowbit.tensor<2x4xf32, #outliers>
  return
}

// -----

func.func @indices_fall() {
  // expected-error @below {{'indices' must ascend below 4 in a block, but do not in row 0, block 1}}
  %0 = lowbit.constant {values = dense<1.0> : tensor<1x4xf16>, indices = dense<20> : tensor<1x1xi8>}
      : !lowbit.tensor<1x8xf32, #lowbit.n_of_m<2:4, values = #lowbit.float<f16>>>
  return
}
