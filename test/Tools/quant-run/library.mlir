// A compiled library is run like a model file; what is wrong with its inputs is
// an error.

// RUN: rm -rf %t && mkdir %t
// RUN: quant-compile %s -o %t/rows.so
// RUN: %python %S/../../Integration/Inputs/make_npz.py %t/good.npz "x=-np.ones((2, 3), 'f')" "y=3 * np.ones((1, 3), 'f')"
// RUN: %python %S/../../Integration/Inputs/make_npz.py %t/dim.npz "x=-np.ones((2, 4), 'f')" "y=3 * np.ones((1, 3), 'f')"
// RUN: %python %S/../../Integration/Inputs/make_npz.py %t/broadcast.npz "x=-np.ones((2, 3), 'f')" "y=np.ones((5, 3), 'f')"

// RUN: quant-run %t/rows.so --inputs=%t/good.npz | FileCheck %s --check-prefix=GOOD
// GOOD: sum: float32[2, 3]
// RUN: quant-run %t/rows.so --compare=%s --inputs=%t/good.npz | FileCheck %s --check-prefix=COMPARE
// COMPARE: sum {{ *}}0.00000     inf  0.000e+00   0.000e+00  1.000000
// RUN: quant-run %t/rows.so --bench --tokens=2 --threads=2 | FileCheck %s --check-prefix=BENCH
// BENCH: tokens: 2  median:
// RUN: not quant-run %t/rows.so --inputs=%t/dim.npz 2>&1 | FileCheck %s --check-prefix=DIM
// DIM: quant-run: error: input 'x' must be float32[count, 3], got float32[2, 4]
// RUN: not quant-run %t/rows.so --inputs=%t/broadcast.npz 2>&1 | FileCheck %s --check-prefix=BROADCAST
// BROADCAST: quant-run: error: onnx.Add: operands do not broadcast at dimension -2

// Any other library is refused.
// RUN: echo "int x;" > %t/other.c
// RUN: %clang -shared %t/other.c -o %t/other.so
// RUN: not quant-run %t/other.so --bench 2>&1 | FileCheck %s --check-prefix=OTHER
// OTHER: quant-run: error: '{{.*}}other.so' is no compiled model: it lacks lowbit_get_model

func.func @main(%x: tensor<?x3xf32> {onnx.name = "x", onnx.dim_params = ["count", ""]},
                %y: tensor<?x3xf32> {onnx.name = "y"})
    -> (tensor<?x3xf32> {onnx.name = "sum"}) {
  %sum = "onnx.Add"(%x, %y) : (tensor<?x3xf32>, tensor<?x3xf32>) -> tensor<?x3xf32>
  return %sum : tensor<?x3xf32>
}
