"""Uniform codes whose scales and zero points are powers of two or are quantized themselves.

Groups of scales, and of zero points, have scales and zero points of their own: the bilevel
quantization of SpQR (Dettmers et al.: "SpQR: A Sparse-Quantized Representation for Near-Lossless
LLM Weight Compression", 2023, arXiv 2306.03078). Powers of two follow the OCP Microscaling
Formats specification, version 1.0, whose MXINT8 is `Scheme(8, True, (1, 32), "f8E8M0FNU", "none")`.
"""

import dataclasses
from typing import Optional, Union

import numpy as np

from .packing import pack
from .uniform import check_weight, round_scales

_FLOAT_BITS = {"f16": 11, "f32": 24}
_DTYPES = {"f16": np.float16, "f32": np.float32}


@dataclasses.dataclass(frozen=True)
class Scheme:
    """How one matrix is stored.

    bits, signed  of the codes.
    group         rows and columns that share a scale and a zero point; None for the whole dimension.
    scale         'f16', 'f32', 'f8E8M0FNU', or the Scheme that stores the scales.
    zero          'none', 'integer', 'f16', 'f32', or the Scheme that stores the zero points.
    offset        what the Scheme of the scales stores are their differences from their mean.
    """

    bits: int = 4
    signed: bool = False
    group: tuple = (1, 64)
    scale: Union[str, "Scheme"] = "f16"
    zero: Union[str, "Scheme"] = "integer"
    offset: bool = False

    @property
    def least_code(self):
        """The smallest code."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def steps(self):
        """The largest code less the smallest."""
        return (1 << self.bits) - 1

    @property
    def has_float_zero(self):
        """Whether zero points need not be codes."""
        return self.zero not in ("none", "integer")

    def sizes(self, shape):
        """Rows and columns of a group in a matrix of this shape."""
        return tuple(size or whole for size, whole in zip(self.group, shape))

    def grid(self, shape):
        """How many groups a matrix of this shape has in each dimension."""
        return tuple(-(-whole // size) for size, whole in zip(self.sizes(shape), shape))

    def spell(self, shape):
        """The format as IR spells it for a matrix of this shape."""
        code = f"{'s' if self.signed else 'u'}{self.bits}"
        group = ", ".join("*" if size is None else str(size) for size in self.group)
        scale, zero = (part if isinstance(part, str) else part.spell(self.grid(shape))
                       for part in (self.scale, self.zero))
        offset = ", offset = f32" if self.offset else ""
        pad = ", pad" if any(size and whole % size for size, whole in zip(self.group, shape)) else ""
        return (f"#lowbit.uniform<{code}, group = [{group}], scale = {scale}, "
                f"zero = {code if zero == 'integer' else zero}{offset}{pad}>")


@dataclasses.dataclass
class Quantized:
    """Codes, and scales and zero points as they read back: [row groups, column groups].

    nested_scales, nested_zeros  the Quantized of the scales (less `offset`) and the zero points, if
                                 they have a Scheme.
    """

    scheme: Scheme
    codes: np.ndarray
    scales: np.ndarray
    zeros: np.ndarray
    nested_scales: Optional["Quantized"] = None
    nested_zeros: Optional["Quantized"] = None
    offset: np.float32 = np.float32(0)

    def dequantize(self):
        """The float32 matrix."""
        shape = self.codes.shape
        scales, zeros = (_expand(part, self.scheme, shape) for part in (self.scales, self.zeros))
        return scales * (self.codes.astype(np.float32) - zeros)


def _expand(values, scheme, shape):
    rows, columns = scheme.sizes(shape)
    return values.repeat(rows, axis=0)[: shape[0]].repeat(columns, axis=1)[:, : shape[1]]


def _ranges(weight, scheme):
    rows, columns = scheme.sizes(weight.shape)
    blocks = [[weight[r : r + rows, c : c + columns] for c in range(0, weight.shape[1], columns)]
              for r in range(0, weight.shape[0], rows)]
    low = np.array([[block.min() for block in row] for row in blocks], dtype=np.float32)
    high = np.array([[block.max() for block in row] for row in blocks], dtype=np.float32)
    if scheme.has_float_zero:
        return low, high
    return np.minimum(low, np.float32(0)), np.maximum(high, np.float32(0))


def _find_parameters(weight, scheme):
    """The scales and zero points that span the range of each group, as far as none depends on others."""
    low, high = _ranges(weight, scheme)
    empty = (low == 0) & (high == 0)
    # A scale that a Scheme stores may be 0.
    if isinstance(scheme.scale, str):
        low = np.where(empty, np.float32(0 if scheme.has_float_zero else -1), low)
        high = np.where(empty, np.float32(1), high)
    if scheme.zero == "none":
        low, high = (np.zeros_like(low), np.where(high > 0, high, 1)) if not scheme.signed else (
            -np.maximum(-low, high), np.maximum(-low, high))
    steps = np.float32(scheme.steps)
    width = (high - low).astype(np.float32)
    scales = width / steps
    if scheme.has_float_zero:
        # The zero point must fit its type; a Scheme of zero points asks for no larger ones than there are codes.
        fraction = 2.0 ** -_FLOAT_BITS[scheme.zero] if isinstance(scheme.zero, str) else 1 / steps
        least = np.maximum(-low, high) * np.float32(fraction)
        width = np.where(scales < least, least * steps, width)
        scales = np.maximum(scales, least)
    if scheme.scale == "f8E8M0FNU":
        exponents = np.frexp(width)[1] - np.frexp(steps)[1]
        scales = np.ldexp(np.float32(1), np.clip(exponents, -127, 127)).astype(np.float32)
    elif isinstance(scheme.scale, str):
        scales = round_scales(scales, scheme.scale)
    if scheme.zero == "none":
        return scales, np.zeros_like(scales)
    with np.errstate(divide="ignore", invalid="ignore"):
        zeros = np.where(scales == 0, np.float32(0), -low / scales).astype(np.float32)
    zeros = zeros + np.float32(scheme.least_code)
    if scheme.zero == "integer":
        zeros = np.clip(np.rint(zeros), scheme.least_code, scheme.least_code + scheme.steps)
    elif isinstance(scheme.zero, str):
        zeros = zeros.astype(_DTYPES[scheme.zero]).astype(np.float32)
    return scales, zeros


def quantize_bilevel(weight, scheme):
    """Round-to-nearest: every weight to the nearest code of its group."""
    weight = check_weight(weight)
    scales, zeros = _find_parameters(weight, scheme)
    chosen, stored = scales, {}
    if isinstance(scheme.scale, Scheme):
        stored["offset"] = np.float32(scales.mean(dtype=np.float64)) if scheme.offset else np.float32(0)
        stored["nested_scales"] = quantize_bilevel(scales - stored["offset"], scheme.scale)
        scales = stored["nested_scales"].dequantize()
        # The mean is known at the end only, when codes are chosen.
        if scheme.offset:
            scales = scales + stored["offset"]
        else:
            chosen = scales
    if isinstance(scheme.zero, Scheme):
        stored["nested_zeros"] = quantize_bilevel(zeros, scheme.zero)
        zeros = stored["nested_zeros"].dequantize()
    divisors, offsets = (_expand(part, scheme, weight.shape) for part in (chosen, zeros))
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = np.where(divisors == 0, np.float32(0), weight / divisors)
    # An integer may be added before or after rounding, but not to halves: they go to the even number of steps.
    codes = np.rint(scaled + offsets) if scheme.has_float_zero else np.rint(scaled) + offsets
    codes = np.clip(codes, scheme.least_code, scheme.least_code + scheme.steps).astype(np.int32)
    return Quantized(scheme, codes, scales, zeros, **stored)


def components(quantized):
    """The arrays that store it by name, in the order of the format."""
    scheme = quantized.scheme
    parts = {"codes": pack(quantized.codes, scheme.bits)}
    if quantized.nested_scales is not None:
        parts.update({f"scales_{name}": part for name, part in components(quantized.nested_scales).items()})
        if scheme.offset:
            parts["scales_offset"] = np.array([quantized.offset], dtype=np.float32)
    elif scheme.scale == "f8E8M0FNU":
        parts["scales"] = (np.frexp(quantized.scales)[1] - 1 + 127).astype(np.uint8)
    else:
        parts["scales"] = quantized.scales.astype(_DTYPES[scheme.scale])
    if quantized.nested_zeros is not None:
        parts.update({f"zeros_{name}": part for name, part in components(quantized.nested_zeros).items()})
    elif scheme.zero == "integer":
        parts["zeros"] = pack(quantized.zeros.astype(np.int32), scheme.bits)
    elif scheme.zero != "none":
        parts["zeros"] = quantized.zeros.astype(_DTYPES[scheme.zero])
    return parts
