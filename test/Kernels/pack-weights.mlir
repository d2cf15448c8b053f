// RUN: quant-opt %s --lowbit-pack-weights="target=avx2" 2>%t | FileCheck %s
// RUN: FileCheck %s --check-prefix=REMARK < %t

!u4 = !lowbit.tensor<2x8xf32, #lowbit.uniform<u4, group = [1, 8], scale = f16, zero = u4>>
!u3 = !lowbit.tensor<2x32xf32, #lowbit.uniform<u3, group = [1, 32], scale = f16, zero = none>>
!u3_16 = !lowbit.tensor<2x32xf32, #lowbit.uniform<u3, group = [1, 16], scale = f16, zero = none>>
!s2 = !lowbit.tensor<17x16xf32, #lowbit.uniform<s2, group = [*, *], scale = f32, zero = none>>
!x4 = !lowbit.tensor<?x8xf32, #lowbit.uniform<s4, group = [1, *], scale = f32, zero = none>>

// Lane r of a chunk holds row r: byte j has column j in its low nibble and
// column 4 + j in its high one. The rows that the panel lacks are zero.
// CHECK-LABEL: @nibbles
// CHECK: lowbit.constant
// CHECK-SAME: codes = dense<{{.*}}64, 81, 98, 115, -107, -90, -73, -56, 0, {{[0, ]*}}]]]> : tensor<1x1x64xi8>
// CHECK-SAME: scales = dense<{{.*}}1.000000e+00, 2.000000e+00, 0.000000e+00{{.*}}> : tensor<1x1x16xf16>
// CHECK-SAME: zeros = dense<{{.*}}7, 8, 0{{.*}}> : tensor<1x1x16xi8>
// CHECK-SAME: #lowbit.panels>
func.func @nibbles(%x: tensor<?x8xf32>) -> tensor<?x2xf32> {
  %w = lowbit.constant {
    codes = dense<[[0x10, 0x32, 0x54, 0x76], [0x65, 0x87, 0xA9, 0xCB]]> : tensor<2x4xi8>,
    scales = dense<[[1.0], [2.0]]> : tensor<2x1xf16>,
    zeros = dense<[[7], [8]]> : tensor<2x1xi8>} : !u4
  %y = lowbit.matmul %x, %w : (tensor<?x8xf32>, !u4) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// Three bits are a plane of two and one of one: row 0 has code 5, row 1 code 2.
// CHECK-LABEL: @planes
// CHECK: lowbit.constant
// CHECK-SAME: codes = dense<"0x55555555AAAAAAAA{{0+}}55555555AAAAAAAA{{0+}}FFFFFFFF{{0+}}"> : tensor<1x1x192xi8>
func.func @planes(%x: tensor<?x32xf32>) -> tensor<?x2xf32> {
  %w = lowbit.constant {
    codes = dense<[[0x6D, 0xDB, 0xB6, 0x6D, 0xDB, 0xB6, 0x6D, 0xDB, 0xB6, 0x6D, 0xDB, 0xB6],
                   [0x92, 0x24, 0x49, 0x92, 0x24, 0x49, 0x92, 0x24, 0x49, 0x92, 0x24, 0x49]]> : tensor<2x12xi8>,
    scales = dense<1.0> : tensor<2x1xf16>} : !u3
  %y = lowbit.matmul %x, %w : (tensor<?x32xf32>, !u3) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// Groups of 16 columns would leave half of each such chunk empty; four bits a
// code take less.
// CHECK-LABEL: @short_groups
// CHECK: lowbit.constant
// CHECK-SAME: tensor<1x4x64xi8>
func.func @short_groups(%x: tensor<?x32xf32>) -> tensor<?x2xf32> {
  %w = lowbit.constant {
    codes = dense<0> : tensor<2x12xi8>,
    scales = dense<1.0> : tensor<2x2xf16>} : !u3_16
  %y = lowbit.matmul %x, %w : (tensor<?x32xf32>, !u3_16) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// Signed codes move up by half of their range, and the one scale of the tensor
// is repeated for each row. Seventeen rows take two panels.
// CHECK-LABEL: @signed
// CHECK: lowbit.constant
// CHECK-SAME: codes = dense<"0xAAFF0055{{.*}}> : tensor<2x1x64xi8>
// CHECK-SAME: tensor<2x1x16xf32>
// CHECK-NOT: zeros
// CHECK: return
func.func @signed(%x: tensor<3x16xf32>) -> tensor<3x17xf32> {
  %w = lowbit.constant {
    codes = dense<0xE4> : tensor<17x4xi8>,
    scales = dense<0.5> : tensor<1x1xf32>} : !s2
  %y = lowbit.matmul %x, %w : (tensor<3x16xf32>, !s2) -> tensor<3x17xf32>
  return %y : tensor<3x17xf32>
}

// A weight that two matmuls read is packed once.
// CHECK-LABEL: @shared
// CHECK-COUNT-1: lowbit.constant
// CHECK-NOT: lowbit.constant
// CHECK: return
func.func @shared(%x: tensor<3x16xf32>) -> (tensor<3x17xf32>, tensor<3x17xf32>) {
  %w = lowbit.constant {
    codes = dense<0xE4> : tensor<17x4xi8>,
    scales = dense<0.5> : tensor<1x1xf32>} : !s2
  %y = lowbit.matmul %x, %w : (tensor<3x16xf32>, !s2) -> tensor<3x17xf32>
  %z = lowbit.matmul %x, %w : (tensor<3x16xf32>, !s2) -> tensor<3x17xf32>
  return %y, %z : tensor<3x17xf32>, tensor<3x17xf32>
}

// What no kernel serves keeps its layout.
// REMARK: remark: no avx2 kernel: the panel kernels compute in f32
// CHECK-LABEL: @unserved
// CHECK-NOT: #lowbit.panels
// CHECK: return
!half = !lowbit.tensor<2x8xf16, #lowbit.uniform<u4, group = [1, 8], scale = f16, zero = u4>>
func.func @unserved(%x: tensor<?x8xf16>) -> tensor<?x2xf16> {
  %w = lowbit.constant {
    codes = dense<0x10> : tensor<2x4xi8>,
    scales = dense<1.0> : tensor<2x1xf16>,
    zeros = dense<7> : tensor<2x1xi8>} : !half
  %y = lowbit.matmul %x, %w : (tensor<?x8xf16>, !half) -> tensor<?x2xf16>
  return %y : tensor<?x2xf16>
}

// Activations whose levels are bytes become such, once for all that read them.
// CHECK-LABEL: @widened
// CHECK: %[[X:.+]] = lowbit.widen %arg0 : !lowbit.tensor<?x8xf32, #lowbit.uniform<s4, {{.+}}> -> !lowbit.tensor<?x8xf32, #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none>>
// CHECK-NOT: lowbit.widen
// CHECK-COUNT-2: lowbit.matmul %[[X]], %{{.+}} #lowbit.panels>
func.func @widened(%x: !x4) -> (tensor<?x2xf32>, tensor<?x2xf32>) {
  %w = lowbit.constant {
    codes = dense<0x10> : tensor<2x4xi8>,
    scales = dense<1.0> : tensor<2x1xf16>,
    zeros = dense<7> : tensor<2x1xi8>} : !u4
  %y = lowbit.matmul %x, %w : (!x4, !u4) -> tensor<?x2xf32>
  %z = lowbit.matmul %x, %w : (!x4, !u4) -> tensor<?x2xf32>
  return %y, %z : tensor<?x2xf32>, tensor<?x2xf32>
}

// A scale for all tokens serves as it is.
// CHECK-LABEL: @one_scale
// CHECK-NOT: lowbit.widen
// CHECK: lowbit.matmul %arg0, %{{.+}} #lowbit.panels>
!x8 = !lowbit.tensor<?x8xf32, #lowbit.uniform<s8, group = [*, *], scale = f32, zero = none>>
func.func @one_scale(%x: !x8) -> tensor<?x2xf32> {
  %w = lowbit.constant {
    codes = dense<0x10> : tensor<2x4xi8>,
    scales = dense<1.0> : tensor<2x1xf16>,
    zeros = dense<7> : tensor<2x1xi8>} : !u4
  %y = lowbit.matmul %x, %w : (!x8, !u4) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// Levels that are no bytes are decoded for a kernel of floats.
// REMARK: remark: the avx2 kernel multiplies floats: activations have the level {{.+}}, which is no signed byte
// CHECK-LABEL: @decoded
// CHECK: %[[X:.+]] = lowbit.dequantize %arg0
// CHECK: lowbit.matmul %[[X]], %{{.+}} #lowbit.panels>
!pairs = !lowbit.tensor<?x8xf32, #lowbit.ovp<int8, group = [*, *], scale = f32>>
func.func @decoded(%x: !pairs) -> tensor<?x2xf32> {
  %w = lowbit.constant {
    codes = dense<0x10> : tensor<2x4xi8>,
    scales = dense<1.0> : tensor<2x1xf16>,
    zeros = dense<7> : tensor<2x1xi8>} : !u4
  %y = lowbit.matmul %x, %w : (!pairs, !u4) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// CHECK-LABEL: @float_zeros
// CHECK: lowbit.constant
// CHECK-SAME: zeros = dense<{{.*}}7.500000e+00, 7.500000e+00, 0.000000e+00{{.*}}> : tensor<1x1x16xf16>
!f16_zeros = !lowbit.tensor<2x8xf32, #lowbit.uniform<u4, group = [1, 8], scale = f16, zero = f16>>
func.func @float_zeros(%x: tensor<?x8xf32>) -> tensor<?x2xf32> {
  %w = lowbit.constant {
    codes = dense<0x10> : tensor<2x4xi8>,
    scales = dense<1.0> : tensor<2x1xf16>,
    zeros = dense<7.5> : tensor<2x1xf16>} : !f16_zeros
  %y = lowbit.matmul %x, %w : (tensor<?x8xf32>, !f16_zeros) -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}
