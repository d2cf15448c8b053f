// RUN: rm -rf %t && mkdir -p %t
// RUN: quant-compile %s -o %t/model.ll --target=x86-64-v3 --emit=llvm
// RUN: FileCheck %s --check-prefix=LLVM < %t/model.ll
// LLVM: target triple = "x86_64-unknown-linux-gnu"
// LLVM-DAG: define hidden void @model_entry0(ptr
// LLVM-DAG: declare {{.*}}@model_rt_malloc(i64
// LLVM-NOT: @malloc(
// LLVM: attributes {{.*}}stackrealign

// RUN: quant-compile %s -o - --target=aarch64+neon --emit=asm | FileCheck %s --check-prefix=ASM
// ASM: emit_entry0:

// Any ARM processor is scheduled for as one that executes out of order.
// RUN: quant-compile %s -o - --target=aarch64+neon --emit=llvm | FileCheck %s --check-prefix=ARM
// ARM: attributes {{.*}}"tune-cpu"="neoverse-n1"

// RUN: quant-compile %s -o %t/model.so --target=x86-64
// RUN: llvm-readelf --dyn-syms %t/model.so | FileCheck %s --check-prefix=SYMBOLS
// SYMBOLS-NOT: _entry
// SYMBOLS-DAG: lowbit_get_model
// SYMBOLS-DAG: model_error
// SYMBOLS-DAG: model_get_model
// SYMBOLS-DAG: model_release
// SYMBOLS-DAG: model_run
// SYMBOLS-DAG: model_set_threads
// SYMBOLS-NOT: _entry
// RUN: llvm-readelf --dynamic %t/model.so | FileCheck %s --check-prefix=NEEDED
// Nothing of LLVM, nor an OpenMP runtime.
// NEEDED-NOT: NEEDED{{.*}}{{omp|LLVM|MLIR|stdc}}
// NEEDED: NEEDED{{.*}}libc.so.6
// NEEDED-NOT: NEEDED{{.*}}{{omp|LLVM|MLIR|stdc}}
// RUN: FileCheck %s --check-prefix=HEADER < %t/model.h
// HEADER: #define LOWBIT_MODEL_VERSION 2
// HEADER: MODEL_INPUT_X_0 = 0, /* x.0: float32[rows, 4] */
// HEADER: MODEL_NUM_INPUTS = 1
// HEADER: MODEL_OUTPUT_Y = 0, /* y: float32[?, 4] */
// HEADER: int model_run(const lowbit_tensor *inputs, lowbit_tensor *outputs);

// RUN: %clang -x c++ -std=c++11 -fsyntax-only -Wall -Wextra -pedantic -Werror %t/model.h
// RUN: %clang -x c -std=c99 -fsyntax-only -Wall -Wextra -pedantic -Werror %t/model.h

// An object has the same in it; two of them do not clash.
// RUN: quant-compile %s -o %t/first.o --target=x86-64-v3 --emit=obj
// RUN: quant-compile %s -o %t/second.o --target=x86-64-v3 --emit=obj
// RUN: %clang %S/Inputs/two_models.c -I%t %t/first.o %t/second.o -lm -lpthread -o %t/two
// RUN: %t/two | FileCheck %s --check-prefix=TWO
// TWO: 1.0 2.0 3.0 4.0
// TWO: 1.0 2.0 3.0 4.0

// Two compilations give the same bytes.
// RUN: cp %t/model.so %t/before.so
// RUN: quant-compile %s -o %t/model.so --target=x86-64
// RUN: cmp %t/model.so %t/before.so

func.func @main(%x: tensor<?x4xf32> {onnx.name = "x.0",
                                     onnx.dim_params = ["rows", ""]})
    -> (tensor<?x4xf32> {onnx.name = "y"}) {
  %0 = "onnx.Abs"(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
