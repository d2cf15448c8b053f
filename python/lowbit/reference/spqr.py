"""SpQR: GPTQ with small groups, whose scales and zero points are quantized themselves, and outliers apart.

Dettmers et al.: "SpQR: A Sparse-Quantized Representation for Near-Lossless LLM Weight Compression", 2023,
arXiv 2306.03078. Follows the code published with it, except where all weights of a group are equal: there it spans
[-1, 1], here the codes are exact.
"""

import dataclasses

import numpy as np

from .bilevel import Scheme, _find_parameters, quantize_bilevel
from .gptq import factor_inverse
from .uniform import check_weight


@dataclasses.dataclass
class SpqrResult:
    """What `spqr` returns.

    values     [M, K] float64, outliers exactly
    outliers   [M, K] bool
    threshold  the cost from which on a weight is an outlier
    order      the order in which the columns were coded, in which groups are formed
    """

    values: np.ndarray
    outliers: np.ndarray
    threshold: float
    order: np.ndarray


def _fit(group, scheme):
    """Scales and zero points [M, 1] of a group, as they read back."""
    scales, zeros = _find_parameters(group.astype(np.float32), scheme)
    if isinstance(scheme.scale, Scheme):
        scales = quantize_bilevel(scales, scheme.scale).dequantize()
    if isinstance(scheme.zero, Scheme):
        zeros = quantize_bilevel(zeros, scheme.zero).dequantize()
    return scales.astype(np.float64), zeros.astype(np.float64)


def _round_trip(values, scales, zeros, scheme):
    with np.errstate(divide="ignore", invalid="ignore"):
        scaled = np.where(scales == 0, 0, values / scales)
    codes = np.clip(np.rint(scaled + zeros), scheme.least_code, scheme.least_code + scheme.steps)
    return scales * (codes - zeros)


def _span_error(group, weights, scheme):
    """The weighted squared error of groups whose codes span them, with parameters that are not rounded."""
    low, high = group.min(axis=1, keepdims=True), group.max(axis=1, keepdims=True)
    scales = (high - low) / scheme.steps
    with np.errstate(divide="ignore", invalid="ignore"):
        zeros = np.where(scales == 0, 0, scheme.least_code - low / scales)
    values = np.where(scales == 0, group, _round_trip(group, scales, zeros, scheme))
    return (((values - group) * weights) ** 2).sum(axis=1)


def leave_one_out_gains(group, weights, scheme):
    """[M, g]: how much the error of a group [M, g] falls when one weight is left out of it."""
    base = _span_error(group, weights, scheme)
    gains = np.empty(group.shape)
    for i in range(group.shape[1]):
        left = np.arange(group.shape[1]) != i
        gains[:, i] = base - (_span_error(group[:, left], weights[left], scheme) if left.any() else 0)
    return gains


def spqr(weight, hessian, scheme, *, threshold=0.2, damping=1.0, act_order=False, simplified=False):
    """Quantizes `weight` [M, K] for inputs with `hessian` [K, K] (see hessian.Hessian).

    scheme      a bilevel.Scheme with groups of one row and fractional zero points
    threshold   the cost of an outlier, relative to the mean of Var(W[:, k]) / U_kk^2
    simplified  groups are fitted to all of their weights
    """
    weight = check_weight(weight).astype(np.float64)
    rows, columns = weight.shape
    hessian = np.array(hessian, dtype=np.float64)
    dead = np.diag(hessian) == 0
    hessian[dead, dead] = 1.0
    weight[:, dead] = 0.0
    order = np.argsort(-np.diag(hessian), kind="stable") if act_order else np.arange(columns)
    weight = weight[:, order]
    upper, _ = factor_inverse(hessian[np.ix_(order, order)], damping)
    diagonal = np.diag(upper)
    bound = np.inf
    if rows > 1 and np.isfinite(threshold):
        bound = threshold * np.mean(weight.var(axis=0, ddof=1) / diagonal ** 2)

    size = scheme.group[1] or columns
    outliers = np.zeros((rows, columns), bool)
    for i in range(columns):
        if i % size == 0:
            group = weight[:, i:i + size].copy()
            if not simplified and np.isfinite(bound):
                likely = leave_one_out_gains(group, 1 / diagonal[i:i + size], scheme) > bound
                means = np.where(likely, 0, group).sum(axis=1) / np.maximum((~likely).sum(axis=1), 1)
                group = np.where(likely, means[:, None], group)
            scales, zeros = _fit(group, scheme)
        column = weight[:, i:i + 1]
        value = _round_trip(column, scales, zeros, scheme)[:, 0]
        error = (weight[:, i] - value) / diagonal[i]
        outliers[:, i] = error ** 2 > bound
        value = np.where(outliers[:, i], weight[:, i], value)
        error = (weight[:, i] - value) / diagonal[i]
        weight[:, i + 1:] -= np.outer(error, upper[i, i + 1:])
        weight[:, i] = value
    values, mask = np.empty_like(weight), np.empty_like(outliers)
    values[:, order], mask[:, order] = weight, outliers
    return SpqrResult(values, mask, bound, order)
