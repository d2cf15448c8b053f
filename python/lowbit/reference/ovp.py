"""Outlier-victim pairs: outliers take the place of a neighbour.

OliVe (Guo, Tang, Hu, Leng, Zhang, Yang, Liu, Guo, Zhu: "OliVe: Accelerating Large Language
Models via Hardware-friendly Outlier-Victim Pair Quantization", ISCA 2023, arXiv 2304.07493),
and flint of ANT (MICRO 2022). Everything is written as tables of levels and compared in
float64.
"""

import dataclasses

import numpy as np

from .uniform import check_weight, round_scales

#: The magnitude of each code without its sign bit.
_FLINT4 = (0, 1, 2, 3, 16, 8, 4, 6)
#: What the largest normal level stands for, in hundredths of mean and 3 sigma.
CANDIDATES = range(75, 150, 2)


def abfloat(exponent_bits, mantissa_bits, bias):
    """The values of all bit patterns: a sign, an exponent and a mantissa."""
    sign, exponent, mantissa = np.meshgrid(
        [1, -1], np.arange(2**exponent_bits), np.arange(2**mantissa_bits), indexing="ij")
    return (sign * (2**mantissa_bits + mantissa) * 2.0 ** (exponent + bias)).ravel()


def _twos_complement(bits):
    codes = np.arange(2**bits)
    return np.where(codes < 2 ** (bits - 1), codes, codes - 2**bits).astype(np.float64)


#: The level of each code of a normal value; that of the identifier is of no use.
NORMALS = {
    "int4": _twos_complement(4),
    "flint4": np.concatenate([_FLINT4, np.negative(_FLINT4)]).astype(np.float64),
    "int8": _twos_complement(8),
}
#: The level of each code of an outlier, by the names of both.
OUTLIERS = {
    ("int4", "e2m1"): abfloat(2, 1, 2),
    ("flint4", "e2m1"): abfloat(2, 1, 3),
    ("int8", "e4m3"): abfloat(4, 3, 4),
    ("int8", "e2m5"): abfloat(2, 5, 2),
}


@dataclasses.dataclass(frozen=True)
class Scheme:
    """How one weight is stored.

    normals     'int4', 'flint4' or 'int8'.
    outliers    'e2m1'; for int8 'e4m3', as in the paper, or 'e2m5', as in the authors' code.
    group       rows and columns that share a scale; None for the whole dimension.
    scale       'f32', 'f16' or 'bf16'.
    keep_left   of two outliers the left one stays, as in the authors' code, not the larger one.
    """

    normals: str = "int4"
    outliers: str = "e2m1"
    group: tuple = (1, None)
    scale: str = "f32"
    keep_left: bool = False

    @property
    def bits(self):
        """The bits of a code."""
        return 8 if self.normals == "int8" else 4

    @property
    def identifier(self):
        """The code of a victim."""
        return 2 ** (self.bits - 1)

    @property
    def largest_normal(self):
        """The largest level that is no outlier."""
        return NORMALS[self.normals].max()

    def spell(self, shape):
        """The format as IR spells it for a matrix of this shape."""
        group = ", ".join("*" if size is None else str(size) for size in self.group)
        outliers = f", outliers = {self.outliers}" if self.bits == 8 else ""
        keep = ", keep = left" if self.keep_left else ""
        cut = any(size and whole % size for size, whole in zip(self.group, shape))
        pad = ", pad" if cut or shape[1] % 2 else ""
        return f"#lowbit.ovp<{self.normals}{outliers}, group = [{group}], scale = {self.scale}{keep}{pad}>"


def tables(scheme):
    """Levels and codes of normal values and outliers, the normal ones first."""
    normal, outlier = NORMALS[scheme.normals], OUTLIERS[scheme.normals, scheme.outliers]
    codes = np.arange(2**scheme.bits)
    is_normal = codes != scheme.identifier
    is_outlier = codes % scheme.identifier != 0
    return (np.concatenate([normal[is_normal], outlier[is_outlier]]),
            np.concatenate([codes[is_normal], codes[is_outlier]]),
            np.repeat([False, True], [is_normal.sum(), is_outlier.sum()]))


