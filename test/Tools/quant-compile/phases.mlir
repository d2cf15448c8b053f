// --emit=<phase> writes the module as the phase leaves it, for CPUs and GPUs.

// RUN: rm -rf %t && mkdir %t && cd %t

// The graph: its linear layers have packed weights, and nothing else changes.
// RUN: quant-compile %s -o quantized.mlir --target=x86-64-v3 --emit=quantized
// RUN: FileCheck %s --check-prefix=QUANTIZED --implicit-check-not=linalg. \
// RUN:     --implicit-check-not=memref < quantized.mlir
// QUANTIZED: func.func @main(%{{.*}}: tensor<?x512xf32> {onnx.name = "x"})
// QUANTIZED: #lowbit.external<"quantized.safetensors", "weight.codes.packed1">
// QUANTIZED: lowbit.matmul
// QUANTIZED: onnx.Relu
// RUN: quant-compile %s -o - --target=sm_80 --emit=quantized | FileCheck %s --check-prefix=GRAPH
// GRAPH-NOT: packed
// GRAPH: lowbit.matmul
// GRAPH-NEXT: onnx.Relu

// RUN: quant-compile %s -o linalg.mlir --target=x86-64-v3 --emit=linalg
// RUN: FileCheck %s --check-prefix=LINALG --implicit-check-not=onnx.Relu \
// RUN:     --implicit-check-not=lowbit.matmul --implicit-check-not=memref < linalg.mlir
// LINALG: lowbit.packed_matmul
// LINALG: linalg.generic
// RUN: quant-compile %s -o - --target=sm_80 --emit=linalg | FileCheck %s --check-prefix=LINALG

// RUN: quant-compile %s -o - --target=x86-64-v3 --emit=buffers \
// RUN:   | FileCheck %s --check-prefix=BUFFERS --implicit-check-not=bufferization. \
// RUN:     --implicit-check-not=tensor.
// BUFFERS: func.func @main(%{{.*}}: memref<?x512xf32>
// BUFFERS: lowbit.packed_matmul
// BUFFERS: linalg.generic
// RUN: quant-compile %s -o - --target=sm_80 --emit=buffers | FileCheck %s --check-prefix=BUFFERS

// RUN: quant-compile %s -o - --target=x86-64-v3 --emit=kernels \
// RUN:   | FileCheck %s --check-prefix=KERNELS --implicit-check-not=linalg. \
// RUN:     --implicit-check-not=packed_matmul --implicit-check-not=qvec
// KERNELS: func.func @main(%{{.*}}: memref<?x512xf32>
// KERNELS: omp.parallel
// KERNELS: vector.fma
// RUN: quant-compile %s -o - --target=sm_80 --emit=kernels \
// RUN:   | FileCheck %s --check-prefix=GPU-KERNELS --implicit-check-not=linalg. \
// RUN:     --implicit-check-not=packed_matmul
// GPU-KERNELS: gpu.launch_func
// GPU-KERNELS: gpu.func

// RUN: quant-compile %s -o mlir.mlir --target=x86-64-v3 --emit=mlir
// RUN: FileCheck %s --check-prefix=MLIR --implicit-check-not=memref \
// RUN:     --implicit-check-not=func.func < mlir.mlir
// MLIR: lowbit.weights = [#lowbit.external<"mlir.safetensors"
// MLIR: llvm.func @lowbit_entry
// RUN: quant-compile %s -o - --target=aarch64+dotprod --emit=mlir | FileCheck %s --check-prefix=ARM
// ARM: vector<16xf32>
// RUN: quant-compile %s -o - --target=sm_80 --emit=mlir \
// RUN:   | FileCheck %s --check-prefix=GPU-MLIR --implicit-check-not=gpu.func
// GPU-MLIR: .target sm_80
// GPU-MLIR: llvm.call @lowbit_gpu_launch

// The passes of quant-opt end in the same way.
// RUN: quant-opt %s --lower-to-x86=stop-after=buffers | FileCheck %s --check-prefix=BUFFERS
// RUN: quant-opt %s --lower-to-arm=stop-after=quantized | FileCheck %s --check-prefix=PACKED
// PACKED: packed
// PACKED: lowbit.matmul
// RUN: quant-opt %s --lower-to-nvptx=stop-after=linalg | FileCheck %s --check-prefix=LINALG

// Compilation goes on from what has been written: the same code results.
// RUN: quant-compile %s -o m.ll --target=x86-64-v3 --emit=llvm && mv m.ll direct.ll
// RUN: quant-compile quantized.mlir -o m.ll --target=x86-64-v3 --emit=llvm && cmp m.ll direct.ll
// RUN: quant-compile linalg.mlir -o m.ll --target=x86-64-v3 --emit=llvm && cmp m.ll direct.ll

// A graph is not what comes after one.
// RUN: not quant-compile linalg.mlir -o none.mlir --target=x86-64-v3 --emit=quantized 2>&1 \
// RUN:   | FileCheck %s --check-prefix=LATER
// LATER: error: '{{.*}}linalg.mlir': cannot compile: 'arith.constant' op must not exist after phase 'quantized'; there are {{[0-9]+$}}
// RUN: not quant-compile %s -o none.mlir --target=x86-64 --emit=mlir 2>&1 \
// RUN:   | FileCheck %s --check-prefix=LEVELS
// LEVELS: error: target 'x86-64' is for several kinds of CPUs, and what --emit asks for is for one: x86-64-v3, say
// RUN: not ls none.mlir none.safetensors

!s4 = !lowbit.tensor<1024x512xf32, #lowbit.uniform<s4, group = [*, *], scale = f32, zero = none>>

func.func @main(%x: tensor<?x512xf32> {onnx.name = "x"})
    -> (tensor<?x1024xf32> {onnx.name = "y"}) {
  %w = lowbit.constant {codes = dense<0x21> : tensor<1024x256xi8>,
                        scales = dense<0.5> : tensor<1x1xf32>} : !s4
  %y = lowbit.matmul %x, %w : (tensor<?x512xf32>, !s4) -> tensor<?x1024xf32>
  %z = "onnx.Relu"(%y) : (tensor<?x1024xf32>) -> tensor<?x1024xf32>
  return %z : tensor<?x1024xf32>
}
