// What is wrong is said in one line, and the output is complete or not there.

// RUN: rm -rf %t && mkdir %t && cd %t

// A module that came from a model has no lines; the file and nodes are named.
// RUN: quant-translate --import-onnx %examples/tiny-llama/tiny-llama.onnx -o model.mlir
// RUN: not quant-opt model.mlir --quantize-rtn=bits=9 -o out.mlir 2>&1 | FileCheck %s --check-prefix=BITS
// BITS: {{^}}quant-opt: error: 'model.mlir': bits is 9, but must be 1 to 8{{$}}
// BITS-NOT: {{.}}
// RUN: not quant-opt model.mlir --gptq=bits=four -o out.mlir 2>&1 | FileCheck %s --check-prefix=FOUR
// FOUR: {{^}}quant-opt: for the --bits option: 'four' value invalid for uint argument!{{$}}
// FOUR-NOT: {{.}}
// RUN: not quant-opt model.mlir --lower-to-x86=entry=foo -o out.mlir 2>&1 | FileCheck %s --check-prefix=ENTRY
// ENTRY: {{^}}quant-opt: error: 'model.mlir': entry is 'foo', but the module has no such function to call from lowbit_entry{{$}}
// ENTRY-NOT: {{.}}
// RUN: not quant-opt model.mlir --gptq="length=1000000000000000" -o out.mlir 2>&1 | FileCheck %s --check-prefix=MEMORY
// MEMORY: {{^}}quant-opt: error: out of memory: cannot allocate a tensor{{$}}
// MEMORY-NOT: {{.}}
// RUN: not quant-opt model.mlir --gptq="calibration=%S/../../Calibration/Inputs/tokens.npy state=model.mlir" -o out.mlir 2>&1 \
// RUN:   | FileCheck %s --check-prefix=STATE
// STATE: {{^}}quant-opt: error: 'model.mlir': cannot make the folder 'model.mlir' for the state of the run: Not a directory{{$}}

// RUN: not quant-opt %examples/tiny-llama/tiny-llama.onnx -o out.mlir 2>&1 | FileCheck %s --check-prefix=ONNX
// ONNX: {{^}}quant-opt: error: '{{.*}}tiny-llama.onnx' is no MLIR; import it first: quant-translate --import-onnx{{$}}
// RUN: not quant-opt %t -o out.mlir 2>&1 | FileCheck %s --check-prefix=FOLDER
// FOLDER: {{^}}quant-opt: error: cannot open input file '{{.*}}': Is a directory{{$}}
// RUN: not quant-opt %s -o no/such/out.mlir 2>&1 | FileCheck %s --check-prefix=PLACE
// PLACE: {{^}}quant-opt: error: cannot write 'no/such/out.mlir': No such file or directory{{$}}
// RUN: ls | count 1

// New weights do not take the place of those that the module still has.
// RUN: quant-opt %s --quantize-rtn=head -o one.mlir
// RUN: quant-opt one.mlir --cse -o one.mlir
// RUN: not quant-opt one.mlir --lowbit-pack-weights=target=avx2 -o one.mlir 2>&1 | FileCheck %s --check-prefix=INUSE
// INUSE: cannot replace '{{.*}}one.safetensors', which holds weights of the model; name the output otherwise
// RUN: quant-opt one.mlir --lowbit-pack-weights=target=avx2 -o two.mlir
// RUN: not quant-compile one.mlir -o ./one.mlir --emit=mlir --target=x86-64-v3 2>&1 | FileCheck %s --check-prefix=REPLACE
// REPLACE: {{^}}quant-compile: error: the output './one.mlir' would replace the input{{$}}
// RUN: quant-run one.mlir --bench --tokens=1

// Nothing to do is worth a word.
// RUN: quant-opt one.mlir --quantize-rtn=head -o three.mlir 2>&1 | FileCheck %s --check-prefix=NOTHING
// NOTHING: warning: there are no layers with float weights to quantize

// A pipe or a device is written to, not replaced.
// RUN: %python %S/Inputs/into_pipe.py quant-opt %s --quantize-rtn=head -o pipe.mlir | FileCheck %s --check-prefix=PIPE
// PIPE: lowbit.matmul
// RUN: not ls pipe.safetensors
// RUN: not quant-opt %s -o /dev/full 2>&1 | FileCheck %s --check-prefix=FULL
// FULL: {{^}}quant-opt: error: cannot write '/dev/full': No space left on device{{$}}
// RUN: not quant-compile %s -o /dev/full 2>&1 | FileCheck %s --check-prefix=DEVICE
// DEVICE: {{^}}quant-compile: error: '/dev/full' is a device, and a library or object is a file{{$}}
// RUN: test -c /dev/full
// RUN: not quant-compile %s -o "" 2>&1 | FileCheck %s --check-prefix=UNNAMED
// UNNAMED: {{^}}quant-compile: error: '' names no file to write{{$}}

func.func @main(%x: tensor<?x512xf32> {onnx.name = "x"}) -> (tensor<?x512xf32> {onnx.name = "y"}) {
  %w = onnx.Constant dense<0.5> : tensor<512x512xf32>
  %y = onnx.MatMul(%x, %w) : (tensor<?x512xf32>, tensor<512x512xf32>) -> tensor<?x512xf32>
  return %y : tensor<?x512xf32>
}
