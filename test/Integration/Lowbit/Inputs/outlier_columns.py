"""Products with outlier columns in float, compiled for x86 and Arm and by the reference lowering, against numpy.

usage: outlier_columns.py <folder> <runner>

<runner> is run_floats.c for Arm. A model has a layer for each weight; all take the same input, some of whose columns
have an element of exactly the threshold or more. Prints `N layers agree on M targets with K thresholds`.
"""

import pathlib
import subprocess
import sys

import numpy as np

from lowbit.model import Model
from lowbit.reference import packing, uniform

COLUMNS = 72
TOKENS = [1, 2, 5, 17]
# With the first nothing is an outlier, with the last all is.
THRESHOLDS = ["inf", "6", "6.0000005", "0"]
INPUT = f"!lowbit.tensor<?x{COLUMNS}xf32, #lowbit.uniform<s8, group = [1, *], scale = f32, zero = none, narrow>>"


class Layer:
    """A layer as text and as numbers."""

    def __init__(self, bits, symmetric, group, rows, generator, bias=False):
        weight = generator.standard_normal((rows, COLUMNS)).astype(np.float32)
        scheme = uniform.Scheme(bits=bits, group_size=group, symmetric=symmetric, scale_type="f16")
        quantized = uniform.quantize_rtn(weight, scheme)
        self.values = quantized.dequantize()
        self.bias = generator.standard_normal(rows).astype(np.float32) if bias else np.zeros(rows, np.float32)
        stored = {"codes": packing.pack(quantized.codes, bits), "scales": quantized.scales.astype(np.float16)}
        if not symmetric:
            stored["zeros"] = packing.pack(quantized.zeros, bits)
        code = f"{'s' if symmetric else 'u'}{bits}"
        kind = (f"!lowbit.tensor<{rows}x{COLUMNS}xf32, #lowbit.uniform<{code}, group = [1, {group or '*'}], "
                f"scale = f16, zero = {'none' if symmetric else code}{', pad' if group and COLUMNS % group else ''}>>")
        self.name, self.rows = f"{code}_{group}", rows
        types = {"uint8": "i8", "float16": "f16"}
        values = ", ".join(f'{key} = dense<"0x{value.tobytes().hex()}"> : '
                           f"tensor<{'x'.join(map(str, value.shape))}x{types[str(value.dtype)]}>"
                           for key, value in stored.items())
        self.text = f"%w_{self.name} = lowbit.constant {{{values}}} : {kind}\n"
        operands, signature = f"%q, %w_{self.name}", f"{INPUT}, {kind}"
        if bias:
            self.text += f'%b_{self.name} = lowbit.weight dense<"0x{self.bias.tobytes().hex()}"> : tensor<{rows}xf32>\n'
            operands, signature = f"{operands}, %b_{self.name}", f"{signature}, tensor<{rows}xf32>"
        self.text += f"%{self.name} = lowbit.matmul {operands} : ({signature}) -> tensor<?x{rows}xf32>"


def write_module(path, layers):
    results = ", ".join(f'tensor<?x{layer.rows}xf32> {{onnx.name = "{layer.name}"}}' for layer in layers)
    values = ", ".join(f"%{layer.name}" for layer in layers)
    types = ", ".join(f"tensor<?x{layer.rows}xf32>" for layer in layers)
    body = "\n".join(layer.text for layer in layers)
    path.write_text(f'func.func @main(%x: tensor<?x{COLUMNS}xf32> {{onnx.name = "x"}}) -> ({results}) {{\n'
                    f"%q = lowbit.dynamic_quantize %x : tensor<?x{COLUMNS}xf32> -> {INPUT}\n"
                    f"{body}\nreturn {values} : {types}\n}}\n")


def make_input(tokens, generator):
    x = generator.uniform(-1, 1, (tokens, COLUMNS)).astype(np.float32)
    x[generator.integers(tokens), 3] = 6
    x[generator.integers(tokens), 40] = -6
    x[generator.integers(tokens), 71] = -60
    x[:, 10] = 0
    return x


