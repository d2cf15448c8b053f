// RUN: quant-opt %s --lowbit-pack-weights="target=avx2" | FileCheck %s

!q4_0 = !lowbit.tensor<2x32xf32, #lowbit.ggml<q4_0>>
!q4_1 = !lowbit.tensor<1x32xf32, #lowbit.ggml<q4_1>>
!q2_K = !lowbit.tensor<16x512xf32, #lowbit.ggml<q2_K>>
!q6_K = !lowbit.tensor<16x256xf32, #lowbit.ggml<q6_K>>
!iq4_xs = !lowbit.tensor<16x256xf32, #lowbit.ggml<iq4_xs>>
!nvfp4 = !lowbit.tensor<16x64xf32, #lowbit.codebook<e2m1, group = [1, 16], scale = #lowbit.codebook<e4m3, group = [*, *], scale = f32>>>
!qlora = !lowbit.tensor<16x128xf32, #lowbit.codebook<nf4, group = [1, 64], scale = #lowbit.codebook<dynamic8, group = [4, 2], scale = f32>, offset = f32>>
!bilevel = !lowbit.tensor<16x64xf32, #lowbit.codebook<nf4, group = [1, 16], scale = #lowbit.uniform<u3, group = [16, 1], scale = f16, zero = u3>>>

// Codes stay what they are: a signed code is stored with half of its range added,
// as GGML does. Row 0 has d = 1 and codes 0, 1 ... 15 twice; row 1 is zero, 8 less 8.
// CHECK-LABEL: @blocks
// CHECK: lowbit.constant
// CHECK-SAME: codes = dense<{{.*}}tensor<1x4x64xi8>
// CHECK-SAME: scales = dense<{{.*}}1.000000e+00, 0.000000e+00{{.*}}> : tensor<1x1x16xf16>
// CHECK-NOT: factors
// CHECK-SAME: #lowbit.panels>
// CHECK: codes = dense<{{.*}}> : tensor<1x4x64xi8>, offsets = dense<{{.*}}-1.000000e+00{{.*}}> : tensor<1x1x16xf16>, scales = dense<{{.*}}2.000000e+00{{.*}}> : tensor<1x1x16xf16>
func.func @blocks(%x: tensor<?x32xf32>) -> (tensor<?x2xf32>, tensor<?x1xf32>) {
  %0 = lowbit.constant {blocks = dense<[
    [0x00, 0x3C, 0, 17, 34, 51, 68, 85, 102, 119, -120, -103, -86, -69, -52, -35, -18, -1],
    [0x00, 0x00, -120, -120, -120, -120, -120, -120, -120, -120, -120, -120, -120, -120, -120, -120, -120, -120]]> : tensor<2x18xi8>} : !q4_0
  %y0 = lowbit.matmul %x, %0 : (tensor<?x32xf32>, !q4_0) -> tensor<?x2xf32>
  %1 = lowbit.constant {blocks = dense<[
    [0x00, 0x40, 0x00, -68, 0, 17, 34, 51, 68, 85, 102, 119, -120, -103, -86, -69, -52, -35, -18, -1]]> : tensor<1x20xi8>} : !q4_1
  %y1 = lowbit.matmul %x, %1 : (tensor<?x32xf32>, !q4_1) -> tensor<?x1xf32>
  return %y0, %y1 : tensor<?x2xf32>, tensor<?x1xf32>
}

// Scales and mins of super-blocks stay bytes, and d and dmin stay f16: kernels
// multiply them. Mins are subtracted, so their factor has the other sign.
// CHECK-LABEL: @super_blocks
// CHECK: factors = dense<[[FACTOR:[0-9.e-]+]]> : tensor<1x2x16xf16>, offset_factors = dense<-[[FACTOR]]> : tensor<1x2x16xf16>, offsets = dense<0> : tensor<1x32x16xi8>, scales = dense<1> : tensor<1x32x16xi8>
// CHECK: codes = dense<{{.*}} : tensor<1x16x192xi8>, factors = dense<{{.*}}> : tensor<1x1x16xf16>, scales = dense<1> : tensor<1x16x16xi8>} : {{.*}}q6_K
// CHECK: factors = dense<{{.*}}> : tensor<1x1x16xf16>, scales = dense<"0xF1{{.*}}E0{{.*}}"> : tensor<1x8x16xi8>} : {{.*}}iq4_xs
func.func @super_blocks(%x: tensor<?x256xf32>, %x2: tensor<?x512xf32>) -> (tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>) {
  %0 = lowbit.constant {blocks = dense<1> : tensor<16x168xi8>} : !q2_K
  %y0 = lowbit.matmul %x2, %0 : (tensor<?x512xf32>, !q2_K) -> tensor<?x16xf32>
  %1 = lowbit.constant {blocks = dense<1> : tensor<16x210xi8>} : !q6_K
  %y1 = lowbit.matmul %x, %1 : (tensor<?x256xf32>, !q6_K) -> tensor<?x16xf32>
  %2 = lowbit.constant {blocks = dense<1> : tensor<16x136xi8>} : !iq4_xs
  %y2 = lowbit.matmul %x, %2 : (tensor<?x256xf32>, !iq4_xs) -> tensor<?x16xf32>
  return %y0, %y1, %y2 : tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>
}

// Differences of integers, and numbers of f8E4M3FN, are bytes with factors. Other
// tables, or differences from a mean, become f32.
// CHECK-LABEL: @scales_of_scales
// CHECK: factors = dense<5.000000e-01> : tensor<1x1x16xf32>, scales = dense<56> : tensor<1x4x16xi8>
// CHECK: scales = dense<{{.*}}> : tensor<1x2x16xf32>}
// CHECK: factors = dense<5.000000e-01> : tensor<1x4x16xf16>, scales = dense<-5> : tensor<1x4x16xi8>
func.func @scales_of_scales(%x: tensor<?x64xf32>, %x2: tensor<?x128xf32>) -> (tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>) {
  %0 = lowbit.constant {codes = dense<0x31> : tensor<16x32xi8>, scales_codes = dense<0x38> : tensor<16x4xi8>,
    scales_scales = dense<0.5> : tensor<1x1xf32>} : !nvfp4
  %y0 = lowbit.matmul %x, %0 : (tensor<?x64xf32>, !nvfp4) -> tensor<?x16xf32>
  %1 = lowbit.constant {codes = dense<0x31> : tensor<16x64xi8>, scales_codes = dense<0x38> : tensor<16x2xi8>,
    scales_scales = dense<0.5> : tensor<4x1xf32>, scales_offset = dense<1.0> : tensor<1xf32>} : !qlora
  %y1 = lowbit.matmul %x2, %1 : (tensor<?x128xf32>, !qlora) -> tensor<?x16xf32>
  %2 = lowbit.constant {codes = dense<0x31> : tensor<16x32xi8>, scales_codes = dense<0> : tensor<16x2xi8>,
    scales_scales = dense<0.5> : tensor<1x4xf16>, scales_zeros = dense<[[0x6D, 0x0B]]> : tensor<1x2xi8>} : !bilevel
  %y2 = lowbit.matmul %x, %2 : (tensor<?x64xf32>, !bilevel) -> tensor<?x16xf32>
  return %y0, %y1, %y2 : tensor<?x16xf32>, tensor<?x16xf32>, tensor<?x16xf32>
}
