// RUN: rm -rf %t && mkdir %t
// RUN: %python %S/../Integration/Inputs/make_npz.py %t/x.npy "x=np.array([[1, 2, 3, 4], [4, -3, 2, 1]], np.float32)"
// RUN: not quant-opt %s --assign-formats="search" 2>&1 | FileCheck %s --check-prefix=BUDGET
// BUDGET: error: the search has no budget: give budget (bits per weight), budget-bytes or budget-latency
// RUN: not quant-opt %s --assign-formats="search budget=4 budget-bytes=100" 2>&1 | FileCheck %s --check-prefix=TWO
// TWO: error: there are two budgets, budget and budget-bytes: give one
// RUN: not quant-opt %s --assign-formats="search budget=-3" 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// NEGATIVE: error: budget is -3{{.*}}, but must be a positive number
// RUN: not quant-opt %s --assign-formats="search budget-latency=nan" 2>&1 | FileCheck %s --check-prefix=NUMBER
// NUMBER: error: budget-latency is nan, but must be a positive number
// RUN: not quant-opt %s --assign-formats="rules=up=u4 budget=4" 2>&1 | FileCheck %s --check-prefix=UNASKED
// UNASKED: error: budget is for a search, which is not asked for: give search
// RUN: not quant-opt %s --assign-formats="rules=up=u4 candidates=u4" 2>&1 | FileCheck %s --check-prefix=CANDIDATES
// CANDIDATES: error: candidates is for a search, which is not asked for: give search
// RUN: not quant-opt %s --assign-formats="search budget=4 mixture=Q4_K_M" 2>&1 | FileCheck %s --check-prefix=MIXTURE
// MIXTURE: error: the search decides on all layers that no rule matches: leave out the mixture
// RUN: not quant-opt %s --assign-formats="search budget=4 default=u4" 2>&1 | FileCheck %s --check-prefix=DEFAULT
// DEFAULT: error: the search decides on all layers that no rule matches: leave out the default
// RUN: not quant-opt %s --assign-formats="search budget=4 candidates=u4,u9" 2>&1 | FileCheck %s --check-prefix=NAME
// NAME: error: candidates[1]: the format is 'u9', but must be a name
// RUN: not quant-opt %s --assign-formats="search budget=8 candidates=u4 sensitivity=mse" 2>&1 | FileCheck %s --check-prefix=MEASURE
// MEASURE: error: sensitivity is 'mse', but must be output-error, hessian-trace or kl
// RUN: not quant-opt %s --assign-formats="search budget=16 candidates=u4 solver=awq" 2>&1 | FileCheck %s --check-prefix=SOLVER
// SOLVER: error: solver is 'awq', but must be gptq, rtn or hqq
// RUN: not quant-opt %s --assign-formats="search budget=16 candidates=u4 range=all calibration=%t/x.npy" 2>&1 | FileCheck %s --check-prefix=RANGE
// RANGE: error: range is 'all', but must be minmax, percentile or mse
// RUN: not quant-opt %s --assign-formats="search budget=16 candidates=u4 kl-samples=-2" 2>&1 | FileCheck %s --check-prefix=SAMPLES
// SAMPLES: error: kl-samples is -2, but must be positive, or 0 for all
// RUN: not quant-opt %s --assign-formats="search budget-latency=16 latency=guessed" 2>&1 | FileCheck %s --check-prefix=LATENCY
// LATENCY: error: latency is 'guessed', but must be predicted or measured
// RUN: not quant-opt %s --assign-formats="search budget=4 latency=measured" 2>&1 | FileCheck %s --check-prefix=UNTIMED
// UNTIMED: error: latency=measured is for budget-latency, which is not given
// RUN: not quant-opt %s --assign-formats="search budget-latency=16 latency=measured target=neon" 2>&1 | FileCheck %s --check-prefix=ELSEWHERE
// ELSEWHERE: error: latency is measured on this machine: leave out the target, or let latency be predicted
// RUN: not quant-opt %s --assign-formats="search budget-latency=1e-4 latency=measured candidates=u4g8 solver=rtn sensitivity=output-error samples=2 length=4" 2>&1 | FileCheck %s --check-prefix=SLOW
// SLOW: error: {{.*}}microseconds per token
// RUN: not quant-opt %s --assign-formats="search budget-latency=16 candidates=u4 target=z80" 2>&1 | FileCheck %s --check-prefix=TARGET
// TARGET: error: target is 'z80': unknown target 'z80': expected avx2,
// RUN: not quant-opt %s --assign-formats="search budget=16 candidates=u4" 2>&1 | FileCheck %s --check-prefix=DATA
// DATA: error: calibration data can be made up for language models only

