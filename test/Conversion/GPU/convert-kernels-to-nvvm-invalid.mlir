// RUN: quant-opt %s --pass-pipeline='builtin.module(gpu.module(convert-kernels-to-nvvm))' \
// RUN:   --split-input-file -verify-diagnostics

// expected-error @below {{needs '__nv_expf' of NVIDIA's libdevice; --expand-gpu-math writes out what kernels compute}}
gpu.module @library {
  gpu.func @exp(%a: memref<f32>) kernel {
    %0 = memref.load %a[] : memref<f32>
    %1 = math.exp %0 : f32
    memref.store %1, %a[] : memref<f32>
    gpu.return
  }
}

// -----

gpu.module @host {
  gpu.func @allocate(%n: index) kernel {
    // expected-error @below {{failed to legalize operation 'gpu.alloc'}}
    %0 = gpu.alloc(%n) : memref<?xf32>
    gpu.dealloc %0 : memref<?xf32>
    gpu.return
  }
}
