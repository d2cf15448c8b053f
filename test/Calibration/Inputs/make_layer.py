"""Prints a model with one layer of 32 input channels and pseudo-random weights, and a head."""

import random

source = random.Random(1)


def matrix(rows, cols):
    return "[" + ", ".join(str([round(source.gauss(0, 1), 3) for _ in range(cols)]) for _ in range(rows)) + "]"


print(f"""func.func @model(%ids: tensor<?x?xi64> {{onnx.name = "input_ids"}}) -> (tensor<?x?x4xf32> {{onnx.name = "logits"}}) {{
  %table = onnx.Constant dense<{matrix(4, 32)}> : tensor<4x32xf32>
  %x = onnx.Gather(%table, %ids) {{axis = 0 : i64}} : (tensor<4x32xf32>, tensor<?x?xi64>) -> tensor<?x?x32xf32> loc("embedding")
  %w = onnx.Constant dense<{matrix(32, 8)}> : tensor<32x8xf32>
  %y = onnx.MatMul(%x, %w) : (tensor<?x?x32xf32>, tensor<32x8xf32>) -> tensor<?x?x8xf32> loc("layer")
  %h = onnx.Constant dense<{matrix(8, 4)}> : tensor<8x4xf32>
  %z = onnx.MatMul(%y, %h) : (tensor<?x?x8xf32>, tensor<8x4xf32>) -> tensor<?x?x4xf32> loc("head")
  return %z : tensor<?x?x4xf32>
}}""")
