// RUN: quant-opt %s --lowbit-verify-phase="phase=quantized"
// RUN: not quant-opt %s --lowbit-verify-phase="phase=onnx" 2>&1 | FileCheck %s --check-prefix=ONNX
// RUN: not quant-opt %s --lowbit-verify-phase="phase=linalg" 2>&1 | FileCheck %s --check-prefix=LINALG
// RUN: quant-opt %s --lowbit-to-linalg --lowbit-verify-phase="phase=linalg"
// RUN: not quant-opt %s --lowbit-to-linalg --lowbit-verify-phase="phase=buffers" 2>&1 | FileCheck %s --check-prefix=BUFFERS
// RUN: quant-opt %s --lowbit-to-linalg --one-shot-bufferize="bufferize-function-boundaries" --lowbit-verify-phase="phase=buffers"
// RUN: not quant-opt %s --lowbit-to-linalg --one-shot-bufferize="bufferize-function-boundaries" --lowbit-verify-phase="phase=kernels" 2>&1 | FileCheck %s --check-prefix=KERNELS
// RUN: quant-opt %s --lower-to-nvptx=stop-after=kernels | not quant-opt --lowbit-verify-phase="phase=ptx" 2>&1 | FileCheck %s --check-prefix=PTX
// RUN: not quant-opt %s --lowbit-verify-phase="phase=llvm" 2>&1 | FileCheck %s --check-prefix=LLVM
// RUN: not quant-opt %s --lowbit-verify-phase="phase=binary" 2>&1 | FileCheck %s --check-prefix=PHASE

// Every kind of operation is named, once.
// ONNX: error: 'lowbit.constant' op must not exist after phase 'onnx'; there are 1
// ONNX: error: 'lowbit.matmul' op must not exist after phase 'onnx'; there are 2
// ONNX-NOT: 'lowbit.matmul'
// LINALG: error: 'lowbit.constant' op must not exist after phase 'linalg'
// LINALG: error: 'lowbit.matmul' op must not exist after phase 'linalg'
// BUFFERS: error: 'func.func' op must not use type 'tensor<?x8xf32>' after phase 'buffers'
// KERNELS: error: 'linalg.generic' op must not exist after phase 'kernels'
// PTX: error: 'gpu.module' op must not exist after phase 'ptx'; there are 1
// LLVM: error: 'func.func' op must not exist after phase 'llvm'
// PHASE: error: {{.*}}lowbit-verify-phase: phase is 'binary', but must be one of onnx quantized linalg buffers kernels ptx llvm
func.func @model(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %w = lowbit.constant {
    codes = #lowbit.external<"w.safetensors", "c"> : tensor<8x4xi8>, scales = dense<1.0> : tensor<8x1xf16>
  } : !lowbit.tensor<8x8xf32, #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>>
  %0 = lowbit.matmul %x, %w
      : (tensor<?x8xf32>, !lowbit.tensor<8x8xf32, #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>>) -> tensor<?x8xf32>
  %1 = lowbit.matmul %0, %w
      : (tensor<?x8xf32>, !lowbit.tensor<8x8xf32, #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>>) -> tensor<?x8xf32>
  return %1 : tensor<?x8xf32>
}
