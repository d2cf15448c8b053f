//===- Passes.td - passes of the GPU path ---------------- -*- tablegen -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_CONVERSION_GPU_PASSES_TD
#define LOWBIT_CONVERSION_GPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertLinalgToGPU : Pass<"convert-linalg-to-gpu", "::mlir::ModuleOp"> {
  let summary = "Turn each structured operation on buffers into a kernel";
  let description = [{
    Replaces every structured operation on buffers by one `gpu.launch`:

    * `lowbit.packed_matmul` by one warp a row of the weight, which decodes it in
      registers,
    * contractions by a kernel of tiles in shared memory,
    * reductions along the contiguous dimension by one warp a result,
    * all others by one thread a result.

    Operations on a few integers whose sizes are known, with which programs
    compute shapes, become loops on the host.

    ```mlir
    linalg.generic {...} ins(%a : memref<?xf32>) outs(%b : memref<?xf32>) {
    ^bb0(%x : f32, %y : f32):
      %0 = arith.negf %x : f32
      linalg.yield %0 : f32
    }
    ```
    becomes
    ```mlir
    gpu.launch blocks(...) in (%blocks, 1, 1) threads(...) in (256, 1, 1) {
      // The thread's element, if there is one, negated.
    }
    ```

    The kernels of `lowbit.packed_matmul` take float inputs and weights of every
    format, as they are stored; packed layouts and quantized inputs are an error.
  }];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::bufferization::BufferizationDialect",
    "::mlir::gpu::GPUDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect", "::mlir::vector::VectorDialect"
  ];
}

def PlaceGPUBuffers : Pass<"place-gpu-buffers", "::mlir::ModuleOp"> {
  let summary = "Decide which buffers live on the device, and copy explicitly";
  let description = [{
    A buffer that some kernel touches lives on the device, together with all
    that may alias it; every other buffer stays on the host. Allocations become
    `gpu.alloc`, accesses of the host to the device become `gpu.memcpy`, and the
    arguments and results of public functions, which are on the host, are copied
    at entry and return. Constants (`memref.get_global`, `lowbit.weight`) are
    marked `lowbit.device`: they are uploaded once, when first needed. Constant
    numbers and sizes of buffers that kernels use are computed inside them.

    ```mlir
    %b = memref.alloc(%n) : memref<?xf32>
    gpu.launch ... { memref.store %x, %b[%i] : memref<?xf32> }
    %0 = memref.load %b[%c0] : memref<?xf32>
    ```
    becomes
    ```mlir
    %b = gpu.alloc(%n) : memref<?xf32>
    gpu.launch ... { memref.store %x, %b[%i] : memref<?xf32> }
    %element = memref.subview %b[%c0] [1] [1] : memref<?xf32> to memref<f32, ...>
    gpu.memcpy %local, %element {lowbit.copy = "to_host"}
    %0 = memref.load %local[] : memref<f32>
    ```
  }];
  let dependentDialects = [
    "::mlir::gpu::GPUDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"
  ];
}

def DeduplicateKernels
    : Pass<"deduplicate-gpu-kernels", "::mlir::ModuleOp"> {
  let summary = "Keep one of equal kernels";
  let description = [{
    The layers of a model launch kernels that are equal but for their names.
    This pass keeps the first of each and lets all launches use it, so that the
    size of the device code does not grow with the number of layers.

    ```mlir
    gpu.launch_func @kernels::@map_0 ... args(%a : memref<?xf32>)
    gpu.launch_func @kernels::@map_7 ... args(%b : memref<?xf32>)
    ```
    becomes, if the bodies of `@map_0` and `@map_7` are equal,
    ```mlir
    gpu.launch_func @kernels::@map_0 ... args(%a : memref<?xf32>)
    gpu.launch_func @kernels::@map_0 ... args(%b : memref<?xf32>)
    ```
  }];
  let dependentDialects = ["::mlir::gpu::GPUDialect"];
  let statistics = [
    Statistic<"numErased", "num-erased", "Number of kernels removed">
  ];
}