// 8 rows of 4 take 16 bytes of codes, 16 of scales and 8 of zero points; 2 rows of
// 8 take 14.
// RUN: not quant-opt %s --assign-formats="search budget=8 candidates=u4,u8 calibration=%t/x.npy" 2>&1 | FileCheck %s --check-prefix=LEAST
// LEAST: error: the budget is 8.000 bits per weight, but the candidates take at least 9.000 bits per weight{{$}}
// RUN: not quant-opt %s --assign-formats="search rules=up=float budget=12 candidates=u4 calibration=%t/x.npy" 2>&1 | FileCheck %s --check-prefix=FIXED
// FIXED: error: the budget is 12.000 bits per weight, but the candidates take at least 23.667 bits per weight, with the layers that are not searched
// RUN: not quant-opt %s --assign-formats="search rules=up|down=float budget=12 candidates=u4 calibration=%t/x.npy" 2>&1 | FileCheck %s --check-prefix=ALL
// ALL: error: the search has no layers: rules decide on all of them
// RUN: not quant-opt %s --assign-formats="search budget=12 candidates=q6_K,q4_0 calibration=%t/x.npy" 2>&1 | FileCheck %s --check-prefix=UNFIT
// UNFIT: error: no candidate serves layer 'up': q6_K has blocks of 256 columns, which do not divide the 4; {{.*}}; no fallback is given

// A table is of one model, its data and how it was measured.
// RUN: quant-opt %s --assign-formats="search sensitivity=output-error budget=16 candidates=u4,u8 calibration=%t/x.npy table=%t/table.json" -o %t/out.mlir 2>/dev/null
// RUN: not quant-opt %s --assign-formats="search budget=16 candidates=u4,u8 sensitivity=hessian-trace calibration=%t/x.npy table=%t/table.json" -o %t/bad.mlir 2>&1 | FileCheck %s --check-prefix=TABLE-MEASURE
// RUN: not test -e %t/bad.mlir
// TABLE-MEASURE: error: table '{{.*}}table.json' was measured with sensitivity='output-error', not 'hessian-trace'; remove it or name another one
// RUN: %python %S/../Integration/Inputs/make_npz.py %t/y.npy "x=np.array([[1, 2, 3, 4], [4, -3, 2, 5]], np.float32)"
// RUN: not quant-opt %s --assign-formats="search sensitivity=output-error budget=16 candidates=u4,u8 calibration=%t/y.npy table=%t/table.json" 2>&1 | FileCheck %s --check-prefix=TABLE-DATA
// TABLE-DATA: error: table '{{.*}}table.json' was measured with calibration='float32[2, 4], hash {{[0-9a-f]+}}', not 'float32[2, 4], hash {{[0-9a-f]+}}'; remove it
// RUN: not quant-opt %s --assign-formats="search sensitivity=output-error budget=16 candidates=u4,u6 calibration=%t/x.npy table=%t/table.json" 2>&1 | FileCheck %s --check-prefix=TABLE-CANDIDATE
// TABLE-CANDIDATE: error: table '{{.*}}table.json' was measured for other candidates: it has no #lowbit.uniform<u6, group = [1, *], scale = f16, zero = u6> for layer 'up'; remove it
// RUN: sed 's/-0.51/0.52/' %s > %t/other.mlir
// RUN: not quant-opt %t/other.mlir --assign-formats="search sensitivity=output-error budget=16 candidates=u4,u8 calibration=%t/x.npy table=%t/table.json" 2>&1 | FileCheck %s --check-prefix=TABLE-WEIGHT
// TABLE-WEIGHT: error: table '{{.*}}table.json' is of another model: layer 'up' has another weight; remove it
// RUN: sed 's/loc("up")/loc("other")/' %s > %t/renamed.mlir
// RUN: not quant-opt %t/renamed.mlir --assign-formats="search sensitivity=output-error budget=16 candidates=u4,u8 calibration=%t/x.npy table=%t/table.json" 2>&1 | FileCheck %s --check-prefix=TABLE-LAYER
// TABLE-LAYER: error: table '{{.*}}table.json' is of another model: it has no layer 'other'; remove it
// RUN: echo '[1]' > %t/list.json
// RUN: not quant-opt %s --assign-formats="search sensitivity=output-error budget=16 candidates=u4,u8 calibration=%t/x.npy table=%t/list.json" 2>&1 | FileCheck %s --check-prefix=TABLE-LIST
// TABLE-LIST: error: table '{{.*}}list.json' is no table of sensitivities; remove it
// RUN: echo '{' > %t/syntax.json
// RUN: not quant-opt %s --assign-formats="search sensitivity=output-error budget=16 candidates=u4,u8 calibration=%t/x.npy table=%t/syntax.json" 2>&1 | FileCheck %s --check-prefix=TABLE-SYNTAX
// TABLE-SYNTAX: error: cannot read table '{{.*}}syntax.json': [{{[0-9]+:[0-9]+}}, byte={{[0-9]+}}]:
// RUN: not quant-opt %s --assign-formats="search sensitivity=output-error budget=16 candidates=u4,u8 calibration=%t/x.npy table=%t/missing/table.json" 2>&1 | FileCheck %s --check-prefix=TABLE-FOLDER
// TABLE-FOLDER: error: {{.*}}missing

