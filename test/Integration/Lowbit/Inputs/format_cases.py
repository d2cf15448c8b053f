"""Formats other than plain integers: blocks of GGML, tables of levels, signs, pairs, outliers, N of M."""

import re

import numpy as np

from lowbit.reference import codebook, ggml, ovp, packing, sparsity, uniform
from reference_case import MLIR_TYPES, Case, Weight, mlir_type
from uniform_cases import components, stored_scales, tensor_type


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
        weight = Weight(name, [stored], quant, values)
        yield weight.decode_case()
        yield weight.matmul_case(rng.standard_normal((2, 2 * columns)).astype(np.float32))
        yield weight.gather_case(np.array([2, 0, -1], dtype=np.int64))


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
        matrix = rng.standard_normal(shape).astype(np.float32)
        matrix[shape[0] // 2, : shape[1] // 2] = 0
        matrix[-1] *= 1e-30 if form.scale in ("f32", "f8E8M0FNU") else 1
        quantized = codebook.quantize_codebook(matrix, form)
        quant = f"!lowbit.tensor<{shape[0]}x{shape[1]}xf32, {form.spell(shape)}>"
        weight = Weight(name, codebook.components(quantized), quant, quantized.dequantize())
        yield weight.decode_case()
        yield weight.matmul_case(rng.standard_normal((3, shape[1])).astype(np.float32))
        yield weight.gather_case(np.array([0, shape[0] - 1, -1], dtype=np.int64))
    # What no encoder writes: a code without a level, a scale that is NaN, e4m3's NaN.
    quant = "!lowbit.tensor<1x4xf32, #lowbit.codebook<{}, group = [1, 2], scale = {}>>"
    for name, table, scale, codes, scales, values in [
        ("codes_unused", "[-1.0, 1.0]", "f32", [0x10, 0xF2], np.array([[2, 3]], dtype=np.float32), [-2, 2, 0, 0]),
        ("codes_nan_scale", "e2m1", "f8E8M0FNU", [0x31, 0x31], np.array([[255, 0]], dtype=np.uint8),
         [np.nan, np.nan, 2.0**-128, 1.5 * 2.0**-127]),
        ("codes_nan_code", "e4m3", "f32", [0x7F, 0x38, 0xFF, 0xB8], np.array([[1, 2]], dtype=np.float32),
         [np.nan, 1, np.nan, -2]),
    ]:
        stored = [np.array([codes], dtype=np.uint8), scales]
        weight = Weight(name, stored, quant.format(table, scale), np.array([values], dtype=np.float32))
        yield weight.decode_case()


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
        matrix = rng.standard_normal((7, columns)).astype(np.float32)
        flat = np.sort(rng.permutation(np.r_[0:3 * columns, 4 * columns : 7 * columns] if count < 200
                                       else 7 * columns)[:count])
        dense = matrix.copy()
        dense.reshape(-1)[flat] = 0
        scheme = uniform.Scheme(bits=4, group_size=None, symmetric=symmetric, scale_type="f16")
        quantized = uniform.quantize_rtn(dense, scheme)
        outliers = np.float32(10) * matrix.reshape(-1)[flat]
        if value_type == "bf16":
            outliers = (outliers.view(np.uint32) & 0xFFFF0000).view(np.float32)
        elif value_type == "f16":
            outliers = outliers.astype(np.float16).astype(np.float32)
        values = quantized.dequantize()
        values.reshape(-1)[flat] += outliers
        offsets = np.searchsorted(flat, columns * np.arange(8)).astype(np.int32)
        stored = [*components(quantized), offsets, (flat % columns).astype(np.int16),
                  stored_scales(outliers, value_type)]
        base = re.search("#.*>", tensor_type(scheme, matrix.shape)[:-1]).group()
        quant = (f"!lowbit.tensor<7x{columns}xf32, #lowbit.sparse_outliers<dense = {base}, count = {count}, "
                 f"value = {value_type}>>")
        weight = Weight(f"outliers_{name}", stored, quant, values)
        yield weight.decode_case()
        yield weight.gather_case(tokens)
        x = rng.standard_normal((2, 3, columns)).astype(np.float32)
        product = weight.matmul_case(x)
        yield product
        init = rng.standard_normal(product.expected.shape).astype(np.float32)
        sparse = np.zeros_like(matrix)
        sparse.reshape(-1)[flat] = outliers
        total = (init + x.astype(np.float64) @ sparse.T.astype(np.float64)).astype(np.float32)
        yield Case(
            f"sparse_matmul_{name}",
            [*stored[-3:], x, init],
            f"%r0 = lowbit.sparse_matmul %a3, %a0, %a1, %a2 add %a4 : "
            f"{', '.join(mlir_type(a) for a in [x, *stored[-3:], init])}",
            total,
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
        weight = Weight(f"{kept}_of_{block}_{bits}", stored, quant, values)
        yield weight.decode_case()
        yield weight.matmul_case(rng.standard_normal((3, columns)).astype(np.float32))


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
        weight = Weight(f"bcq{bits}", stored, quant, values)
        yield weight.decode_case()
        yield weight.matmul_case(rng.standard_normal((2, columns)).astype(np.float32))


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
        quant = f"!lowbit.tensor<{rows}x{columns}xf32, {form.spell((rows, columns))}>"
        # Adding 0 makes -0, which nothing decodes to, 0.
        weight = Weight(f"pairs_{name}", ovp.components(quantized), quant, quantized.dequantize() + 0.0)
        yield weight.decode_case()
        yield weight.matmul_case(rng.standard_normal((2, columns)).astype(np.float32))
        yield weight.gather_case(np.array([0, rows - 1, -1], dtype=np.int64))


def make_cases(rng):
    for make in (make_ggml_cases, make_codebook_cases, make_sign_cases, make_pair_cases, make_outlier_cases,
                 make_pattern_cases):
        yield from make(rng)