def ExpandGPUMath : Pass<"expand-gpu-math", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Write device math without a device math library";
  let description = [{
    Replaces the functions of `math` inside kernels by polynomials and by
    operations that the hardware has, so that no kernel needs libdevice.
    Functions without such a form are an error.

    ```mlir
    %0 = math.rsqrt %x : f32
    ```
    becomes
    ```mlir
    %root = math.sqrt %x : f32
    %0 = arith.divf %one, %root : f32
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
    "::mlir::vector::VectorDialect"
  ];
}

def ConvertKernelsToNVVM
    : Pass<"convert-kernels-to-nvvm", "::mlir::gpu::GPUModuleOp"> {
  let summary = "Lower kernels to the LLVM and NVVM dialects";
  let description = [{
    Like upstream's `convert-gpu-to-nvvm`, but functions that the hardware has
    (`math.sqrt`, `math.floor`, `arith.maxnumf`, ...) become LLVM intrinsics,
    which the NVPTX backend selects, and not calls of libdevice. A function that
    only libdevice has is an error; `--expand-gpu-math` leaves none.

    ```mlir
    %0 = math.sqrt %x : f32
    %1, %valid = gpu.shuffle xor %0, %distance, %width : f32
    ```
    becomes
    ```mlir
    %0 = llvm.intr.sqrt(%x) : (f32) -> f32
    %1 = nvvm.shfl.sync bfly %mask, %0, %distance, %clamp : f32 -> f32
    ```
  }];
  let dependentDialects = [
    "::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect"
  ];
}

def ConvertKernelsToPtx
    : Pass<"convert-kernels-to-ptx", "::mlir::ModuleOp"> {
  let summary = "Translate kernels in the NVVM dialect to PTX";
  let description = [{
    Each `gpu.module` in the LLVM and NVVM dialects, with one `#nvvm.target`,
    becomes a `gpu.binary` with its PTX, optimized by LLVM for that target. Unlike
    upstream's `gpu-module-to-binary`, which links NVIDIA's libdevice, this needs
    no CUDA toolkit and complains about none.

    ```mlir
    gpu.module @kernels [#nvvm.target<chip = "sm_80">] { llvm.func @map_0() ... }
    ```
    becomes
    ```mlir
    gpu.binary @kernels [#gpu.object<#nvvm.target<chip = "sm_80">, assembly = "...">]
    ```
  }];
  let dependentDialects = [
    "::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect",
    "::mlir::gpu::GPUDialect"
  ];
}

def ConvertGPUHostToLLVM
    : Pass<"convert-gpu-host-to-llvm", "::mlir::ModuleOp"> {
  let summary = "Lower launches and device memory to calls of the runtime";
  let description = [{
    Lowers `gpu.alloc`, `gpu.dealloc`, `gpu.memcpy`, `gpu.launch_func` and
    device constants to calls of Lowbit's GPU runtime (`lowbit_gpu_*`), and puts
    the PTX of `gpu.binary` into a constant of the program, which the runtime
    gives to the driver at the first launch. What the program holds (weights on
    the device, loaded kernels) it gives back in the function `lowbit_unload`,
    which is also the library's destructor.

    ```mlir
    %0 = gpu.alloc(%n) : memref<?xf32>
    gpu.launch_func @kernels::@map_0 blocks in (%b, %c1, %c1)
        threads in (%c256, %c1, %c1) args(%0 : memref<?xf32>)
    ```
    becomes
    ```mlir
    %memory = func.call @lowbit_gpu_alloc(%bytes) : (i64) -> !llvm.ptr
    ...
    func.call @lowbit_gpu_launch(%module, %ptx, %function, %name, %b, ...,
                                 %arguments)
    ```

    Asynchronous operations, dynamic shared memory, clusters and memory that the
    host shares are errors: the runtime has no call for them.

    With `emulate`, kernels are not compiled for a device: each becomes a
    function of the host that runs one thread, and launches call the emulator,
    which runs the threads of a block as coroutines.
  }];
  let options = [
    Option<"emulate", "emulate", "bool", "false",
           "Run the kernels on the host">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
    "::mlir::gpu::GPUDialect", "::mlir::LLVM::LLVMDialect",
    "::mlir::memref::MemRefDialect"
  ];
}

#endif // LOWBIT_CONVERSION_GPU_PASSES_TD
