"""Layers compiled for x86, Arm and NVPTX, against numpy: what tests of number formats share.

x86 and Arm run with several numbers of tokens, and the GPU's kernels in the emulator.
"""

import dataclasses
import subprocess
from collections.abc import Callable

import numpy as np

from lowbit.model import Model

TOKENS = [1, 2, 5, 16, 17]
MLIR_TYPES = {"int8": "i8", "uint8": "i8", "int16": "i16", "uint16": "bf16", "int32": "i32", "float16": "f16",
              "float32": "f32"}


def _dense(array):
    """A constant with the array's bytes. One element as hexadecimal would be a splat."""
    kind = f"tensor<{'x'.join(map(str, array.shape))}x{MLIR_TYPES[str(array.dtype)]}>"
    if array.size < 2:
        value = "" if array.size == 0 else "0x" + array.tobytes()[::-1].hex()
        return f"dense<{value}> : {kind}"
    return f'dense<"0x{array.tobytes().hex()}"> : {kind}'


@dataclasses.dataclass
class Activations:
    """Inputs that are quantized while a model runs.

    operation   the name of the operation, with its scale if it takes one.
    format      as IR spells it.
    quantize    what an input [tokens, columns] decodes to.
    """

    operation: str
    format: str
    quantize: Callable[[np.ndarray], np.ndarray]


@dataclasses.dataclass
class Layer:
    """A product with a weight of `rows` x columns, as text and as numbers.

    format      as IR spells it.
    components  the names and arrays that store the weight; bf16, which numpy lacks, as uint16.
    values      what they decode to.
    bias        one number for each output channel, if any.
    activations what the input is quantized to; floats if None.
    """

    name: str
    format: str
    components: dict
    values: np.ndarray
    bias: np.ndarray | None = None
    activations: "Activations | None" = None

    @property
    def rows(self):
        """The output channels."""
        return self.values.shape[0]

    def text(self):
        """The operations, on the input %x."""
        stored = ", ".join(f"{name} = {_dense(array)}" for name, array in self.components.items())
        rows, columns = self.values.shape
        kind = f"!lowbit.tensor<{rows}x{columns}xf32, {self.format}>"
        lines = [f"%w_{self.name} = lowbit.constant {{{stored}}} : {kind}"]
        x, x_kind = "%x", f"tensor<?x{columns}xf32>"
        if self.activations:
            operation, _, scale = self.activations.operation.partition(" ")
            quantized = f"!lowbit.tensor<?x{columns}xf32, {self.activations.format}>"
            lines.append(f"%x_{self.name} = lowbit.{operation} %x {scale} : {x_kind} -> {quantized}")
            x, x_kind = f"%x_{self.name}", quantized
        operands, types = f"{x}, %w_{self.name}", f"{x_kind}, {kind}"
        if self.bias is not None:
            lines.append(f"%b_{self.name} = lowbit.weight {_dense(self.bias)}")
            operands, types = f"{operands}, %b_{self.name}", f"{types}, tensor<{rows}xf32>"
        lines.append(f"%{self.name} = lowbit.matmul {operands} : ({types}) -> tensor<?x{rows}xf32>")
        return "\n".join(lines)


def _write_module(path, layers, columns):
    results = ", ".join(f'tensor<?x{layer.rows}xf32> {{onnx.name = "{layer.name}"}}' for layer in layers)
    values = ", ".join(f"%{layer.name}" for layer in layers)
    types = ", ".join(f"tensor<?x{layer.rows}xf32>" for layer in layers)
    body = "\n".join(layer.text() for layer in layers)
    path.write_text(f'func.func @main(%x: tensor<?x{columns}xf32> {{onnx.name = "x"}}) -> ({results}) {{\n'
                    f"{body}\nreturn {values} : {types}\n}}\n")


def _check(target, layers, x, outputs):
    for layer, y in zip(layers, outputs):
        values = layer.values.astype(np.float64)
        read = (layer.activations.quantize(x) if layer.activations else x).astype(np.float64)
        bias = 0 if layer.bias is None else layer.bias
        expected = read @ values.T + bias
        bound = 1e-5 * (np.abs(read) @ np.abs(values.T) + np.abs(bias))
        assert y.shape == expected.shape, f"{target}: {layer.name} is {y.shape}"
        assert (np.abs(y - expected) <= bound).all(), f"{target}: {layer.name} with {len(x)} tokens differs"


def check_layers(layers, generator, folder, runner):
    """Compiles a model of all layers, which take the same input; <runner> is run_floats.c for Arm."""
    columns = layers[0].values.shape[1]
    source = folder / "layers.mlir"
    _write_module(source, layers, columns)
    inputs = [generator.standard_normal((tokens, columns)).astype(np.float32) for tokens in TOKENS]

    def compile_for(target):
        library = folder / f"{target}.so"
        subprocess.run(["quant-compile", source, f"--target={target}", "-o", library], check=True)
        return library

    model = Model(compile_for("x86-64-v3"))
    for x in inputs:
        outputs = model.run({"x": x})
        _check("x86-64-v3", layers, x, [outputs[layer.name] for layer in layers])

    command = ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu", "-cpu", "max", runner, compile_for("aarch64+dotprod"),
               str(columns), *map(str, TOKENS)]
    output = subprocess.run(command, input=b"".join(x.tobytes() for x in inputs), stdout=subprocess.PIPE, check=True)
    values, start = np.frombuffer(output.stdout, np.float32), 0
    for x in inputs:
        outputs = []
        for layer in layers:
            outputs.append(values[start:start + len(x) * layer.rows].reshape(len(x), layer.rows))
            start += len(x) * layer.rows
        _check("aarch64+dotprod", layers, x, outputs)

    for x in inputs[:3]:
        np.savez(folder / "in.npz", x=x)
        subprocess.run(["quant-run", source, "--gpu=emulate", f"--inputs={folder / 'in.npz'}",
                        f"--outputs={folder / 'out.npz'}"], check=True)
        outputs = np.load(folder / "out.npz")
        _check("nvptx", layers, x, [outputs[layer.name] for layer in layers])
    print(f"{len(layers)} layers agree on 3 targets")
