// RUN: quant-opt %s | quant-opt | FileCheck %s
// RUN: quant-opt %s --emit-bytecode | quant-opt | FileCheck %s

// CHECK: @group(!lowbit.tensor<64x256xf32, #lowbit.uniform<u4, group = [1, 128], scale = f16, zero = u4>>)
func.func private @group(!lowbit.tensor<64x256xf32, #lowbit.uniform<u4, group = [1, 128], scale = f16, zero = u4>>)
// CHECK: @row(!lowbit.tensor<64x256xbf16, #lowbit.uniform<s8, group = [1, *], scale = bf16, zero = none, narrow>>)
func.func private @row(!lowbit.tensor<64x256xbf16, #lowbit.uniform<s8, group = [1, *], scale = bf16, zero = none, narrow>>)
// CHECK: @tensor(!lowbit.tensor<?x?x256xf16, #lowbit.uniform<u2, group = [*, *], scale = f32, zero = u2>>)
func.func private @tensor(!lowbit.tensor<?x?x256xf16, #lowbit.uniform<u2, group = [*, *], scale = f32, zero = u2>>)
// Flags come in any order and print in one.
// CHECK: @padded(!lowbit.tensor<3x50xf32, #lowbit.uniform<s3, group = [2, 32], scale = f32, zero = none, narrow, pad>>)
func.func private @padded(!lowbit.tensor<3x50xf32, #lowbit.uniform<s3, group = [2, 32], scale = f32, zero = none, pad, narrow>>)
// CHECK: @vector(!lowbit.tensor<50xf32, #lowbit.uniform<s3, group = [1, *], scale = f32, zero = s3>>)
func.func private @vector(!lowbit.tensor<50xf32, #lowbit.uniform<s3, group = [1, *], scale = f32, zero = s3>>)
// CHECK: @fractional(!lowbit.tensor<64x256xf32, #lowbit.uniform<u4, group = [1, 64], scale = f16, zero = f16>>)
func.func private @fractional(!lowbit.tensor<64x256xf32, #lowbit.uniform<u4, group = [1, 64], scale = f16, zero = f16>>)
// CHECK: @wide(!lowbit.tensor<64x256xf32, #lowbit.uniform<s8, group = [*, 64], scale = bf16, zero = f32>>)
func.func private @wide(!lowbit.tensor<64x256xf32, #lowbit.uniform<s8, group = [*, 64], scale = bf16, zero = f32>>)
// CHECK: @bf16(!lowbit.tensor<?x50xf32, #lowbit.float<bf16>>)
func.func private @bf16(!lowbit.tensor<?x50xf32, #lowbit.float<bf16>>)
// CHECK: @columns(!lowbit.tensor<4x8xf32, #lowbit.float<f32, transposed>, #lowbit.panels>)
func.func private @columns(!lowbit.tensor<4x8xf32, #lowbit.float<f32, transposed>, #lowbit.panels>)
// CHECK: @blocks(!lowbit.tensor<?x64xf32, #lowbit.ggml<q4_0>>)
func.func private @blocks(!lowbit.tensor<?x64xf32, #lowbit.ggml<q4_0>>)
// CHECK: @super_blocks(!lowbit.tensor<2x3x512xf16, #lowbit.ggml<q4_K>>)
func.func private @super_blocks(!lowbit.tensor<2x3x512xf16, #lowbit.ggml<q4_K>>)
// CHECK: attributes {formats = [#lowbit.ggml<q4_1>, #lowbit.ggml<q5_0>, #lowbit.ggml<q5_1>, #lowbit.ggml<q8_0>, #lowbit.ggml<q2_K>, #lowbit.ggml<q3_K>, #lowbit.ggml<q5_K>, #lowbit.ggml<q6_K>, #lowbit.ggml<iq4_nl>, #lowbit.ggml<iq4_xs>]}
func.func private @ggml_types() attributes {formats = [#lowbit.ggml<q4_1>, #lowbit.ggml<q5_0>, #lowbit.ggml<q5_1>, #lowbit.ggml<q8_0>, #lowbit.ggml<q2_K>, #lowbit.ggml<q3_K>, #lowbit.ggml<q5_K>, #lowbit.ggml<q6_K>, #lowbit.ggml<iq4_nl>, #lowbit.ggml<iq4_xs>]}
