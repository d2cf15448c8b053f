"""What --prune makes of layers, and how it is stored, against numpy.

usage: prune_layers.py <folder>

The layers take the identity, so that their outputs are their weights. Prints `N weights agree`.
"""

import pathlib
import subprocess
import sys

import numpy as np

from lowbit.reference.sparsity import prune_least, prune_pattern

SHAPES = [(37, 50), (8, 50)]


def write_model(path, weights):
    """The first weight lies as [inputs, outputs], and the second as [outputs, inputs]."""
    first, second = weights
    kinds = [f"tensor<?x{rows}xf32>" for rows, _ in SHAPES]
    path.write_text(f"""
func.func @model(%x: tensor<?x50xf32> {{onnx.name = "x"}}) -> ({kinds[0]} {{onnx.name = "a"}}, {kinds[1]} {{onnx.name = "b"}}) {{
  %none = onnx.NoValue
  %a = onnx.Constant dense<"0x{np.ascontiguousarray(first.T).tobytes().hex()}"> : tensor<50x37xf32>
  %b = onnx.Constant dense<"0x{second.tobytes().hex()}"> : tensor<8x50xf32>
  %0 = onnx.MatMul(%x, %a) : (tensor<?x50xf32>, tensor<50x37xf32>) -> {kinds[0]} loc("a")
  %1 = onnx.Gemm(%x, %b, %none) {{transB = 1 : i64}} : (tensor<?x50xf32>, tensor<8x50xf32>, none) -> {kinds[1]} loc("b")
  return %0, %1 : {kinds[0]}, {kinds[1]}
}}
""")


def main():
    folder = pathlib.Path(sys.argv[1])
    generator = np.random.default_rng(0)
    weights = [scale * generator.standard_normal(shape).astype(np.float32) for scale, shape in zip((1, 0.3), SHAPES)]
    # Equal magnitudes, some of which are pruned.
    weights = [np.where(generator.random(weight.shape) < 0.3, np.round(4 * weight) / 4, weight) for weight in weights]
    weights = [weight.astype(np.float32) for weight in weights]
    source = folder / "model.mlir"
    write_model(source, weights)
    halves = [half.astype(np.float16).astype(np.float32) for half in weights]
    cases = {
        "layer": (["--prune=head sparsity=0.6"], [prune_least([weight], 0.6)[0] for weight in weights]),
        "global": (["--prune=head scope=global sparsity=0.6"], prune_least(weights, 0.6)),
        "pattern": (["--prune=head pattern=2:4"], [prune_pattern(weight, 2, 4) for weight in weights]),
        "stored": (["--prune=head pattern=3:7",
                    '--quantize-rtn=head format="#lowbit.n_of_m<3:7, values = #lowbit.float<f32>>"'],
                   [prune_pattern(weight, 3, 7) for weight in weights]),
        # The format chooses the same elements, if they have not been chosen before.
        "chosen": (['--quantize-rtn=head format="#lowbit.n_of_m<2:4, values = #lowbit.float<f16>>"'],
                   [np.where(prune_pattern(weight, 2, 4) != 0, half, 0) for weight, half in zip(weights, halves)]),
        # Compressed rows hold all that is left.
        "rows": (["--prune=head sparsity=0.9",
                  '--quantize-rtn=head format="#lowbit.sparse_outliers<dense = #lowbit.uniform<u1, group = [*, *], '
                  'scale = f32, zero = u1>, fraction = 0.11, value = f32>"'],
                 [prune_least([weight], 0.9)[0] for weight in weights]),
    }
    np.savez(folder / "inputs.npz", x=np.eye(50, dtype=np.float32))
    agreeing = 0
    for name, (flags, expected) in cases.items():
        model = folder / f"{name}.mlir"
        subprocess.run(["quant-opt", source, *flags, "-o", model], check=True)
        results = folder / f"{name}.npz"
        subprocess.run(["quant-run", model, f"--inputs={folder / 'inputs.npz'}", f"--outputs={results}"], check=True)
        outputs = np.load(results)
        for key, weight in zip("ab", expected):
            if not np.array_equal(outputs[key].T, weight):
                sys.exit(f"{name}: {key} differs in {(outputs[key].T != weight).sum()} of {weight.size} weights")
            agreeing += 1
    print(f"{agreeing} weights agree")


main()
