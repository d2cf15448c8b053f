// RUN: quant-opt %s --convert-gpu-host-to-llvm --split-input-file -verify-diagnostics

func.func @direction(%a: memref<4xf32>, %b: memref<4xf32>) {
  // expected-error @below {{lacks 'lowbit.copy', the direction; --place-gpu-buffers sets it}}
  gpu.memcpy %a, %b : memref<4xf32>, memref<4xf32>
  return
}

// -----

func.func @async() {
  // expected-error @below {{must not be asynchronous; the runtime's stream keeps the order}}
  %0 = gpu.wait async
  %1, %2 = gpu.alloc async [%0] () : memref<4xf32>
  return
}

// -----

func.func @shared() {
  // expected-error @below {{asks for memory that the host shares}}
  %0 = gpu.alloc host_shared () : memref<4xf32>
  return
}

// -----

module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @nothing() kernel {
      gpu.return
    }
  }
  func.func @uncompiled() {
    %c1 = arith.constant 1 : index
    // expected-error @below {{needs @kernels as a gpu.binary; --convert-kernels-to-ptx makes it}}
    gpu.launch_func @kernels::@nothing blocks in (%c1, %c1, %c1)
        threads in (%c1, %c1, %c1)
    return
  }
}

// -----

module attributes {gpu.container_module} {
  // expected-error @below {{must hold PTX, which the driver compiles}}
  gpu.binary @kernels [#gpu.object<#nvvm.target, bin = "x">]
  func.func @machine_code() {
    %c1 = arith.constant 1 : index
    gpu.launch_func @kernels::@nothing blocks in (%c1, %c1, %c1)
        threads in (%c1, %c1, %c1)
    return
  }
}

// -----

module attributes {gpu.container_module} {
  gpu.binary @kernels [#gpu.object<#nvvm.target, assembly = "x">]
  func.func @dynamic_shared_memory(%bytes: i32) {
    %c1 = arith.constant 1 : index
    // expected-error @below {{asks for dynamic shared memory}}
    gpu.launch_func @kernels::@nothing blocks in (%c1, %c1, %c1)
        threads in (%c1, %c1, %c1) dynamic_shared_memory_size %bytes
    return
  }
}

// -----

module attributes {gpu.container_module} {
  gpu.binary @kernels [#gpu.object<#nvvm.target, assembly = "x">]
  func.func @clusters() {
    %c1 = arith.constant 1 : index
    // expected-error @below {{asks for clusters}}
    gpu.launch_func @kernels::@nothing clusters in (%c1, %c1, %c1)
        blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
    return
  }
}
