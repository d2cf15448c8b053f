// What a folder of finished layers is good for, and what a terminal shows.

// RUN: rm -rf %t && mkdir %t && cd %t
// RUN: %python %S/Inputs/on_terminal.py quant-opt %s --gptq="group-size=4 calibration=%S/Inputs/tokens.npy state=state" -o whole.mlir \
// RUN:   | FileCheck %s --check-prefix=PROGRESS
// PROGRESS:      [1/2] up  error 0.{{[0-9]+}}  {{[0-9]+}}s elapsed, {{[0-9]+}}s left
// PROGRESS-NEXT: [2/2] down  error 0.{{[0-9]+}}  {{[0-9]+}}s elapsed, 0s left
// PROGRESS-NOT:  elapsed

// All is there: nothing is said of the time left.
// RUN: %python %S/Inputs/on_terminal.py quant-opt %s --gptq="group-size=4 calibration=%S/Inputs/tokens.npy state=state" -o again.mlir \
// RUN:   | FileCheck %s --check-prefix=ALL
// RUN: diff whole.mlir again.mlir
// ALL: [1/2] up  error 0.{{[0-9]+}}  {{[0-9]+}}s elapsed{{$}}
// ALL: [2/2] down  error 0.{{[0-9]+}}  {{[0-9]+}}s elapsed{{$}}
// ALL: gptq-resume.mlir:{{.*}}: remark: resumed from 'state': 2 of 2 layers are done{{$}}

// One of two layers is missing.
// RUN: rm state/layer-1.json
// RUN: quant-opt %s --gptq="group-size=4 calibration=%S/Inputs/tokens.npy state=state" -o again.mlir 2>&1 \
// RUN:   | FileCheck %s --check-prefix=ONE --implicit-check-not=elapsed
// RUN: diff whole.mlir again.mlir
// ONE: remark: resumed from 'state': 1 of 2 layers are done; going on with 'down'

// State that is damaged, which is said once.
// RUN: truncate -s 30 state/layer-0.json && truncate -s 30 state/layer-1.json
// RUN: quant-opt %s --gptq="group-size=4 calibration=%S/Inputs/tokens.npy state=state" -o again.mlir 2>&1 \
// RUN:   | FileCheck %s --check-prefix=DAMAGED
// RUN: diff whole.mlir again.mlir
// DAMAGED: warning: cannot resume layer 'up': 'state/layer-0.json': {{.*}}; quantizing it anew
// DAMAGED-NOT: {{warning|remark}}:
// RUN: truncate -s 100 state/layer-0.safetensors
// RUN: quant-opt %s --gptq="group-size=4 calibration=%S/Inputs/tokens.npy state=state" -o again.mlir 2>&1 \
// RUN:   | FileCheck %s --check-prefix=SHORT
// RUN: diff whole.mlir again.mlir
// SHORT: warning: cannot resume layer 'up': {{.*}}state/layer-0.safetensors{{.*}}; quantizing it anew
// RUN: rm state/layer-0.safetensors
// RUN: quant-opt %s --gptq="group-size=4 calibration=%S/Inputs/tokens.npy state=state" -o again.mlir 2>&1 \
// RUN:   | FileCheck %s --check-prefix=GONE
// RUN: diff whole.mlir again.mlir
// GONE: warning: cannot resume layer 'up': 'state/layer-0.safetensors': No such file or directory; quantizing it anew
// RUN: %python -c "import json; f = open('state/layer-0.json', 'r+'); s = json.load(f); s['column_order'] = [9]; f.seek(0); json.dump(s, f)"
// RUN: quant-opt %s --gptq="group-size=4 calibration=%S/Inputs/tokens.npy state=state" -o again.mlir 2>&1 \
// RUN:   | FileCheck %s --check-prefix=ORDER
// RUN: diff whole.mlir again.mlir
// ORDER: warning: cannot resume layer 'up': 'state/layer-0.json': its column order is no permutation; quantizing it anew

