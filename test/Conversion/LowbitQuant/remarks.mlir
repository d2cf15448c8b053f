// RUN: quant-opt %s --convert-lowbit-to-quant --convert-quant-to-lowbit -split-input-file -verify-diagnostics

func.func @argument(%w: !lowbit.tensor<2x2xf32, #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>>) -> tensor<2x2xf32> {
  // expected-remark @below {{stays, because its input is not a constant}}
  %0 = lowbit.dequantize %w
      : !lowbit.tensor<2x2xf32, #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>> -> tensor<2x2xf32>
  return %0 : tensor<2x2xf32>
}

// -----

func.func @groups() -> tensor<2x4xf32> {
  %0 = lowbit.constant {codes = dense<1> : tensor<2x2xi8>, scales = dense<1.0> : tensor<2x2xf16>}
      : !lowbit.tensor<2x4xf32, #lowbit.uniform<s4, group = [1, 2], scale = f16, zero = none>>
  // expected-remark @below {{stays, because its groups are neither the tensor nor its rows}}
  %1 = lowbit.dequantize %0
      : !lowbit.tensor<2x4xf32, #lowbit.uniform<s4, group = [1, 2], scale = f16, zero = none>> -> tensor<2x4xf32>
  return %1 : tensor<2x4xf32>
}

// -----

func.func @missing() -> tensor<2x2xf32> {
  %0 = lowbit.constant {codes = #lowbit.external<"missing.bin", offset = 0, length = 4> : tensor<2x2xi8>, scales = dense<1.0> : tensor<1x1xf32>}
      : !lowbit.tensor<2x2xf32, #lowbit.uniform<s8, group = [*, *], scale = f32, zero = none>>
  // expected-remark-re @below {{stays, because {{.*}}missing.bin}}
  %1 = lowbit.dequantize %0
      : !lowbit.tensor<2x2xf32, #lowbit.uniform<s8, group = [*, *], scale = f32, zero = none>> -> tensor<2x2xf32>
  return %1 : tensor<2x2xf32>
}

// -----

func.func @activation(%x: tensor<2xf32>) -> tensor<2xf32> {
  %0 = quant.qcast %x : tensor<2xf32> to tensor<2x!quant.uniform<i8:f32, 0.5>>
  // expected-remark @below {{stays, because its input is not a constant of stored codes}}
  %1 = quant.dcast %0 : tensor<2x!quant.uniform<i8:f32, 0.5>> to tensor<2xf32>
  return %1 : tensor<2xf32>
}

// -----

func.func @columns() -> tensor<2x2xf32> {
  %0 = arith.constant dense<1> : tensor<2x2xi8>
  %1 = quant.scast %0 : tensor<2x2xi8> to tensor<2x2x!quant.uniform<i8:f32:1, {0.5, 2.0}>>
  // expected-remark @below {{stays, because its scales are neither of the tensor nor of the rows of a matrix}}
  %2 = quant.dcast %1 : tensor<2x2x!quant.uniform<i8:f32:1, {0.5, 2.0}>> to tensor<2x2xf32>
  return %2 : tensor<2x2xf32>
}

// -----

func.func @range() -> tensor<2xf32> {
  %0 = arith.constant dense<1> : tensor<2xi8>
  %1 = quant.scast %0 : tensor<2xi8> to tensor<2x!quant.uniform<i8<-8:8>:f32, 0.5>>
  // expected-remark @below {{stays, because its codes go from -8 to 8, as those of no uniform format}}
  %2 = quant.dcast %1 : tensor<2x!quant.uniform<i8<-8:8>:f32, 0.5>> to tensor<2xf32>
  return %2 : tensor<2xf32>
}

// -----

func.func @code() -> tensor<2xf32> {
  %0 = arith.constant dense<9> : tensor<2xi8>
  %1 = quant.scast %0 : tensor<2xi8> to tensor<2x!quant.uniform<i8<-8:7>:f32, 0.5>>
  // expected-remark @below {{stays, because its constant has the code 9, which is outside the range of its type}}
  %2 = quant.dcast %1 : tensor<2x!quant.uniform<i8<-8:7>:f32, 0.5>> to tensor<2xf32>
  return %2 : tensor<2xf32>
}

// -----

func.func @zero() -> tensor<2xf32> {
  %0 = arith.constant dense<1> : tensor<2xi8>
  %1 = quant.scast %0 : tensor<2xi8> to tensor<2x!quant.uniform<i8<-8:7>:f32, 0.5:9>>
  // expected-remark @below {{stays, because its zero point 9 is not a code}}
  %2 = quant.dcast %1 : tensor<2x!quant.uniform<i8<-8:7>:f32, 0.5:9>> to tensor<2xf32>
  return %2 : tensor<2xf32>
}

// -----

func.func @width() -> tensor<2xf32> {
  %0 = arith.constant dense<1> : tensor<2xi16>
  %1 = quant.scast %0 : tensor<2xi16> to tensor<2x!quant.uniform<i16:f32, 0.5>>
  // expected-remark @below {{stays, because it is not a tensor of codes stored as bytes}}
  %2 = quant.dcast %1 : tensor<2x!quant.uniform<i16:f32, 0.5>> to tensor<2xf32>
  return %2 : tensor<2xf32>
}

// -----

func.func @float_zeros() -> tensor<2x2xf32> {
  %0 = lowbit.constant {codes = dense<1> : tensor<2x1xi8>, scales = dense<1.0> : tensor<2x1xf16>, zeros = dense<0.5> : tensor<2x1xf16>}
      : !lowbit.tensor<2x2xf32, #lowbit.uniform<u4, group = [1, *], scale = f16, zero = f16>>
  // expected-remark @below {{stays, because its zero points are floats, but those of the quant dialect are integers}}
  %1 = lowbit.dequantize %0
      : !lowbit.tensor<2x2xf32, #lowbit.uniform<u4, group = [1, *], scale = f16, zero = f16>> -> tensor<2x2xf32>
  return %1 : tensor<2x2xf32>
}

// -----

func.func @powers() -> tensor<2x2xf32> {
  %0 = lowbit.constant {codes = dense<1> : tensor<2x2xi8>, scales = dense<127> : tensor<2x1xi8>}
      : !lowbit.tensor<2x2xf32, #lowbit.uniform<s8, group = [1, *], scale = f8E8M0FNU, zero = none>>
  // expected-remark @below {{stays, because its scales are not stored as f16, bf16 or f32}}
  %1 = lowbit.dequantize %0
      : !lowbit.tensor<2x2xf32, #lowbit.uniform<s8, group = [1, *], scale = f8E8M0FNU, zero = none>> -> tensor<2x2xf32>
  return %1 : tensor<2x2xf32>
}
