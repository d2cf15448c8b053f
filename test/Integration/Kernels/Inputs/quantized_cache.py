"""Compares attention on quantized KV caches with the reference lowering and with floats.

usage: quantized_cache.py FOLDER

Compiles one model with attention of several head counts and sizes, its caches in
several formats, with kernels for AVX2, with those for the best level of this
machine, and as linalg, and runs steps of several lengths. What is written to the
caches must be the same bits in all. What attention makes of them must be close to
linalg, agree between the levels in every bit, and have the bits that attention on
the dequantized caches gives. Prints one line per format.
"""

import pathlib
import subprocess
import sys

import numpy

# query heads, key heads, size of keys, size of values
HEADS = [(8, 2, 64, 64), (4, 1, 24, 40), (5, 5, 8, 5)]
FORMATS = ["bits=8 symmetric", "bits=4 group-size=32", "bits=4 group-size=16 symmetric", "bits=8 group-size=48"]
CAPACITY = 80
# batch, and the tokens of each step
STEPS = [(1, (1, 70, 1)), (2, (66, 7))]


def make_model():
    """Each kind of head; past and present keys and values are caches."""
    inputs, lines, results, types, plain = [], [], [], [], []
    for i, (heads, key_heads, size, value_size) in enumerate(HEADS):
        q, k, v = (f"tensor<?x{h}x?x{s}xf32>" for h, s in (
            (heads, size), (key_heads, size), (key_heads, value_size)))
        y = f"tensor<?x{heads}x?x{value_size}xf32>"
        inputs += [f'%{name}{i}: {tensor} {{onnx.dim_params = ["b", "", "{length}", ""], onnx.name = "{name}{i}"}}'
                   for name, tensor, length in (("q", q, "s"), ("k", k, "s"), ("v", v, "s"), ("pk", k, "past"),
                                                ("pv", v, "past"))]
        lines.append(f"%y{i}:4 = onnx.Attention(%q{i}, %k{i}, %v{i}, %none, %pk{i}, %pv{i}, %none) "
                     f"{{is_causal = 1 : i64}} : ({q}, {k}, {v}, none, {k}, {v}, none) -> ({y}, {k}, {v}, none)")
        results += [f"%y{i}#0", f"%y{i}#1", f"%y{i}#2"]
        types += [f'{y} {{onnx.name = "y{i}"}}', k, v]
        plain += [y, k, v]
    return "\n".join([f"func.func @main({', '.join(inputs)}) -> ({', '.join(types)}) {{",
                      "%none = onnx.NoValue", *lines,
                      f"return {', '.join(results)} : {', '.join(plain)}", "}"])


def unpack(packed, bits, signed, count):
    """The integers that fill the bytes of the last dimension from the least significant bit."""
    octets = packed.view(numpy.uint8)
    codes = numpy.stack([octets >> shift & (1 << bits) - 1 for shift in range(0, 8, bits)], axis=-1)
    codes = codes.reshape(*octets.shape[:-1], -1)[..., :count].astype(numpy.int32)
    return numpy.where(codes >> bits - 1 & signed, codes - (1 << bits), codes)


