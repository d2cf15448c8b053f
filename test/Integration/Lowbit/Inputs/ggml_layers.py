"""Layers with weights in GGML blocks, compiled for x86, Arm and NVPTX, against numpy.

usage: ggml_layers.py <folder> <runner>

<runner> is run_floats.c for Arm. A model has one layer for each block type, of odd numbers of rows; all take the same
input. x86 and Arm run with several numbers of tokens, and the GPU's kernels in the emulator. Prints
`N layers agree on M targets`.
"""

import pathlib
import subprocess
import sys

import numpy as np

from lowbit.model import Model
from lowbit.reference import ggml

COLUMNS = 512
TOKENS = [1, 2, 5, 16, 17]
ROWS = [1, 7, 16, 37]


def halves(name):
    """The first bytes of the f16 numbers of a block."""
    places = {"q2_K": (80, 82), "q3_K": (108,), "q6_K": (208,)}
    return places.get(name, (0, 2) if name in ("q4_1", "q5_1", "q4_K", "q5_K") else (0,))


class Layer:
    """A layer whose blocks are random bytes, as text and as numbers."""

    def __init__(self, name, rows, generator):
        columns, size = ggml.TYPES[name]
        blocks = generator.integers(0, 256, (rows, COLUMNS // columns, size), dtype=np.uint8)
        for byte in halves(name):
            # Between 2^-9 and 2, of either sign.
            blocks[..., byte + 1] = blocks[..., byte + 1] & 0x9F | 0x20
        stored = blocks.reshape(rows, -1)
        self.name, self.rows = name, rows
        self.values = ggml.dequantize(name, stored).astype(np.float64)
        kind = f"!lowbit.tensor<{rows}x{COLUMNS}xf32, #lowbit.ggml<{name}>>"
        self.text = (
            f"%w_{name} = lowbit.constant {{blocks = dense<\"0x{stored.tobytes().hex()}\"> : "
            f"tensor<{rows}x{stored.shape[1]}xi8>}} : {kind}\n"
            f"%{name} = lowbit.matmul %x, %w_{name} : (tensor<?x{COLUMNS}xf32>, {kind}) -> tensor<?x{rows}xf32>"
        )


def write_module(path, layers):
    results = ", ".join(f'tensor<?x{layer.rows}xf32> {{onnx.name = "{layer.name}"}}' for layer in layers)
    values = ", ".join(f"%{layer.name}" for layer in layers)
    types = ", ".join(f"tensor<?x{layer.rows}xf32>" for layer in layers)
    body = "\n".join(layer.text for layer in layers)
    path.write_text(f'func.func @main(%x: tensor<?x{COLUMNS}xf32> {{onnx.name = "x"}}) -> ({results}) {{\n'
                    f"{body}\nreturn {values} : {types}\n}}\n")


def check(target, layers, x, outputs):
    for layer, y in zip(layers, outputs):
        expected = x.astype(np.float64) @ layer.values.T
        bound = 1e-5 * (np.abs(x).astype(np.float64) @ np.abs(layer.values.T))
        assert y.shape == expected.shape, f"{target}: {layer.name} is {y.shape}"
        assert (np.abs(y - expected) <= bound).all(), f"{target}: {layer.name} with {len(x)} tokens differs"


def main():
    folder, runner = pathlib.Path(sys.argv[1]), sys.argv[2]
    generator = np.random.default_rng(0)
    layers = [Layer(name, ROWS[i % len(ROWS)], generator) for i, name in enumerate(ggml.TYPES)]
    source = folder / "layers.mlir"
    write_module(source, layers)
    inputs = [generator.standard_normal((tokens, COLUMNS)).astype(np.float32) for tokens in TOKENS]

    def compile_for(target):
        library = folder / f"{target}.so"
        subprocess.run(["quant-compile", source, f"--target={target}", "-o", library], check=True)
        return library

    model = Model(compile_for("x86-64-v3"))
    for x in inputs:
        outputs = model.run({"x": x})
        check("x86-64-v3", layers, x, [outputs[layer.name] for layer in layers])

    command = ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu", "-cpu", "max", runner, compile_for("aarch64+dotprod"),
               str(COLUMNS), *map(str, TOKENS)]
    output = subprocess.run(command, input=b"".join(x.tobytes() for x in inputs), stdout=subprocess.PIPE, check=True)
    values, start = np.frombuffer(output.stdout, np.float32), 0
    for x in inputs:
        outputs = []
        for layer in layers:
            outputs.append(values[start:start + len(x) * layer.rows].reshape(len(x), layer.rows))
            start += len(x) * layer.rows
        check("aarch64+dotprod", layers, x, outputs)

    for x in inputs[:3]:
        np.savez(folder / "in.npz", x=x)
        subprocess.run(["quant-run", source, "--gpu=emulate", f"--inputs={folder / 'in.npz'}",
                        f"--outputs={folder / 'out.npz'}"], check=True)
        outputs = np.load(folder / "out.npz")
        check("nvptx", layers, x, [outputs[layer.name] for layer in layers])
    print(f"{len(layers)} layers agree on 3 targets")


if __name__ == "__main__":
    main()
