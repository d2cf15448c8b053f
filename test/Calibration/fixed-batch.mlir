// A model that takes two samples at once is calibrated as one that takes any number.

// RUN: rm -rf %t && mkdir %t && cd %t
// RUN: %python %S/../Integration/Inputs/make_npz.py data.npy "x=np.array([[[1, 2], [3, 1]], [[-1, 5], [2, 2]], [[0, 1], [4, 8]], [[2, 1], [1, 6]]], np.float32)"
// RUN: sed 's/tensor<2x?x2xf32>/tensor<?x?x2xf32>/g' %s > any.mlir

// Scales of activations: of each sample (average), and of all.
// RUN: quant-opt %s --quantize-rtn="head format=s8" --quantize-activations="calibration=data.npy range=average" -o average.mlir
// RUN: quant-opt any.mlir --quantize-rtn="head format=s8" --quantize-activations="calibration=data.npy range=average" -o any-average.mlir
// RUN: sed 's/tensor<2x?x2xf32>/tensor<?x?x2xf32>/g; s/tensor<2x?x2x/tensor<?x?x2x/g' average.mlir | diff - any-average.mlir
// The moving average of 3, 5, 8 and 6 is 3.912; it would be 5.3 if pairs counted as samples.
// RUN: FileCheck %s --check-prefix=AVERAGE --input-file=average.mlir
// AVERAGE: lowbit.static_quantize {{.*}}0.0308031496

// Divergences of a search, on some of the samples and on all.
// RUN: quant-opt %s --assign-formats="search head budget=17 candidates=u2g2,u8g2 sensitivity=kl kl-samples=3 calibration=data.npy" -o search.mlir 2> fixed.log
// RUN: quant-opt any.mlir --assign-formats="search head budget=17 candidates=u2g2,u8g2 sensitivity=kl kl-samples=4 calibration=data.npy" -o any-search.mlir 2> any.log
// RUN: sed 's/tensor<2x?x2xf32>/tensor<?x?x2xf32>/g' search.mlir | diff - any-search.mlir

// What is no multiple is refused.
// RUN: not quant-opt %s --quantize-rtn="head format=s8" --quantize-activations="calibration=data.npy samples=3" -o none.mlir 2>&1 | FileCheck %s --check-prefix=MULTIPLE
// RUN: not quant-opt %s --assign-formats="search head budget=17 candidates=u2g2,u8g2 sensitivity=kl samples=1 calibration=data.npy" -o none.mlir 2>&1 | FileCheck %s --check-prefix=ONE
// RUN: not quant-opt %s --gptq="head group-size=2 calibration=data.npy samples=3" -o none.mlir 2>&1 | FileCheck %s --check-prefix=MULTIPLE
// RUN: not test -e none.mlir
// MULTIPLE: error: {{.*}}the model takes 2 samples at once, but there are 3, which is no multiple
// ONE: error: {{.*}}the model takes 2 samples at once, but there are 1, which is no multiple

// RUN: quant-run %s --compare=any.mlir --inputs=data.npy | FileCheck %s --check-prefix=COMPARE
// COMPARE: layer
// RUN: not quant-run %s --compare=any.mlir --inputs=%S/Inputs/absent.npy 2>&1 | FileCheck %s --check-prefix=ABSENT
// ABSENT: error: {{.*}}absent.npy

func.func @model(%x: tensor<2x?x2xf32> {onnx.name = "x"}) -> (tensor<2x?x2xf32> {onnx.name = "logits"}) {
  %w = onnx.Constant dense<[[0.3, -0.7], [1.1, 0.4]]> : tensor<2x2xf32>
  %y = onnx.MatMul(%x, %w) : (tensor<2x?x2xf32>, tensor<2x2xf32>) -> tensor<2x?x2xf32> loc("layer")
  return %y : tensor<2x?x2xf32>
}
