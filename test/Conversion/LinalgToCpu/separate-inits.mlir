// RUN: quant-opt %s --lowbit-separate-inits | FileCheck %s
// RUN: quant-opt %s --lowbit-separate-inits --one-shot-bufferize="bufferize-function-boundaries" | FileCheck %s --check-prefix=BUFFERS

#all = affine_map<(d0, d1) -> (d0, d1)>
#row = affine_map<(d0, d1) -> (d0)>

// Both accumulators begin with zeros, each with its own: bufferization need not
// copy the one for the other.
// CHECK-LABEL: @ranges
// CHECK-COUNT-3: linalg.fill
// CHECK: linalg.generic {{.*}} outs(%{{.*}}, %{{.*}} : tensor<?xf32>, tensor<?xf32>)
// BUFFERS-LABEL: @ranges
// BUFFERS-COUNT-3: memref.alloc
// BUFFERS-NOT: memref.copy
func.func @ranges(%x: tensor<?x8xf32>, %n: index) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>) {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty(%n) : tensor<?xf32>
  %zeros = linalg.fill ins(%zero : f32) outs(%empty : tensor<?xf32>) -> tensor<?xf32>
  %0:2 = linalg.generic {indexing_maps = [#all, #row, #row], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x8xf32>) outs(%zeros, %zeros : tensor<?xf32>, tensor<?xf32>) {
  ^bb0(%in: f32, %a: f32, %b: f32):
    %lo = arith.minimumf %in, %a : f32
    %hi = arith.maximumf %in, %b : f32
    linalg.yield %lo, %hi : f32, f32
  } -> (tensor<?xf32>, tensor<?xf32>)
  return %0#0, %0#1, %zeros : tensor<?xf32>, tensor<?xf32>, tensor<?xf32>
}
