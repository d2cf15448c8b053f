"""Compiled products with quantized weights against numpy, over a grid of formats, shapes and inputs.

usage: matmul_grid.py <folder> [--lut|--tiles|--full] <target>...

A model has one output for each format; all take the same input. Each target's library is compared with what
the definition of the format says in float64, and all targets with each other bit for bit. With --lut each target
is there twice, with dot products and with table lookups forced. --tiles takes just what matrix
units compute; their sums of floats are in another order. --full leaves out no combination of bits, groups and
inputs, and takes minutes. Prints `N products agree`.
"""

import itertools
import pathlib
import subprocess
import sys

import numpy as np

from lowbit.model import Model
from lowbit.reference import codebook, ovp, pack
from lowbit.reference.codebook import Scheme

BITS = range(1, 9)
EPSILON = 2.0**-24
# Rows of the input that are not drawn from a normal distribution.
SPECIAL = {"zero": 0.0, "tiny": 1e-40, "huge": 1e30, "nan": np.nan, "inf": np.inf}
TOKENS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 63, 64, 512]


class Weight:
    """A random weight, as the text of a lowbit.constant and as what its codes stand for."""

    def __init__(self, name, generator, rows, columns, bits, group, symmetric, scale, float_zero=None):
        self.name, self.rows = name, rows
        size = min(group, columns)
        groups = -(-columns // size)
        codes = generator.integers(0, 2**bits, (rows, columns))
        zeros = generator.integers(0, 2**bits, (rows, groups))
        dtype = {"f16": np.float16, "f32": np.float32}[scale]
        scales = (generator.random((rows, groups)) + 0.1).astype(dtype)
        # A group of zeros, denormal and huge scales.
        scales[0, 0] = 0
        scales[1 % rows, -1] = 6e-8 if scale == "f16" else 1e-40
        scales[2 % rows, 0] = 6e4 if scale == "f16" else 1e30
        codes[3 % rows, :size] = zeros[3 % rows, 0]
        # The largest sums.
        codes[4 % rows] = 2**bits - 1
        codes[5 % rows] = 0
        values, zero_of = codes, zeros
        if symmetric:
            values, zero_of = codes - 2**(bits - 1), np.zeros_like(zeros)
        if float_zero:
            zeros = zero_of = (zeros + generator.random(zeros.shape) - 0.5).astype(np.dtype(float_zero))
        self.size, self.groups = size, groups
        spread = np.repeat(scales.astype(np.float64), size, 1)[:, :columns]
        zero_spread = np.repeat(zero_of, size, 1)[:, :columns]
        self.exact = (values - zero_spread) * spread
        # What the terms of a sum may be as large as: kernels subtract the zero point from the sum.
        offset = 2**(bits - 1) if symmetric else 0
        self.bound = (np.abs(values + offset) + np.abs(zero_spread) + offset) * spread
        stored = pack((values & (2**bits - 1)).astype(np.uint8), bits)
        components = [("codes", stored, "i8"), ("scales", scales, scale)]
        zero = "none" if symmetric else f"u{bits}"
        if float_zero:
            zero = {"float16": "f16", "float32": "f32"}[float_zero]
            components.append(("zeros", zeros, zero))
        elif not symmetric:
            components.append(("zeros", pack(zeros.astype(np.uint8), bits), "i8"))
        text = ", ".join(
            f"{key} = dense<\"0x{value.tobytes().hex()}\"> : tensor<{'x'.join(map(str, value.shape))}x{element}>"
            for key, value, element in components)
        self.type = (f"!lowbit.tensor<{rows}x{columns}xf32, #lowbit.uniform<{'s' if symmetric else 'u'}{bits}, "
                     f"group = [1, {'*' if size == columns else size}], scale = {scale}, "
                     f"zero = {zero}{', pad' if columns % size else ''}>>")
        self.text = f"%{name} = lowbit.constant {{{text}}} : {self.type}"


def constant(name, parts, kind):
    """The text of a lowbit.constant with these components."""
    elements = {"uint8": "i8", "uint16": "bf16", "float16": "f16", "float32": "f32"}
    text = ", ".join(
        f"{key} = dense<\"0x{value.tobytes().hex()}\"> : "
        f"tensor<{'x'.join(map(str, value.shape))}x{elements[str(value.dtype)]}>" for key, value in parts.items())
    return f"%{name} = lowbit.constant {{{text}}} : {kind}"


def component_names(scheme, prefix=""):
    if isinstance(scheme.scale, str):
        return [prefix + "codes", prefix + "scales"]
    nested = component_names(scheme.scale, prefix + "scales_")
    return [prefix + "codes", *nested, *([prefix + "scales_offset"] if scheme.offset else [])]


def draw_levels(scheme, generator, rows, columns):
    """Scales of random weights, and any codes of finite levels."""
    quantized = codebook.quantize_codebook(generator.standard_normal((rows, columns)).astype(np.float32), scheme)
    quantized.codes = generator.choice(np.flatnonzero(np.isfinite(scheme.levels)), (rows, columns))
    return quantized, codebook.components(quantized)


def draw_pairs(scheme, generator, rows, columns):
    """Random scales, and any codes: a quarter of them victims."""
    codes = generator.integers(0, 2**scheme.bits, (rows, columns + columns % 2))
    codes[generator.random(codes.shape) < 0.25] = scheme.identifier
    groups = -(-columns // (scheme.group[1] or columns))
    # Exact in every type.
    scales = generator.integers(1, 128, (rows, groups)).astype(np.float32) / 64
    quantized = ovp.QuantizedWeight(scheme, columns, codes, scales)
    return quantized, ovp.components(quantized)


class LevelsWeight:
    """The same for codes that are names of levels, or of pairs of levels."""

    def __init__(self, name, generator, rows, columns, scheme):
        self.name, self.rows, self.size = name, rows, scheme.group[1] or columns
        self.groups = -(-columns // self.size)
        draw = draw_pairs if isinstance(scheme, ovp.Scheme) else draw_levels
        quantized, stored = draw(scheme, generator, rows, columns)
        self.exact = quantized.dequantize().astype(np.float64)
        self.bound = np.abs(self.exact)
        self.type = f"!lowbit.tensor<{rows}x{columns}xf32, {scheme.spell((rows, columns))}>"
        parts = zip(component_names(scheme), stored, strict=True)
        self.text = constant(name, dict(parts), self.type)


#: Levels that are integers times a constant, which int8 activations are multiplied by.
INTEGER_LEVELS = (
    Scheme("e2m1", (1, 32), "f8E8M0FNU"),
    Scheme((-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113), (1, 32), "f16"),
    Scheme((0, 0.375, 37.5, 94.5), (1, 16), "f32"),
    ovp.Scheme("int4", "e2m1", (1, 64), "f16"),
)
LEVELS = INTEGER_LEVELS + (
    Scheme("nf4", (1, 64), "f16"),
    Scheme("fp4", (1, 16), "bf16"),
    Scheme("dynamic8", (1, 64), "f32"),
    Scheme("e4m3", (1, None), "f32"),
    Scheme("e4m3", (1, 32), "f8E8M0FNU"),
    Scheme("e5m2", (1, 16), "bf16"),
    ovp.Scheme("flint4", "e2m1", (1, 32), "f32"),
    ovp.Scheme("int8", "e4m3", (1, None), "f32"),
    ovp.Scheme("int8", "e2m5", (1, 16), "bf16"),
)


def draw_levels_weights(generator, rows, columns, quantized):
    """A weight for each kind of levels that such an input is multiplied by."""
    return [LevelsWeight(f"levels{i}", generator, rows, columns, scheme)
            for i, scheme in enumerate(INTEGER_LEVELS if quantized else LEVELS)]


class SignsWeight:
    """The same for sums of scaled signs."""

    def __init__(self, name, generator, rows, columns, bits, group, scale, has_offset):
        self.name, self.rows, self.size = name, rows, min(group, columns)
        groups = -(-columns // self.size)
        signs = generator.integers(0, 2, (bits, rows, columns))
        scales = generator.random((bits, rows, groups)).astype(scale)
        offsets = generator.standard_normal((rows, groups)).astype(scale)
        scales[:, 0, 0], scales[0, 1 % rows, -1], scales[-1, 2 % rows, 0] = 0, 6e-8, 6e4
        signs[:, 3 % rows] = 1
        index = np.arange(columns) // self.size
        self.exact = ((2 * signs - 1) * scales.astype(np.float64)[:, :, index]).sum(0)
        # Kernels sum bits twice, and subtract the sum of the activations.
        self.bound = 3 * scales.astype(np.float64)[:, :, index].sum(0)
        if has_offset:
            self.exact += offsets[:, index]
            self.bound += np.abs(offsets[:, index])
        # Each group adds so many terms.
        self.groups = groups * (bits + has_offset)
        element = {"float16": "f16", "float32": "f32"}[scale]
        planes = np.packbits(signs.astype(np.uint8), axis=2, bitorder="little")
        components = [("planes", planes, "i8"), ("scales", scales, element), ("offsets", offsets, element)]
        text = ", ".join(
            f"{key} = dense<\"0x{value.tobytes().hex()}\"> : tensor<{'x'.join(map(str, value.shape))}x{kind}>"
            for key, value, kind in components[:2 + has_offset])
        self.type = (f"!lowbit.tensor<{rows}x{columns}xf32, #lowbit.bcq<bits = {bits}, group = [1, "
                     f"{'*' if self.size == columns else self.size}], scale = {element}"
                     f"{', offset' if has_offset else ''}{', pad' if columns % self.size else ''}>>")
        self.text = f"%{name} = lowbit.constant {{{text}}} : {self.type}"


class FloatWeight:
    """The same for a weight of floats."""

    def __init__(self, name, generator, rows, columns, element):
        self.name, self.rows, self.size, self.groups = name, rows, columns, 0
        values = generator.standard_normal((rows, columns), np.float32)
        values[0, 0], values[1 % rows, -1], values[2 % rows] = 1e-40, 3e4, 0
        if element == "f16":
            stored = values.astype(np.float16)
            exact = stored.astype(np.float32)
        else:
            # The upper halves of what needs no rounding are bf16.
            bits = values.view(np.uint32)
            if element == "bf16":
                bits &= 0xffff0000
            stored, exact = ((bits >> 16).astype(np.uint16) if element == "bf16" else values), values
        self.exact = exact.astype(np.float64)
        self.bound = np.abs(self.exact)
        transposed = element == "f32"
        stored = np.ascontiguousarray(stored.T) if transposed else stored
        self.type = (f"!lowbit.tensor<{rows}x{columns}xf32, "
                     f"#lowbit.float<{element}{', transposed' if transposed else ''}>>")
        self.text = (f"%{name} = lowbit.constant {{values = dense<\"0x{stored.tobytes().hex()}\"> : "
                     f"tensor<{'x'.join(map(str, stored.shape))}x{element}>}} : {self.type}")


def input_type(columns, group):
    return (f"!lowbit.tensor<?x{columns}xf32, #lowbit.uniform<s8, group = [1, {'*' if group == columns else group}], "
            f"scale = f32, zero = none, narrow{', pad' if columns % group else ''}>>")


def module(weights, columns, quantized):
    """One function with an output for each weight; `quantized` says whether, and how, the input becomes int8."""
    body, results = [], []
    types = {}
    for weight in weights:
        body.append(weight.text)
        x, x_type = "%x", f"tensor<?x{columns}xf32>"
        if quantized:
            group = columns if quantized == "row" else weight.size
            if group not in types:
                types[group] = f"%q{group}"
                body.append(f"%q{group} = lowbit.dynamic_quantize %x : {x_type} -> {input_type(columns, group)}")
            x, x_type = types[group], input_type(columns, group)
        body.append(f"%y_{weight.name} = lowbit.matmul {x}, %{weight.name} : ({x_type}, {weight.type}) "
                    f"-> tensor<?x{weight.rows}xf32>")
        results.append(weight)
    outputs = ", ".join(f"tensor<?x{w.rows}xf32> {{onnx.name = \"{w.name}\"}}" for w in results)
    types = ", ".join(f"tensor<?x{w.rows}xf32>" for w in results)
    body.append(f"return {', '.join(f'%y_{w.name}' for w in results)} : {types}")
    return (f"func.func @main(%x: tensor<?x{columns}xf32> {{onnx.name = \"x\"}}) -> ({outputs}) {{\n"
            + "\n".join(body) + "\n}\n")


def round_input(x, size):
    """int8 activations with a scale for each `size` columns, as lowbit.dynamic_quantize defines them."""
    columns = x.shape[1]
    result = np.empty(x.shape, np.float64)
    for first in range(0, columns, size):
        part = x[:, first:first + size]
        bound = np.abs(part).max(1, keepdims=True)
        width = np.where(bound == 0, np.float32(2), bound + bound)
        scale = np.maximum(width / np.float32(254), np.float32(1e-45)).astype(np.float32)
        codes = np.clip(np.rint(part / scale), -127, 127)
        result[:, first:first + size] = codes * scale.astype(np.float64)
    return result


def check(weight, x, y, quantized, columns, tiles):
    """Compares the output of one weight for all tokens; `tiles` are multiplied without denormal numbers."""
    finite = np.isfinite(x).all(1)
    lost = np.argwhere(np.isfinite(y[~finite]))
    assert not lost.size, f"{weight.name}: NaN or Inf of {len(x)} tokens is lost: {lost[:5]} {y[~finite][tuple(lost[0])]}"
    x, y = x[finite], y[finite]
    exact_x = x.astype(np.float64)
    if quantized:
        exact_x = round_input(x, columns if quantized == "row" else weight.size)
    expected = exact_x @ weight.exact.T
    bound = np.abs(exact_x) @ weight.bound.T
    # Float activations are summed one after the other; sums of integers are exact, those of groups are not.
    steps = (4 if quantized else 4 + weight.size) + weight.groups
    # Below the smallest normal number what is lost is absolute: in each step, or where the scales of int8
    # activations and of the weight are multiplied, before that meets a sum of integers.
    tiny = 2.0**-149 * (127 * 255 * columns if quantized else 1)
    if tiles and not quantized:
        tiny = 2.0**-126 * columns
    limit = steps * (EPSILON * bound + tiny * (1 + np.abs(weight.bound).max()))
    overflow = bound > 3e38
    wrong = (np.abs(y - expected) > limit) & ~overflow
    assert not wrong.any(), (f"{weight.name}: {np.argwhere(wrong)[0]}: {y[wrong][0]} instead of {expected[wrong][0]}, "
                             f"more than {limit[wrong][0]:.1e} off")


def compare(folder, weights, case, variants, all_tokens, generator, tiles=False):
    """Compiles the weights for each target with each strategy, and checks their products."""
    columns, quantized = case
    source = folder / "grid.mlir"
    source.write_text(module(weights, columns, quantized))
    models = []
    for target, strategy in variants:
        library = folder / f"grid-{columns}-{quantized}-{target}-{strategy}.so"
        subprocess.run(["quant-compile", source, f"--target={target}", f"--strategy={strategy}", "-o", library],
                       check=True)
        models.append(Model(library))
    for tokens in all_tokens:
        x = generator.standard_normal((tokens, columns)).astype(np.float32)
        for row, value in zip(range(tokens - 1, 0, -2), SPECIAL.values()):
            if row == tokens - 3:
                # Activations as large as they can be, all of one sign or not.
                x[row] = np.sign(x[row])
                x[row - 1] = columns % 2 * 2 - 1
            if np.isfinite(value):
                x[row] = x[row] * np.float32(value)
            else:
                x[row, generator.integers(columns)] = value
        outputs = [model.run({"x": x}) for model in models]
        with np.errstate(all="ignore"):
            for weight in weights:
                y = outputs[0][weight.name]
                check(weight, x, y, quantized, columns, tiles=False)
                for variant, other in zip(variants[1:], outputs[1:]):
                    if tiles and not quantized:
                        check(weight, x, other[weight.name], quantized, columns, tiles)
                        continue
                    same = np.isnan(y) & np.isnan(other[weight.name]) | (y == other[weight.name])
                    assert same.all(), f"{weight.name}: {variant} differs from {variants[0]}"


def main():
    folder, targets = pathlib.Path(sys.argv[1]), sys.argv[2:]
    # Of the last one just levels.
    cases = [(64, ""), (97, "row"), (131, "group"), (256, ""), (256, "group"), (99, "")]
    all_bits, all_tokens, strategies = BITS, TOKENS, ["auto"]
    if targets[0] == "--lut":
        cases = [(331, "row"), (256, "group")]
        all_bits, all_tokens, strategies = range(1, 5), [1, 2, 3, 5, 13], ["dot", "lut"]
        targets = targets[1:]
    full = targets[0] == "--full"
    if full:
        targets = targets[1:]
    tiles = targets[0] == "--tiles"
    if tiles:
        cases = [(97, "row"), (131, "group"), (320, "group"), (131, ""), (320, "")]
        all_tokens, targets = [16, 31, 65], targets[1:]
    variants = list(itertools.product(targets, strategies))
    generator = np.random.default_rng(0)
    products = 0
    for number, (columns, quantized) in enumerate(cases):
        weights = []
        for bits in all_bits if columns != 99 else []:
            # Every second number of bits: the grid is large enough.
            if (bits + number) % 2 and "lut" not in strategies and not full:
                continue
            for i, group in enumerate([16, 32, 64, 128, columns]):
                # Every second group of wide rows, and the others in the next case with these bits; with tiles, which
                # are emulated, every third.
                turn = number if "lut" in strategies else number // 2
                skipped = (bits // 2 + i) % 3 if tiles else columns > 100 and (bits // 2 + i + turn) % 2
                if group > columns or (skipped and not full):
                    continue
                # Both kinds and both scales for every number of bits, and every group size.
                symmetric, scale = (bits + i // 2) % 2 == 0 and bits > 1, "f16" if (bits + i) // 2 % 2 else "f32"
                rows = [1, 16, 37, 150][(bits + 2 * i) % 4]
                name = f"u{bits}g{group}{'s' if symmetric else 'a'}{scale}n{rows}_{i}"
                weights.append(Weight(name, generator, rows, columns, bits, group, symmetric, scale))
        for bits, zero in ((2, "float32"), (4, "float16")) if columns != 99 else []:
            weights.append(Weight(f"z{bits}", generator, 37, columns, bits, 32, number % 2 == 0, "f16", zero))
        if not tiles and columns != 99:
            for bits in range(1, 5):
                # Every second number of bits: kernels that add up several terms take long to compile.
                if (bits + number) % 2 and not full:
                    continue
                weights.append(SignsWeight(f"signs{bits}", generator, [37, 150][bits // 3], columns, bits,
                                           [32, 128, columns][(bits + number) % 3], ["float16", "float32"][bits % 2],
                                           (bits // 2 + number // 2) % 2))
        if "lut" not in strategies and (full or columns % 2):
            weights += draw_levels_weights(generator, 37, columns, quantized)
        if not quantized and "lut" not in strategies:
            weights += [FloatWeight(f"{element}n{rows}", generator, rows, columns, element)
                        for element in ("f32", "f16", "bf16") for rows in (16, 37, 150)]
        compare(folder, weights, (columns, quantized), variants, all_tokens, generator, tiles)
        products += len(weights)
    print(f"{products} products agree")


if __name__ == "__main__":
    main()
