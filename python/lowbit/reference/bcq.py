"""Binary-coding quantization: sums of scaled signs, perhaps with an offset, for each group.

Greedy, then alternating between scales of least squares and nearest sums (Xu et al.: "Alternating
Multi-bit Quantization for Recurrent Neural Networks", 2018, arXiv 1802.00150), as in LUT-GEMM (Park
et al., 2024, arXiv 2206.09557).
"""

import dataclasses
import itertools
from typing import Optional

import numpy as np

from .uniform import check_weight

_DTYPES = {"f16": np.float16, "f32": np.float32}


@dataclasses.dataclass(frozen=True)
class Scheme:
    """How a weight is stored: `bits` signs and scales, the columns of a group (None: a row), how scales are rounded."""

    bits: int = 3
    group_size: Optional[int] = 128
    scale_type: str = "f16"
    offset: bool = False
    rounds: int = 15

    def spell(self, shape):
        """The format as IR spells it, for a weight of this shape."""
        size = self.group_size
        padded = ", pad" if size and shape[1] % size else ""
        return (f"#lowbit.bcq<bits = {self.bits}, group = [1, {size or '*'}], scale = {self.scale_type}"
                f"{', offset' if self.offset else ''}{padded}>")


@dataclasses.dataclass(frozen=True)
class BcqWeight:
    """`signs` [bits, M, K] are 1 or -1, `scales` [bits, M, G], `offsets` [M, G] or None."""

    scheme: Scheme
    signs: np.ndarray
    scales: np.ndarray
    offsets: Optional[np.ndarray]

    def dequantize(self):
        """[M, K] float32: terms are added in the order of the bits."""
        columns = self.signs.shape[2]
        group = np.arange(columns) // (self.scheme.group_size or columns)
        total = np.float32(0) if self.offsets is None else self.offsets[:, group]
        for signs, scales in zip(self.signs, self.scales):
            total = total + signs * scales[:, group]
        return total.astype(np.float32)

    def components(self):
        """What stores the weight, by name."""
        dtype = _DTYPES[self.scheme.scale_type]
        result = {"planes": np.packbits(self.signs > 0, axis=2, bitorder="little"), "scales": self.scales.astype(dtype)}
        if self.offsets is not None:
            result["offsets"] = self.offsets.astype(dtype)
        return result


def _nearest(values, scales, offset):
    """The signs [bits, n] of the sums that are nearest to the values; of two as near, those of the greater."""
    choices = np.array(list(itertools.product((1.0, -1.0), repeat=len(scales))))
    sums = choices @ scales + offset
    order = np.argsort(sums, kind="stable")
    bounds = (sums[order][:-1] + sums[order][1:]) / 2
    return choices[order][np.searchsorted(bounds, values, side="right")].T


def fit(values, bits, rounds, offset):
    """The scales (descending) and the offset of one group."""
    rest, scales, signs = values.copy(), np.zeros(bits), np.zeros((bits, len(values)))
    for bit in range(bits):
        signs[bit] = np.where(rest >= 0, 1.0, -1.0)
        scales[bit] = np.abs(rest).mean()
        rest -= scales[bit] * signs[bit]
    shift = 0.0
    for number in range(rounds):
        # The first scales are those for the greedy signs.
        if number:
            signs = _nearest(values, scales, shift)
        matrix = np.vstack([signs, np.ones((1, len(values)))]) if offset else signs
        solution = np.linalg.lstsq(matrix.T, values, rcond=None)[0]
        scales = np.sort(np.abs(solution[:bits]))[::-1]
        shift = solution[bits] if offset else 0.0
    return scales, shift


def quantize_bcq(weight, scheme):
    """`weight` [M, K] as sums of signs; scales are rounded before the signs are chosen for good."""
    weight = check_weight(weight)
    rows, columns = weight.shape
    size = scheme.group_size or columns
    groups = -(-columns // size)
    signs = np.empty((scheme.bits, rows, columns))
    dtype = _DTYPES[scheme.scale_type]
    scales = np.empty((scheme.bits, rows, groups), dtype)
    offsets = np.empty((rows, groups), dtype)
    for row, group in itertools.product(range(rows), range(groups)):
        part = slice(group * size, min((group + 1) * size, columns))
        values = weight[row, part].astype(np.float64)
        scales[:, row, group], offsets[row, group] = fit(values, scheme.bits, scheme.rounds, scheme.offset)
        signs[:, row, part] = _nearest(values, scales[:, row, group].astype(float), float(offsets[row, group]))
    offsets = offsets.astype(np.float32) if scheme.offset else None
    return BcqWeight(scheme, signs, scales.astype(np.float32), offsets)
