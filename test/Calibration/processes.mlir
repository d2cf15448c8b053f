// Processes that share calibration data: the same bits as from one.

// REQUIRES: mpi
// RUN: rm -rf %t && mkdir %t && cd %t && mkdir one two three other
// RUN: %python %S/../Integration/Inputs/make_npz.py tokens.npy "x=np.random.default_rng(1).integers(0, 6, (80, 256))"
// RUN: quant-opt %s --gptq="group-size=4 calibration=tokens.npy threads=1 report=one/report.json" -o one/q.mlir
// RUN: %mpirun -n 2 quant-opt %s --gptq="group-size=4 calibration=tokens.npy threads=1 report=two/report.json" -o two/q.mlir
// RUN: %mpirun -n 3 quant-opt %s --gptq="group-size=4 calibration=tokens.npy threads=2 state=three/state" -o three/q.mlir
// RUN: diff one/q.mlir two/q.mlir
// RUN: diff one/q.mlir three/q.mlir
// The first process alone writes.
// RUN: ls one two three | FileCheck %s --check-prefix=FILES
// FILES:      one:
// FILES-NEXT: q.mlir
// FILES-NEXT: report.json
// FILES-EMPTY:
// FILES-NEXT: three:
// FILES-NEXT: q.mlir
// FILES-NEXT: state
// FILES-EMPTY:
// FILES-NEXT: two:
// FILES-NEXT: q.mlir
// FILES-NEXT: report.json
// FILES-NOT:  {{.}}
// RUN: %python -c "import json; assert len(json.load(open('two/report.json'))) == 3"

// Weights in a file beside the module, messages and tables, once.
// RUN: quant-opt %s --gptq="group-size=4 samples=40 length=100 seed=3 threads=1 head" --mlir-elide-elementsattrs-if-larger=8 -o one/generated.mlir 2>&1 | FileCheck %s --check-prefix=REMARK
// RUN: %mpirun -n 2 quant-opt %s --gptq="group-size=4 samples=40 length=100 seed=3 threads=1 head report=-" --mlir-elide-elementsattrs-if-larger=8 -o two/generated.mlir >messages 2>&1
// RUN: FileCheck %s --check-prefix=REMARK --input-file=messages
// RUN: FileCheck %s --check-prefix=TABLE --input-file=messages
// RUN: diff one/generated.mlir two/generated.mlir
// REMARK: remark: no calibration data given: the model generated 40 samples of 100 tokens (seed 3)
// REMARK-NOT: remark:
// TABLE: 4 layers
// TABLE-NOT: 4 layers

// More processes than there are chunks of samples.
// RUN: quant-opt %s --collect-importance="calibration=tokens.npy samples=24" -o one/importance.mlir
// RUN: %mpirun -n 4 quant-opt %s --collect-importance="calibration=tokens.npy samples=24 threads=1" -o two/importance.mlir
// RUN: diff one/importance.mlir two/importance.mlir

// What passes read batch by batch. With one batch, one process has none.
// RUN: quant-opt %s --gptq="group-size=4 calibration=tokens.npy threads=1 inputs=block error-propagation=0.5" -o one/propagated.mlir
// RUN: %mpirun -n 2 quant-opt %s --gptq="group-size=4 calibration=tokens.npy threads=1 inputs=block error-propagation=0.5" -o two/propagated.mlir
// RUN: diff one/propagated.mlir two/propagated.mlir
// RUN: not diff -q one/q.mlir two/propagated.mlir
// RUN: quant-opt %s --gptq="group-size=4 calibration=tokens.npy samples=4 threads=1 error-propagation=1" -o one/single.mlir
// RUN: %mpirun -n 2 quant-opt %s --gptq="group-size=4 calibration=tokens.npy samples=4 threads=1 error-propagation=1" -o two/single.mlir
// RUN: diff one/single.mlir two/single.mlir

