"""Runs the reference lowering and compares it with numpy, bit for bit where it is exact.

Every case becomes a function of one module; `main` calls each with constants that the
compiler cannot fold, because they are arguments, and prints the results as integers, which
loses nothing. The oracle is the numpy reference of the Python package, which shares no code
with the compiler.
"""

import dataclasses
import json
import pathlib
import re
import shutil
import subprocess
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[4] / "python"))
from lowbit.reference import (  # noqa: E402
    bilevel, codebook, ggml, make_bilevel_vectors, ovp, packing, sparsity, uniform)

PIPELINE = [
    "--lowbit-to-linalg",
    "--canonicalize",
    "--cse",
    "--convert-elementwise-to-linalg",
    "--one-shot-bufferize=bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map",
    "--convert-linalg-to-loops",
    "--expand-strided-metadata",
    "--lower-affine",
    "--convert-scf-to-cf",
    "--convert-math-to-llvm",
    "--finalize-memref-to-llvm",
    "--convert-arith-to-llvm",
    "--convert-index-to-llvm",
    "--convert-cf-to-llvm",
    "--convert-func-to-llvm",
    "--reconcile-unrealized-casts",
]
MLIR_TYPES = {"int8": "i8", "uint8": "i8", "int16": "i16", "int32": "i32", "int64": "i64", "float16": "f16",
              "uint16": "bf16", "float32": "f32"}


def mlir_type(array):
    return f"tensor<{'x'.join(map(str, array.shape))}x{MLIR_TYPES[str(array.dtype)]}>"


def dense(array):
    """A constant with the array's bytes. One element as hexadecimal would be a splat."""
    text = np.ascontiguousarray(array).tobytes().hex().upper()
    if array.size == 1:
        value = "0x" + array.tobytes()[::-1].hex().upper()
        return f"dense<{value}> : {mlir_type(array)}"
    return f'dense<"0x{text}"> : {mlir_type(array)}'


@dataclasses.dataclass
class Case:
    """A function body with inputs, and the arrays that it should return."""

    name: str
    inputs: list
    body: str
    result_types: list
    expected: list
    tolerance: float = 0.0


def stored_scales(scales, scale_type):
    """Scales as they are stored; bf16, which numpy lacks, as its bits."""
    if scale_type == "f16":
        return scales.astype(np.float16)
    if scale_type == "bf16":
        return (scales.view(np.uint32) >> 16).astype(np.uint16)
    return scales


def components(quantized):
    scheme = quantized.scheme
    parts = [packing.pack(quantized.codes, scheme.bits), stored_scales(quantized.scales, scheme.scale_type)]
    if not scheme.symmetric:
        parts.append(packing.pack(quantized.zeros, scheme.bits))
    return parts


def tensor_type(scheme, shape):
    code = f"{'s' if scheme.symmetric else 'u'}{scheme.bits}"
    group = scheme.group_size or "*"
    padding = ", pad" if scheme.group_size and shape[-1] % scheme.group_size else ""
    zero = "none" if scheme.symmetric else code
    dims = "x".join(map(str, shape))
    return f"!lowbit.tensor<{dims}xf32, #lowbit.uniform<{code}, group = [1, {group}], scale = {scheme.scale_type}, zero = {zero}{padding}>>"


