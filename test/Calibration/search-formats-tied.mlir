// Layers that read the same value can be merged if they have one format.
// RUN: rm -rf %t && mkdir %t
// RUN: %python %S/../Integration/Inputs/make_npz.py %t/x.npy "x=np.array([[1, 2, 3, 4], [4, -3, 2, 1], [-2, 1, 0, 3]], np.float32)"
// RUN: quant-opt %s --assign-formats="search sensitivity=output-error candidates=u2,u4,u8 solver=rtn budget=11 calibration=%t/x.npy" 2>/dev/null | FileCheck %s --check-prefix=FREE
// RUN: quant-opt %s --assign-formats="search sensitivity=output-error tied candidates=u2,u4,u8 solver=rtn budget=11 calibration=%t/x.npy" 2>/dev/null | FileCheck %s --check-prefix=TIED
// Rules are stronger than ties.
// RUN: quant-opt %s --assign-formats="search sensitivity=output-error tied rules=up=u8 candidates=u2,u4 solver=rtn budget=11 calibration=%t/x.npy" 2>/dev/null | FileCheck %s --check-prefix=RULE

func.func @model(%x: tensor<?x4xf32>) -> tensor<?x4xf32> {
  // FREE: onnx.MatMul({{.*}}#lowbit.uniform<u2,
  // TIED: onnx.MatMul({{.*}}#lowbit.uniform<u4,
  // RULE: onnx.MatMul({{.*}}#lowbit.uniform<u2,
  %wg = onnx.Constant dense<[[0.0, 1.0, 2.0, 3.0], [3.0, 0.0, 1.0, 2.0], [1.0, 3.0, 0.0, 0.0], [2.0, 2.0, 3.0, 1.0]]> : tensor<4x4xf32>
  %g = onnx.MatMul(%x, %wg) : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32> loc("gate")
  // FREE: onnx.MatMul({{.*}}#lowbit.uniform<u8,
  // TIED: onnx.MatMul({{.*}}#lowbit.uniform<u4,
  // RULE: onnx.MatMul({{.*}}#lowbit.uniform<u8,
  %wu = onnx.Constant dense<[[0.25, -0.51, 0.13, 0.77], [0.66, 0.29, -0.83, 0.05], [-0.12, 0.74, 0.53, -0.69], [0.38, -0.61, 0.97, 0.16]]> : tensor<4x4xf32>
  %u = onnx.MatMul(%x, %wu) : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32> loc("up")
  %m = onnx.Mul(%g, %u) : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %wh = onnx.Constant dense<0.5> : tensor<4x4xf32>
  %h = onnx.MatMul(%m, %wh) : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32> loc("head")
  return %h : tensor<?x4xf32>
}
