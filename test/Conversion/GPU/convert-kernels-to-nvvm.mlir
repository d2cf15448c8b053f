// RUN: quant-opt %s --pass-pipeline='builtin.module(gpu.module(convert-kernels-to-nvvm))' \
// RUN:   | FileCheck %s

// CHECK-LABEL: gpu.module @kernels
gpu.module @kernels {
  // Buffers become their descriptors' parts; positions are special registers.
  // CHECK-LABEL: llvm.func @position(
  // CHECK-SAME: !llvm.ptr
  // CHECK-SAME: nvvm.kernel
  // CHECK: nvvm.read.ptx.sreg.ctaid.x
  // CHECK: nvvm.read.ptx.sreg.tid.x
  // CHECK: llvm.store
  // CHECK: llvm.return
  gpu.func @position(%a: memref<?xi32>) kernel {
    %b = gpu.block_id x
    %t = gpu.thread_id x
    %0 = arith.addi %b, %t : index
    %1 = arith.index_cast %0 : index to i32
    memref.store %1, %a[%0] : memref<?xi32>
    gpu.return
  }

  // Memory that a block shares is a variable of its own address space.
  // CHECK: llvm.mlir.global internal @[[SHARED:[a-z_0-9]+]]() {addr_space = 3 : i32, alignment = 16 : i64} : !llvm.array<32 x f32>
  // CHECK-LABEL: llvm.func @exchange
  // CHECK: llvm.mlir.addressof @[[SHARED]] : !llvm.ptr<3>
  // CHECK: nvvm.barrier
  // CHECK: nvvm.shfl.sync  bfly
  gpu.func @exchange(%a: memref<32xf32>)
      workgroup(%s: memref<32xf32, #gpu.address_space<workgroup>>) kernel {
    %t = gpu.thread_id x
    %c1 = arith.constant 1 : i32
    %c32 = arith.constant 32 : i32
    %0 = memref.load %a[%t] : memref<32xf32>
    memref.store %0, %s[%t] : memref<32xf32, #gpu.address_space<workgroup>>
    gpu.barrier
    %1 = memref.load %s[%t] : memref<32xf32, #gpu.address_space<workgroup>>
    %2, %valid = gpu.shuffle xor %1, %c1, %c32 : f32
    memref.store %2, %a[%t] : memref<32xf32>
    gpu.return
  }

  // What the hardware computes is an intrinsic that the backend selects, not a
  // call of NVIDIA's library.
  // CHECK-LABEL: llvm.func @math
  // CHECK: llvm.intr.sqrt
  // CHECK: llvm.intr.floor
  // CHECK: llvm.intr.fma
  // CHECK: llvm.intr.maxnum
  // CHECK: llvm.intr.minnum
  // CHECK: llvm.frem
  // CHECK-NOT: __nv_
  // CHECK: llvm.return
  gpu.func @math(%a: memref<f32>) kernel {
    %0 = memref.load %a[] : memref<f32>
    %1 = math.sqrt %0 : f32
    %2 = math.floor %1 : f32
    %3 = math.fma %0, %1, %2 : f32
    %4 = arith.maxnumf %3, %0 : f32
    %5 = arith.minnumf %4, %1 : f32
    %6 = arith.remf %5, %2 : f32
    memref.store %6, %a[] : memref<f32>
    gpu.return
  }

  // One load reads as many bytes as it is said to be aligned to.
  // CHECK-LABEL: llvm.func @vector
  // CHECK: llvm.load %{{.*}} {alignment = 16 : i64} : !llvm.ptr -> vector<16xi8>
  // CHECK: llvm.bitcast %{{.*}} : vector<16xi8> to vector<4xi32>
  gpu.func @vector(%a: memref<64xi8>, %b: memref<4xi32>) kernel {
    %c0 = arith.constant 0 : index
    %0 = vector.load %a[%c0] {alignment = 16 : i64} : memref<64xi8>, vector<16xi8>
    %1 = vector.bitcast %0 : vector<16xi8> to vector<4xi32>
    vector.store %1, %b[%c0] : memref<4xi32>, vector<4xi32>
    gpu.return
  }
}
