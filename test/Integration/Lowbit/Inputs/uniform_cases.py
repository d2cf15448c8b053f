"""Integers with scales: weights of all widths, groups and ranges; zero points."""

import numpy as np

from lowbit.reference import bilevel, make_bilevel_vectors, packing, uniform
from reference_case import MLIR_TYPES, Weight, round_trip_case


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
            matrix = rng.standard_normal((rows, columns)).astype(np.float32)
            matrix[rows // 2, : columns // 2] = 0
            quantized = uniform.quantize_rtn(matrix, scheme)
            name = f"{'s' if symmetric else 'u'}{bits}"
            weight = Weight(name, components(quantized), tensor_type(scheme, matrix.shape), quantized.dequantize())
            yield weight.decode_case()
            yield round_trip_case(f"encode_{name}", matrix, weight.quant, weight.values)
            x = rng.standard_normal((2, 3, columns)).astype(np.float32)
            bias = rng.standard_normal(rows).astype(np.float32)
            yield weight.matmul_case(x, bias)
            yield weight.gather_case(np.array([0, rows - 1, -1, -rows], dtype=np.int64))


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
        yield round_trip_case(f"block_{rows}_{columns}", weight, quant, values)


def make_range_cases(rng):
    """Ranges that the numpy reference does not have: narrow, unsigned without zero points, NaN."""

    def make(name, code, zero, flags, weight, values):
        quant = f"!lowbit.tensor<4x10xf32, #lowbit.uniform<{code}, group = [1, *], scale = f32, zero = {zero}{flags}>>"
        return round_trip_case(name, weight, quant, values)

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
        yield round_trip_case(f"encode_zero_{name}", weight, quant, values)
        stored = [packing.pack(codes.astype(np.int32), bits), scales.astype(scale_type), zeros.astype(zero_type)]
        yield Weight(f"zero_{name}", stored, quant, values).decode_case()


def make_bilevel_cases(rng):
    """Scales that are powers of two, and scales and zero points with formats of their own."""
    for name in make_bilevel_vectors.CASES:
        matrix, quantized = make_bilevel_vectors.make(name)
        quant = f"!lowbit.tensor<{'x'.join(map(str, matrix.shape))}xf32, {quantized.scheme.spell(matrix.shape)}>"
        stored = list(bilevel.components(quantized).values())
        weight = Weight(f"bilevel_{name.replace('-', '_')}", stored, quant, quantized.dequantize())
        yield weight.decode_case()
        yield weight.matmul_case(rng.standard_normal((3, matrix.shape[1])).astype(np.float32), tolerance=1e-6)


def make_cases(rng):
    for make in (make_weight_cases, make_group_cases, make_range_cases, make_float_zero_cases,
                 make_bilevel_cases):
        yield from make(rng)