// Modules that passes run on other weights and inputs.
// RUN: %python %S/../Integration/Inputs/make_npz.py rows.npy "x=np.random.default_rng(2).normal(size=(4096, 2)).astype(np.float32)"
// RUN: quant-opt %S/awq.mlir --awq="calibration=rows.npy bits=2 threads=1 head" -o one/awq.mlir
// RUN: %mpirun -n 2 quant-opt %S/awq.mlir --awq="calibration=rows.npy bits=2 threads=1 head" -o two/awq.mlir
// RUN: diff one/awq.mlir two/awq.mlir
// RUN: quant-opt %S/smoothquant.mlir --smoothquant="calibration=rows.npy alpha=search format=s2 activation-bits=2 threads=1" -o one/smooth.mlir
// RUN: %mpirun -n 2 quant-opt %S/smoothquant.mlir --smoothquant="calibration=rows.npy alpha=search format=s2 activation-bits=2 threads=1" -o two/smooth.mlir
// RUN: diff one/smooth.mlir two/smooth.mlir

// A table of what formats lose is read and written by the first process alone.
// RUN: quant-opt %s --assign-formats="search candidates=u2g4,u4g4,u8g4 budget=9 calibration=tokens.npy threads=1 table=one/table.json" -o one/formats.mlir
// RUN: %mpirun -n 2 quant-opt %s --assign-formats="search candidates=u2g4,u4g4,u8g4 budget=9 calibration=tokens.npy threads=1 table=two/table.json" -o two/formats.mlir
// RUN: diff one/formats.mlir two/formats.mlir
// RUN: diff one/table.json two/table.json
// RUN: %mpirun -n 2 quant-opt %s --assign-formats="search candidates=u2g4,u4g4,u8g4 budget=9 calibration=tokens.npy threads=1 table=two/table.json" -o two/formats.mlir
// RUN: diff one/formats.mlir two/formats.mlir

// An interrupted run goes on with another number of processes.
// RUN: rm three/state/layer-2.json
// RUN: %mpirun -n 2 quant-opt %s --gptq="group-size=4 calibration=tokens.npy threads=1 state=three/state" -o three/again.mlir 2>&1 | FileCheck %s --check-prefix=RESUMED
// RUN: diff one/q.mlir three/again.mlir
// RESUMED: remark: resumed from 'three/state': 2 of 3 layers are done; going on with 'up'
// RESUMED-NOT: remark:

// Progress, when it is asked for.
// RUN: env LOWBIT_PROGRESS=1 %mpirun -n 2 quant-opt %s --gptq="group-size=4 calibration=tokens.npy threads=1" -o two/again.mlir 2>&1 | FileCheck %s --check-prefix=PROGRESS
// PROGRESS:      [1/3] query error
// PROGRESS-NEXT: [2/3] key error
// PROGRESS-NEXT: [3/3] up error {{.*}}, 0s left
// PROGRESS-NOT:  elapsed

// When one fails, all end, and nothing is left.
// RUN: not %mpirun -n 2 quant-opt %s --gptq="calibration=absent.npy" -o other/q.mlir 2>&1 | FileCheck %s --check-prefix=ABSENT
// ABSENT: error: {{.*}}absent.npy
// RUN: not %mpirun -n 1 quant-opt %s --gptq="calibration=tokens.npy" -o other/q.mlir : -n 1 quant-opt absent.mlir -o other/q.mlir 2>&1 | FileCheck %s --check-prefix=ONE
// ONE: error: {{.*}}absent.mlir
// RUN: not %mpirun -n 1 quant-opt %s --gptq="calibration=tokens.npy" -o other/q.mlir : -n 1 quant-opt --no-such-flag 2>&1 | FileCheck %s --check-prefix=FLAG
// FLAG: no-such-flag
// RUN: ls other | count 0

// Other programs of the same start know nothing of it, and one process is alone.
// RUN: %mpirun -n 1 quant-opt %s --gptq="group-size=4 calibration=tokens.npy" -o two/alone.mlir
// RUN: diff one/q.mlir two/alone.mlir

