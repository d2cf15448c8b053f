// RUN: quant-compile %s -o %t.ptx --target=sm_80 --emit=ptx
// RUN: FileCheck %s < %t.ptx
// CHECK: .target sm_80
// CHECK: .entry

// What --lower-to-nvptx left can be taken from its result, at either phase.
// RUN: quant-opt %s --lower-to-nvptx=stop-after=ptx -o %t.binary.mlir
// RUN: quant-compile %t.binary.mlir -o %t.binary.ptx --target=sm_80 --emit=ptx
// RUN: cmp %t.ptx %t.binary.ptx
// RUN: quant-opt %s --lower-to-nvptx -o %t.host.mlir
// RUN: quant-compile %t.host.mlir -o %t.host.ptx --target=sm_80 --emit=ptx
// RUN: cmp %t.ptx %t.host.ptx

// RUN: not quant-compile %t.host.mlir -o %t.none --target=sm_90 --emit=ptx 2>&1 \
// RUN:   | FileCheck %s --check-prefix=CHIP
// CHIP: host.mlir': the model has been lowered for sm_80, not for sm_90
// RUN: echo "func.func @main() { return }" > %t.empty.mlir
// RUN: not quant-compile %t.empty.mlir -o %t.none --target=sm_80 --emit=ptx 2>&1 \
// RUN:   | FileCheck %s --check-prefix=EMPTY
// EMPTY: empty.mlir': the model has no operation that runs on a GPU
// RUN: not test -e %t.none

func.func @main(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %x, %c0 : tensor<?x4xf32>
  %init = tensor.empty(%rows) : tensor<?x4xf32>
  %0 = linalg.generic {
      indexing_maps = [affine_map<(i, j) -> (i, j)>,
                       affine_map<(i, j) -> (i, j)>],
      iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x4xf32>) outs(%init : tensor<?x4xf32>) {
  ^bb0(%a: f32, %out: f32):
    %b = arith.addf %a, %a : f32
    linalg.yield %b : f32
  } -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
