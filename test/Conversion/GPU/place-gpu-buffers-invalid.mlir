// RUN: quant-opt %s --place-gpu-buffers --split-input-file -verify-diagnostics

func.func @host_access() -> vector<4xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %cst = arith.constant 1.0 : f32
  %a = memref.alloc() : memref<4xf32>
  gpu.launch blocks(%x, %y, %z) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%bx = %c1, %by = %c1, %bz = %c1) {
    memref.store %cst, %a[%tx] : memref<4xf32>
    gpu.terminator
  }
  // expected-error @below {{runs on the host but uses a buffer that kernels use}}
  %0 = vector.load %a[%c0] : memref<4xf32>, vector<4xf32>
  memref.dealloc %a : memref<4xf32>
  return %0 : vector<4xf32>
}

// -----

// expected-error @below {{argument 0 of type 'memref<4xf32, strided<[2]>>' must be contiguous to be copied to the device}}
func.func @strided(%a: memref<4xf32, strided<[2]>>) {
  %c1 = arith.constant 1 : index
  %cst = arith.constant 1.0 : f32
  gpu.launch blocks(%x, %y, %z) in (%gx = %c1, %gy = %c1, %gz = %c1)
             threads(%tx, %ty, %tz) in (%bx = %c1, %by = %c1, %bz = %c1) {
    memref.store %cst, %a[%tx] : memref<4xf32, strided<[2]>>
    gpu.terminator
  }
  return
}
