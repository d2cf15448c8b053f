"""Layers with weights of codebooks and of signs, compiled for a CPU, for Arm (emulated) and for GPUs (emulated), against numpy.

usage: codebooks.py <folder> <runner for Arm>

Rows and columns are odd numbers. Prints `N outputs agree`.
"""

import pathlib
import subprocess
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[4] / "python"))
from lowbit.reference import bcq  # noqa: E402
from lowbit.reference.codebook import Scheme, components, quantize_codebook  # noqa: E402

TYPES = {"uint8": "i8", "uint16": "bf16", "float16": "f16", "float32": "f32"}
COLUMNS, TOKENS = 97, 5
SCHEMES = [
    ("nf4", 37, Scheme("nf4", (1, 64), "f16")),
    ("fp4", 1, Scheme("fp4", (1, 32), "bf16")),
    ("levels", 7, Scheme((-1.0, -0.25, 0.0, 0.5, 2.0), (1, None), "f32")),
    ("mxfp4", 19, Scheme("e2m1", (1, 32), "f8E8M0FNU")),
    ("mxfp8", 5, Scheme("e4m3", (1, 32), "f8E8M0FNU")),
    ("fp8", 13, Scheme("e5m2", (1, None), "f32")),
    ("nvfp4", 9, Scheme("e2m1", (1, 16), Scheme("e4m3", (None, None)))),
    ("double", 11, Scheme("nf4", (1, 64), Scheme("dynamic8", (4, 2)), offset=True)),
    ("signs", 35, bcq.Scheme(3, 32)),
    ("offset", 3, bcq.Scheme(1, None, "f32", offset=True)),
]


def run(arguments, **options):
    done = subprocess.run(arguments, capture_output=True, check=False, **options)
    if done.returncode:
        sys.exit(f"{arguments[0]}: {done.stderr.decode()}")
    return done.stdout


def dense(array):
    return f'dense<"0x{array.tobytes().hex()}"> : tensor<{"x".join(map(str, array.shape))}x{TYPES[str(array.dtype)]}>'


def component_names(scheme):
    if not isinstance(scheme.scale, Scheme):
        return ["codes", "scales"]
    nested = [f"scales_{name}" for name in component_names(scheme.scale)]
    return ["codes", *nested, *(["scales_offset"] if scheme.offset else [])]


def quantize(weight, scheme):
    """The components of the weight, by name, and what they decode to."""
    if isinstance(scheme, bcq.Scheme):
        quantized = bcq.quantize_bcq(weight, scheme)
        return quantized.components(), quantized.dequantize()
    quantized = quantize_codebook(weight, scheme)
    return dict(zip(component_names(scheme), components(quantized))), quantized.dequantize()


def write_module(path, generator):
    """Writes a function of an output for each scheme, and returns the weights as they decode."""
    body, weights = [], []
    for name, rows, scheme in SCHEMES:
        weight = generator.standard_normal((rows, COLUMNS)).astype(np.float32)
        weight[rows // 2, : COLUMNS // 2] = 0
        stored, decoded = quantize(weight, scheme)
        weights.append(decoded)
        quant = f"!lowbit.tensor<{rows}x{COLUMNS}xf32, {scheme.spell(weight.shape)}>"
        stored = ", ".join(f"{component} = {dense(array)}" for component, array in stored.items())
        body.append(f"%w_{name} = lowbit.constant {{{stored}}} : {quant}")
        body.append(f"%y_{name} = lowbit.matmul %x, %w_{name} : "
                    f"(tensor<?x{COLUMNS}xf32>, {quant}) -> tensor<?x{rows}xf32>")
    types = [f"tensor<?x{rows}xf32>" for _, rows, _ in SCHEMES]
    outputs = ", ".join(f'{type_} {{onnx.name = "{name}"}}' for type_, (name, _, _) in zip(types, SCHEMES))
    results = ", ".join(f"%y_{name}" for name, _, _ in SCHEMES)
    path.write_text(f'func.func @main(%x: tensor<?x{COLUMNS}xf32> {{onnx.name = "x"}}) -> ({outputs}) {{\n'
                    + "\n".join(body) + f"\nreturn {results} : {', '.join(types)}\n}}\n")
    return weights


def main():
    folder, runner = pathlib.Path(sys.argv[1]), sys.argv[2]
    generator = np.random.default_rng(0)
    module = folder / "codebooks.mlir"
    weights = write_module(module, generator)
    x = generator.standard_normal((TOKENS, COLUMNS)).astype(np.float32)
    np.savez(folder / "in.npz", x=x)
    outputs = {}

    def run_model(what, *arguments):
        run(["quant-run", *arguments, f"--inputs={folder / 'in.npz'}", f"--outputs={folder / 'out.npz'}"])
        with np.load(folder / "out.npz") as result:
            outputs[what] = [result[name] for name, _, _ in SCHEMES]

    run_model("memory", module)
    for target in ("x86-64-v3", "native"):
        library = folder / f"{target}.so"
        run(["quant-compile", module, f"--target={target}", "-o", library])
        run_model(target, library)
    run_model("gpu", module, "--gpu=emulate")
    library = folder / "arm.so"
    run(["quant-compile", module, "--target=aarch64", "-o", library])
    printed = run(["qemu-aarch64", "-L", "/usr/aarch64-linux-gnu", "-cpu", "cortex-a76", runner, library, str(COLUMNS),
                   str(TOKENS)], input=x.tobytes())
    ends = np.cumsum([TOKENS * rows for _, rows, _ in SCHEMES])
    parts = np.split(np.frombuffer(printed, np.float32), ends[:-1])
    outputs["arm"] = [part.reshape(TOKENS, -1) for part in parts]

    agree = 0
    for what, results in outputs.items():
        for (name, _, _), weight, actual in zip(SCHEMES, weights, results):
            expected = x.astype(np.float64) @ weight.T.astype(np.float64)
            if actual.shape == expected.shape and (
                    np.linalg.norm(actual - expected) <= 1e-6 * np.linalg.norm(expected)):
                agree += 1
            else:
                print(f"{name} by {what}: expected\n{expected}\ngot\n{actual}")
    print(f"{agree} outputs agree")


if __name__ == "__main__":
    main()
