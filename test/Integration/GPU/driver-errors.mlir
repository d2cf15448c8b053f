// A model on machines that cannot run it: an error of one line, exit status 1.

// RUN: rm -rf %t && mkdir %t
// RUN: %python %S/../Inputs/make_npz.py %t/in.npz "x=np.ones((3, 64), 'f')"

// RUN: not env LD_LIBRARY_PATH=/nowhere quant-run %s --gpu=sm_80 --inputs=%t/in.npz 2>&1 \
// RUN:   | FileCheck %s --check-prefix=DRIVER
// DRIVER: quant-run: error: no CUDA driver: libcuda.so.1

// RUN: not env LD_LIBRARY_PATH=%fake_cuda FAKE_CUDA_VERSION=10020 \
// RUN:   quant-run %s --gpu=sm_80 --inputs=%t/in.npz 2>&1 | FileCheck %s --check-prefix=VERSION
// VERSION: quant-run: error: the CUDA driver is too old: it is for CUDA 10.2, the program needs 11.0 (PTX 7.0)

// RUN: not env LD_LIBRARY_PATH=%fake_cuda FAKE_CUDA_CAPABILITY=80 \
// RUN:   quant-run %s --gpu=sm_90 --inputs=%t/in.npz 2>&1 | FileCheck %s --check-prefix=CAPABILITY
// CAPABILITY: quant-run: error: unsupported GPU: 'Fake GPU' has compute capability 8.0, the program needs 9.0 or newer

// RUN: not env LD_LIBRARY_PATH=%fake_cuda FAKE_CUDA_MEMORY=1000 \
// RUN:   quant-run %s --gpu=sm_80 --inputs=%t/in.npz 2>&1 | FileCheck %s --check-prefix=MEMORY
// MEMORY: quant-run: error: out of memory on the GPU 'Fake GPU'

// RUN: not quant-run %s --gpu=sm_1 --inputs=%t/in.npz 2>&1 | FileCheck %s --check-prefix=CHIP
// CHIP: quant-run: error: {{.*}}unknown GPU 'sm_1'; known are sm_75

// RUN: not quant-run %t/model.so --gpu=sm_80 --inputs=%t/in.npz 2>&1 | FileCheck %s --check-prefix=COMPILED
// COMPILED: quant-run: error: --gpu compiles a model, and '{{.*}}model.so' has been compiled

// With a driver that takes everything, the whole program runs, and the end gives
// back what it held.

// RUN: env LD_LIBRARY_PATH=%fake_cuda quant-run %s --gpu=sm_80 --inputs=%t/in.npz \
// RUN:   | FileCheck %s --check-prefix=GOOD
// GOOD: copy to device 768
// GOOD: load module
// GOOD: get function quant_matmul_
// GOOD: launch 3x1x1 of 32x8x1
// GOOD-DAG: y: float32[3, 17]
// GOOD-DAG: unload module

// The same as a library, which loads on any machine: the driver is looked for when
// the model runs, and the caller gets the error.

// RUN: quant-compile %s --target=sm_80 -o %t/model.so
// RUN: not env LD_LIBRARY_PATH=/nowhere quant-run %t/model.so --inputs=%t/in.npz 2>&1 \
// RUN:   | FileCheck %s --check-prefix=DRIVER
// RUN: not env LD_LIBRARY_PATH=%fake_cuda FAKE_CUDA_MEMORY=1000 \
// RUN:   quant-run %t/model.so --inputs=%t/in.npz 2>&1 | FileCheck %s --check-prefix=MEMORY
// RUN: env LD_LIBRARY_PATH=%fake_cuda quant-run %t/model.so --inputs=%t/in.npz \
// RUN:   | FileCheck %s --check-prefix=GOOD

// Nothing of its runtime can be seen from outside, so that a program can use
// several models; an object brings all that it needs.

// RUN: llvm-nm -D --defined-only %t/model.so | FileCheck %s --check-prefix=SYMBOLS
// SYMBOLS-NOT: {{gpu|cuda}}
// SYMBOLS: lowbit_get_model
// SYMBOLS-NOT: {{gpu|cuda}}
// RUN: quant-compile %s --target=sm_80 --emit=obj -o %t/model.o
// RUN: llvm-nm --undefined-only %t/model.o | FileCheck %s --check-prefix=NEEDS
// NEEDS-NOT: lowbit
// NEEDS: dlopen
// NEEDS-NOT: lowbit

func.func @main(%x: tensor<?x64xf32> {onnx.name = "x"}) -> (tensor<?x17xf32> {onnx.name = "y"}) {
  %w = lowbit.constant {
    codes = dense<90> : tensor<17x32xi8>, scales = dense<0.5> : tensor<17x2xf16>, zeros = dense<102> : tensor<17x1xi8>
  } : !lowbit.tensor<17x64xf32, #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = u4>>
  %y = lowbit.matmul %x, %w
      : (tensor<?x64xf32>, !lowbit.tensor<17x64xf32, #lowbit.uniform<u4, group = [1, 32], scale = f16, zero = u4>>)
      -> tensor<?x17xf32>
  return %y : tensor<?x17xf32>
}
