"""Compiled products for Arm, emulated, over a grid of formats, shapes and tokens.

usage: arm_grid.py <folder> <runner> <target>=<cpu>[/<cpu>...]...

<runner> is run_floats.c for Arm; each CPU is one of QEMU's. All outputs must be those of x86 bit for bit, which are
compared with what the definition of the format says. Prints `N products agree on M CPUs`.
"""

import pathlib
import subprocess
import sys

import numpy as np

from lowbit.model import Model
from matmul_grid import SPECIAL, Weight, check, draw_levels_weights, module
from nested_grid import ggml_weights, nested_weights

TOKENS = [*range(1, 10), 16, 17, 64]


def make_weights(columns, number, generator):
    """A weight for every second number of bits; groups, zero points, scales and rows take turns."""
    weights = []
    groups = [group for group in (16, 32, 128, columns) if group <= columns]
    for bits in range(2 - number % 2, 9, 2):
        group = groups[(bits + number) % len(groups)]
        symmetric, scale = (bits // 2 + number) % 2 == 0 and bits > 1, ("f16", "f32")[(bits + bits // 4) % 2]
        rows = (1, 16, 37, 70)[(bits // 2 + number) % 4]
        name = f"u{bits}g{group}{'s' if symmetric else 'a'}{scale}n{rows}"
        weights.append(Weight(name, generator, rows, columns, bits, group, symmetric, scale))
    return weights


def make_input(tokens, columns, generator):
    x = generator.standard_normal((tokens, columns)).astype(np.float32)
    for row, value in zip(range(tokens - 1, 0, -2), SPECIAL.values()):
        if np.isfinite(value):
            x[row] *= np.float32(value)
        else:
            x[row, generator.integers(columns)] = value
    # The largest sums.
    x[0] = np.sign(x[0]) if columns % 2 else 1
    return x


def emulate(runner, cpu, library, inputs):
    """All outputs for all inputs, one after the other."""
    command = ["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu", "-cpu", cpu, runner, library, str(inputs[0].shape[1]),
               *(str(len(x)) for x in inputs)]
    output = subprocess.run(command, input=b"".join(x.tobytes() for x in inputs), stdout=subprocess.PIPE, check=True)
    return np.frombuffer(output.stdout, np.float32)


def main():
    folder, runner = pathlib.Path(sys.argv[1]), sys.argv[2]
    targets = [(target, cpus.split("/")) for target, cpus in (text.split("=", 1) for text in sys.argv[3:])]
    generator = np.random.default_rng(0)
    products = 0
    for number, (columns, quantized) in enumerate([(97, "row"), (131, "group"), (64, ""), (331, ""), (512, "row")]):
        if columns == 331:
            weights = nested_weights(generator, columns)
        elif columns == 512:
            weights = ggml_weights(generator, columns, quantized)
        else:
            weights = make_weights(columns, number, generator)
            weights += draw_levels_weights(generator, 37, columns, quantized)
        source = folder / "grid.mlir"
        source.write_text(module(weights, columns, quantized))

        def compile_for(target):
            library = folder / f"grid-{columns}-{quantized}-{target}.so"
            subprocess.run(["quant-compile", source, f"--target={target}", "-o", library], check=True)
            return library

        inputs = [make_input(tokens, columns, generator) for tokens in TOKENS]
        model = Model(compile_for("x86-64-v3"))
        outputs = []
        with np.errstate(all="ignore"):
            for x in inputs:
                y = model.run({"x": x})
                for weight in weights:
                    check(weight, x, y[weight.name], quantized, columns, False)
                    outputs.append(y[weight.name].ravel())
        expected = np.concatenate(outputs)
        for target, cpus in targets:
            library = compile_for(target)
            for cpu in cpus:
                actual = emulate(runner, cpu, library, inputs)
                same = (actual == expected) | np.isnan(actual) & np.isnan(expected)
                first = np.argmin(same)
                assert same.all(), (f"{target} on {cpu} differs in {np.sum(~same)} of {len(same)} values: "
                                    f"{actual[first]} instead of {expected[first]} at {first}")
        products += len(weights)
    print(f"{products} products agree on {sum(len(cpus) for _, cpus in targets)} CPUs")


if __name__ == "__main__":
    main()
