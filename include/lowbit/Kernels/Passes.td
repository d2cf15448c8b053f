//===- Passes.td - from quantized operators to kernels -- -*- tablegen -*--===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_KERNELS_PASSES_TD
#define LOWBIT_KERNELS_PASSES_TD

include "mlir/Pass/PassBase.td"

def LowbitPackWeights : Pass<"lowbit-pack-weights", "::mlir::ModuleOp"> {
  let summary = "Bring constant weights into the layout of a target's kernels";
  let description = [{
    Asks the target's kernel generator for the layout of each `lowbit.matmul`
    with a constant weight, and reorders the bytes at compile time. What the
    generator does not serve keeps its layout, with a remark, and goes through
    the reference lowering. Quantized activations whose codes are no bytes, but
    stand for such, are widened for integer kernels (`lowbit.widen`); others are
    decoded in front of a kernel that multiplies floats, with a remark. Packed components of 64 KiB and more go to the weight
    file of the output.

    Before:

    ```mlir
    %w = lowbit.constant {...} : !lowbit.tensor<96x64xf32, #format>
    %y = lowbit.matmul %x, %w : (...) -> tensor<?x96xf32>
    ```

    After:

    ```mlir
    %w = lowbit.constant {...} : !lowbit.tensor<96x64xf32, #format, #lowbit.panels>
    %y = lowbit.matmul %x, %w : (...) -> tensor<?x96xf32>
    ```
  }];
  let options = [
    Option<"target", "target", "std::string", "\"avx2\"",
           "Kernels to pack for: avx2, avx512vnni, amx, neon, i8mm, sve or "
           "sve-i8mm">
  ];
  let statistics = [
    Statistic<"numPacked", "num-packed", "Number of weights packed">
  ];
  let dependentDialects = ["::lowbit::LowbitDialect"];
}

def LowbitGenerateKernels : Pass<"lowbit-generate-kernels", "::mlir::ModuleOp"> {
  let summary = "Replace operations on buffers by calls of generated kernels";
  let description = [{
    Each distinct combination of operand types gets one function, which the
    target's kernel generator builds; equal layers call the same one. Runs after
    bufferization. Replaced are `lowbit.packed_matmul` whose weight has a packed
    layout and `lowbit.attention`.

    A matmul is computed by the strategy that takes the least time for each
    number of tokens, as a count of the instructions of the inner loop and of
    the bytes of the weight says. `strategy` fixes it; an operator that it cannot
    serve is an error. What was compared is printed by
    `--remark-format=emitRemark --remarks-filter=lowbit-kernels`.

    Before:

    ```mlir
    lowbit.packed_matmul ins(%x : memref<?x64xf32>)
        weight(%c, %s : memref<6x8x64xi8>, memref<6x2x16xf16> as !lowbit.tensor<96x64xf32, #format, #lowbit.panels>)
        outs(%y : memref<?x96xf32>)
    ```

    After:

    ```mlir
    call @lowbit_matmul_0(%x, %c, %s, %y) : (...) -> ()
    ```
  }];
  let options = [
    Option<"target", "target", "std::string", "\"avx2\"",
           "Kernels to generate: avx2, avx512vnni, amx, neon, i8mm, sve or "
           "sve-i8mm">,
    Option<"parallel", "parallel", "bool", "true",
           "Run large loops on all threads, through OpenMP">,
    Option<"strategy", "strategy", "::lowbit::MatmulStrategy",
           "::lowbit::MatmulStrategy::Auto",
           "How weights and activations are multiplied",
           "::lowbit::getMatmulStrategyValues()">
  ];
  let statistics = [
    Statistic<"numKernels", "num-kernels", "Number of kernels generated">
  ];
  let dependentDialects = [
    "::lowbit::qvec::QVecDialect", "::mlir::arith::ArithDialect",
    "::mlir::func::FuncDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::omp::OpenMPDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"
  ];
}

#endif // LOWBIT_KERNELS_PASSES_TD
