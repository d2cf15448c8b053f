// RUN: not quant-opt %s --quantize-activations="bits=9" 2>&1 | FileCheck %s --check-prefix=BITS
// RUN: not quant-opt %s --quantize-activations="granularity=channel" 2>&1 | FileCheck %s --check-prefix=GRANULARITY
// RUN: not quant-opt %s --quantize-activations="include=(q" 2>&1 | FileCheck %s --check-prefix=REGEX
// BITS: error: {{.*}}quantize-activations: bits is 9, but must be 2 to 8
// GRANULARITY: error: {{.*}}quantize-activations: granularity is 'channel', but must be 'group', 'row' or 'tensor'
// REGEX: error: {{.*}}quantize-activations: include is '(q', which is no regular expression: parentheses not balanced

// What says nothing of dynamic scales.
// RUN: not quant-opt %s --quantize-activations="range=mse" 2>&1 | FileCheck %s --check-prefix=RANGE-DYNAMIC
// RUN: not quant-opt %s --quantize-activations="granularity=row static" 2>&1 | FileCheck %s --check-prefix=ROW
// RUN: not quant-opt %s --quantize-activations='format="#lowbit.ovp<int4, group = [*, *], scale = f32>"' 2>&1 | FileCheck %s --check-prefix=FORMAT-DYNAMIC
// RANGE-DYNAMIC: error: {{.*}}quantize-activations: range is 'mse', but is for static scales only: add 'static', or calibration data
// ROW: error: {{.*}}quantize-activations: granularity is 'row', but static scales are for whole tensors
// FORMAT-DYNAMIC: error: {{.*}}quantize-activations: format is '#lowbit.ovp<{{.*}}', but is for static scales only

// RUN: not quant-opt %s --quantize-activations="static range=max" 2>&1 | FileCheck %s --check-prefix=RANGE
// RUN: not quant-opt %s --quantize-activations="static range=percentile percentile=50" 2>&1 | FileCheck %s --check-prefix=PERCENTILE
// RUN: not quant-opt %s --quantize-activations='static format="#lowbit.uniform<s8, group = [1, *], scale = f32, zero = none>"' 2>&1 | FileCheck %s --check-prefix=FORMAT
// RUN: not quant-opt %s --quantize-activations='static format=u4' 2>&1 | FileCheck %s --check-prefix=FORMAT
// RUN: not quant-opt %s --quantize-activations='static format=int5' 2>&1 | FileCheck %s --check-prefix=NAME
// RUN: not quant-opt %s --quantize-activations='static or-format=nf4' 2>&1 | FileCheck %s --check-prefix=SECOND
// RUN: not quant-opt %s --quantize-activations='static range=minmax format="#lowbit.ovp<int4, group = [*, *], scale = f32>" or-format="#lowbit.ovp<flint4, group = [*, *], scale = f32>"' 2>&1 | FileCheck %s --check-prefix=COMPARE
// RANGE: error: {{.*}}quantize-activations: range is 'max', but must be minmax, average, percentile, entropy, mse or sigma
// PERCENTILE: error: {{.*}}quantize-activations: percentile is 50, but must lie in (50, 100]
// FORMAT: error: {{.*}}quantize-activations: format is '{{.*}}', but static activations take a format with one f16, bf16 or f32 scale for the whole tensor and no zero points: #lowbit.uniform with signed codes, or #lowbit.ovp, and group = [*, *]
// NAME: error: {{.*}}quantize-activations: format is 'int5', but must be a name such as
// SECOND: error: {{.*}}quantize-activations: or-format is a second choice, but format names no first one
// COMPARE: error: {{.*}}quantize-activations: or-format compares errors, which are measured with range=mse and range=sigma only

// The data is missing, or no data for this model.
// RUN: not quant-opt %s --quantize-activations="static" 2>&1 | FileCheck %s --check-prefix=GENERATE
// RUN: not quant-opt %s --quantize-activations="calibration=%t.missing.npy" 2>&1 | FileCheck %s --check-prefix=MISSING
// RUN: not quant-opt %s --quantize-activations="static samples=-1" 2>&1 | FileCheck %s --check-prefix=SAMPLES
// RUN: %python %S/../Integration/Inputs/make_npz.py %t.wide.npy "x=np.ones((2, 5), np.float32)"
// RUN: not quant-opt %s --quantize-activations="calibration=%t.wide.npy" 2>&1 | FileCheck %s --check-prefix=WIDE
// GENERATE: error: {{.*}}quantize-activations: calibration data can be made up for language models only; name a file with calibration=
// MISSING: error: {{.*}}quantize-activations: {{.*}}.missing.npy
// SAMPLES: error: {{.*}}quantize-activations: samples is -1, but must be positive, or 0 for all
// WIDE: error: {{.*}}quantize-activations: calibration file '{{.*}}.wide.npy' holds {{.*}}, which are no samples for the input 'x'

// Inputs that say nothing of a range.
// RUN: %python %S/../Integration/Inputs/make_npz.py %t.nan.npy "x=np.array([[1, 2], [3, np.nan]], np.float32)"
// RUN: not quant-opt %s --quantize-activations="calibration=%t.nan.npy" 2>&1 | FileCheck %s --check-prefix=NAN
// RUN: not quant-opt %s --quantize-activations="calibration=%t.nan.npy range=entropy" 2>&1 | FileCheck %s --check-prefix=NAN
// NAN: error: {{.*}}quantize-activations: cannot calibrate the input of 'layer': a value is NaN or infinite

#s8 = #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none>
func.func @model(%x: tensor<?x2xf32> {onnx.name = "x"}) -> (tensor<?x3xf32> {onnx.name = "y"}) {
  %w = lowbit.constant {codes = dense<1> : tensor<3x2xi8>, scales = dense<1.0> : tensor<3x1xf32>} : !lowbit.tensor<3x2xf32, #s8>
  %y = lowbit.matmul %x, %w : (tensor<?x2xf32>, !lowbit.tensor<3x2xf32, #s8>) -> tensor<?x3xf32> loc("layer")
  return %y : tensor<?x3xf32>
}