// What is no number cannot be measured.
// RUN: %python %S/../Integration/Inputs/make_npz.py %t/nan.npy "x=np.array([[1, 2, np.nan, 4]], np.float32)"
// RUN: not quant-opt %s --assign-formats="search budget=16 candidates=u4 calibration=%t/nan.npy" 2>&1 | FileCheck %s --check-prefix=NAN
// NAN: error: cannot measure layer 'up': its input has values that are not finite
// RUN: sed 's/-0.51/0x7FC00000/' %s > %t/nan.mlir
// RUN: not quant-opt %t/nan.mlir --assign-formats="search budget=16 candidates=u4 calibration=%t/x.npy" 2>&1 | FileCheck %s --check-prefix=WEIGHT
// WEIGHT: error: cannot measure layer 'up': in u4 {{.*}}: the weight in row 1, column 0 is NaN
// RUN: not quant-opt %s --assign-formats="search budget=16 candidates=u4,bf16 solver=hqq calibration=%t/x.npy" 2>&1 | FileCheck %s --check-prefix=HQQ
// HQQ: error: cannot measure layer 'up': in bf16: {{.+}}

func.func @model(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %wu = onnx.Constant dense<[[0.25, -0.51, 0.13, 0.77, 0.41, -0.92, 0.36, -0.18], [0.66, 0.29, -0.83, 0.05, -0.47, 0.58, 0.91, -0.34], [-0.12, 0.74, 0.53, -0.69, 0.22, 0.87, -0.45, 0.09], [0.38, -0.61, 0.97, 0.16, -0.79, 0.03, 0.54, 0.82]]> : tensor<4x8xf32>
  %u = onnx.MatMul(%x, %wu) : (tensor<?x4xf32>, tensor<4x8xf32>) -> tensor<?x8xf32> loc("up")
  %r = onnx.Relu(%u) : (tensor<?x8xf32>) -> tensor<?x8xf32>
  %wd = onnx.Constant dense<0.75> : tensor<8x2xf32>
  %d = onnx.MatMul(%r, %wd) : (tensor<?x8xf32>, tensor<8x2xf32>) -> tensor<?x2xf32> loc("down")
  %wh = onnx.Constant dense<0.5> : tensor<2x4xf32>
  %h = onnx.MatMul(%d, %wh) : (tensor<?x2xf32>, tensor<2x4xf32>) -> tensor<?x4xf32> loc("head")
  return %h : tensor<?x4xf32>
}
