"""Runs the GPU kernels of products with quantized weights in the emulator.

Random codes, scales and zero points; the expected product is computed by numpy from the codes
as they were before packing. All cases are one module, so that the kernels are those of a model.
"""

import dataclasses
import itertools
import pathlib
import subprocess
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[4] / "python"))
from lowbit.reference import packing  # noqa: E402

NUMPY_TYPES = {"f16": np.float16, "f32": np.float32}


@dataclasses.dataclass
class Case:
    """A weight of `rows` x `depth` with groups of `group_rows` x `group`, times `tokens` inputs."""

    bits: int
    symmetric: bool
    group: int
    rows: int
    depth: int
    tokens: int
    scale_type: str = "f16"
    bias: bool = False
    group_rows: int = 1

    def make(self, index):
        """Fills in the operands, their types, the body and the expected result."""
        rng = np.random.default_rng(index)
        group = self.group or self.depth
        grid = (-(-self.rows // self.group_rows), -(-self.depth // group))
        codes = rng.integers(0, 2**self.bits, (self.rows, self.depth))
        zeros = rng.integers(0, 2**self.bits, grid)
        if self.symmetric:
            codes, zeros = codes - 2 ** (self.bits - 1), np.zeros_like(zeros)
        scales = (rng.random(grid) + 0.5).astype(NUMPY_TYPES[self.scale_type])
        x = rng.standard_normal((self.tokens, self.depth)).astype(np.float32)
        bias = rng.standard_normal(self.rows).astype(np.float32)

        def spread(values):
            return values.repeat(self.group_rows, 0)[: self.rows].repeat(group, 1)[:, : self.depth]

        weight = (codes - spread(zeros)) * spread(scales.astype(np.float64))
        self.expected = x @ weight.T + (bias if self.bias else 0)

        mask = 2**self.bits - 1
        stored = [("i8", packing.pack(codes & mask, self.bits).view(np.int8)), (self.scale_type, scales)]
        if not self.symmetric:
            stored.append(("i8", packing.pack(zeros, self.bits).view(np.int8)))
        operands = [("f32", x), *stored] + ([("f32", bias)] if self.bias else [])
        self.inputs = {f"x{index}_{i}": array for i, (_, array) in enumerate(operands)}
        self.types = [f"tensor<{'x'.join(map(str, array.shape))}x{element}>" for element, array in operands]
        self.types[0] = f"tensor<?x{self.depth}xf32>"

        kind = f"{'s' if self.symmetric else 'u'}{self.bits}"
        zero = "none" if self.symmetric else kind
        pad = ", pad" if self.depth % group or self.rows % self.group_rows else ""
        quant = (
            f"!lowbit.tensor<{self.rows}x{self.depth}xf32, #lowbit.uniform<{kind}, "
            f"group = [{self.group_rows}, {self.group or '*'}], scale = {self.scale_type}, zero = {zero}{pad}>>"
        )
        names = [f"%{name}" for name in self.inputs]
        weight_names = names[1 : 1 + len(stored)]
        weight_types = self.types[1 : 1 + len(stored)]
        optional = f", {names[-1]}" if self.bias else ""
        optional_type = f", {self.types[-1]}" if self.bias else ""
        self.result = f"tensor<?x{self.rows}xf32>"
        self.body = (
            f"%w{index} = lowbit.assemble {', '.join(weight_names)} : ({', '.join(weight_types)}) -> {quant}\n"
            f"%y{index} = lowbit.matmul {names[0]}, %w{index}{optional} : "
            f"({self.types[0]}, {quant}{optional_type}) -> {self.result}"
        )
        return self


def make_cases():
    # Every number of bits, with and without zero points: rows that units of 32
    # codes fill and others, of an odd number of codes.
    for bits, symmetric in itertools.product(range(2, 9), (False, True)):
        yield Case(bits, symmetric, 32, 9, 160, 3)
        yield Case(bits, symmetric, 0, 3, 37, 2)
    # Groups within a unit, across units, longer than the row's rest, odd, and of
    # one code; 264 is no multiple of 32.
    for group in (1, 7, 24, 40, 64, 256):
        yield Case(4, False, group, 7, 264, 5)
    # Numbers of tokens around the tile of four, none included.
    for tokens in (0, 1, 4, 5, 9):
        yield Case(4, False, 32, 17, 64, tokens, bias=True)
    yield Case(3, False, 32, 11, 96, 4, scale_type="f32", group_rows=4)
    yield Case(4, True, 0, 6, 64, 4, scale_type="f32", group_rows=6)
    yield Case(4, False, 64, 1, 64, 1)
    yield Case(8, False, 128, 65, 1024, 6)


def run(arguments, **options):
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        sys.exit(f"{arguments[0]}: {done.stderr}")
    return done.stdout


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    cases = [case.make(index) for index, case in enumerate(make_cases())]
    parameters = ", ".join(
        f'%{name}: {type_} {{onnx.name = "{name}"}}'
        for case in cases
        for name, type_ in zip(case.inputs, case.types)
    )
    results = ", ".join(f'{case.result} {{onnx.name = "y{i}"}}' for i, case in enumerate(cases))
    values = ", ".join(f"%y{i}" for i in range(len(cases)))
    types = ", ".join(case.result for case in cases)
    body = "\n".join(case.body for case in cases)
    module = folder / "module.mlir"
    module.write_text(f"func.func @main({parameters}) -> ({results}) {{\n{body}\nreturn {values} : {types}\n}}\n")
    np.savez(folder / "in.npz", **{name: array for case in cases for name, array in case.inputs.items()})

    # One kernel for a single token and one for several, in each case.
    kernels = run(["quant-opt", module, "--lower-to-nvptx=stop-after=kernels"])
    launches = kernels.count("gpu.launch_func  @kernels::@quant_matmul")
    if launches != 2 * len(cases):
        sys.exit(f"{launches} launches of the kernel in {len(cases)} cases")

    run(["quant-run", module, "--gpu=emulate", f"--inputs={folder / 'in.npz'}", f"--outputs={folder / 'out.npz'}"])
    outputs = np.load(folder / "out.npz")
    failures = 0
    for index, case in enumerate(cases):
        actual = outputs[f"y{index}"]
        # A comparison with a NaN is false, and a shape must not be broadcast.
        good = actual.shape == case.expected.shape and (
            np.linalg.norm(actual - case.expected) <= 1e-6 * np.linalg.norm(case.expected)
        )
        if not good:
            failures += 1
            shown = {f.name: getattr(case, f.name) for f in dataclasses.fields(case)}
            print(f"{shown}: expected\n{case.expected}\ngot\n{actual}")
    print(f"{len(cases) - failures} agree, {failures} differ")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
