// RUN: quant-run %s --bench --tokens=1,3 | FileCheck %s
// CHECK: tokens: 1  median: {{[0-9.]+}} us  spread: {{[0-9.]+}} us
// CHECK: tokens: 3  median:

// RUN: quant-run %s --bench --tokens=2 --json | FileCheck %s --check-prefix=JSON
// JSON: [{"median_us":{{.*}},"tokens":2}]


func.func @main(%x: tensor<?x3xf32> {onnx.name = "x"})
    -> (tensor<?x3xf32> {onnx.name = "y"}) {
  return %x : tensor<?x3xf32>
}
