// RUN: quant-opt %s --lower-to-nvptx | FileCheck %s --check-prefix=HOST
// RUN: quant-opt %s --lower-to-nvptx="chip=sm_90 stop-after=ptx" \
// RUN:   | FileCheck %s --check-prefix=PTX
// RUN: quant-opt %s --lower-to-nvptx="stop-after=kernels" \
// RUN:   | FileCheck %s --check-prefix=KERNELS
// RUN: quant-opt %s --lower-to-nvptx > %t.1
// RUN: quant-opt %s --lower-to-nvptx > %t.2
// RUN: cmp %t.1 %t.2
// No CUDA toolkit is needed or asked for.
// RUN: env CUDA_ROOT=%t.none quant-opt %s --lower-to-nvptx -o %t.1 2>&1 \
// RUN:   | FileCheck %s --allow-empty --check-prefix=SILENT
// SILENT-NOT: {{.}}

// HOST-NOT: gpu.
// HOST: llvm.mlir.global internal constant @kernels_ptx
// HOST-SAME: .version 7.0
// HOST-SAME: .target sm_80
// HOST-SAME: .entry matmul_
// HOST: llvm.func @main
// HOST: llvm.call @lowbit_gpu_alloc
// HOST: llvm.call @lowbit_gpu_copy_to_device
// HOST: llvm.call @lowbit_gpu_launch
// HOST: llvm.call @lowbit_gpu_copy_to_host
// HOST: llvm.call @lowbit_gpu_free

// PTX: gpu.binary @kernels
// PTX-SAME: .target sm_90
// PTX-NOT: __nv_

// KERNELS: gpu.launch_func @kernels::@matmul_
// KERNELS: gpu.module @kernels
// KERNELS: gpu.func @matmul_
func.func @main(%a: tensor<?x70xf32>, %b: tensor<70x90xf32>)
    -> tensor<?x90xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %m = tensor.dim %a, %c0 : tensor<?x70xf32>
  %e = tensor.empty(%m) : tensor<?x90xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x90xf32>)
    -> tensor<?x90xf32>
  %p = linalg.matmul ins(%a, %b : tensor<?x70xf32>, tensor<70x90xf32>)
                     outs(%f : tensor<?x90xf32>) -> tensor<?x90xf32>
  %r = math.exp %p : tensor<?x90xf32>
  return %r : tensor<?x90xf32>
}
