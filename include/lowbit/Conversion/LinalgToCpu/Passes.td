//===- Passes.td - from linalg on tensors to code for a CPU -*- tablegen -*-===//
//
// Part of the Lowbit project, under the Apache License v2.0 with LLVM
// Exceptions. See LICENSE for license information.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef LOWBIT_CONVERSION_LINALGTOCPU_PASSES_TD
#define LOWBIT_CONVERSION_LINALGTOCPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def FuseElementwisePass
    : Pass<"lowbit-fuse-elementwise", "::mlir::func::FuncOp"> {
  let summary = "Fuse elementwise linalg ops where nothing is computed twice";
  let description = [{
    Turns named ops that are no contractions into `linalg.generic` and fuses
    producers into their only consumer. Unlike upstream's pass of this purpose,
    this one never moves a computation into a loop nest that is larger than its
    own if it costs more than a few instructions, and keeps contractions apart,
    so that they reach `lowbit-lower-contractions` in a shape that it knows.

    `tensor.concat` and `linalg.softmax` become the ops that they stand for.
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect",
                           "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect",
                           "::mlir::arith::ArithDialect"];
}

def FuseRowsPass : Pass<"lowbit-fuse-rows", "::mlir::func::FuncOp"> {
  let summary = "Run linalg ops that follow each other row by row in one loop";
  let description = [{
    The rows of an operation on buffers are its leading parallel loops up to the
    last one of dynamic size: the tokens, in a language model. Operations with the
    same rows that read what the ones before have written by rows, too, become
    one `scf.forall` over the rows. So a residual sum, its normalization and the
    quantization of the result are one pass over the activations of a token,
    which stay in a cache, and one parallel loop. The order of every sum stays as
    it was.

    ```mlir
    linalg.generic ... ins(%x : memref<?x64xf32>) outs(%squares : memref<?xf32>)
    linalg.generic ... ins(%x, %squares : memref<?x64xf32>, memref<?xf32>) outs(%y : memref<?x64xf32>)
    ```

    becomes

    ```mlir
    scf.forall (%i) in (%n) {
      linalg.generic ... ins(%x_i : memref<1x64xf32, ...>) outs(%squares_i : memref<1xf32, ...>)
      linalg.generic ... ins(%x_i, %squares_i : ...) outs(%y_i : memref<1x64xf32, ...>)
    }
    ```
  }];
  let statistics = [
    Statistic<"numFused", "num-fused", "Number of operations put into loops">
  ];
  let dependentDialects = ["::mlir::affine::AffineDialect",
                           "::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::scf::SCFDialect"];
}

def OutlineLinalgPass : Pass<"lowbit-outline-linalg", "::mlir::ModuleOp"> {
  let summary = "Move linalg ops on buffers to functions, equal ones to one";
  let description = [{
    The layers of a model consist of equal operations on other buffers. Each
    distinct operation, or `scf.forall` around several, becomes a private function, so that the time to compile a
    model does not grow with the number of its layers.

    ```mlir
    linalg.matmul ins(%x, %w0 : memref<?x64xf32>, memref<64x64xf32>) outs(%y : memref<?x64xf32>)
    linalg.matmul ins(%y, %w1 : memref<?x64xf32>, memref<64x64xf32>) outs(%z : memref<?x64xf32>)
    ```

    becomes

    ```mlir
    call @lowbit_matmul(%x, %w0, %y) : (memref<?x64xf32>, memref<64x64xf32>, memref<?x64xf32>) -> ()
    call @lowbit_matmul(%y, %w1, %z) : (memref<?x64xf32>, memref<64x64xf32>, memref<?x64xf32>) -> ()
    ```
  }];
  let statistics = [
    Statistic<"numOutlined", "num-outlined", "Number of operations moved">,
    Statistic<"numFunctions", "num-functions", "Number of functions made">
  ];
  let dependentDialects = ["::mlir::func::FuncDialect"];
}

def LowerContractionsPass
    : Pass<"lowbit-lower-contractions", "::mlir::ModuleOp"> {
  let summary = "Lower f32 contractions on buffers to packed vector loops";
  let description = [{
    A matrix product, batched or transposed in any way, becomes loops over
    panels of columns: the panel of the right operand is packed into a
    contiguous buffer, and a tile of a few rows by the width of the panel is
    kept in registers while the common dimension runs. Products with few rows
    (the decode phase of a language model) read the right operand in place, as
    several sequential streams. The outer loops are parallel; the order of the
    sums depends neither on the number of threads nor on the vectors' width.

    Before:

    ```mlir
    linalg.matmul ins(%a, %b : memref<?x256xf32>, memref<256x512xf32>)
                  outs(%c : memref<?x512xf32>)
    ```

    After (schematically):

    ```mlir
    omp.parallel num_threads(%threads) { omp.wsloop { omp.loop_nest (%m0, %n0) ... {
      // copy b[k0:k0+256, n0:n0+64] to %panel
      scf.for %m = ... step 6 {
        %tile:6 = scf.for %k = ... iter_args(...) -> (vector<64xf32>, ...) {
          // tile[r] += a[m + r, k] * panel[k, :]
    ```
  }];
  let options = [
    Option<"vectorBytes", "vector-bytes", "unsigned", "32",
           "Bytes of a vector register">,
    Option<"vectorRegisters", "vector-registers", "unsigned", "16",
           "Number of vector registers">,
    Option<"parallel", "parallel", "bool", "true",
           "Run the outer loops in parallel">
  ];
  let statistics = [
    Statistic<"numLowered", "num-lowered", "Number of contractions lowered">
  ];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect",
                           "::mlir::arith::ArithDialect",
                           "::mlir::func::FuncDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::omp::OpenMPDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

def LowerLinalgToLoopsPass
    : Pass<"lowbit-lower-linalg-to-loops", "::mlir::ModuleOp"> {
  let summary = "Lower linalg ops on buffers to loops that LLVM can vectorize";
  let description = [{
    The outer parallel dimensions become one parallel loop nest. If the
    innermost dimension is a reduction, its accumulators are loop-carried
    values: 16 lanes of partial results where the elements are contiguous, on
    every target, so that the order of a sum and with it every bit of the result
    does not depend on the width of the vectors. Copies between buffers that are
    not contiguous become loops as well, and `scf.forall` a parallel loop nest
    around what it contains.
  }];
  let options = [
    Option<"parallel", "parallel", "bool", "true",
           "Run the outer loops in parallel">
  ];
  let dependentDialects = ["::mlir::affine::AffineDialect",
                           "::mlir::arith::ArithDialect",
                           "::mlir::func::FuncDialect",
                           "::mlir::linalg::LinalgDialect",
                           "::mlir::memref::MemRefDialect",
                           "::mlir::omp::OpenMPDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

def ApproximateMathPass
    : Pass<"lowbit-approximate-math", "::mlir::func::FuncOp"> {
  let summary = "Replace elementary functions by polynomials that vectorize";
  let description = [{
    Only those functions whose approximation is good to a few units in the last
    place of an f32 over the whole range; the others (the trigonometric ones,
    whose range reduction upstream is not exact enough for large arguments, pow)
    stay calls of the C library. Half-precision functions are computed in f32.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect",
                           "::mlir::vector::VectorDialect"];
}

def MarkInputsReadOnlyPass
    : Pass<"lowbit-mark-inputs-read-only", "::mlir::func::FuncOp"> {
  let summary = "Keep bufferization from writing into the inputs of a model";
  let description = [{
    Marks the tensor arguments of a public function as
    `bufferization.writable = false`: their buffers belong to the caller. Those
    that a result updates (`lowbit.updates`) are there to be written.
  }];
}

def WriteUpdatedArgumentsPass
    : Pass<"lowbit-write-updated-arguments", "::mlir::func::FuncOp"> {
  let summary = "Drop results that are arguments after the call";
  let description = [{
    Runs after bufferization. A result of a public function with the attribute
    `lowbit.updates = N` is written to the buffer of argument `N`, unless that is
    the very buffer, and dropped.

    ```mlir
    func.func @main(%cache: memref<?x64xf32>, %row: memref<1x64xf32>)
        -> (memref<?x64xf32> {lowbit.updates = 0 : i64}) {
      %first = memref.subview %cache[0, 0] [1, 64] [1, 1] : ...
      memref.copy %row, %first : ...
      return %cache : memref<?x64xf32>
    ```

    becomes

    ```mlir
    func.func @main(%cache: memref<?x64xf32> {lowbit.updated}, %row: memref<1x64xf32>) {
      %first = memref.subview %cache[0, 0] [1, 64] [1, 1] : ...
      memref.copy %row, %first : ...
      return
    ```
  }];
  let statistics = [
    Statistic<"numCopied", "num-copied", "Number of results that are copied">
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::bufferization::BufferizationDialect",
                           "::mlir::cf::ControlFlowDialect",
                           "::mlir::memref::MemRefDialect"];
}

def SeparateInitsPass : Pass<"lowbit-separate-inits", "::mlir::func::FuncOp"> {
  let summary = "Give every op that fills a tensor one of its own to begin with";
  let description = [{
    Equal empty tensors, or tensors filled with the same number, are one value
    after CSE, but each op that writes needs a buffer: bufferization would copy
    what is in one to the others. Here each use gets its own again.

    ```mlir
    %0 = tensor.empty() : tensor<4xf32>
    %1 = linalg.exp ins(%x : tensor<4xf32>) outs(%0 : tensor<4xf32>) -> tensor<4xf32>
    %2 = linalg.log ins(%x : tensor<4xf32>) outs(%0 : tensor<4xf32>) -> tensor<4xf32>
    ```

    becomes

    ```mlir
    %0 = tensor.empty() : tensor<4xf32>
    %1 = linalg.exp ins(%x : tensor<4xf32>) outs(%0 : tensor<4xf32>) -> tensor<4xf32>
    %2 = tensor.empty() : tensor<4xf32>
    %3 = linalg.log ins(%x : tensor<4xf32>) outs(%2 : tensor<4xf32>) -> tensor<4xf32>
    ```
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
}

def SeparateResultsPass : Pass<"lowbit-separate-results", "::mlir::func::FuncOp"> {
  let summary = "Give every result of a function a buffer of its own";
  let description = [{
    Clones a returned buffer that may be the same as, or a view of the same
    memory as, another one: the caller frees each of them.

    ```mlir
    return %0, %0 : memref<4xf32>, memref<4xf32>
    ```

    becomes

    ```mlir
    %1 = bufferization.clone %0 : memref<4xf32> to memref<4xf32>
    return %0, %1 : memref<4xf32>, memref<4xf32>
    ```
  }];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect"];
}

def ResolveExpandShapesPass
    : Pass<"lowbit-resolve-expand-shapes", "::mlir::func::FuncOp"> {
  let summary = "Resolve expand_shape where several sizes are unknown";
  let description = [{
    Turns a `memref.expand_shape` with more than one dynamic size in a group into
    a `memref.reinterpret_cast` with the sizes that the op is given. Upstream's
    `expand-strided-metadata` expects at most one, and computes it.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect"];
}

def LowerAssertsPass : Pass<"lowbit-lower-asserts", "::mlir::ModuleOp"> {
  let summary = "Lower cf.assert to a message and exit status 1";
  let description = [{
    A failed `cf.assert` (an index out of range, shapes that do not fit) calls
    `errx` of the C library, which prints one line and ends the process.
    Upstream's conversion aborts it instead. Compiled libraries, and runs in
    memory, put a function in its place that ends the run with an error.
  }];
  let dependentDialects = ["::mlir::cf::ControlFlowDialect",
                           "::mlir::LLVM::LLVMDialect"];
}

def LowerWeightsPass : Pass<"lowbit-lower-weights", "::mlir::ModuleOp"> {
  let summary = "Reach weights through a table of addresses";
  let description = [{
    Runs right before the conversion to LLVM. Every distinct value of a
    `lowbit.weight` op on buffers gets an entry of the global
    `@lowbit_weight_table`, which the module only declares: the JIT defines it
    with the addresses of mapped files, a library with relocations. The
    attribute `lowbit.weights` of the module lists the values in the order of
    the table.

    ```mlir
    %0 = lowbit.weight #lowbit.external<"m.safetensors", "q"> : tensor<64x64xf32> to memref<64x64xf32>
    ```

    becomes

    ```mlir
    module attributes {lowbit.weights = [#lowbit.external<...>]} {
    llvm.mlir.global external @lowbit_weight_table() : !llvm.array<1 x ptr>
    ...
    %table = llvm.mlir.addressof @lowbit_weight_table : !llvm.ptr
    %slot = llvm.getelementptr %table[0, 0] : ...
    %address = llvm.load %slot : !llvm.ptr -> !llvm.ptr
    ```
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def EmitEntryPass : Pass<"lowbit-emit-entry", "::mlir::ModuleOp"> {
  let summary = "Give a module its entry point of one C signature";
  let description = [{
    Runs right before the conversion to LLVM. Emits `void lowbit_entry(void
    **descriptors)`, which calls the function that the option names. The
    argument points to one pointer for each input and then for each result, to a
    ranked memref descriptor as MLIR defines it for C. The callee fills in those
    of the results, whose buffers are the caller's to `free`.

    ```mlir
    llvm.func @lowbit_entry(%descriptors: !llvm.ptr) {
      %pointer = llvm.load %descriptors : !llvm.ptr -> !llvm.ptr
      %input = llvm.load %pointer : !llvm.ptr -> !llvm.struct<(ptr, ptr, i64, ...)>
      ...
      %result = func.call @main(%input) : (memref<?xf32>) -> memref<?xf32>
    ```
  }];
  let options = [
    Option<"function", "function", "std::string", "\"main\"",
           "Name of the function to call">
  ];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

#endif // LOWBIT_CONVERSION_LINALGTOCPU_PASSES_TD
