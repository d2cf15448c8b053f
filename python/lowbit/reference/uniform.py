"""Uniform quantization: parameters of a range, codes, values, round-to-nearest.

The formulas are those of the quantizer of GPTQ (Frantar, Ashkboos, Hoefler,
Alistarh: "GPTQ: Accurate Post-Training Quantization for Generative Pre-trained
Transformers", 2022, arXiv 2210.17323): the range is widened to contain 0, so
that 0 is represented exactly, and rounding is half-to-even.
"""

import dataclasses
from typing import Optional

import numpy as np

# The grid of ranges that `mse` searches, and the norm of the error it minimizes.
MSE_STEPS, MSE_GRID, MSE_NORM = 80, 100, 2.4

_SCALE_TYPES = ("f32", "f16", "bf16")


@dataclasses.dataclass(frozen=True)
class Scheme:
    """How one weight is stored.

    bits        1 to 8; 2 at least if symmetric.
    group_size  columns that share a scale; None for the whole row.
    symmetric   signed codes and no zero point.
    mse         choose each range from a grid by its error, instead of min and max.
    scale_type  'f32', 'f16' or 'bf16'; scales are rounded to it before they are used.
    """

    bits: int = 4
    group_size: Optional[int] = 64
    symmetric: bool = False
    mse: bool = False
    scale_type: str = "f32"

    def __post_init__(self):
        if not 1 + self.symmetric <= self.bits <= 8:
            raise ValueError(f"bits must be {1 + self.symmetric} to 8, not {self.bits}")
        if self.group_size is not None and self.group_size < 1:
            raise ValueError(f"group_size must be positive or None, not {self.group_size}")
        if self.scale_type not in _SCALE_TYPES:
            raise ValueError(f"scale_type must be one of {', '.join(_SCALE_TYPES)}, not {self.scale_type!r}")

    @property
    def code_range(self):
        """The smallest and the largest code."""
        if self.symmetric:
            return -(1 << (self.bits - 1)), (1 << (self.bits - 1)) - 1
        return 0, (1 << self.bits) - 1

    def groups(self, columns):
        """The groups of a row as slices of its `columns` columns."""
        size = self.group_size or columns
        return [slice(start, min(start + size, columns)) for start in range(0, columns, size)]


def round_scales(scales, scale_type):
    """`scales` rounded to the nearest value (half to even) of `scale_type`, as float32.

    Rounding never ends at zero or infinity: those go to the nearest positive finite value.
    """
    scales = np.asarray(scales, dtype=np.float32)
    if scale_type == "f32":
        return scales
    if scale_type == "f16":
        with np.errstate(over="ignore"):
            rounded = scales.astype(np.float16).astype(np.float32)
        smallest, largest = np.float32(2.0**-24), np.float32(65504.0)
    else:
        bits = scales.view(np.uint32).astype(np.uint64)
        bits = (bits + 0x7FFF + ((bits >> 16) & 1)) & 0xFFFF0000
        rounded = bits.astype(np.uint32).view(np.float32)
        smallest, largest = np.float32(2.0**-133), np.float32(2.0**127 * (2 - 2.0**-7))
    return np.clip(rounded, smallest, largest)


def _range_params(low, high, scheme):
    """Scale (float32) and zero (int32) of ranges [low, high] that contain 0; all arrays [M]."""
    levels = np.float32((1 << scheme.bits) - 1)
    scale = round_scales((high - low) / levels, scheme.scale_type)
    if scheme.symmetric:
        return scale, np.zeros(scale.shape, dtype=np.int32)
    zero = np.clip(np.rint(-low / scale), 0, levels)
    return scale, zero.astype(np.int32)


