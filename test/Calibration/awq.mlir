// RUN: rm -rf %t && mkdir %t && cd %t
// RUN: %python %S/../Integration/Inputs/make_npz.py one.npy "x=np.ones([1, 2], np.float32)"
// RUN: %python %S/../Integration/Inputs/make_npz.py both.npy "x=np.array([[1, 0], [1, 0]], np.float32)"
// RUN: %python %S/../Integration/Inputs/make_npz.py nan.npy "x=np.array([[1, 1], [np.nan, 1]], np.float32)"

// One token will do. What reads the head's input, the head among it, is scaled.
// RUN: quant-opt %s --awq="calibration=one.npy bits=2 scale-type=f32 points=2 clip=false head" | FileCheck %s

// With one exponent there is nothing to choose from.
// RUN: quant-opt %s --awq="calibration=one.npy bits=2 scale-type=f32 points=1 clip=false head" | FileCheck %s --check-prefix=SAME
// RUN: quant-opt %s --awq="calibration=one.npy bits=2 scale-type=f32 clip=false scale=false head" | FileCheck %s --check-prefix=SAME
// SAME: onnx.Constant dense<[1.600000e+01, 1.000000e+00]>
// SAME: onnx.Constant dense<{{\[}}[3.000000e-01], [1.000000e+00]]>

// The format that was assigned to a layer comes first: 8 bits lose less as they are.
// RUN: quant-opt %s --assign-formats="rules=norm_reader=u8" --awq="calibration=one.npy bits=2 scale-type=f32 points=2 clip=false head" | FileCheck %s --check-prefix=ASSIGNED
// ASSIGNED: onnx.Constant dense<{{\[}}[3.000000e-01], [1.000000e+00]]>

// A solver follows, and rounds to what the search has chosen.
// RUN: quant-opt %s --awq="calibration=one.npy bits=2 scale-type=f32 points=2 clip=false head" --quantize-rtn="bits=2 scale-type=f32 head" --convert-formats="to=f32" | FileCheck %s --check-prefix=SOLVED
// SOLVED: lowbit.constant {{.*}}[6.000000e-01, 4.000000e-01]

// The mean of an input's channel 1 is 0: only the other one counts, for which a
// step of 0.3 is right. Limits that do not divide as well stay.
// RUN: quant-opt %s --awq="calibration=both.npy bits=2 scale-type=f32 scale=false include=clipped" | FileCheck %s --check-prefix=CLIP
// CLIP: onnx.Constant dense<{{\[}}[3.000000e-01], [0.899999976]]>

// The same with any number of threads.
// RUN: quant-opt %s --awq="calibration=both.npy bits=2 threads=1 head" -o a.mlir
// RUN: quant-opt %s --awq="calibration=both.npy bits=2 threads=3 head" -o b.mlir
// RUN: diff a.mlir b.mlir

// RUN: not quant-opt %s --awq="calibration=nan.npy head" 2>&1 | FileCheck %s --check-prefix=NAN
// NAN: error: cannot scale the input of layer 'ones': channel 0 of it is not finite in all calibration data
// RUN: not quant-opt %s --awq="calibration=nan.npy scale=false head" 2>&1 | FileCheck %s --check-prefix=NAN-CLIP
// NAN-CLIP: error: cannot clip layer 'clipped': channel 0 of its input is not finite in all calibration data
// RUN: not quant-opt %s --awq="calibration=one.npy points=0" 2>&1 | FileCheck %s --check-prefix=POINTS
// POINTS: error: points is 0, but must be at least 1
// RUN: not quant-opt %s --awq="calibration=one.npy bits=9" 2>&1 | FileCheck %s --check-prefix=BITS
// BITS: error: bits is 9, but must be 1 to 8
// RUN: not quant-opt %s --awq="calibration=one.npy include=nothing" 2>&1 | FileCheck %s --check-prefix=NOTHING
// NOTHING: error: include='nothing' exclude='' leave none of the 2 layers to quantize
// RUN: sed '/ %%v = /s/0\.3/0x7FC00000/' %s > weight.mlir
// RUN: not quant-opt weight.mlir --awq="calibration=one.npy head" 2>&1 | FileCheck %s --check-prefix=WEIGHT
// WEIGHT: error: cannot scale the input of layer 'ones': the float module behind it has outputs that are not finite
// RUN: not quant-opt weight.mlir --awq="calibration=one.npy scale=false head" 2>&1 | FileCheck %s --check-prefix=WEIGHT-CLIP
// WEIGHT-CLIP: error: cannot clip layer 'norm_reader': 'norm_reader' (onnx.MatMul) has a constant whose element 0 is NaN

func.func @model(%x: tensor<?x2xf32> {onnx.name = "x"}) -> tensor<?x1xf32> {
  // Channels of magnitude 16 and 1: with exponent 1/2 the scales are 2 and 1/2.
  // In two bits, 0.3 and 1 become 1/3 and 1; scaled, 0.6 and 0.5 become 0.6 and
  // 0.4, which loses less of 16 * 0.3 + 1 * 1.
  // CHECK-DAG: onnx.Constant dense<[8.000000e+00, 2.000000e+00]>
  // CHECK-DAG: onnx.Constant dense<{{\[}}[6.000000e-01], [5.000000e-01]]>
  %scale = onnx.Constant dense<[16.0, 1.0]> : tensor<2xf32>
  %w = onnx.Constant dense<[[0.3], [1.0]]> : tensor<2x1xf32>
  %v = onnx.Constant dense<[[0.3], [1.0]]> : tensor<2x1xf32>
  %c = onnx.Constant dense<[[1.0, 1.0]]> : tensor<1x2xf32>
  %a = onnx.MatMul(%x, %w) : (tensor<?x2xf32>, tensor<2x1xf32>) -> tensor<?x1xf32> loc("clipped")
  %b = onnx.MatMul(%a, %c) : (tensor<?x1xf32>, tensor<1x2xf32>) -> tensor<?x2xf32> loc("ones")
  %n = onnx.RMSNormalization(%b, %scale) : (tensor<?x2xf32>, tensor<2xf32>) -> tensor<?x2xf32> loc("norm")
  %y = onnx.MatMul(%n, %v) : (tensor<?x2xf32>, tensor<2x1xf32>) -> tensor<?x1xf32> loc("norm_reader")
  return %y : tensor<?x1xf32>
}