def code_pairs(values, scheme):
    """The codes of values in units of the scale, [M, 2 P]."""
    levels, codes, is_outlier = tables(scheme)
    values = np.asarray(values, dtype=np.float64)
    # By magnitude, the greater one first, so that ties go there.
    order = np.argsort(-np.abs(levels), kind="stable")
    nearest = order[np.abs(values[..., None] - levels[order]).argmin(axis=-1)]
    result, outlier = codes[nearest], is_outlier[nearest]
    left, right = slice(0, None, 2), slice(1, None, 2)
    wins = np.full(values[:, left].shape, True) if scheme.keep_left \
        else np.abs(values[:, left]) >= np.abs(values[:, right])
    right_is_victim = outlier[:, left] & (~outlier[:, right] | wins)
    left_is_victim = outlier[:, right] & ~right_is_victim
    result[:, left][left_is_victim] = scheme.identifier
    result[:, right][right_is_victim] = scheme.identifier
    return result


def decode_pairs(codes, scheme):
    """The levels of codes, [M, 2 P]."""
    normal, outlier = NORMALS[scheme.normals], OUTLIERS[scheme.normals, scheme.outliers]
    codes = np.asarray(codes)
    neighbours = codes.reshape(len(codes), -1, 2)[:, :, ::-1].reshape(codes.shape)
    levels = np.where(neighbours == scheme.identifier, outlier[codes], normal[codes])
    return np.where(codes == scheme.identifier, 0.0, levels)


def _pad(values):
    return np.pad(values, [(0, 0), (0, values.shape[1] % 2)])


def candidate_scales(values, scheme):
    """The scales that are tried for one group of values, float32."""
    values = np.asarray(values, dtype=np.float64)
    sigma = values.std(ddof=1) if values.size > 1 else 0.0
    base = (abs(values.mean()) + 3 * sigma) / scheme.largest_normal
    scales = np.array([base * (i / 100) for i in CANDIDATES]).astype(np.float32)
    return np.where(scales > 0, round_scales(scales, scheme.scale), np.float32(0))


def _normalize(values, scale):
    return values / scale if scale else np.zeros_like(values)


def search_scale(values, scheme, importance):
    """The first of the candidates with the least squared error, and all their errors."""
    scales = candidate_scales(values, scheme)
    padded = _pad(values.astype(np.float32))
    weights = np.pad(importance, (0, len(importance) % 2))
    errors = []
    for scale in scales:
        levels = decode_pairs(code_pairs(_normalize(padded, scale), scheme), scheme)
        errors.append((weights * (np.float64(scale) * levels - padded) ** 2).sum())
    return scales[int(np.argmin(errors))], np.array(errors)


@dataclasses.dataclass
class QuantizedWeight:
    """Codes [M, K + K % 2], and scales as they read back, float32."""

    scheme: Scheme
    columns: int
    codes: np.ndarray
    scales: np.ndarray

    def dequantize(self):
        """The float32 weight [M, K]."""
        levels = decode_pairs(self.codes, self.scheme).astype(np.float32)[:, : self.columns]
        rows, columns = (size or whole for size, whole in zip(self.scheme.group, levels.shape))
        scales = self.scales.repeat(rows, axis=0)[: levels.shape[0]]
        return scales.repeat(columns, axis=1)[:, : levels.shape[1]] * levels


def quantize_ovp(weight, scheme, importance=None):
    """Searches the scale of each group and rounds in pairs."""
    weight = check_weight(weight)
    if importance is None:
        importance = np.ones(weight.shape[1])
    rows, columns = (size or whole for size, whole in zip(scheme.group, weight.shape))
    codes = np.zeros(_pad(weight).shape, dtype=np.int64)
    scales = []
    for row in range(0, weight.shape[0], rows):
        scales.append([])
        for column in range(0, weight.shape[1], columns):
            values = weight[row : row + rows, column : column + columns]
            scale, _ = search_scale(values, scheme, importance[column : column + columns])
            scales[-1].append(scale)
            coded = code_pairs(_normalize(_pad(values), scale), scheme)
            codes[row : row + rows, column : column + columns + columns % 2] = coded
    return QuantizedWeight(scheme, weight.shape[1], codes, np.array(scales, dtype=np.float32))


def components(quantized):
    """The arrays that store it, in the order of the format; bf16, which numpy lacks, as uint16."""
    scheme, codes = quantized.scheme, quantized.codes.astype(np.uint8)
    if scheme.bits == 4:
        # The left one of a pair in the high nibble.
        codes = codes[:, ::2] << 4 | codes[:, 1::2]
    if scheme.scale == "bf16":
        return [codes, (quantized.scales.view(np.uint32) >> 16).astype(np.uint16)]
    return [codes, quantized.scales.astype({"f16": np.float16, "f32": np.float32}[scheme.scale])]