def dequantize(caches, name, size, options):
    """The floats of a cache, computed by nothing but the format's definition."""
    bits, signed = int(options["bits"]), "symmetric" in options
    group = int(options.get("group-size", size))
    groups = -(-size // group)
    codes = unpack(caches[f"{name}.codes"], bits, signed, size)
    if not signed:
        codes = codes - unpack(caches[f"{name}.zeros"], bits, signed, groups).repeat(group, axis=-1)[..., :size]
    scales = caches[f"{name}.scales"].astype(numpy.float32).repeat(group, axis=-1)[..., :size]
    return scales * codes.astype(numpy.float32)


def run(*command):
    subprocess.run([str(part) for part in command], check=True)


class Program:
    """A compiled model, run by quant-run."""

    def __init__(self, folder, name, module, target, threads):
        self.folder, self.name, self.threads = folder, name, threads
        run("quant-compile", module, f"--target={target}", "-o", folder / f"{name}.so")

    def __call__(self, inputs):
        numpy.savez(self.folder / "in.npz", **inputs)
        run("quant-run", self.folder / f"{self.name}.so", f"--inputs={self.folder / 'in.npz'}",
            f"--outputs={self.folder / self.name}.npz", f"--threads={self.threads}")
        return dict(numpy.load(self.folder / f"{self.name}.npz"))


def make_caches(batch, options):
    """Of any content: what is beyond the past is never read."""
    bits, caches = int(options["bits"]), {}
    for i, (_, heads, *sizes) in enumerate(HEADS):
        for kind, size in zip("kv", sizes):
            groups = -(-size // int(options.get("group-size", size)))

            def add(component, dtype, columns, value):
                caches[f"p{kind}{i}.{component}"] = numpy.full((batch, heads, CAPACITY, columns), value, dtype)
            add("codes", numpy.int8, -(-size * bits // 8), 77)
            add("scales", numpy.float16, groups, numpy.nan)
            if "symmetric" not in options:
                add("zeros", numpy.int8, -(-groups * bits // 8), 99)
    return caches


def check(folder, floats, text):
    options = dict((word.split("=") + [""])[:2] for word in text.split())
    model, linalg = folder / "quantized.mlir", folder / "linalg.mlir"
    run("quant-opt", folder / "model.mlir", "--onnx-update-kv-cache-in-place", f"--quantize-kv-cache={text}", "-o", model)
    run("quant-opt", model, "--convert-onnx-to-linalg", "--lowbit-to-linalg", "-o", linalg)
    reference = Program(folder, "linalg", linalg, "x86-64-v3", 1)
    avx2 = Program(folder, "avx2", model, "x86-64-v3", 1)
    best = Program(folder, "best", model, "x86-64", 3)
    random = numpy.random.default_rng(0)
    for batch, steps in STEPS:
        caches, past = make_caches(batch, options), 0
        for tokens in steps:
            inputs = {"past_length": numpy.array(past)}
            for i, (heads, key_heads, size, value_size) in enumerate(HEADS):
                for name, h, s in ((f"q{i}", heads, size), (f"k{i}", key_heads, size), (f"v{i}", key_heads, value_size)):
                    inputs[name] = random.standard_normal((batch, h, tokens, s)).astype(numpy.float32)
            # A row of zeros has a scale, too, and one of large numbers does not overflow.
            inputs["k0"][0, 0, 0] = 0
            inputs["v0"][0, 0, -1] *= 1e4
            expected, first, second = (program({**inputs, **caches}) for program in (reference, avx2, best))
            assert expected.keys() == first.keys() == second.keys()
            for name, value in expected.items():
                if name in caches:
                    for other in (first, second):
                        assert value.tobytes() == other[name].tobytes(), (text, batch, past, name)
                    beyond = past + tokens
                    assert value[:, :, beyond:].tobytes() == caches[name][:, :, beyond:].tobytes()
                    assert value[:, :, :past].tobytes() == caches[name][:, :, :past].tobytes()
                else:
                    error = abs(value - first[name]).max() / max(1, abs(value).max())
                    assert error < 1e-5, (text, batch, past, name, error)
                    assert first[name].tobytes() == second[name].tobytes(), (text, batch, past, name)
            caches = {name: first[name] for name in caches}
            # The same on floats, with what the caches stand for.
            for i, (_, _, *sizes) in enumerate(HEADS):
                for kind, size in zip("kv", sizes):
                    whole = dequantize(caches, f"p{kind}{i}", size, options)
                    inputs[f"p{kind}{i}"] = numpy.nan_to_num(whole)
                    inputs[f"{kind}{i}"] = whole[:, :, past:past + tokens].copy()
            same = floats(inputs)
            for i in range(len(HEADS)):
                assert same[f"y{i}"].tobytes() == first[f"y{i}"].tobytes(), (text, batch, past, i)
            past += tokens
    print(f"{text}: ok")


def main():
    folder = pathlib.Path(sys.argv[1])
    (folder / "model.mlir").write_text(make_model())
    run("quant-opt", folder / "model.mlir", "--onnx-update-kv-cache-in-place", "-o", folder / "floats.mlir")
    floats = Program(folder, "floats", folder / "floats.mlir", "x86-64-v3", 2)
    for text in FORMATS:
        check(folder, floats, text)


if __name__ == "__main__":
    main()