// Other options, other data.
// RUN: quant-opt %s --gptq="bits=3 group-size=4 calibration=%S/Inputs/tokens.npy" -o other.mlir
// RUN: quant-opt %s --gptq="bits=3 group-size=4 calibration=%S/Inputs/tokens.npy state=state" -o again.mlir 2>&1 \
// RUN:   | FileCheck %s --check-prefix=OTHER
// RUN: diff other.mlir again.mlir
// OTHER: warning: cannot resume layer 'up': 'state/layer-0.json': it is of another model, other options or other calibration data; quantizing it anew
// OTHER-NOT: {{warning|remark}}:
// RUN: quant-opt %s --gptq="bits=3 group-size=4 samples=2 calibration=%S/Inputs/tokens.npy state=state" -o again.mlir 2>&1 \
// RUN:   | FileCheck %s --check-prefix=OTHER

// Another model that has the same layers, and something else before them.
// RUN: sed 's/onnx.Relu/onnx.Sigmoid/' %s > sigmoid.mlir
// RUN: quant-opt sigmoid.mlir --gptq="group-size=4 calibration=%S/Inputs/tokens.npy" -o other.mlir
// RUN: rm -r state
// RUN: quant-opt %s --gptq="group-size=4 calibration=%S/Inputs/tokens.npy state=state" -o whole.mlir
// RUN: quant-opt sigmoid.mlir --gptq="group-size=4 calibration=%S/Inputs/tokens.npy state=state" -o again.mlir 2>&1 \
// RUN:   | FileCheck %s --check-prefix=OTHER
// RUN: diff other.mlir again.mlir

func.func @model(%tokens: tensor<?x?xi64> {onnx.name = "input_ids"}) -> (tensor<?x?x8xf32> {onnx.name = "logits"}) {
  %table = onnx.Constant dense<[[0.1, -0.4, 0.3, 0.9, -0.2, 0.5, 0.6, -1.0], [1.1, 0.2, -0.3, 0.4, 0.8, -0.9, 0.7, 0.3], [-0.6, 0.5, 0.4, -0.3, 0.2, 0.1, 0.9, -0.8], [0.7, 0.6, -0.5, 0.4, -0.3, 0.2, -0.1, 0.2], [-1.2, 0.1, 0.3, 0.5, 0.7, -0.9, 0.2, 0.4], [0.3, 0.3, 0.9, -0.9, 0.1, 0.6, -0.4, 0.8]]> : tensor<6x8xf32>
  %x = onnx.Gather(%table, %tokens) {axis = 0 : i64} : (tensor<6x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32>
  %a = onnx.Relu(%x) : (tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %w = onnx.Constant dense<[[0.9, 0.1, -0.3, 0.2], [0.4, -0.5, 0.6, 0.7], [-0.8, 0.9, 0.2, -0.1], [0.3, 0.5, -0.7, 0.9], [0.2, -0.4, 0.6, -0.8], [0.1, 0.3, 0.5, 0.7], [-0.9, 0.7, -0.5, 0.3], [0.6, 0.2, 0.8, -0.4]]> : tensor<8x4xf32>
  %y = onnx.MatMul(%a, %w) : (tensor<?x?x8xf32>, tensor<8x4xf32>) -> tensor<?x?x4xf32> loc("up")
  %v = onnx.Constant dense<[[0.1, 0.5, -0.3, 0.7, 0.2, -0.6, 0.4, 0.8], [0.9, -0.1, 0.3, 0.5, -0.7, 0.2, 0.6, -0.4], [-0.2, 0.6, 0.8, -0.4, 0.1, 0.3, -0.5, 0.7], [0.4, 0.2, -0.6, 0.8, 0.5, -0.9, 0.1, 0.3]]> : tensor<4x8xf32>
  %z = onnx.MatMul(%y, %v) : (tensor<?x?x4xf32>, tensor<4x8xf32>) -> tensor<?x?x8xf32> loc("down")
  %u = onnx.Constant dense<0.5> : tensor<8x8xf32>
  %logits = onnx.MatMul(%z, %u) : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32> loc("head")
  return %logits : tensor<?x?x8xf32>
}
