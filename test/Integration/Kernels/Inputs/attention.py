"""Compares attention kernels with the reference lowering on odd shapes.

usage: attention.py FOLDER

Compiles one model with attention of several head counts and sizes three times:
with kernels for AVX2, with those for the best level of this machine, and as
linalg. Runs all of them on the same inputs. Kernels must be close to linalg and
agree with each other in every bit. Prints one line per input.
"""

import pathlib
import subprocess
import sys

import numpy

# query heads, key heads, size of keys, size of values
HEADS = [(8, 2, 64, 64), (6, 2, 24, 40), (1, 1, 16, 16), (4, 1, 128, 24), (5, 5, 8, 5)]
# batch, tokens, tokens before, and what is unusual about the values
INPUTS = [
    (1, 1, 0, ""),
    (2, 1, 33, ""),
    (3, 7, 0, ""),
    (1, 70, 5, ""),
    (2, 66, 33, ""),
    (1, 17, 130, ""),
    (1, 33, 40, "masked rows"),
    (1, 9, 70, "infinite masks"),
    (2, 20, 60, "NaN"),
    (1, 20, 60, "large scores"),
    (1, 16, 0, "infinite scores"),
]


def make_model():
    """Each kind of head with three masks; past and present keys in all."""
    inputs, lines, results, types = [], [], [], []
    for i, (heads, key_heads, size, value_size) in enumerate(HEADS):
        q, k, v = (f"tensor<?x{h}x?x{s}xf32>" for h, s in (
            (heads, size), (key_heads, size), (key_heads, value_size)))
        y = f"tensor<?x{heads}x?x{value_size}xf32>"
        inputs += [f"%q{i}: {q}", f"%k{i}: {k}", f"%v{i}: {v}", f"%pk{i}: {k}", f"%pv{i}: {v}"]
        for mask, mask_type, attributes in (
                ("%none", "none", "{is_causal = 1 : i64}"),
                ("%m", "tensor<?x1x?x?xf32>", "{softcap = 20.0 : f32, scale = 0.2 : f32}"),
                ("%bits", "tensor<?x?xi1>", "{is_causal = 1 : i64}")):
            name = f"%y{len(results)}"
            lines.append(
                f"{name}:4 = onnx.Attention(%q{i}, %k{i}, %v{i}, {mask}, %pk{i}, %pv{i}, %none) {attributes} : "
                f"({q}, {k}, {v}, {mask_type}, {k}, {v}, none) -> ({y}, none, none, none)")
            results.append(f"{name}#0")
            types.append(y)
    inputs += ["%m: tensor<?x1x?x?xf32>", "%bits: tensor<?x?xi1>"]
    return "\n".join([f"func.func @main({', '.join(inputs)}) -> ({', '.join(types)}) {{",
                      "%none = onnx.NoValue", *lines,
                      f"return {', '.join(results)} : {', '.join(types)}", "}"])


def make_inputs(batch, tokens, past, special, random):
    def draw(*shape):
        return random.standard_normal(shape).astype(numpy.float32)

    arrays = []
    for heads, key_heads, size, value_size in HEADS:
        q, k, v = draw(batch, heads, tokens, size), draw(batch, key_heads, tokens, size), \
            draw(batch, key_heads, tokens, value_size)
        pk, pv = draw(batch, key_heads, past, size), draw(batch, key_heads, past, value_size)
        if special == "NaN":
            q[0, 0, 3, 1] = k[1, 0, 5, 0] = pv[1, -1, 0, 2] = numpy.nan
        if special == "large scores":
            q *= 1000
        if special == "infinite scores":
            k[0, 0, 2, 0] = numpy.inf
        arrays += [q, k, v, pk, pv]
    mask = draw(batch, 1, tokens, past + tokens)
    bits = random.random((tokens, past + tokens)) < 0.7
    if special == "masked rows":
        mask[0, 0, 4] = -numpy.inf
        mask[0, 0, 7] = numpy.finfo(numpy.float32).min
        bits[:, :66] = False
    if special == "infinite masks":
        mask[:, :, :, 3:50] = -numpy.inf
        mask[:, :, 2, :-1] = -numpy.inf
    if special == "NaN":
        # Values that are masked out must be finite.
        bits[:, 0] = True
    return arrays + [mask, bits]


def compare(kernel, reference, tolerance):
    """Whether all is close, NaN in the same places."""
    for name in reference.files:
        x, y = kernel[name], reference[name]
        if (numpy.isnan(x) != numpy.isnan(y)).any():
            return f"{name}: NaN in {numpy.isnan(x).sum()} places, not {numpy.isnan(y).sum()}"
        error = numpy.nanmax(abs(x - y), initial=0) / max(1, numpy.nanmax(abs(y), initial=0))
        if not error < tolerance:
            return f"{name}: error {error}"
    return "ok"


def main():
    folder = pathlib.Path(sys.argv[1])
    model, linalg = folder / "model.mlir", folder / "linalg.mlir"
    model.write_text(make_model())

    def run(*command):
        subprocess.run([str(part) for part in command], check=True)

    run("quant-opt", model, "--convert-onnx-to-linalg", "-o", linalg)
    run("quant-compile", linalg, "--target=x86-64-v3", "-o", folder / "linalg.so")
    run("quant-compile", model, "--target=x86-64-v3", "-o", folder / "avx2.so")
    run("quant-compile", model, "--target=x86-64", "-o", folder / "best.so")
    random = numpy.random.default_rng(0)
    for batch, tokens, past, special in INPUTS:
        arrays = make_inputs(batch, tokens, past, special, random)
        numpy.savez(folder / "in.npz", **{f"input{i}": array for i, array in enumerate(arrays)})
        outputs = []
        for name, threads in (("linalg", 1), ("avx2", 1), ("best", 3)):
            run("quant-run", folder / f"{name}.so", f"--inputs={folder / 'in.npz'}",
                f"--outputs={folder / name}.npz", f"--threads={threads}")
            outputs.append(numpy.load(folder / f"{name}.npz"))
        reference, avx2, best = outputs
        # Scores of up to 1e4 have an error of up to 1e-2, which the powers keep.
        verdict = compare(avx2, reference, 2e-2 if special == "large scores" else 1e-5)
        # Bit for bit, but for the bits of a NaN.
        if not all(numpy.array_equal(avx2[name], best[name], equal_nan=True) for name in avx2.files):
            verdict = "the levels disagree"
        print(f"batch {batch}, {tokens} after {past}{', ' if special else ''}{special}: {verdict}")


if __name__ == "__main__":
    main()
