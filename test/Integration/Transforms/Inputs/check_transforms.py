"""Checks that transforms keep what models compute, and lowbit.hadamard against numpy.

    check_transforms.py FOLDER EXAMPLE

FOLDER takes the files that are made; EXAMPLE is the folder of the bundled model.
"""

import json
import pathlib
import subprocess
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[4] / "python"))
from lowbit.reference import hadamard  # noqa: E402

TOLERANCE = 1e-5
FLAGS = {
    "rotate": ["--rotate"],
    "rotate-all": ["--rotate=online=all seed=5"],
    "rotate-none": ["--rotate=online=none randomize=false"],
    "smooth": ["--data-free-smooth"],
    "smooth-more": ["--data-free-smooth=alpha=0.8 deviations=3"],
    "twice": ["--rotate", "--rotate=seed=1"],
    "both": ["--data-free-smooth", "--rotate"],
    "reverse": ["--rotate", "--data-free-smooth"],
    # Clipping is no transform that keeps what the model computes.
    "awq": ["--awq=calibration={calibration} samples=4 bits=3 group-size=12 points=5 clip=false head"],
    "smoothquant": ["--smoothquant=calibration={calibration} samples=4 alpha=0.7 pairs head"],
    "smoothquant-search": ["--smoothquant=calibration={calibration} samples=4 alpha=search granularity=tensor"],
    "rotate-awq": ["--rotate", "--awq=calibration={calibration} samples=4 bits=3 group-size=12 points=5 clip=false"],
}
random = np.random.default_rng(0)


