"""Runs products with weights of every number format by GPU kernels in the emulator.

usage: packed_formats.py <folder>

All cases are one module, so that the kernels are those of a model. The compiler quantizes random weights and, in a
second module, decodes them by the formats' plain C++ code, of which nothing runs in a kernel. Their product is
computed in float64; the bound of its error follows from the number of float32 operations in the kernels. Rows that a
`lowbit.gather` takes must be equal bit for bit.
"""

import pathlib
import re
import subprocess
import sys

import numpy as np

TOKENS = (1, 5)

# Rows and columns: blocks of 8 rows and units of 32 columns that are full, and others; no unit at all; more units
# than lanes; rows that are aligned to fewer bytes than the codes of a unit.
SHAPES = ((9, 160), (3, 37), (16, 64), (13, 264), (5, 1056))

GGML = {"q4_0": 32, "q4_1": 32, "q5_0": 32, "q5_1": 32, "q8_0": 32, "iq4_nl": 32, "q2_K": 256, "q3_K": 256,
        "q4_K": 256, "q5_K": 256, "q6_K": 256, "iq4_xs": 256}

NESTED = "#lowbit.codebook<e4m3, group = [*, *], scale = f32>"
DOUBLE = "#lowbit.codebook<dynamic8, group = [4, 16], scale = f32, pad>, offset = f32"
SYMMETRIC = "#lowbit.uniform<s4, group = [1, 32], scale = f16, zero = none, pad>"

# Formats of weights of any shape. Only those whose last group is short in some shape state padding.
FORMATS = (
    *(f"#lowbit.uniform<u{bits}, group = [1, 32], scale = f16, zero = u{bits}, pad>" for bits in range(2, 9)),
    "#lowbit.uniform<s3, group = [1, *], scale = f32, zero = none>",
    "#lowbit.uniform<u4, group = [1, 16], scale = bf16, zero = f16, pad>",
    "#lowbit.uniform<u4, group = [1, 64], scale = f16, zero = f32, pad>",
    "#lowbit.uniform<u3, group = [1, 24], scale = f16, zero = bf16, pad>",
    "#lowbit.uniform<u4, group = [4, 64], scale = f16, zero = u4, pad>",
    *(f"#lowbit.codebook<{table}, group = [1, {group}], scale = {scale}{'' if group == '*' else ', pad'}>"
      for table, group, scale in (("nf4", 16, "f16"), ("nf4", 64, "bf16"), ("nf4", "*", "f32"), ("nf4", 10, "f16"),
                                  ("fp4", 32, "f16"), ("e2m1", 32, "f8E8M0FNU"), ("e2m1", 16, "f8E4M3FN"),
                                  ("e2m1", 16, NESTED), ("nf4", 64, DOUBLE), ("e4m3", "*", "f32"),
                                  ("e5m2", 32, "f16"), ("dynamic8", 64, "f32"),
                                  ("[-1.0, -0.3, 0.0, 0.4, 1.0]", 32, "f16"))),
    "#lowbit.codebook<nf4, group = [3, 32], scale = f8E8M0FNU, pad>",
    *(f"#lowbit.bcq<bits = {bits}, group = [1, {group}], scale = {scale}{rest}>"
      for bits, group, scale, rest in ((1, 32, "f16", ", pad"), (2, "*", "f32", ""), (3, 64, "f16", ", offset, pad"),
                                       (4, 16, "bf16", ", pad"), (2, 24, "f16", ", offset, pad"))),
    "#lowbit.ovp<int4, group = [1, 32], scale = f16, pad>",
    "#lowbit.ovp<flint4, group = [1, *], scale = f32, pad>",
    "#lowbit.ovp<int8, group = [1, 64], scale = f16, pad>",
    *(f"#lowbit.float<{kind}>" for kind in ("f16", "bf16", "f32", "f16, transposed")),
    f"#lowbit.sparse_outliers<dense = {SYMMETRIC}, count = 11, value = f16>",
)


