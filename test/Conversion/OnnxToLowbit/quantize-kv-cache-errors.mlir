// RUN: not quant-opt %s --quantize-kv-cache=bits=3 2>&1 | FileCheck %s --check-prefix=BITS
// BITS: error: {{.*}}quantize-kv-cache: bits is 3, but must be 4 or 8
// RUN: not quant-opt %s --quantize-kv-cache=group-size=24 2>&1 | FileCheck %s --check-prefix=GROUP
// RUN: not quant-opt %s --quantize-kv-cache=group-size=0 2>&1 | FileCheck %s --check-prefix=GROUP
// RUN: not quant-opt %s --quantize-kv-cache=group-size=-2 2>&1 | FileCheck %s --check-prefix=GROUP
// GROUP: error: {{.*}}quantize-kv-cache: group-size is {{.+}}, but must be a positive multiple of 16, or -1 for whole heads
// RUN: not quant-opt %s --quantize-kv-cache 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: error: {{.*}}there is no KV cache to quantize: no result of a public function updates an argument
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
