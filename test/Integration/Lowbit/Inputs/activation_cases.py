"""Activations: scales that are found at run time, for tokens, groups and tensors, or known before."""

import numpy as np

from lowbit.reference import ovp
from reference_case import Case, mlir_type, round_trip_case


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
        yield round_trip_case(f"dynamic_{bits}_{size}_{columns}", x, quant, values, "dynamic_quantize")


def make_tensor_cases(rng):
    """Activations with one scale for all of them, which follows from them or is known before."""
    x = rng.standard_t(2, (2, 3, 9)).astype(np.float32)
    x[0, 0, :2] = [0, -0.0]
    for bits in [8, 4]:
        top = (1 << (bits - 1)) - 1
        scale = np.float32(2 * np.abs(x).max()) / np.float32(2 * top)
        quant = f"!lowbit.tensor<2x3x9xf32, #lowbit.uniform<s{bits}, group = [*, *], scale = f32, zero = none, narrow>>"
        values = scale * np.clip(np.rint(x / scale), -top, top).astype(np.int32).astype(np.float32)
        yield round_trip_case(f"dynamic_tensor_{bits}", x, quant, values, "dynamic_quantize")
    widened = "!lowbit.tensor<2x3x9xf32, #lowbit.uniform<s8, group = [*, *], scale = f32, zero = none>>"

    def make(name, spelled, scale, values, is_widened):
        quant = f"!lowbit.tensor<2x3x9xf32, {spelled}>"
        body = f"%q = lowbit.static_quantize %a0 scale {float(scale)!r} : {mlir_type(x)} -> {quant}\n"
        name_of_result, type_of_result = "%q", quant
        if is_widened:
            body += f"%w = lowbit.widen %q : {quant} -> {widened}\n"
            name_of_result, type_of_result = "%w", widened
        body += f"%r0 = lowbit.dequantize {name_of_result} : {type_of_result} -> {mlir_type(x)}"
        return Case(f"static_{name}{'_widened' * is_widened}", [x], body, values)

    # Half of the largest value, which clips.
    for bits, storage in [(8, "f32"), (4, "f16"), (3, "f32")]:
        lowest, top = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
        scale = np.abs(x).max() / np.float32(2 * top)
        stored = np.float32(np.float16(scale)) if storage == "f16" else scale
        values = stored * np.clip(np.rint(x / stored), lowest, top).astype(np.int32).astype(np.float32)
        spelled = f"#lowbit.uniform<s{bits}, group = [*, *], scale = {storage}, zero = none>"
        for is_widened in [False, True]:
            yield make(f"s{bits}", spelled, scale, values, is_widened)
    # Ties, among others, where levels are a half of the scale apart from values.
    steps = np.concatenate([x.reshape(-1)[:27] * 8, np.arange(27) * np.float32(0.5) * (-1) ** np.arange(27)])
    x = steps.astype(np.float32).reshape(2, 3, 9)
    for name, outliers, keep_left in [
        ("int4", "e2m1", False),
        ("int4", "e2m1", True),
        ("flint4", "e2m1", False),
        ("int8", "e4m3", False),
        ("int8", "e2m5", True),
    ]:
        scheme = ovp.Scheme(name, outliers, group=(None, None), scale="f32", keep_left=keep_left)
        scale = np.float32(1 if name != "int8" else 0.03125)
        rows = x.reshape(-1, 9)
        padded = np.pad(rows, ((0, 0), (0, 1)))
        levels = ovp.decode_pairs(ovp.code_pairs(padded / scale, scheme), scheme)[:, :9]
        values = (scale * levels.astype(np.int32)).astype(np.float32).reshape(x.shape)
        for is_widened in [False] + [True] * (name == "int4"):
            yield make(f"{name}_{outliers}_{keep_left}", scheme.spell((6, 9)), scale, values, is_widened)


def make_cases(rng):
    yield from make_activation_cases(rng)
    yield from make_tensor_cases(rng)
