// What is wrong is said in one line, and nothing is left behind.

// RUN: rm -rf %t && mkdir -p %t
// RUN: not quant-compile %s -o %t/m.so --target=z80 2>&1 | FileCheck %s --check-prefix=TARGET
// TARGET: quant-compile: error: unknown target 'z80'; known are native, x86-64, {{.*}} aarch64, {{.*}} sm_80{{$}}

// RUN: not quant-compile %s -o %t/m.so --target=aarch64+warp 2>&1 | FileCheck %s --check-prefix=FEATURE
// FEATURE: quant-compile: error: target 'aarch64+warp': unknown processor feature 'warp'

// RUN: not quant-compile %s -o %t/m.so --target=x86-64-v3+ 2>&1 | FileCheck %s --check-prefix=PLUS
// PLUS: quant-compile: error: target 'x86-64-v3+' has a '+' without a feature

// RUN: not quant-compile %s -o %t/m.ptx --target=x86-64-v3 --emit=ptx 2>&1 | FileCheck %s --check-prefix=PTX
// PTX: quant-compile: error: --emit=ptx needs a GPU as target, such as sm_80; got 'x86-64-v3'

// RUN: quant-opt %s --lower-to-nvptx -o %t.lowered.mlir
// RUN: not quant-compile %t.lowered.mlir -o %t/m.so --target=sm_80 2>&1 | FileCheck %s --check-prefix=LOWERED
// LOWERED: lowered.mlir': the module has no public function to run

// RUN: not quant-compile %s -o %t/m.s --target=x86-64 --emit=asm 2>&1 | FileCheck %s --check-prefix=LEVELS
// LEVELS: quant-compile: error: target 'x86-64' is for several kinds of CPUs

// RUN: not quant-compile %s -o %t/m.so --emit=cobol 2>&1 | FileCheck %s --check-prefix=EMIT
// EMIT: quant-compile: for the --emit option: 'cobol' is unknown; known are shared, obj, llvm, asm, ptx, mlir, quantized, linalg, buffers, kernels{{$}}

// RUN: not quant-compile %s -o %t/m.so --strategy=magic 2>&1 | FileCheck %s --check-prefix=STRATEGY
// STRATEGY: quant-compile: for the --strategy option: 'magic' is unknown; known are auto, dot, dequantize, lut, tiles{{$}}

// RUN: not quant-compile %s -o %t/m.so --target=sm_80 --strategy=lut 2>&1 | FileCheck %s --check-prefix=GPU
// GPU: quant-compile: error: --strategy=lut is for CPUs; got 'sm_80'

// RUN: not quant-compile %s -o %t/m.so --target=sm_80 --tune 2>&1 | FileCheck %s --check-prefix=TUNE-GPU
// TUNE-GPU: quant-compile: error: --tune is for CPUs; got 'sm_80'

// RUN: not quant-compile %s -o %t/m.so --strategy=lut --tune 2>&1 | FileCheck %s --check-prefix=TUNE-STRATEGY
// TUNE-STRATEGY: quant-compile: error: --tune finds a strategy for each product, --strategy=lut is one for all; give just one of them

// RUN: not quant-compile %s -o %t/m.so --target=x86-64-v2 --tune 2>&1 | FileCheck %s --check-prefix=TUNE-KERNELS
// TUNE-KERNELS: quant-compile: error: --tune measures code for 'x86-64-v2', for which there are no generated kernels; native, say, has

// RUN: not quant-compile %s -o %t/m.so --tune=yes-please 2>&1 | FileCheck %s --check-prefix=TUNE-VALUE
// TUNE-VALUE: quant-compile: for the --tune option: 'yes-please' is invalid value for boolean argument! Try 0 or 1

// RUN: not quant-compile %s -o %t/m.so --target=aarch64+dotprod --tune 2>&1 | FileCheck %s --check-prefix=TUNE-ARM
// TUNE-ARM: quant-compile: error: --tune measures code for 'aarch64+dotprod', which this machine cannot execute: it lacks aarch64

// RUN: not quant-compile %s -o - 2>&1 | FileCheck %s --check-prefix=STDOUT
// STDOUT: quant-compile: error: a library or object cannot go to standard output

// RUN: not quant-compile %s -o %t/m.h 2>&1 | FileCheck %s --check-prefix=NAME
// NAME: quant-compile: error: '{{.*}}m.h' is where the header goes; name the library otherwise

// RUN: not quant-compile %t/missing.mlir -o %t/m.so 2>&1 | FileCheck %s --check-prefix=MISSING
// MISSING: quant-compile: error: {{.*}}missing.mlir

// RUN: not quant-compile %s -o %t/no/such/m.so 2>&1 | FileCheck %s --check-prefix=FOLDER
// FOLDER: quant-compile: error: cannot write '{{.*}}/no/such/m.so': No such file or directory

// RUN: not quant-compile %s -o %t/m.so --clang=%t/none 2>&1 | FileCheck %s --check-prefix=CLANG
// CLANG: quant-compile: error: cannot execute '{{.*}}none' to link with

// RUN: not quant-compile %s -o %t/m.so --clang=/bin/false 2>&1 | FileCheck %s --check-prefix=FAILS
// FAILS: quant-compile: error: '/bin/false' failed for x86_64-

// RUN: echo 'module {}' > %t.empty.mlir
// RUN: not quant-compile %t.empty.mlir -o %t/m.so 2>&1 | FileCheck %s --check-prefix=EMPTY
// EMPTY: quant-compile: error: '{{.*}}empty.mlir': the module has no public function to run

// RUN: echo 'func.func @f(%%x: tensor<1x1x1x1x1x1x1x1x1xf32>) {' > %t.rank.mlir
// RUN: echo 'return }' >> %t.rank.mlir
// RUN: not quant-compile %t.rank.mlir -o %t/m.so 2>&1 | FileCheck %s --check-prefix=RANK
// RANK: quant-compile: error: '{{.*}}rank.mlir': 'input0' has 9 dimensions; compiled models have at most 8

// RUN: ls %t | count 0

func.func @main(%x: tensor<?x4xf32> {onnx.name = "x"})
    -> (tensor<?x4xf32> {onnx.name = "y"}) {
  %0 = "onnx.Abs"(%x) : (tensor<?x4xf32>) -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}