def find_params(group, scheme):
    """Scale and zero of each row of one group.

    group   [M, g] float32
    return  scale [M] float32, zero [M] int32
    """
    group = np.asarray(group, dtype=np.float32)
    low = np.minimum(group.min(axis=1), np.float32(0))
    high = np.maximum(group.max(axis=1), np.float32(0))
    if scheme.symmetric:
        # Also where no weight is negative: the published code keeps low = 0 there and then
        # clips the upper half of the weights.
        high = np.maximum(-low, high)
        low = -high
    empty = (low == 0) & (high == 0)
    low, high = np.where(empty, np.float32(-1), low), np.where(empty, np.float32(1), high)

    best_scale, best_zero = _range_params(low, high, scheme)
    if not scheme.mse:
        return best_scale, best_zero
    best_error = np.full(group.shape[0], np.inf)
    for step in range(MSE_STEPS):
        shrink = np.float32(1.0 - step / MSE_GRID)
        scale, zero = _range_params(low * shrink, high * shrink, scheme)
        values = dequantize_group(quantize_group(group, scale, zero, scheme), scale, zero)
        error = (np.abs(values - group).astype(np.float64) ** MSE_NORM).sum(axis=1)
        better = error < best_error
        best_error = np.where(better, error, best_error)
        best_scale = np.where(better, scale, best_scale)
        best_zero = np.where(better, zero, best_zero)
    return best_scale, best_zero


def quantize_group(group, scale, zero, scheme):
    """The codes of [M, g] values with scale [M] and zero [M]: clamp(round(w / s) + z)."""
    low, high = scheme.code_range
    codes = np.rint(np.asarray(group, dtype=np.float32) / scale[:, None]) + zero[:, None]
    return np.clip(codes, low, high).astype(np.int32)


def dequantize_group(codes, scale, zero):
    """The float32 values of codes [M, g]: s * (q - z)."""
    return scale[:, None] * (codes - zero[:, None]).astype(np.float32)


@dataclasses.dataclass
class QuantizedWeight:
    """Codes with their scales and zeros.

    order   None, or [K]: groups are made of columns in this order (GPTQ with act_order and
            without static groups), so column order[i] belongs to group i // group_size.
    """

    scheme: Scheme
    codes: np.ndarray
    scales: np.ndarray
    zeros: np.ndarray
    order: Optional[np.ndarray] = None

    def group_index(self):
        """[K]: the group of every column."""
        columns = self.codes.shape[1]
        index = np.arange(columns) // (self.scheme.group_size or columns)
        if self.order is None:
            return index
        scattered = np.empty(columns, dtype=index.dtype)
        scattered[self.order] = index
        return scattered

    def dequantize(self):
        """The float32 weight [M, K]."""
        index = self.group_index()
        return self.scales[:, index] * (self.codes - self.zeros[:, index]).astype(np.float32)

    def bits_per_weight(self):
        """Codes, scales and zero points; a scale of a short group counts in full."""
        scale_bits = 32 if self.scheme.scale_type == "f32" else 16
        zero_bits = 0 if self.scheme.symmetric else self.scheme.bits
        return self.scheme.bits + self.scales.size * (scale_bits + zero_bits) / self.codes.size


def check_weight(weight):
    """`weight` as a float32 matrix; ValueError when it is none or not finite."""
    weight = np.asarray(weight, dtype=np.float32)
    if weight.ndim != 2 or weight.size == 0:
        raise ValueError(f"a weight is a matrix that is not empty, not of shape {list(weight.shape)}")
    if not np.isfinite(weight).all():
        raise ValueError("the weight has values that are not finite")
    return weight


def quantize_rtn(weight, scheme):
    """Round-to-nearest: every weight to the nearest value of its group's grid."""
    weight = check_weight(weight)
    groups = scheme.groups(weight.shape[1])
    codes = np.empty(weight.shape, dtype=np.int32)
    scales = np.empty((weight.shape[0], len(groups)), dtype=np.float32)
    zeros = np.empty(scales.shape, dtype=np.int32)
    for g, columns in enumerate(groups):
        scales[:, g], zeros[:, g] = find_params(weight[:, columns], scheme)
        codes[:, columns] = quantize_group(weight[:, columns], scales[:, g], zeros[:, g], scheme)
    return QuantizedWeight(scheme, codes, scales, zeros)
