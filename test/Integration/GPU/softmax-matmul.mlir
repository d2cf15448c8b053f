// The kernels of a GPU, run by the emulator, against loops on the host.

// RUN: quant-opt %s --lower-to-nvptx=emulate > %t.gpu.mlir
// RUN: mlir-runner %t.gpu.mlir -e main -entry-point-result=void \
// RUN:   --shared-libs=%lowbit_libs/liblowbit_gpu_emulator.so,%mlir_libs/libmlir_runner_utils.so,%mlir_libs/libmlir_c_runner_utils.so \
// RUN:   > %t.gpu
// RUN: quant-opt %s %loops > %t.cpu.mlir
// RUN: mlir-runner %t.cpu.mlir -e main -entry-point-result=void \
// RUN:   --shared-libs=%mlir_libs/libmlir_runner_utils.so,%mlir_libs/libmlir_c_runner_utils.so \
// RUN:   > %t.cpu
// RUN: %python %S/Inputs/compare_printed.py %t.gpu %t.cpu | FileCheck %s

// CHECK: 6030 elements agree

func.func private @printMemrefF32(tensor<*xf32>)
func.func @main() {
  %c0 = arith.constant 0 : index
  %a = tensor.generate {
    ^bb0(%i: index, %j: index):
      %c7 = arith.constant 7 : index
      %c13 = arith.constant 13 : index
      %0 = arith.muli %i, %c7 : index
      %1 = arith.muli %j, %c13 : index
      %2 = arith.addi %0, %1 : index
      %c17 = arith.constant 17 : index
      %3 = arith.remui %2, %c17 : index
      %4 = arith.index_cast %3 : index to i32
      %5 = arith.sitofp %4 : i32 to f32
      %c = arith.constant 0.1 : f32
      %6 = arith.mulf %5, %c : f32
      tensor.yield %6 : f32
  } : tensor<67x70xf32>
  %b = tensor.generate {
    ^bb0(%i: index, %j: index):
      %c7 = arith.constant 5 : index
      %c13 = arith.constant 3 : index
      %0 = arith.muli %i, %c7 : index
      %1 = arith.muli %j, %c13 : index
      %2 = arith.addi %0, %1 : index
      %c17 = arith.constant 19 : index
      %3 = arith.remui %2, %c17 : index
      %4 = arith.index_cast %3 : index to i32
      %5 = arith.sitofp %4 : i32 to f32
      %c = arith.constant 0.03 : f32
      %6 = arith.mulf %5, %c : f32
      tensor.yield %6 : f32
  } : tensor<70x90xf32>
  %ac = tensor.cast %a : tensor<67x70xf32> to tensor<?x70xf32>
  %r = call @entry(%ac, %b) : (tensor<?x70xf32>, tensor<70x90xf32>) -> tensor<?x90xf32>
  %u = tensor.cast %r : tensor<?x90xf32> to tensor<*xf32>
  call @printMemrefF32(%u) : (tensor<*xf32>) -> ()
  return
}
func.func @entry(%a: tensor<?x70xf32>, %b: tensor<70x90xf32>) -> tensor<?x90xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %m = tensor.dim %a, %c0 : tensor<?x70xf32>
  %e = tensor.empty(%m) : tensor<?x90xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x90xf32>) -> tensor<?x90xf32>
  %p = linalg.matmul ins(%a, %b : tensor<?x70xf32>, tensor<70x90xf32>) outs(%f : tensor<?x90xf32>) -> tensor<?x90xf32>
  // softmax over the last dimension
  %ninf = arith.constant 0xFF800000 : f32
  %er = tensor.empty(%m) : tensor<?xf32>
  %fr = linalg.fill ins(%ninf : f32) outs(%er : tensor<?xf32>) -> tensor<?xf32>
  %mx = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]}
    ins(%p : tensor<?x90xf32>) outs(%fr : tensor<?xf32>) {
    ^bb0(%x: f32, %acc: f32):
      %0 = arith.maximumf %x, %acc : f32
      linalg.yield %0 : f32
  } -> tensor<?xf32>
  %ex = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
    ins(%p, %mx : tensor<?x90xf32>, tensor<?xf32>) outs(%e : tensor<?x90xf32>) {
    ^bb0(%x: f32, %y: f32, %o: f32):
      %0 = arith.subf %x, %y : f32
      %1 = math.exp %0 : f32
      linalg.yield %1 : f32
  } -> tensor<?x90xf32>
  %fs = linalg.fill ins(%zero : f32) outs(%er : tensor<?xf32>) -> tensor<?xf32>
  %s = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>], iterator_types = ["parallel", "reduction"]}
    ins(%ex : tensor<?x90xf32>) outs(%fs : tensor<?xf32>) {
    ^bb0(%x: f32, %acc: f32):
      %0 = arith.addf %x, %acc : f32
      linalg.yield %0 : f32
  } -> tensor<?xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>], iterator_types = ["parallel", "parallel"]}
    ins(%ex, %s : tensor<?x90xf32>, tensor<?xf32>) outs(%e : tensor<?x90xf32>) {
    ^bb0(%x: f32, %y: f32, %o: f32):
      %0 = arith.divf %x, %y : f32
      linalg.yield %0 : f32
  } -> tensor<?x90xf32>
  return %r : tensor<?x90xf32>
}
