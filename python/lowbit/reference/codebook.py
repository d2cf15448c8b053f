"""Codebooks: levels that codes name, and a scale for each group.

The tables and the rules for scales and ties are those of bitsandbytes (QLoRA: Dettmers,
Pagnoni, Holtzman, Zettlemoyer: "QLoRA: Efficient Finetuning of Quantized LLMs", 2023, arXiv
2305.14314) and of the OCP Microscaling Formats specification, version 1.0.
"""

import dataclasses
from statistics import NormalDist
from typing import Optional, Union

import numpy as np

from .packing import pack
from .uniform import check_weight, round_scales

_QUANTILE = 0.9677083


def normal_map():
    """NF4 from its definition, in float64: quantiles of the normal distribution on both sides of an exact 0."""
    quantile = NormalDist().inv_cdf
    positive = [quantile(p) for p in np.linspace(_QUANTILE, 0.5, 9)[:-1]]
    negative = [-quantile(p) for p in np.linspace(_QUANTILE, 0.5, 8)[:-1]]
    levels = np.sort(np.array([*positive, 0.0, *negative]))
    return levels / levels.max()


def dynamic_map():
    """The signed dynamic map: an exponent of varying length and the bits that it leaves, in single precision."""
    levels = [0.0, 1.0]
    for i in range(7):
        # As torch.linspace: from the nearer end, rounded once.
        count, step = 2**i, np.float64((np.float32(1) - np.float32(0.1)) / np.float32(2**i))
        low = np.float64(np.float32(0.1)) + step * np.arange(count + 1)
        high = 1 - step * np.arange(count, -1, -1)
        bounds = np.where(np.arange(count + 1) < (count + 1) // 2, low, high).astype(np.float32)
        means = (bounds[:-1] + bounds[1:]) / np.float32(2) * np.float32(10.0 ** (i - 6))
        levels += [*means, *-means]
    return np.sort(np.array(levels, dtype=np.float32))


def minifloat(exponent_bits, mantissa_bits, special):
    """The values of all bit patterns; `special(exponent, mantissa)` tells those that are no finite numbers."""
    bias = 2 ** (exponent_bits - 1) - 1
    values = []
    for code in range(2 ** (1 + exponent_bits + mantissa_bits)):
        mantissa = code % 2**mantissa_bits
        exponent = code >> mantissa_bits & (2**exponent_bits - 1)
        sign = -1.0 if code >> (exponent_bits + mantissa_bits) else 1.0
        value = special(exponent, mantissa)
        if value is None:
            fraction = mantissa / 2**mantissa_bits + (exponent > 0)
            value = fraction * 2.0 ** (max(exponent, 1) - bias)
        values.append(sign * value)
    return np.array(values, dtype=np.float32)


def _e4m3_special(exponent, mantissa):
    return np.nan if exponent == 15 and mantissa == 7 else None


def _e5m2_special(exponent, mantissa):
    return None if exponent < 31 else np.nan if mantissa else np.inf


_FP4 = np.array([0, 0.0625, 8, 12, 4, 6, 2, 3], dtype=np.float32) / np.float32(12)

#: The level of each code.
TABLES = {
    "nf4": np.array([
        -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
        -0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725,
        0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941,
        0.7229568362236023, 1.0], dtype=np.float32),
    "fp4": np.concatenate([_FP4, -_FP4]),
    "e2m1": minifloat(2, 1, lambda exponent, mantissa: None),
    "e4m3": minifloat(4, 3, _e4m3_special),
    "e5m2": minifloat(5, 2, _e5m2_special),
    "dynamic8": dynamic_map(),
}


@dataclasses.dataclass(frozen=True)
class Scheme:
    """How one weight is stored.

    table       a name of TABLES, or ascending levels.
    group       rows and columns that share a scale; None for the whole dimension.
    scale       'f32', 'f16', 'bf16', 'f8E8M0FNU', 'f8E4M3FN', or the Scheme that stores the scales.
    offset      what a Scheme stores are the differences of the scales from their mean.
    """

    table: Union[str, tuple] = "nf4"
    group: tuple = (1, 64)
    scale: Union[str, "Scheme"] = "f32"
    offset: bool = False

    @property
    def levels(self):
        """The level of each code."""
        return TABLES[self.table] if isinstance(self.table, str) else np.array(self.table, dtype=np.float32)

    @property
    def bits(self):
        """The bits of a code."""
        return 4 if len(self.levels) <= 16 else 8

    def grid(self, shape):
        """How many groups a matrix of this shape has in each dimension."""
        return tuple(-(-whole // (size or whole)) for size, whole in zip(self.group, shape))

    def spell(self, shape):
        """The format as IR spells it for a matrix of this shape."""
        table = self.table if isinstance(self.table, str) else "[" + ", ".join(f"{x:.9e}" for x in self.levels) + "]"
        group = ", ".join("*" if size is None else str(size) for size in self.group)
        scale = self.scale if isinstance(self.scale, str) else self.scale.spell(self.grid(shape))
        offset = ", offset = f32" if self.offset else ""
        pad = ", pad" if any(size and whole % size for size, whole in zip(self.group, shape)) else ""
        return f"#lowbit.codebook<{table}, group = [{group}], scale = {scale}{offset}{pad}>"


def nearest(values, scheme):
    """The codes of the levels nearest to values, compared in float64; ties as the table defines."""
    levels = scheme.levels
    finite = np.flatnonzero(np.isfinite(levels))
    values = np.asarray(values, dtype=np.float64)
    distance = np.abs(values[..., None] - levels[finite].astype(np.float64))
    tied = distance == distance.min(axis=-1, keepdims=True)
    # Of those at the same distance, the one with the least penalty.
    if scheme.table in ("e2m1", "e4m3", "e5m2"):
        penalty = np.broadcast_to((finite % 2).astype(np.float64), tied.shape)
    elif scheme.table == "fp4":
        penalty = np.broadcast_to(np.abs(levels[finite]).astype(np.float64), tied.shape)
    else:
        penalty = np.broadcast_to(levels[finite].astype(np.float64), tied.shape)
    # Zero has two codes where codes have signs.
    sign = np.signbit(levels[finite]) != (values[..., None] < 0)
    penalty = penalty + np.where(levels[finite] == 0, sign * 1e-3, 0)
    return finite[np.where(tied, penalty, np.inf).argmin(axis=-1)].astype(np.int32)


def _expand(values, group, shape):
    rows, columns = (size or whole for size, whole in zip(group, shape))
    return values.repeat(rows, axis=0)[: shape[0]].repeat(columns, axis=1)[:, : shape[1]]


def _greatest(weight, group):
    rows, columns = (size or whole for size, whole in zip(group, weight.shape))
    return np.array([[np.abs(weight[r : r + rows, c : c + columns]).max()
                      for c in range(0, weight.shape[1], columns)] for r in range(0, weight.shape[0], rows)],
                    dtype=np.float32)


@dataclasses.dataclass
class QuantizedWeight:
    """Codes, and scales as they read back, float32.

    nested      the QuantizedWeight of the scales (less `offset`), if they have a Scheme.
    """

    scheme: Scheme
    codes: np.ndarray
    scales: np.ndarray
    nested: Optional["QuantizedWeight"] = None
    offset: np.float32 = np.float32(0)

    def dequantize(self):
        """The float32 weight [M, K]."""
        return _expand(self.scales, self.scheme.group, self.codes.shape) * self.scheme.levels[self.codes]


def _store_scales(scales, scheme):
    """What codes are chosen with, and the stored scales with all that belongs to them."""
    if isinstance(scheme.scale, Scheme):
        offset = np.float32(scales.mean(dtype=np.float64)) if scheme.offset else np.float32(0)
        nested = quantize_codebook(scales - offset, scheme.scale)
        stored = nested.dequantize()
        stored = stored + offset if scheme.offset else stored
        return (scales if scheme.offset else stored), dict(scales=stored, nested=nested, offset=offset)
    if scheme.scale == "f8E8M0FNU":
        # They are powers of two already.
        stored = np.clip(scales, np.float32(2.0**-127), np.float32(2.0**127))
    elif scheme.scale == "f8E4M3FN":
        rounded = TABLES["e4m3"][nearest(scales, Scheme("e4m3"))]
        stored = np.where(scales > 0, np.maximum(rounded, np.float32(2.0**-9)), np.float32(0))
    else:
        stored = np.where(scales > 0, round_scales(scales, scheme.scale), np.float32(0))
    return stored, dict(scales=stored)


def quantize_codebook(weight, scheme):
    """Round-to-nearest: every weight to the nearest level of its group."""
    weight = check_weight(weight)
    levels = scheme.levels
    largest = np.abs(levels[np.isfinite(levels)]).max()
    greatest = _greatest(weight, scheme.group)
    if scheme.scale == "f8E8M0FNU":
        exponents = np.frexp(greatest)[1] - 1 - (np.frexp(largest)[1] - 1)
        scales = np.where(greatest > 0, np.ldexp(np.float64(1), exponents), 0)
    else:
        scales = (greatest / largest).astype(np.float32)
    chosen, stored = _store_scales(scales, scheme)
    chosen = _expand(chosen.astype(np.float32), scheme.group, weight.shape)
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        inverse = np.where(chosen == 0, np.float32(0), np.float32(1) / chosen)
        normalized = np.where(np.isinf(inverse), weight / chosen, weight * inverse)
    stored["scales"] = np.asarray(stored["scales"], dtype=np.float32)
    return QuantizedWeight(scheme, nearest(normalized, scheme), **stored)


def components(quantized):
    """The arrays that store it, in the order of the format; bf16, which numpy lacks, as uint16."""
    scheme, scales = quantized.scheme, quantized.scales
    parts = [pack(quantized.codes, scheme.bits)]
    if quantized.nested is not None:
        parts += components(quantized.nested)
        return parts + ([np.array([quantized.offset], dtype=np.float32)] if scheme.offset else [])
    if scheme.scale == "f8E8M0FNU":
        return [*parts, (np.frexp(scales)[1] - 1 + 127).astype(np.uint8)]
    if scheme.scale == "f8E4M3FN":
        return [*parts, nearest(scales, Scheme("e4m3")).astype(np.uint8)]
    if scheme.scale == "bf16":
        return [*parts, (scales.view(np.uint32) >> 16).astype(np.uint16)]
    return [*parts, scales.astype({"f16": np.float16, "f32": np.float32}[scheme.scale])]