func.func @model(%tokens: tensor<?x?xi64> {onnx.name = "input_ids"}) -> (tensor<?x?x6xf32> {onnx.name = "logits"}) {
  %table = onnx.Constant dense<[[0.1, -0.4, 0.3, 0.9, -0.2, 0.5, 0.6, -1.0], [1.1, 0.2, -0.3, 0.4, 0.8, -0.9, 0.7, 0.3], [-0.6, 0.5, 0.4, -0.3, 0.2, 0.1, 0.9, -0.8], [0.7, 0.6, -0.5, 0.4, -0.3, 0.2, -0.1, 0.2], [-1.2, 0.1, 0.3, 0.5, 0.7, -0.9, 0.2, 0.4], [0.3, 0.3, 0.9, -0.9, 0.1, 0.6, -0.4, 0.8]]> : tensor<6x8xf32>
  %x = onnx.Gather(%table, %tokens) {axis = 0 : i64} : (tensor<6x8xf32>, tensor<?x?xi64>) -> tensor<?x?x8xf32> loc("embedding")
  %wq = onnx.Constant dense<[[0.9, 0.1, -0.3, 0.2], [0.4, -0.5, 0.6, 0.7], [-0.8, 0.9, 0.2, -0.1], [0.3, 0.5, -0.7, 0.9], [0.2, -0.4, 0.6, -0.8], [0.1, 0.3, 0.5, 0.7], [-0.9, 0.7, -0.5, 0.3], [0.6, 0.2, 0.8, -0.4]]> : tensor<8x4xf32>
  %q = onnx.MatMul(%x, %wq) : (tensor<?x?x8xf32>, tensor<8x4xf32>) -> tensor<?x?x4xf32> loc("query")
  %wk = onnx.Constant dense<[[0.2, 0.8, -0.1, 0.6], [0.7, -0.2, 0.5, 0.1], [-0.3, 0.4, 0.9, -0.6], [0.8, 0.1, -0.2, 0.7], [0.5, -0.6, 0.3, -0.4], [0.9, 0.2, 0.4, 0.6], [-0.1, 0.3, -0.7, 0.5], [0.4, 0.6, 0.1, -0.9]]> : tensor<8x4xf32>
  %k = onnx.MatMul(%x, %wk) : (tensor<?x?x8xf32>, tensor<8x4xf32>) -> tensor<?x?x4xf32> loc("key")
  %sum = onnx.Add(%q, %k) : (tensor<?x?x4xf32>, tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  %act = onnx.Sigmoid(%sum) : (tensor<?x?x4xf32>) -> tensor<?x?x4xf32>
  %wu = onnx.Constant dense<[[0.1, 0.5, -0.3, 0.7, 0.2, -0.6, 0.4, 0.8], [0.9, -0.1, 0.3, 0.5, -0.7, 0.2, 0.6, -0.4], [-0.2, 0.6, 0.8, -0.4, 0.1, 0.3, -0.5, 0.7], [0.4, 0.2, -0.6, 0.8, 0.5, -0.9, 0.1, 0.3]]> : tensor<4x8xf32>
  %u = onnx.MatMul(%act, %wu) : (tensor<?x?x4xf32>, tensor<4x8xf32>) -> tensor<?x?x8xf32> loc("up")
  %h = onnx.Add(%u, %x) : (tensor<?x?x8xf32>, tensor<?x?x8xf32>) -> tensor<?x?x8xf32>
  %wh = onnx.Constant dense<[[0.3, -0.2, 0.5, 0.1, 0.7, -0.4], [0.6, 0.8, -0.1, 0.3, -0.5, 0.2], [-0.7, 0.4, 0.2, 0.9, 0.1, -0.6], [0.5, -0.3, 0.8, -0.2, 0.4, 0.6], [0.1, 0.7, -0.9, 0.3, 0.2, -0.5], [0.8, -0.6, 0.4, 0.2, -0.1, 0.3], [-0.4, 0.5, 0.1, -0.7, 0.9, 0.2], [0.2, 0.1, 0.6, -0.8, 0.3, 0.4]]> : tensor<8x6xf32>
  %logits = onnx.MatMul(%h, %wh) : (tensor<?x?x8xf32>, tensor<8x6xf32>) -> tensor<?x?x6xf32> loc("head")
  return %logits : tensor<?x?x6xf32>
}
