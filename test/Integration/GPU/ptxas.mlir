// Every kernel assembles, keeps its values in registers and needs no library.

// REQUIRES: ptxas
// RUN: quant-opt %s --lower-to-nvptx=stop-after=ptx > %t.mlir
// RUN: %python %S/Inputs/extract_ptx.py %t.mlir > %t.ptx
// RUN: %ptxas -arch=sm_80 -v %t.ptx -o %t.cubin 2>&1 | FileCheck %s
// RUN: %ptxas -arch=sm_90 -v %t.ptx -o %t.cubin 2>&1 | FileCheck %s
// RUN: FileCheck %s --check-prefix=PTX < %t.ptx

// CHECK-NOT: {{[1-9][0-9]*}} bytes stack frame
// CHECK-NOT: {{[1-9][0-9]*}} bytes spill
// CHECK: registers
// PTX-NOT: .extern
// PTX: fma.rn.f32

func.func @main(%a: tensor<?x70xf32>, %b: tensor<70x90xf32>)
    -> (tensor<?x90xf32>, tensor<?xf32>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %m = tensor.dim %a, %c0 : tensor<?x70xf32>
  %e = tensor.empty(%m) : tensor<?x90xf32>
  %f = linalg.fill ins(%zero : f32) outs(%e : tensor<?x90xf32>)
    -> tensor<?x90xf32>
  %p = linalg.matmul ins(%a, %b : tensor<?x70xf32>, tensor<70x90xf32>)
                     outs(%f : tensor<?x90xf32>) -> tensor<?x90xf32>
  %x = math.exp %p : tensor<?x90xf32>
  %er = tensor.empty(%m) : tensor<?xf32>
  %fr = linalg.fill ins(%zero : f32) outs(%er : tensor<?xf32>) -> tensor<?xf32>
  %s = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>,
                                        affine_map<(i, j) -> (i)>],
                       iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x90xf32>) outs(%fr : tensor<?xf32>) {
  ^bb0(%in: f32, %acc: f32):
    %0 = arith.addf %in, %acc : f32
    linalg.yield %0 : f32
  } -> tensor<?xf32>
  return %x, %s : tensor<?x90xf32>, tensor<?xf32>
}