def tool(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{command} failed: {done.stderr}")


def constant(*shape, scale=1.0, offset=0.0):
    """An onnx.Constant of random numbers, and its type."""
    array = (offset + scale * random.standard_normal(shape)).astype(np.float32)
    kind = f"tensor<{'x'.join(map(str, shape))}xf32>"
    return f'onnx.Constant dense<"0x{array.tobytes().hex().upper()}"> : {kind}'


# Heads that share values, a gated MLP, and a head that is the transposed embedding.
GATED = f"""
func.func @main(%tokens: tensor<2x?xi64> {{onnx.name = "tokens"}}) -> (tensor<2x?x20xf32> {{onnx.name = "y"}}) {{
  %none = onnx.NoValue
  %q4 = onnx.Constant dense<[2, -1, 2, 12]> : tensor<4xi64>
  %k4 = onnx.Constant dense<[2, -1, 1, 12]> : tensor<4xi64>
  %o3 = onnx.Constant dense<[2, -1, 24]> : tensor<3xi64>
  %table = {constant(20, 24)}
  %n1 = {constant(24)}
  %n2 = {constant(24)}
  %n3 = {constant(24, offset=1)}
  %wq = {constant(24, 24, scale=0.2)}
  %wk = {constant(24, 12, scale=0.2)}
  %wv = {constant(24, 12, scale=0.2)}
  %wo = {constant(24, 24, scale=0.2)}
  %wg = {constant(24, 36, scale=0.2)}
  %wu = {constant(24, 36, scale=0.2)}
  %wd = {constant(36, 24, scale=0.2)}
  %x0 = onnx.Gather(%table, %tokens) : (tensor<20x24xf32>, tensor<2x?xi64>) -> tensor<2x?x24xf32>
  %a0 = onnx.RMSNormalization(%x0, %n1) : (tensor<2x?x24xf32>, tensor<24xf32>) -> tensor<2x?x24xf32>
  %q0 = onnx.MatMul(%a0, %wq) : (tensor<2x?x24xf32>, tensor<24x24xf32>) -> tensor<2x?x24xf32>
  %k0 = onnx.MatMul(%a0, %wk) : (tensor<2x?x24xf32>, tensor<24x12xf32>) -> tensor<2x?x12xf32>
  %v0 = onnx.MatMul(%a0, %wv) : (tensor<2x?x24xf32>, tensor<24x12xf32>) -> tensor<2x?x12xf32>
  %q1 = onnx.Reshape(%q0, %q4) : (tensor<2x?x24xf32>, tensor<4xi64>) -> tensor<2x?x2x12xf32>
  %k1 = onnx.Reshape(%k0, %k4) : (tensor<2x?x12xf32>, tensor<4xi64>) -> tensor<2x?x1x12xf32>
  %v1 = onnx.Reshape(%v0, %k4) : (tensor<2x?x12xf32>, tensor<4xi64>) -> tensor<2x?x1x12xf32>
  %q = onnx.Transpose(%q1) {{perm = array<i64: 0, 2, 1, 3>}} : (tensor<2x?x2x12xf32>) -> tensor<2x2x?x12xf32>
  %k = onnx.Transpose(%k1) {{perm = array<i64: 0, 2, 1, 3>}} : (tensor<2x?x1x12xf32>) -> tensor<2x1x?x12xf32>
  %v = onnx.Transpose(%v1) {{perm = array<i64: 0, 2, 1, 3>}} : (tensor<2x?x1x12xf32>) -> tensor<2x1x?x12xf32>
  %a, %p0, %p1, %p2 = onnx.Attention(%q, %k, %v, %none, %none, %none, %none) {{is_causal = 1 : i64}}
      : (tensor<2x2x?x12xf32>, tensor<2x1x?x12xf32>, tensor<2x1x?x12xf32>, none, none, none, none)
      -> (tensor<2x2x?x12xf32>, none, none, none)
  %a1 = onnx.Transpose(%a) {{perm = array<i64: 0, 2, 1, 3>}} : (tensor<2x2x?x12xf32>) -> tensor<2x?x2x12xf32>
  %a2 = onnx.Reshape(%a1, %o3) : (tensor<2x?x2x12xf32>, tensor<3xi64>) -> tensor<2x?x24xf32>
  %o = onnx.MatMul(%a2, %wo) : (tensor<2x?x24xf32>, tensor<24x24xf32>) -> tensor<2x?x24xf32>
  %x1 = onnx.Add(%x0, %o) : (tensor<2x?x24xf32>, tensor<2x?x24xf32>) -> tensor<2x?x24xf32>
  %m0 = onnx.RMSNormalization(%x1, %n2) : (tensor<2x?x24xf32>, tensor<24xf32>) -> tensor<2x?x24xf32>
  %g = onnx.MatMul(%m0, %wg) : (tensor<2x?x24xf32>, tensor<24x36xf32>) -> tensor<2x?x36xf32>
  %s = onnx.Swish(%g) : (tensor<2x?x36xf32>) -> tensor<2x?x36xf32>
  %u = onnx.MatMul(%m0, %wu) : (tensor<2x?x24xf32>, tensor<24x36xf32>) -> tensor<2x?x36xf32>
  %m = onnx.Mul(%s, %u) : (tensor<2x?x36xf32>, tensor<2x?x36xf32>) -> tensor<2x?x36xf32>
  %d = onnx.MatMul(%m, %wd) : (tensor<2x?x36xf32>, tensor<36x24xf32>) -> tensor<2x?x24xf32>
  %x2 = onnx.Add(%d, %x1) : (tensor<2x?x24xf32>, tensor<2x?x24xf32>) -> tensor<2x?x24xf32>
  %f = onnx.RMSNormalization(%x2, %n3) : (tensor<2x?x24xf32>, tensor<24xf32>) -> tensor<2x?x24xf32>
  %head = onnx.Transpose(%table) {{perm = array<i64: 1, 0>}} : (tensor<20x24xf32>) -> tensor<24x20xf32>
  %y = onnx.MatMul(%f, %head) : (tensor<2x?x24xf32>, tensor<24x20xf32>) -> tensor<2x?x20xf32>
  return %y : tensor<2x?x20xf32>
}}
"""

# Layer norms and biases everywhere, added positions, an MLP with a Relu.
CENTERED = f"""
func.func @main(%tokens: tensor<?xi64> {{onnx.name = "tokens"}}) -> (tensor<?x20xf32> {{onnx.name = "y"}}) {{
  %none = onnx.NoValue
  %s3 = onnx.Constant dense<[1, -1, 12]> : tensor<3xi64>
  %s2 = onnx.Constant dense<[-1, 12]> : tensor<2xi64>
  %table = {constant(20, 12, offset=0.5)}
  %position = {constant(12, offset=0.5)}
  %n1 = {constant(12)}
  %b1 = {constant(12)}
  %n2 = {constant(12)}
  %b2 = {constant(12)}
  %n3 = {constant(12, offset=1)}
  %wq = {constant(12, 12, scale=0.3)}
  %wk = {constant(12, 12, scale=0.3)}
  %wv = {constant(12, 12, scale=0.3)}
  %bv = {constant(12)}
  %wo = {constant(12, 12, scale=0.3)}
  %bo = {constant(12, offset=1)}
  %w1 = {constant(28, 12, scale=0.3)}
  %c1 = {constant(28)}
  %w2 = {constant(28, 12, scale=0.3)}
  %wh = {constant(20, 12, scale=0.3)}
  %x0 = onnx.Gather(%table, %tokens) : (tensor<20x12xf32>, tensor<?xi64>) -> tensor<?x12xf32>
  %x1 = onnx.Add(%x0, %position) : (tensor<?x12xf32>, tensor<12xf32>) -> tensor<?x12xf32>
  %a0, %t0, %t1 = onnx.LayerNormalization(%x1, %n1, %b1) : (tensor<?x12xf32>, tensor<12xf32>, tensor<12xf32>) -> (tensor<?x12xf32>, none, none)
  %a1 = onnx.Reshape(%a0, %s3) : (tensor<?x12xf32>, tensor<3xi64>) -> tensor<1x?x12xf32>
  %q = onnx.MatMul(%a1, %wq) : (tensor<1x?x12xf32>, tensor<12x12xf32>) -> tensor<1x?x12xf32>
  %k = onnx.MatMul(%a1, %wk) : (tensor<1x?x12xf32>, tensor<12x12xf32>) -> tensor<1x?x12xf32>
  %v0 = onnx.MatMul(%a1, %wv) : (tensor<1x?x12xf32>, tensor<12x12xf32>) -> tensor<1x?x12xf32>
  %v = onnx.Add(%bv, %v0) : (tensor<12xf32>, tensor<1x?x12xf32>) -> tensor<1x?x12xf32>
  %a, %p0, %p1, %p2 = onnx.Attention(%q, %k, %v, %none, %none, %none, %none) {{is_causal = 1 : i64, q_num_heads = 3 : i64, kv_num_heads = 3 : i64}}
      : (tensor<1x?x12xf32>, tensor<1x?x12xf32>, tensor<1x?x12xf32>, none, none, none, none) -> (tensor<1x?x12xf32>, none, none, none)
  %a2 = onnx.Reshape(%a, %s2) : (tensor<1x?x12xf32>, tensor<2xi64>) -> tensor<?x12xf32>
  %o = onnx.Gemm(%a2, %wo, %bo) : (tensor<?x12xf32>, tensor<12x12xf32>, tensor<12xf32>) -> tensor<?x12xf32>
  %x2 = onnx.Add(%o, %x1) : (tensor<?x12xf32>, tensor<?x12xf32>) -> tensor<?x12xf32>
  %m0, %t2, %t3 = onnx.LayerNormalization(%x2, %n2, %b2) : (tensor<?x12xf32>, tensor<12xf32>, tensor<12xf32>) -> (tensor<?x12xf32>, none, none)
  %m1 = onnx.Gemm(%m0, %w1, %c1) {{transB = 1 : i64}} : (tensor<?x12xf32>, tensor<28x12xf32>, tensor<28xf32>) -> tensor<?x28xf32>
  %m2 = onnx.Relu(%m1) : (tensor<?x28xf32>) -> tensor<?x28xf32>
  %m3 = onnx.MatMul(%m2, %w2) : (tensor<?x28xf32>, tensor<28x12xf32>) -> tensor<?x12xf32>
  %x3 = onnx.Add(%x2, %m3) : (tensor<?x12xf32>, tensor<?x12xf32>) -> tensor<?x12xf32>
  %f, %t4, %t5 = onnx.LayerNormalization(%x3, %n3, %none) : (tensor<?x12xf32>, tensor<12xf32>, none) -> (tensor<?x12xf32>, none, none)
  %y = onnx.Gemm(%f, %wh, %none) {{transB = 1 : i64}} : (tensor<?x12xf32>, tensor<20x12xf32>, none) -> tensor<?x20xf32>
  return %y : tensor<?x20xf32>
}}
"""

# An MLP with a Gelu, whose norm has a channel of zeros.
GELU = f"""
func.func @main(%x: tensor<?x12xf32> {{onnx.name = "x"}}) -> (tensor<?x12xf32> {{onnx.name = "y"}}) {{
  %scale = onnx.Constant dense<[4.0, 0.0, 1.0, 9.0, -3.0, 1.0, 1.0, 0.1, 20.0, 1.0, 1.0, 1.0]> : tensor<12xf32>
  %bias = onnx.Constant dense<[1.0, 0.0, 1.0, 9.0, -3.0, 1.0, 1.0, 0.1, 2.0, 1.0, 1.0, 1.0]> : tensor<12xf32>
  %w1 = {constant(28, 12, scale=0.3)}
  %c1 = {constant(28)}
  %w2 = {constant(28, 12, scale=0.3)}
  %n, %t0, %t1 = onnx.LayerNormalization(%x, %scale, %bias) : (tensor<?x12xf32>, tensor<12xf32>, tensor<12xf32>) -> (tensor<?x12xf32>, none, none)
  %m1 = onnx.Gemm(%n, %w1, %c1) {{transB = 1 : i64}} : (tensor<?x12xf32>, tensor<28x12xf32>, tensor<28xf32>) -> tensor<?x28xf32>
  %m2 = onnx.Gelu(%m1) : (tensor<?x28xf32>) -> tensor<?x28xf32>
  %m3 = onnx.MatMul(%m2, %w2) : (tensor<?x28xf32>, tensor<28x12xf32>) -> tensor<?x12xf32>
  %y = onnx.Add(%x, %m3) : (tensor<?x12xf32>, tensor<?x12xf32>) -> tensor<?x12xf32>
  return %y : tensor<?x12xf32>
}}
"""

HADAMARDS = [((3, 64), 64), ((2, 5, 96), 48), ((12,), 12), ((1, 2, 2, 84), 28), ((7, 1024), 1024), ((5, 352), 352),
             ((4, 40), 8), ((2, 20), 20)]


def check_hadamard(folder):
    """All cases in one module, forth, and back from there."""
    agree, arrays, arguments, results, body, returned = 0, {}, [], [], [], []
    for i, (shape, block) in enumerate(HADAMARDS):
        arrays[f"x{i}"] = random.standard_normal(shape).astype(np.float32)
        kind = f"tensor<{'x'.join(['?', *map(str, shape[1:])] if len(shape) > 1 else map(str, shape))}xf32>"
        arguments.append(f'%x{i}: {kind} {{onnx.name = "x{i}"}}')
        for name, source, transposed in (("y", "x", ""), ("z", "x", ", transposed")):
            body.append(f"  %{name}{i} = lowbit.hadamard %{source}{i} {{block = {block} : i64{transposed}}} : {kind}")
            results.append(f'{kind} {{onnx.name = "{name}{i}"}}')
            returned.append((f"%{name}{i}", kind))
    text = "\n".join([f"func.func @main({', '.join(arguments)}) -> ({', '.join(results)}) {{", *body,
                      f"  return {', '.join(name for name, _ in returned)} : {', '.join(kind for _, kind in returned)}", "}"])
    outputs = run(folder, "hadamard", text, arrays)
    for i, (_, block) in enumerate(HADAMARDS):
        for name, transposed in (("y", False), ("z", True)):
            expected = hadamard.transform(arrays[f"x{i}"].astype(np.float64), block, transposed)
            agree += np.abs(outputs[f"{name}{i}"] - expected).max() < 1e-5
    print(f"hadamard: {agree} agree, {2 * len(HADAMARDS) - agree} differ")


def run(folder, name, text, arrays):
    path = folder / f"{name}.mlir"
    path.write_text(text, encoding="utf-8")
    return run_file(path, arrays)


def run_file(path, arrays):
    inputs, outputs = path.with_suffix(".in.npz"), path.with_suffix(".out.npz")
    np.savez(inputs, **arrays)
    tool("quant-run", path, f"--inputs={inputs}", f"--outputs={outputs}")
    with np.load(outputs) as results:
        return dict(results)


def check_transforms(folder, example):
    tool("quant-translate", "--import-onnx", example / "tiny-llama.onnx", "-o", folder / "bundled.mlir")
    (folder / "gated.mlir").write_text(GATED, encoding="utf-8")
    (folder / "centered.mlir").write_text(CENTERED, encoding="utf-8")
    (folder / "gelu.mlir").write_text(GELU, encoding="utf-8")
    models = {
        "bundled": ({"input_ids": np.load(example / "eval.npy")[:1, :32].astype(np.int64)}, ["reverse", "awq", "smoothquant"]),
        "gated": ({"tokens": random.integers(0, 20, (2, 9))},
                  ["rotate", "rotate-all", "smooth", "twice", "awq", "rotate-awq"]),
        "centered": ({"tokens": random.integers(0, 20, 9)},
                     ["rotate", "rotate-none", "smooth-more", "both", "awq", "smoothquant-search"]),
        "gelu": ({"x": random.standard_normal((9, 12)).astype(np.float32)}, ["awq", "smoothquant"]),
    }
    agree = differ = 0
    for name, (arrays, flags) in models.items():
        (expected,) = run_file(folder / f"{name}.mlir", arrays).values()
        calibration = folder / f"{name}-calibration.npy"
        (samples,) = arrays.values()
        np.save(calibration, np.load(example / "calib.npy") if name == "bundled" else samples)
        for flag in flags:
            path = folder / f"{name}-{flag}.mlir"
            options = [option.format(calibration=calibration) for option in FLAGS[flag]]
            tool("quant-opt", folder / f"{name}.mlir", *options, "-o", path)
            (result,) = run_file(path, arrays).values()
            error = np.abs(result - expected).max() / np.abs(expected).max()
            agree += error < TOLERANCE
            if not error < TOLERANCE:
                differ += 1
                print(f"{name} {flag}: {error}")
    print(f"transforms: {agree} agree, {differ} differ")


def check_seeds(folder):
    def rotate(output, flag):
        tool("quant-opt", folder / "gated.mlir", flag, "-o", folder / output)
        return (folder / output).read_text(encoding="utf-8")

    first, again = rotate("first.mlir", "--rotate=seed=3 threads=1"), rotate("again.mlir", "--rotate=seed=3 threads=3")
    other = rotate("other.mlir", "--rotate=seed=4")
    same = "same" if first == again else "another"
    changed = "another" if first != other else "the same"
    print(f"seeds: {same} model for the same seed, {changed} for another")


def check_weights(folder):
    """The file beside a model that was rotated twice holds what the model names, and nothing else."""
    text = (folder / "bundled-reverse.mlir").read_text(encoding="utf-8")
    weights = folder / "bundled-reverse.safetensors"
    with weights.open("rb") as file:
        names = json.loads(file.read(int.from_bytes(file.read(8), "little")))
    unused = [name for name in names if name != "__metadata__" and f'"{name}"' not in text]
    print(f"weights: {unused or 'none'} left that nothing uses")


if __name__ == "__main__":
    target, bundled = map(pathlib.Path, sys.argv[1:])
    check_hadamard(target)
    check_transforms(target, bundled)
    check_seeds(target)
    check_weights(target)
