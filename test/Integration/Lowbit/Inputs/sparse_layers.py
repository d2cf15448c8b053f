"""Layers with outliers beside their codes, or 2:4 sparsity, compiled for x86, Arm and NVPTX, against numpy.

usage: sparse_layers.py <folder> <runner>

<runner> is run_floats.c for Arm. A model has a layer for each format; all take the same input. x86 and Arm run with
several numbers of tokens, and the GPU's kernels in the emulator. Prints `N layers agree on M targets`.
"""

import pathlib
import subprocess
import sys

import numpy as np

from lowbit.model import Model
from lowbit.reference import codebook, packing, sparsity, uniform

COLUMNS = 200
TOKENS = [1, 2, 5, 16, 17]
MLIR_TYPES = {"int8": "i8", "uint8": "i8", "int16": "i16", "int32": "i32", "float16": "f16", "float32": "f32"}


def constant(array):
    kind = f"tensor<{'x'.join(map(str, array.shape))}x{MLIR_TYPES[str(array.dtype)]}>"
    if array.size < 2:
        value = "" if array.size == 0 else "0x" + array.tobytes()[::-1].hex()
        return f"dense<{value}> : {kind}"
    return f'dense<"0x{array.tobytes().hex()}"> : {kind}'


def quantize_uniform(weight, symmetric, group):
    scheme = uniform.Scheme(bits=4, group_size=group, symmetric=symmetric, scale_type="f16")
    quantized = uniform.quantize_rtn(weight, scheme)
    stored = {"codes": packing.pack(quantized.codes, 4), "scales": quantized.scales.astype(np.float16)}
    if not symmetric:
        stored["zeros"] = packing.pack(quantized.zeros, 4)
    spelled = (f"#lowbit.uniform<{'s4' if symmetric else 'u4'}, group = [1, {group or '*'}], scale = f16, "
               f"zero = {'none' if symmetric else 'u4'}{', pad' if group and COLUMNS % group else ''}>")
    return quantized.dequantize(), stored, spelled


def quantize_nf4(weight):
    scheme = codebook.Scheme("nf4", (1, 32), "f16")
    quantized = codebook.quantize_codebook(weight, scheme)
    codes, scales = codebook.components(quantized)
    return quantized.dequantize(), {"codes": codes, "scales": scales}, scheme.spell(weight.shape)


class Layer:
    """A layer as text and as numbers."""

    def __init__(self, name, quantize, rows, count, generator, bias=False):
        weight = generator.standard_normal((rows, COLUMNS)).astype(np.float32)
        flat = np.sort(generator.permutation(rows * COLUMNS)[:count])
        weight.reshape(-1)[flat] = 0
        self.values, stored, dense = quantize(weight)
        outliers = (20 * generator.standard_normal(count)).astype(np.float16)
        self.values.reshape(-1)[flat] += outliers
        self.bias = generator.standard_normal(rows).astype(np.float32) if bias else np.zeros(rows, np.float32)
        offsets = np.searchsorted(flat, COLUMNS * np.arange(rows + 1)).astype(np.int32)
        stored |= {"outlier_offsets": offsets, "outlier_columns": (flat % COLUMNS).astype(np.int16),
                   "outlier_values": outliers}
        self.name, self.rows = name, rows
        kind = (f"!lowbit.tensor<{rows}x{COLUMNS}xf32, #lowbit.sparse_outliers<dense = {dense}, count = {count}, "
                f"value = f16>>")
        values = ", ".join(f"{key} = {constant(value)}" for key, value in stored.items())
        self.text = f"%w_{name} = lowbit.constant {{{values}}} : {kind}\n"
        types = f"tensor<?x{COLUMNS}xf32>, {kind}"
        if bias:
            self.text += f"%b_{name} = lowbit.weight {constant(self.bias)}\n"
            types += f", tensor<{rows}xf32>"
        self.text += (f"%{name} = lowbit.matmul %x, %w_{name}{f', %b_{name}' if bias else ''} : ({types}) -> "
                      f"tensor<?x{rows}xf32>")


class PatternLayer:
    """Two of every four weights, with four bits."""

    def __init__(self, name, rows, generator):
        places = np.sort(generator.permuted(np.tile(np.arange(4), (rows, COLUMNS // 4, 1)), axis=2)[..., :2], axis=2)
        scheme = uniform.Scheme(bits=4, group_size=20, symmetric=True, scale_type="f16")
        quantized = uniform.quantize_rtn(generator.standard_normal((rows, COLUMNS // 2)).astype(np.float32), scheme)
        self.values = sparsity.place(quantized.dequantize(), places, COLUMNS, 4)
        self.name, self.rows, self.bias = name, rows, np.zeros(rows, np.float32)
        stored = {"codes": packing.pack(quantized.codes, 4), "scales": quantized.scales.astype(np.float16),
                  "indices": sparsity.pack_places(places, 4)}
        kind = (f"!lowbit.tensor<{rows}x{COLUMNS}xf32, #lowbit.n_of_m<2:4, values = #lowbit.uniform<s4, "
                f"group = [1, 20], scale = f16, zero = none>>>")
        values = ", ".join(f"{key} = {constant(value)}" for key, value in stored.items())
        self.text = (f"%w_{name} = lowbit.constant {{{values}}} : {kind}\n"
                     f"%{name} = lowbit.matmul %x, %w_{name} : (tensor<?x{COLUMNS}xf32>, {kind}) -> "
                     f"tensor<?x{rows}xf32>")


def write_module(path, layers):
    results = ", ".join(f'tensor<?x{layer.rows}xf32> {{onnx.name = "{layer.name}"}}' for layer in layers)
    values = ", ".join(f"%{layer.name}" for layer in layers)
    types = ", ".join(f"tensor<?x{layer.rows}xf32>" for layer in layers)
    body = "\n".join(layer.text for layer in layers)
    path.write_text(f'func.func @main(%x: tensor<?x{COLUMNS}xf32> {{onnx.name = "x"}}) -> ({results}) {{\n'
                    f"{body}\nreturn {values} : {types}\n}}\n")


def check(target, layers, x, outputs):
    for layer, y in zip(layers, outputs):
        expected = x.astype(np.float64) @ layer.values.T + layer.bias
        bound = 1e-5 * (np.abs(x).astype(np.float64) @ np.abs(layer.values.T) + np.abs(layer.bias))
        assert y.shape == expected.shape, f"{target}: {layer.name} is {y.shape}"
        assert (np.abs(y - expected) <= bound).all(), f"{target}: {layer.name} with {len(x)} tokens differs"


def main():
    folder, runner = pathlib.Path(sys.argv[1]), sys.argv[2]
    generator = np.random.default_rng(0)
    layers = [
        Layer("symmetric", lambda w: quantize_uniform(w, True, None), 37, 74, generator),
        Layer("grouped", lambda w: quantize_uniform(w, False, 64), 16, 5, generator, bias=True),
        Layer("nf4", quantize_nf4, 7, 14, generator),
        Layer("none", lambda w: quantize_uniform(w, True, None), 5, 0, generator),
        Layer("one", lambda w: quantize_uniform(w, True, None), 1, 1, generator),
        Layer("all", lambda w: quantize_uniform(w, True, 32), 3, 3 * COLUMNS, generator),
        PatternLayer("pattern", 19, generator),
    ]
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