def quantize(x):
    """A scale for each row; a row of zeros has zeros."""
    largest = np.abs(x).max(axis=1, keepdims=True)
    scale = np.where(largest == 0, np.float32(1), largest) / np.float32(127)
    return scale * np.rint(x / scale)


def check(what, layers, x, threshold, outputs):
    is_outlier = (np.abs(x) >= np.float32(threshold)).any(axis=0)
    quantized = np.where(is_outlier, x, quantize(np.where(is_outlier, np.float32(0), x)))
    for layer, y in zip(layers, outputs):
        expected = quantized.astype(np.float64) @ layer.values.T + layer.bias
        bound = 2e-6 * (np.abs(quantized).astype(np.float64) @ np.abs(layer.values.T) + np.abs(layer.bias))
        assert y.shape == expected.shape, f"{what}: {layer.name} is {y.shape}"
        assert (np.abs(y - expected) <= bound).all(), f"{what}: {layer.name} with {len(x)} tokens differs"


def main():
    folder, runner = pathlib.Path(sys.argv[1]), sys.argv[2]
    generator = np.random.default_rng(0)
    layers = [
        Layer(8, True, None, 37, generator, bias=True),
        Layer(8, False, 32, 16, generator),
        Layer(4, True, 24, 19, generator),
        Layer(4, False, None, 7, generator),
        Layer(3, False, 24, 33, generator),
        Layer(5, True, None, 1, generator),
    ]
    source = folder / "layers.mlir"
    write_module(source, layers)
    inputs = [make_input(tokens, generator) for tokens in TOKENS]
    # A row whose other columns are all zero.
    inputs[1][0] = 0
    inputs[1][0, 71] = 7

    def run_x86(model):
        return [[model.run({"x": x})[layer.name] for layer in layers] for x in inputs]

    def compile_for(target, model, name):
        library = folder / f"{name}.so"
        subprocess.run(["quant-compile", model, f"--target={target}", "-o", library], check=True)
        return library

    plain = run_x86(Model(compile_for("x86-64-v3", source, "plain")))
    for number, threshold in enumerate(THRESHOLDS):
        split = folder / f"split{number}.mlir"
        subprocess.run(["quant-opt", source, f"--split-dynamic-outliers=threshold={threshold}", "-o", split],
                       check=True)
        outputs = run_x86(Model(compile_for("x86-64-v3", split, f"x86_{number}")))
        for x, y, before in zip(inputs, outputs, plain):
            check(f"x86-64-v3, {threshold}", layers, x, float(threshold), y)
            if threshold == "inf":
                assert all((a == b).all() for a, b in zip(y, before)), "no outliers, but other bits"

        command = ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu", "-cpu", "max", runner,
                   compile_for("aarch64+dotprod", split, f"arm_{number}"), str(COLUMNS), *map(str, TOKENS)]
        output = subprocess.run(command, input=b"".join(x.tobytes() for x in inputs), stdout=subprocess.PIPE,
                                check=True)
        values, start = np.frombuffer(output.stdout, np.float32), 0
        for x in inputs:
            y = []
            for layer in layers:
                y.append(values[start:start + len(x) * layer.rows].reshape(len(x), layer.rows))
                start += len(x) * layer.rows
            check(f"aarch64+dotprod, {threshold}", layers, x, float(threshold), y)

        # No kernels: the reference lowering.
        outputs = run_x86(Model(compile_for("x86-64-v2", split, f"reference_{number}")))
        for x, y in zip(inputs, outputs):
            check(f"x86-64-v2, {threshold}", layers, x, float(threshold), y)
    print(f"{len(layers)} layers agree on 3 targets with {len(THRESHOLDS)} thresholds")


if __name__ == "__main__":
    main()