class Case:
    """A weight of a format and shape, with a bias for some."""

    def __init__(self, number, spelled, rows, columns):
        generator = np.random.default_rng(number)
        self.name, self.spelled, self.rows, self.columns = f"c{number}", spelled, rows, columns
        self.weight = generator.standard_normal((rows, columns)).astype(np.float32)
        self.bias = generator.standard_normal(rows).astype(np.float32) if number % 3 == 0 else None
        self.type = f"!lowbit.tensor<{rows}x{columns}xf32, {spelled}>"

    def define(self):
        """The quantized weight."""
        kind = f"tensor<{self.rows}x{self.columns}xf32>"
        return (f'%f_{self.name} = lowbit.weight dense<"0x{self.weight.tobytes().hex()}"> : {kind}\n'
                f"%q_{self.name} = lowbit.quantize %f_{self.name} : {kind} -> {self.type}\n")

    def multiply(self):
        """The products and the rows of each number of tokens."""
        text = types = ""
        if self.bias is not None:
            value = f'"0x{self.bias.tobytes().hex()}"'
            text = f"%b_{self.name} = lowbit.weight dense<{value}> : tensor<{self.rows}xf32>\n"
            types = f", tensor<{self.rows}xf32>"
        bias = f", %b_{self.name}" if types else ""
        for count in TOKENS:
            text += (f"%y{count}_{self.name} = lowbit.matmul %x{count}_{self.columns}, %q_{self.name}{bias} : "
                     f"(tensor<?x{self.columns}xf32>, {self.type}{types}) -> tensor<?x{self.rows}xf32>\n"
                     f"%g{count}_{self.name} = lowbit.gather %q_{self.name}[%t{count}] : "
                     f"({self.type}, tensor<?xi64>) -> tensor<?x{self.columns}xf32>\n")
        return text

    def check(self, weight, x, tokens, product, rows):
        """Whether both results are right."""
        bias = 0 if self.bias is None else self.bias.astype(np.float64)
        weight = weight.astype(np.float64)
        expected = x.astype(np.float64) @ weight.T + bias
        # A lane adds at most this many products, each with a few roundings; then the lanes are added up.
        operations = 32 * -(-self.columns // 1024) + 16
        bound = operations * 2.0**-24 * (np.abs(x) @ np.abs(weight).T + np.abs(bias))
        # A comparison with a NaN is false, and a shape must not be broadcast.
        return (product.shape == expected.shape and bool((np.abs(product - expected) <= bound).all())
                and np.array_equal(rows, weight[tokens % self.rows]))


def make_cases():
    # Neighbours in the list are alike and have different shapes.
    cases = [(spelled, *SHAPES[number % len(SHAPES)]) for number, spelled in enumerate(FORMATS)]
    cases += [(f"#lowbit.ggml<{name}>", 7 + number % 3, (1 + number % 2) * max(block, 96) // block * block)
              for number, (name, block) in enumerate(GGML.items())]
    return [Case(number, *case) for number, case in enumerate(cases)]


def run(arguments, **options):
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, **options)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, arguments))}: {done.stderr[:2000]}")
    # ptxas reports to the other stream.
    return done.stdout + done.stderr


def write_module(path, parameters, results, body):
    """Quantizes all weights, too."""
    declared = ", ".join(f'{kind} {{onnx.name = "{name}"}}' for name, kind in results)
    values, types = ", ".join(f"%{name}" for name, _ in results), ", ".join(kind for _, kind in results)
    source = path.with_suffix(".float.mlir")
    source.write_text(f"func.func @main({parameters}) -> ({declared}) {{\n{body}return {values} : {types}\n}}\n")
    run(["quant-opt", source, "--canonicalize", "-o", path])


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    cases = make_cases()
    columns = sorted({case.columns for case in cases})
    parameters = ", ".join(f'%{name}: {kind} {{onnx.name = "{name}"}}' for count in TOKENS for name, kind in (
        *((f"x{count}_{k}", f"tensor<?x{k}xf32>") for k in columns), (f"t{count}", "tensor<?xi64>")))
    results = [result for case in cases for count in TOKENS
               for result in ((f"y{count}_{case.name}", f"tensor<?x{case.rows}xf32>"),
                              (f"g{count}_{case.name}", f"tensor<?x{case.columns}xf32>"))]
    module, decoded = folder / "module.mlir", folder / "decoded.mlir"
    write_module(module, parameters, results, "".join(case.define() + case.multiply() for case in cases))
    write_module(decoded, "", [(f"d_{case.name}", f"tensor<{case.rows}x{case.columns}xf32>") for case in cases],
                 "".join(f"{case.define()}%d_{case.name} = lowbit.dequantize %q_{case.name} : {case.type} -> "
                         f"tensor<{case.rows}x{case.columns}xf32>\n" for case in cases))
    np.savez(folder / "none.npz")
    run(["quant-run", decoded, f"--inputs={folder / 'none.npz'}", f"--outputs={folder / 'weights.npz'}"])
    weights = np.load(folder / "weights.npz")

    # One kernel for a single token and one for several, and no decoded weight in memory.
    kernels = run(["quant-opt", module, "--lower-to-nvptx=stop-after=kernels"])
    launches = kernels.count("gpu.launch_func  @kernels::@quant_matmul")
    if launches != 2 * len(TOKENS) * len(cases):
        sys.exit(f"{launches} launches of kernels of products in {len(cases)} cases")
    allocated = set(re.findall(r"(?:gpu|memref)\.alloc.*memref<(\d+x\d+)xf32>", kernels))
    if allocated:
        sys.exit(f"floats of static shape in memory: {allocated}")

    inputs = {}
    for count in TOKENS:
        generator = np.random.default_rng(count)
        inputs |= {f"x{count}_{k}": generator.standard_normal((count, k)).astype(np.float32) for k in columns}
        inputs[f"t{count}"] = np.array([-1, 0, 2, 1, 0][:count], dtype=np.int64)
    np.savez(folder / "in.npz", **inputs)
    run(["quant-run", module, "--gpu=emulate", f"--inputs={folder / 'in.npz'}", f"--outputs={folder / 'out.npz'}"])
    outputs = np.load(folder / "out.npz")
    failures = 0
    for case in cases:
        wrong = [count for count in TOKENS
                 if not case.check(weights[f"d_{case.name}"], inputs[f"x{count}_{case.columns}"], inputs[f"t{count}"],
                                   outputs[f"y{count}_{case.name}"], outputs[f"g{count}_{case.name}"])]
        failures += bool(wrong)
        if wrong:
            print(f"{case.spelled}, {case.rows} x {case.columns}: wrong for {wrong} tokens")
    print(f"{len(cases) - failures} agree, {failures} differ")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