def make_weight_cases(rng):
    """Decode, encode, multiply and look up, for many schemes and shapes."""
    shapes = [(5, 64), (3, 50), (4, 7), (1, 33)]
    for index, bits in enumerate(range(2, 9)):
        for symmetric in (False, True):
            rows, columns = shapes[(index + symmetric) % len(shapes)]
            scheme = uniform.Scheme(
                bits=bits,
                group_size=[32, 16, None, 5][(index + 2 * symmetric) % 4],
                symmetric=symmetric,
                scale_type=["f16", "f32", "bf16"][index % 3],
            )
            weight = rng.standard_normal((rows, columns)).astype(np.float32)
            weight[rows // 2, : columns // 2] = 0
            quantized = uniform.quantize_rtn(weight, scheme)
            stored = components(quantized)
            values = quantized.dequantize()
            quant = tensor_type(scheme, weight.shape)
            name = f"{'s' if symmetric else 'u'}{bits}"
            arguments = ", ".join(f"%a{i}" for i in range(len(stored)))
            assemble = f"%w = lowbit.assemble {arguments} : ({', '.join(map(mlir_type, stored))}) -> {quant}\n"
            yield Case(
                f"decode_{name}",
                stored,
                assemble + f"%r0 = lowbit.dequantize %w : {quant} -> {mlir_type(values)}",
                [mlir_type(values)],
                [values],
            )
            yield Case(
                f"encode_{name}",
                [weight],
                f"%q = lowbit.quantize %a0 : {mlir_type(weight)} -> {quant}\n"
                f"%r0 = lowbit.dequantize %q : {quant} -> {mlir_type(values)}",
                [mlir_type(values)],
                [values],
            )
            x = rng.standard_normal((2, 3, columns)).astype(np.float32)
            bias = rng.standard_normal(rows).astype(np.float32)
            product = (x.astype(np.float64) @ values.T.astype(np.float64) + bias).astype(np.float32)
            n = len(stored)
            yield Case(
                f"matmul_{name}",
                [*stored, x, bias],
                assemble
                + f"%r0 = lowbit.matmul %a{n}, %w, %a{n + 1} : ({mlir_type(x)}, {quant}, {mlir_type(bias)}) -> {mlir_type(product)}",
                [mlir_type(product)],
                [product],
                1e-5,
            )
            tokens = np.array([0, rows - 1, -1, -rows], dtype=np.int64)
            rows_read = values[tokens]
            yield Case(
                f"gather_{name}",
                [*stored, tokens],
                assemble
                + f"%r0 = lowbit.gather %w[%a{n}] : ({quant}, {mlir_type(tokens)}) -> {mlir_type(rows_read)}",
                [mlir_type(rows_read)],
                [rows_read],
            )


def make_activation_cases(rng):
    """Dynamic quantization: symmetric, narrow, f32 scales."""
    for bits, group, columns in [(8, 32, 64), (8, None, 50), (8, 16, 50), (4, 8, 20), (5, 7, 9)]:
        x = rng.standard_normal((2, 3, columns)).astype(np.float32)
        x[1, 0] = 0
        x[0, 1, : columns // 2] *= 1e-30
        size = group or columns
        top = (1 << (bits - 1)) - 1
        values = np.empty_like(x)
        for start in range(0, columns, size):
            part = x[..., start : start + size]
            largest = np.abs(part).max(axis=-1, keepdims=True)
            largest = np.where(largest == 0, np.float32(1), largest)
            scale = (largest + largest) / np.float32(2 * top)
            codes = np.clip(np.rint(part / scale), -top, top).astype(np.int32)
            values[..., start : start + size] = scale * codes.astype(np.float32)
        padding = ", pad" if columns % size else ""
        quant = (
            f"!lowbit.tensor<2x3x{columns}xf32, #lowbit.uniform<s{bits}, group = [1, {group or '*'}], "
            f"scale = f32, zero = none, narrow{padding}>>"
        )
        yield Case(
            f"dynamic_{bits}_{size}_{columns}",
            [x],
            f"%q = lowbit.dynamic_quantize %a0 : {mlir_type(x)} -> {quant}\n"
            f"%r0 = lowbit.dequantize %q : {quant} -> {mlir_type(x)}",
            [mlir_type(x)],
            [values],
        )


def make_group_cases(rng):
    """Groups of several rows, and of the whole tensor."""
    weight = rng.standard_normal((5, 12)).astype(np.float32)
    for rows, columns in [(2, 4), (5, 12), (3, 5)]:
        values = np.empty_like(weight)
        for i in range(0, 5, rows):
            for k in range(0, 12, columns):
                block = weight[i : i + rows, k : k + columns]
                scheme = uniform.Scheme(bits=4, group_size=None, scale_type="f16")
                values[i : i + rows, k : k + columns] = (
                    uniform.quantize_rtn(block.reshape(1, -1), scheme).dequantize().reshape(block.shape)
                )
        group = "[*, *]" if (rows, columns) == (5, 12) else f"[{rows}, {columns}]"
        padding = ", pad" if 5 % rows or 12 % columns else ""
        quant = f"!lowbit.tensor<5x12xf32, #lowbit.uniform<u4, group = {group}, scale = f16, zero = u4{padding}>>"
        yield Case(
            f"block_{rows}_{columns}",
            [weight],
            f"%q = lowbit.quantize %a0 : tensor<5x12xf32> -> {quant}\n"
            f"%r0 = lowbit.dequantize %q : {quant} -> tensor<5x12xf32>",
            ["tensor<5x12xf32>"],
            [values],
        )


def make_range_cases(rng):
    """Ranges that the numpy reference does not have: narrow, unsigned without zero points, NaN."""

    def make(name, code, zero, flags, weight, values):
        quant = f"!lowbit.tensor<4x10xf32, #lowbit.uniform<{code}, group = [1, *], scale = f32, zero = {zero}{flags}>>"
        body = (
            f"%q = lowbit.quantize %a0 : tensor<4x10xf32> -> {quant}\n"
            f"%r0 = lowbit.dequantize %q : {quant} -> tensor<4x10xf32>"
        )
        return Case(name, [weight], body, ["tensor<4x10xf32>"], [values])

    weight = rng.standard_normal((4, 10)).astype(np.float32)
    weight[1] = 0
    weight[2] = -np.abs(weight[2])
    largest = np.abs(weight).max(axis=1, keepdims=True)
    largest = np.where(largest == 0, np.float32(1), largest)
    scale = (largest + largest) / np.float32(6)
    codes = np.clip(np.rint(weight / scale), -3, 3).astype(np.int32)
    yield make("narrow", "s3", "none", ", narrow", weight, scale * codes.astype(np.float32))

    largest = weight.max(axis=1, keepdims=True)
    largest = np.where(largest <= 0, np.float32(1), largest)
    scale = largest / np.float32(15)
    codes = np.clip(np.rint(weight / scale), 0, 15).astype(np.int32)
    yield make("positive", "u4", "none", "", weight, scale * codes.astype(np.float32))

    broken = weight.copy()
    broken[3, 4] = np.nan
    scheme = uniform.Scheme(bits=4, group_size=None)
    values = uniform.quantize_rtn(weight, scheme).dequantize()
    values[3] = np.nan
    yield make("nan", "u4", "u4", "", broken, values)


def make_ggml_cases(rng):
    """Blocks of random bytes, whose scales are numbers: every code, every scale."""
    for name, (columns, size) in ggml.TYPES.items():
        rows = 3
        blocks = rng.integers(0, 256, (rows, 2, size), dtype=np.uint8)
        halves = {"q2_K": (80, 82), "q3_K": (108,), "q6_K": (208,), "q4_1": (0, 2), "q5_1": (0, 2), "q4_K": (0, 2),
                  "q5_K": (0, 2)}.get(name, (0,))
        for byte in halves:
            blocks[..., byte + 1] &= 0xBF
        blocks[1, 1, halves[0] + 1] &= 0x83  # Denormal.
        stored = blocks.reshape(rows, -1)
        values = ggml.dequantize(name, stored)
        quant = f"!lowbit.tensor<{rows}x{2 * columns}xf32, #lowbit.ggml<{name}>>"
        assemble = f"%w = lowbit.assemble %a0 : ({mlir_type(stored)}) -> {quant}\n"
        yield Case(
            f"decode_{name}",
            [stored],
            assemble + f"%r0 = lowbit.dequantize %w : {quant} -> {mlir_type(values)}",
            [mlir_type(values)],
            [values],
        )
        x = rng.standard_normal((2, 2 * columns)).astype(np.float32)
        product = (x.astype(np.float64) @ values.T.astype(np.float64)).astype(np.float32)
        yield Case(
            f"matmul_{name}",
            [stored, x],
            assemble
            + f"%r0 = lowbit.matmul %a1, %w : ({mlir_type(x)}, {quant}) -> {mlir_type(product)}",
            [mlir_type(product)],
            [product],
            1e-5,
        )
        tokens = np.array([2, 0, -1], dtype=np.int64)
        yield Case(
            f"gather_{name}",
            [stored, tokens],
            assemble
            + f"%r0 = lowbit.gather %w[%a1] : ({quant}, {mlir_type(tokens)}) -> {mlir_type(values[tokens])}",
            [mlir_type(values[tokens])],
            [values[tokens]],
        )


def make_codebook_cases(rng):
    """Decode, multiply and look up weights whose codes name levels."""
    scheme = codebook.Scheme
    bytes_by_tensor = scheme("e4m3", (None, None))
    cases = {
        "nf4": ((5, 64), scheme("nf4", (1, 32), "f16")),
        "nf4_short": ((3, 37), scheme("nf4", (1, 16), "f32")),
        "fp4": ((4, 7), scheme("fp4", (1, None), "bf16")),
        "levels": ((2, 9), scheme((-1.0, -0.25, 0.5), (None, 4), "f16")),
        "mxfp4": ((3, 64), scheme("e2m1", (1, 32), "f8E8M0FNU")),
        "mxfp8": ((3, 64), scheme("e4m3", (1, 32), "f8E8M0FNU")),
        "mxfp8_wide": ((2, 33), scheme("e5m2", (1, 32), "f8E8M0FNU")),
        "fp8": ((5, 11), scheme("e4m3", (1, None), "f32")),
        "dynamic": ((5, 12), scheme("dynamic8", (2, 5), "f8E4M3FN")),
        "nvfp4": ((5, 40), scheme("e2m1", (1, 16), bytes_by_tensor)),
        "double": ((9, 128), scheme("nf4", (1, 64), scheme("dynamic8", (4, 2)), offset=True)),
        "bilevel": ((7, 20), scheme("nf4", (1, 8), scheme("dynamic8", (4, 1), "f16"))),
        "thrice": ((4, 32), scheme("nf4", (1, 8), scheme("e4m3", (1, 2), scheme("e5m2", (None, None), "bf16")))),
    }
    for name, (shape, form) in cases.items():
        weight = rng.standard_normal(shape).astype(np.float32)
        weight[shape[0] // 2, : shape[1] // 2] = 0
        weight[-1] *= 1e-30 if form.scale in ("f32", "f8E8M0FNU") else 1
        quantized = codebook.quantize_codebook(weight, form)
        values = quantized.dequantize()
        stored = codebook.components(quantized)
        quant = f"!lowbit.tensor<{shape[0]}x{shape[1]}xf32, {form.spell(shape)}>"
        arguments = ", ".join(f"%a{i}" for i in range(len(stored)))
        assemble = f"%w = lowbit.assemble {arguments} : ({', '.join(map(mlir_type, stored))}) -> {quant}\n"
        yield Case(
            f"decode_{name}",
            stored,
            assemble + f"%r0 = lowbit.dequantize %w : {quant} -> {mlir_type(values)}",
            [mlir_type(values)],
            [values],
        )
        x = rng.standard_normal((3, shape[1])).astype(np.float32)
        product = (x.astype(np.float64) @ values.T.astype(np.float64)).astype(np.float32)
        yield Case(
            f"matmul_{name}",
            [*stored, x],
            assemble + f"%r0 = lowbit.matmul %a{len(stored)}, %w : ({mlir_type(x)}, {quant}) -> {mlir_type(product)}",
            [mlir_type(product)],
            [product],
            1e-5,
        )
        tokens = np.array([0, shape[0] - 1, -1], dtype=np.int64)
        yield Case(
            f"gather_{name}",
            [*stored, tokens],
            assemble
            + f"%r0 = lowbit.gather %w[%a{len(stored)}] : ({quant}, {mlir_type(tokens)}) -> {mlir_type(values[tokens])}",
            [mlir_type(values[tokens])],
            [values[tokens]],
        )
    # What no encoder writes: a code without a level, a scale that is NaN, e4m3's NaN.
    quant = "!lowbit.tensor<1x4xf32, #lowbit.codebook<{}, group = [1, 2], scale = {}>>"
    for name, table, scale, codes, scales, values in [
        ("unused", "[-1.0, 1.0]", "f32", [0x10, 0xF2], np.array([[2, 3]], dtype=np.float32), [-2, 2, 0, 0]),
        ("nan_scale", "e2m1", "f8E8M0FNU", [0x31, 0x31], np.array([[255, 0]], dtype=np.uint8),
         [np.nan, np.nan, 2.0**-128, 1.5 * 2.0**-127]),
        ("nan_code", "e4m3", "f32", [0x7F, 0x38, 0xFF, 0xB8], np.array([[1, 2]], dtype=np.float32),
         [np.nan, 1, np.nan, -2]),
    ]:
        stored = [np.array([codes], dtype=np.uint8), scales]
        typed = quant.format(table, scale)
        yield Case(
            f"codes_{name}",
            stored,
            f"%w = lowbit.assemble %a0, %a1 : ({', '.join(map(mlir_type, stored))}) -> {typed}\n"
            f"%r0 = lowbit.dequantize %w : {typed} -> tensor<1x4xf32>",
            ["tensor<1x4xf32>"],
            [np.array([values], dtype=np.float32)],
        )


def make_outlier_cases(rng):
    """A dense part plus a few elements: none, rows without any, all of them."""
    tokens = np.array([0, 6, -1], dtype=np.int64)
    for name, count, value_type, columns, symmetric in [
        ("none", 0, "f16", 33, True),
        ("one", 1, "f32", 33, True),
        ("some", 20, "f16", 50, True),
        ("offset", 37, "bf16", 50, False),
        ("many", 300, "f32", 64, True),
        ("all", 7 * 33, "f16", 33, False),
    ]:
        weight = rng.standard_normal((7, columns)).astype(np.float32)
        flat = np.sort(rng.permutation(np.r_[0:3 * columns, 4 * columns : 7 * columns] if count < 200
                                       else 7 * columns)[:count])
        dense = weight.copy()
        dense.reshape(-1)[flat] = 0
        scheme = uniform.Scheme(bits=4, group_size=None, symmetric=symmetric, scale_type="f16")
        quantized = uniform.quantize_rtn(dense, scheme)
        outliers = np.float32(10) * weight.reshape(-1)[flat]
        if value_type == "bf16":
            outliers = (outliers.view(np.uint32) & 0xFFFF0000).view(np.float32)
        elif value_type == "f16":
            outliers = outliers.astype(np.float16).astype(np.float32)
        values = quantized.dequantize()
        values.reshape(-1)[flat] += outliers
        offsets = np.searchsorted(flat, columns * np.arange(8)).astype(np.int32)
        stored = [*components(quantized), offsets, (flat % columns).astype(np.int16),
                  stored_scales(outliers, value_type)]
        base = re.search("#.*>", tensor_type(scheme, weight.shape)[:-1]).group()
        quant = (f"!lowbit.tensor<7x{columns}xf32, #lowbit.sparse_outliers<dense = {base}, count = {count}, "
                 f"value = {value_type}>>")
        arguments = ", ".join(f"%a{i}" for i in range(len(stored)))
        assemble = f"%w = lowbit.assemble {arguments} : ({', '.join(map(mlir_type, stored))}) -> {quant}\n"
        yield Case(
            f"decode_outliers_{name}",
            stored,
            assemble + f"%r0 = lowbit.dequantize %w : {quant} -> {mlir_type(values)}",
            [mlir_type(values)],
            [values],
        )
        yield Case(
            f"gather_outliers_{name}",
            [*stored, tokens],
            assemble
            + f"%r0 = lowbit.gather %w[%a{len(stored)}] : ({quant}, {mlir_type(tokens)}) -> {mlir_type(values[tokens])}",
            [mlir_type(values[tokens])],
            [values[tokens]],
        )
        x = rng.standard_normal((2, 3, columns)).astype(np.float32)
        product = (x.astype(np.float64) @ values.T.astype(np.float64)).astype(np.float32)
        matmul = f"%r0 = lowbit.matmul %a{len(stored)}, %w : ({mlir_type(x)}, {quant}) -> {mlir_type(product)}"
        yield Case(f"matmul_outliers_{name}", [*stored, x], assemble + matmul, [mlir_type(product)], [product], 1e-5)
        init = rng.standard_normal(product.shape).astype(np.float32)
        sparse = np.zeros_like(weight)
        sparse.reshape(-1)[flat] = outliers
        total = (init + x.astype(np.float64) @ sparse.T.astype(np.float64)).astype(np.float32)
        yield Case(
            f"sparse_matmul_{name}",
            [*stored[-3:], x, init],
            f"%r0 = lowbit.sparse_matmul %a3, %a0, %a1, %a2 add %a4 : "
            f"{', '.join(mlir_type(a) for a in [x, *stored[-3:], init])}",
            [mlir_type(total)],
            [total],
            1e-5,
        )


def make_pattern_cases(rng):
    """N of every M elements, whose values are floats or codes."""
    for kept, block, columns, bits in [(2, 4, 64, 16), (2, 4, 30, 4), (4, 8, 40, 4), (3, 5, 23, 3), (1, 16, 64, 16)]:
        blocks = -(-columns // block)
        places = np.sort(rng.permuted(np.tile(np.arange(block), (6, blocks, 1)), axis=2)[..., :kept], axis=2)
        kept_values = rng.standard_normal((6, blocks * kept)).astype(np.float32)
        if bits == 16:
            stored = [kept_values.astype(np.float16)]
            kept_values = stored[0].astype(np.float32)
            base = "#lowbit.float<f16>"
        else:
            scheme = uniform.Scheme(bits=bits, group_size=2 * kept, symmetric=False, scale_type="f16")
            quantized = uniform.quantize_rtn(kept_values, scheme)
            stored, kept_values = components(quantized), quantized.dequantize()
            base = re.search("#.*>", tensor_type(scheme, kept_values.shape)[:-1]).group()
        values = sparsity.place(kept_values, places, columns, block)
        stored.append(sparsity.pack_places(places, block))
        quant = f"!lowbit.tensor<6x{columns}xf32, #lowbit.n_of_m<{kept}:{block}, values = {base}>>"
        arguments = ", ".join(f"%a{i}" for i in range(len(stored)))
        assemble = f"%w = lowbit.assemble {arguments} : ({', '.join(map(mlir_type, stored))}) -> {quant}\n"
        name = f"{kept}_of_{block}_{bits}"
        yield Case(
            f"decode_{name}",
            stored,
            assemble + f"%r0 = lowbit.dequantize %w : {quant} -> {mlir_type(values)}",
            [mlir_type(values)],
            [values],
        )
        x = rng.standard_normal((3, columns)).astype(np.float32)
        product = (x.astype(np.float64) @ values.T.astype(np.float64)).astype(np.float32)
        yield Case(
            f"matmul_{name}",
            [*stored, x],
            assemble + f"%r0 = lowbit.matmul %a{len(stored)}, %w : ({mlir_type(x)}, {quant}) -> {mlir_type(product)}",
            [mlir_type(product)],
            [product],
            1e-5,
        )


def float_zero_group(part, levels, minimum, scale_type, zero_type, precision):
    """One group with a float zero point: the values that it decodes to."""
    low, high = part.min(), part.max()
    if low == 0 and high == 0:
        high = np.float32(1)
    scale = np.maximum((high - low) / np.float32(levels), np.maximum(-low, high) * np.float32(precision))
    scale = scale.astype(scale_type).astype(np.float32)
    zero = (-low / scale + np.float32(minimum)).astype(zero_type).astype(np.float32)
    codes = np.clip(np.rint(part / scale + zero), minimum, minimum + levels).astype(np.float32)
    return scale, zero, codes, scale * (codes - zero)


def make_float_zero_cases(rng):
    """Zero points that are floats: ranges without 0, all-zero, constant and narrow groups, short ones."""
    precisions = {"float16": 2.0**-11, "float32": 2.0**-24}
    for code, scale_type, zero_type in [
        ("u4", "float16", "float16"),
        ("s3", "float32", "float16"),
        ("u2", "float16", "float32"),
        ("u8", "float32", "float32"),
        ("u1", "float16", "float16"),
    ]:
        bits = int(code[1:])
        minimum = -(1 << (bits - 1)) if code[0] == "s" else 0
        weight = rng.standard_normal((4, 20)).astype(np.float32)
        weight[0] += 5
        weight[1, 3:14] = 0
        weight[2, :8] = -0.75
        weight[3, :8] = 1 + np.arange(8, dtype=np.float32) * np.float32(1e-6)
        values, codes = np.empty_like(weight), np.empty_like(weight)
        scales, zeros = np.empty((4, 3), np.float32), np.empty((4, 3), np.float32)
        for row in range(4):
            for group, start in enumerate(range(0, 20, 8)):
                at = (row, slice(start, start + 8))
                scales[row, group], zeros[row, group], codes[at], values[at] = float_zero_group(
                    weight[at], (1 << bits) - 1, minimum, scale_type, zero_type, precisions[zero_type]
                )
        mlir = {name: MLIR_TYPES[name] for name in precisions}
        quant = (
            f"!lowbit.tensor<4x20xf32, #lowbit.uniform<{code}, group = [1, 8], scale = {mlir[scale_type]}, "
            f"zero = {mlir[zero_type]}, pad>>"
        )
        name = f"{code}_{mlir[scale_type]}_{mlir[zero_type]}"
        yield Case(
            f"encode_zero_{name}",
            [weight],
            f"%q = lowbit.quantize %a0 : tensor<4x20xf32> -> {quant}\n"
            f"%r0 = lowbit.dequantize %q : {quant} -> tensor<4x20xf32>",
            ["tensor<4x20xf32>"],
            [values],
        )
        stored = [packing.pack(codes.astype(np.int32), bits), scales.astype(scale_type), zeros.astype(zero_type)]
        types = ", ".join(map(mlir_type, stored))
        yield Case(
            f"decode_zero_{name}",
            stored,
            f"%w = lowbit.assemble %a0, %a1, %a2 : ({types}) -> {quant}\n"
            f"%r0 = lowbit.dequantize %w : {quant} -> tensor<4x20xf32>",
            ["tensor<4x20xf32>"],
            [values],
        )


def make_bilevel_cases(rng):
    """Scales that are powers of two, and scales and zero points with formats of their own."""
    for name in make_bilevel_vectors.CASES:
        weight, quantized = make_bilevel_vectors.make(name)
        name = name.replace("-", "_")
        values, stored = quantized.dequantize(), list(bilevel.components(quantized).values())
        quant = f"!lowbit.tensor<{'x'.join(map(str, weight.shape))}xf32, {quantized.scheme.spell(weight.shape)}>"
        names = ", ".join(f"%a{i}" for i in range(len(stored)))
        assemble = f"%w = lowbit.assemble {names} : ({', '.join(map(mlir_type, stored))}) -> {quant}\n"
        yield Case(
            f"decode_bilevel_{name}",
            stored,
            assemble + f"%r0 = lowbit.dequantize %w : {quant} -> {mlir_type(values)}",
            [mlir_type(values)],
            [values],
        )
        x = rng.standard_normal((3, weight.shape[1])).astype(np.float32)
        product = (x.astype(np.float64) @ values.T.astype(np.float64)).astype(np.float32)
        yield Case(
            f"matmul_bilevel_{name}",
            [*stored, x],
            assemble + f"%r0 = lowbit.matmul %a{len(stored)}, %w : ({mlir_type(x)}, {quant}) -> {mlir_type(product)}",
            [mlir_type(product)],
            [product],
            1e-6,
        )


def make_sign_cases(rng):
    """Sums of scaled signs, added up in the order of the bits."""
    for bits, rows, columns, group, scale_type, has_offset in [
        (1, 3, 32, 16, "float16", True),
        (3, 5, 50, 16, "float16", False),
        (4, 2, 33, 33, "float32", True),
    ]:
        groups = -(-columns // group)
        signs = rng.integers(0, 2, (bits, rows, columns))
        planes = np.packbits(signs.astype(np.uint8), axis=2, bitorder="little")
        scales = rng.random((bits, rows, groups)).astype(scale_type)
        offsets = rng.standard_normal((rows, groups)).astype(scale_type)
        index = np.arange(columns) // group
        values = offsets.astype(np.float32)[:, index] if has_offset else np.float32(0)
        for plane, scale in zip(signs, scales.astype(np.float32)):
            values = values + np.where(plane == 1, scale[:, index], -scale[:, index])
        padding = ", pad" if columns % group else ""
        quant = (
            f"!lowbit.tensor<{rows}x{columns}xf32, #lowbit.bcq<bits = {bits}, group = [1, {group}], "
            f"scale = {MLIR_TYPES[scale_type]}{', offset' if has_offset else ''}{padding}>>"
        )
        stored = [planes, scales, offsets][: 3 if has_offset else 2]
        names = ", ".join(f"%a{i}" for i in range(len(stored)))
        assemble = f"%w = lowbit.assemble {names} : ({', '.join(map(mlir_type, stored))}) -> {quant}\n"
        yield Case(
            f"decode_bcq{bits}",
            stored,
            assemble + f"%r0 = lowbit.dequantize %w : {quant} -> {mlir_type(values)}",
            [mlir_type(values)],
            [values],
        )
        x = rng.standard_normal((2, columns)).astype(np.float32)
        product = (x.astype(np.float64) @ values.T.astype(np.float64)).astype(np.float32)
        yield Case(
            f"matmul_bcq{bits}",
            [*stored, x],
            assemble
            + f"%r0 = lowbit.matmul %a{len(stored)}, %w : ({mlir_type(x)}, {quant}) -> {mlir_type(product)}",
            [mlir_type(product)],
            [product],
            1e-5,
        )


def make_pair_cases(rng):
    """Outlier-victim pairs: all bytes, those that no encoder writes too, and odd numbers of columns."""
    scheme = ovp.Scheme
    for name, rows, columns, form in [
        ("int4", 4, 512, scheme("int4", scale="f16")),
        ("int4_odd", 5, 37, scheme("int4", group=(1, 16), keep_left=True)),
        ("flint4", 4, 512, scheme("flint4", scale="bf16")),
        ("flint4_odd", 7, 9, scheme("flint4", group=(3, None))),
        ("int8", 6, 256, scheme("int8", "e4m3")),
        ("int8_e2m5", 3, 31, scheme("int8", "e2m5", group=(None, 8), scale="f16")),
    ]:
        padded = columns + columns % 2
        codes = rng.integers(0, 2**form.bits, (rows, padded))
        # Half of the pairs have an identifier, or two.
        codes[:, ::4] = form.identifier
        codes[:, 3::8] = form.identifier
        if form.bits == 4 and rows * padded >= 512:
            codes.reshape(-1)[:512] = np.stack([np.arange(256) >> 4, np.arange(256) & 15], axis=1).reshape(-1)
        grid = [-(-whole // (size or whole)) for size, whole in zip(form.group, (rows, columns))]
        scales = uniform.round_scales(rng.random(grid).astype(np.float32), form.scale)
        quantized = ovp.QuantizedWeight(form, columns, codes, scales)
        values, stored = quantized.dequantize(), ovp.components(quantized)
        quant = f"!lowbit.tensor<{rows}x{columns}xf32, {form.spell((rows, columns))}>"
        assemble = f"%w = lowbit.assemble %a0, %a1 : ({', '.join(map(mlir_type, stored))}) -> {quant}\n"
        yield Case(
            f"decode_pairs_{name}",
            stored,
            assemble + f"%r0 = lowbit.dequantize %w : {quant} -> {mlir_type(values)}",
            [mlir_type(values)],
            [values + 0.0],
        )
        x = rng.standard_normal((2, columns)).astype(np.float32)
        product = (x.astype(np.float64) @ values.T.astype(np.float64)).astype(np.float32)
        yield Case(
            f"matmul_pairs_{name}",
            [*stored, x],
            assemble + f"%r0 = lowbit.matmul %a2, %w : ({mlir_type(x)}, {quant}) -> {mlir_type(product)}",
            [mlir_type(product)],
            [product],
            1e-5,
        )
        tokens = np.array([0, rows - 1, -1], dtype=np.int64)
        yield Case(
            f"gather_pairs_{name}",
            [*stored, tokens],
            assemble + f"%r0 = lowbit.gather %w[%a2] : ({quant}, {mlir_type(tokens)}) -> {mlir_type(values[tokens])}",
            [mlir_type(values[tokens])],
            [values[tokens] + 0.0],
        )


def write_module(cases):
    lines = ["func.func private @printMemrefI32(tensor<*xi32>) attributes {llvm.emit_c_interface}"]
    main = []
    for case in cases:
        parameters = ", ".join(f"%a{i}: {mlir_type(a)}" for i, a in enumerate(case.inputs))
        results = ", ".join(f"%r{i}" for i in range(len(case.result_types)))
        types = ", ".join(case.result_types)
        lines += [
            f"func.func private @{case.name}({parameters}) -> ({types}) attributes {{no_inline}} {{",
            case.body,
            f"return {results} : {types}",
            "}",
        ]
        for i, array in enumerate(case.inputs):
            main.append(f"%{case.name}_a{i} = arith.constant {dense(array)}")
        arguments = ", ".join(f"%{case.name}_a{i}" for i in range(len(case.inputs)))
        input_types = ", ".join(map(mlir_type, case.inputs))
        main.append(f"%{case.name} = call @{case.name}({arguments}) : ({input_types}) -> {types}")
        bits = types.replace("f32", "i32")
        main.append(f"%{case.name}_b = arith.bitcast %{case.name} : {types} to {bits}")
        main.append(f"%{case.name}_u = tensor.cast %{case.name}_b : {bits} to tensor<*xi32>")
        main.append(f"call @printMemrefI32(%{case.name}_u) : (tensor<*xi32>) -> ()")
    return "\n".join([*lines, "func.func @main() attributes {llvm.emit_c_interface} {", *main, "return", "}", ""])


def main():
    rng = np.random.default_rng(0)
    cases = [
        *make_weight_cases(rng),
        *make_activation_cases(rng),
        *make_group_cases(rng),
        *make_range_cases(rng),
        *make_ggml_cases(rng),
        *make_float_zero_cases(rng),
        *make_codebook_cases(rng),
        *make_bilevel_cases(rng),
        *make_sign_cases(rng),
        *make_pair_cases(rng),
        *make_outlier_cases(rng),
        *make_pattern_cases(rng),
    ]
    lowered = subprocess.run(
        ["quant-opt", *PIPELINE], input=write_module(cases), capture_output=True, text=True, check=False
    )
    if lowered.returncode:
        sys.exit(lowered.stderr)
    libraries = pathlib.Path(shutil.which("mlir-runner")).resolve().parent.parent / "lib"
    names = ["libmlir_runner_utils.so", "libmlir_c_runner_utils.so", "libmlir_float16_utils.so"]
    shared = ",".join(str(libraries / name) for name in names)
    run = subprocess.run(
        ["mlir-runner", "-e", "main", "-entry-point-result=void", f"--shared-libs={shared}"],
        input=lowered.stdout,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        sys.exit(run.stderr)
    printed = re.findall(r"data =\s*\n?(.*?)(?=Unranked|\Z)", run.stdout, re.S)
    if len(printed) != len(cases):
        sys.exit(f"{len(cases)} cases, but {len(printed)} results")
    failures = 0
    for case, text in zip(cases, printed):
        actual = np.array(json.loads(text), dtype=np.int32).view(np.float32)
        expected = case.expected[0]
        if case.tolerance == 0.0:
            same = (actual.view(np.int32) == expected.view(np.int32)) | (np.isnan(actual) & np.isnan(expected))
            good = actual.shape == expected.shape and same.all()
        else:
            good = np.linalg.norm(actual - expected) <= case.tolerance * np.linalg.norm(expected)
        if not good:
            failures += 1
            print(f"{case.name}: expected\n{expected}\ngot\n{actual}")
    print(f"{len(cases) - failures} agree, {failures} differ")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
