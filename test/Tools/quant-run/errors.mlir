// Every wrong input is one line that names it.

// RUN: rm -rf %t && mkdir %t
// RUN: %python %S/../../Integration/Inputs/make_npz.py %t/good.npz "x=np.zeros((2, 3), 'f')"
// RUN: %python %S/../../Integration/Inputs/make_npz.py %t/name.npz "z=np.zeros((2, 3), 'f')"
// RUN: %python %S/../../Integration/Inputs/make_npz.py %t/type.npz "x=np.zeros((2, 3))"
// RUN: %python %S/../../Integration/Inputs/make_npz.py %t/rank.npz "x=np.zeros(3, 'f')"
// RUN: %python %S/../../Integration/Inputs/make_npz.py %t/dim.npz "x=np.zeros((2, 4), 'f')"
// RUN: %python %S/../../Integration/Inputs/make_npz.py %t/order.npz "x=np.zeros((2, 3), 'f').T"
// RUN: %python %S/../../Integration/Inputs/make_npz.py %t/object.npz "x=np.array([None])"
// RUN: %python %S/../../Integration/Inputs/make_npz.py %t/tokens.npy "x=np.zeros((2, 3), np.int32)"

// RUN: not quant-run %s 2>&1 | FileCheck %s --check-prefix=NOTHING
// NOTHING: quant-run: error: nothing to do: give --inputs, --perplexity, --generate, --bench or --compare

// RUN: not quant-run %s --generate=4 2>&1 | FileCheck %s --check-prefix=PROMPT
// RUN: not quant-run %s --bench --prompt=%t/tokens.npy 2>&1 | FileCheck %s --check-prefix=PROMPT
// PROMPT: quant-run: error: --generate and --prompt need each other

// RUN: not quant-run %s --generate=-1 --prompt=%t/tokens.npy 2>&1 | FileCheck %s --check-prefix=COUNT
// COUNT: quant-run: error: --generate must be positive, got -1

// RUN: not quant-run %s --bench --past=-1 2>&1 | FileCheck %s --check-prefix=PAST
// PAST: quant-run: error: --past must not be negative, got -1

// RUN: not quant-run %s --bench --context=8 2>&1 | FileCheck %s --check-prefix=CONTEXT
// RUN: not quant-run %s --compare=%s --batch=2 2>&1 | FileCheck %s --check-prefix=BATCH
// CONTEXT: quant-run: error: --context is for --perplexity
// BATCH: quant-run: error: --batch is for --perplexity

// RUN: not quant-run %s --generate=1 --prompt=%t/tokens.npy 2>&1 | FileCheck %s --check-prefix=WINDOWS
// WINDOWS: quant-run: error: '{{.*}}tokens.npy' must hold one or more tokens as a flat array, got int32[2, 3]

// RUN: not quant-run %t/absent.mlir --bench 2>&1 | FileCheck %s --check-prefix=ABSENT
// ABSENT: quant-run: error: {{.*}}open{{.*}}absent.mlir

// RUN: echo "func.func @main(" > %t/syntax.mlir
// RUN: not quant-run %t/syntax.mlir --bench 2>&1 | FileCheck %s --check-prefix=SYNTAX
// SYNTAX: quant-run: error: {{.*}}syntax.mlir:1: expected

// RUN: echo "module {}" > %t/empty.mlir
// RUN: not quant-run %t/empty.mlir --bench 2>&1 | FileCheck %s --check-prefix=EMPTY
// EMPTY: quant-run: error: {{.*}}empty.mlir': the module has no public function to run

// RUN: not quant-run %s --inputs=%t/absent.npz 2>&1 | FileCheck %s --check-prefix=NOFILE
// NOFILE: quant-run: error: cannot open '{{.*}}absent.npz' as an .npz archive: No such file

// RUN: not quant-run %s --inputs=%t/tokens.npy 2>&1 | FileCheck %s --check-prefix=NOZIP
// NOZIP: quant-run: error: cannot open '{{.*}}tokens.npy' as an .npz archive

// RUN: not quant-run %s --inputs=%t/name.npz 2>&1 | FileCheck %s --check-prefix=NAME
// NAME: quant-run: error: the model has no input 'z'; it has x

// RUN: not quant-run %s --inputs=%t/type.npz 2>&1 | FileCheck %s --check-prefix=TYPE
// TYPE: quant-run: error: input 'x' must be float32[rows, 3], got float64[2, 3]

// RUN: not quant-run %s --inputs=%t/rank.npz 2>&1 | FileCheck %s --check-prefix=RANK
// RANK: quant-run: error: input 'x' must be float32[rows, 3], got float32[3]

// RUN: not quant-run %s --inputs=%t/dim.npz 2>&1 | FileCheck %s --check-prefix=DIM
// DIM: quant-run: error: input 'x' must be float32[rows, 3], got float32[2, 4]

// RUN: not quant-run %s --inputs=%t/order.npz 2>&1 | FileCheck %s --check-prefix=ORDER
// ORDER: quant-run: error: '{{.*}}order.npz:x.npy' is in Fortran order

// RUN: not quant-run %s --inputs=%t/object.npz 2>&1 | FileCheck %s --check-prefix=OBJECT
// OBJECT: quant-run: error: '{{.*}}object.npz:x.npy' holds Python objects

// RUN: not quant-run %s --perplexity=%t/tokens.npy 2>&1 | FileCheck %s --check-prefix=LANGUAGE
// LANGUAGE: quant-run: error: not a language model that quant-run can feed: input 'x'

// RUN: not quant-run %s --bench --tokens=0 2>&1 | FileCheck %s --check-prefix=TOKENS
// TOKENS: quant-run: error: --tokens must be positive, got 0

// RUN: not quant-run %s --bench --cpu=z80 2>&1 | FileCheck %s --check-prefix=CPU
// CPU: quant-run: error: unknown processor 'z80'

// RUN: not quant-run %s --outputs=%t/out.npz --bench 2>&1 | FileCheck %s --check-prefix=OUTPUTS
// OUTPUTS: quant-run: error: --outputs needs --inputs

// RUN: echo hello > %t/model.so
// RUN: not quant-run %t/model.so --bench 2>&1 | FileCheck %s --check-prefix=LIBRARY
// LIBRARY: quant-run: error: cannot load '{{.*}}model.so'

// RUN: quant-run %s --inputs=%t/good.npz | FileCheck %s --check-prefix=GOOD
// GOOD: y: float32[2, 3]

func.func @main(%x: tensor<?x3xf32> {onnx.name = "x", onnx.dim_params = ["rows", ""]})
    -> (tensor<?x3xf32> {onnx.name = "y"}) {
  return %x : tensor<?x3xf32>
}
