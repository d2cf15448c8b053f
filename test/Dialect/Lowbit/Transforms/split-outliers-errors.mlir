// What lies in a file is checked before code relies on it.
// RUN: rm -rf %t && mkdir %t
// RUN: printf '\000\000\000\000\001\000\000\000\002\000\000\000\001\000\004\000' > %t/outliers.bin
// RUN: cp %s %t/model.mlir
// RUN: not quant-opt %t/model.mlir --lowbit-split-outliers 2>&1 | FileCheck %s
// RUN: not quant-opt %t/model.mlir --lowbit-to-linalg 2>&1 | FileCheck %s

// CHECK: error: 'lowbit.constant' op of #lowbit.sparse_outliers<{{.*}}: 'outlier_columns' names column 4 in row 1, but there are 4 columns
#outliers = #lowbit.sparse_outliers<dense = #lowbit.uniform<s8, group = [1, *], scale = f16, zero = none>, count = 2, value = f16>
func.func @model(%x: tensor<?x4xf32>) -> tensor<?x2xf32> {
  %w = lowbit.constant {
    codes = dense<1> : tensor<2x4xi8>, scales = dense<1.0> : tensor<2x1xf16>,
    outlier_offsets = #lowbit.external<"outliers.bin", offset = 0, length = 12> : tensor<3xi32>,
    outlier_columns = #lowbit.external<"outliers.bin", offset = 12, length = 4> : tensor<2xi16>,
    outlier_values = dense<5.0> : tensor<2xf16>
  } : !lowbit.tensor<2x4xf32, #outliers>
  %0 = lowbit.matmul %x, %w : (tensor<?x4xf32>, !lowbit.tensor<2x4xf32, #outliers>) -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}
