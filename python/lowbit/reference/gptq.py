"""GPTQ: quantize column by column, and let the columns not yet done absorb the error.

Frantar, Ashkboos, Hoefler, Alistarh: "GPTQ: Accurate Post-Training Quantization
for Generative Pre-trained Transformers", 2022, arXiv 2210.17323, algorithm 1.

One point differs from the code published with the paper: there, the parameters
of a group that begins inside a block of columns are found before the block's
errors have reached the group. Here a group always sees all errors of the columns
before it, so that the block size changes nothing but the order of summation.
"""

import dataclasses

import numpy as np

from .uniform import (QuantizedWeight, check_weight, dequantize_group, find_params, quantize_group)

# A Hessian that is not positive definite after damping is damped by this much more, repeatedly.
DAMPING_STEP = 0.01


@dataclasses.dataclass
class GptqResult:
    """What `gptq` returns.

    weight    the quantized weight
    loss      sum of e^2 / 2 over all errors e = (w - value) / U_ii, where w is the updated weight:
              half of trace((W - V) H (W - V)^T) for the damped H and the values V
    damping   the damping that was used, >= the one asked for
    """

    weight: QuantizedWeight
    loss: float
    damping: float


def factor_inverse(hessian, damping):
    """U, upper triangular, with U^T U = (H + damping mean(diag H) I)^-1, and the damping used.

    Raises ValueError when even damping by the mean itself leaves H not positive definite.
    """
    diagonal = np.arange(hessian.shape[0])
    mean = np.mean(hessian[diagonal, diagonal])
    while damping <= 1.0:
        damped = hessian.copy()
        damped[diagonal, diagonal] += damping * mean
        try:
            np.linalg.cholesky(damped)
            inverse = np.linalg.inv(damped)
            return np.linalg.cholesky((inverse + inverse.T) / 2).T, damping
        except np.linalg.LinAlgError:
            damping += DAMPING_STEP
    raise ValueError("the Hessian is not positive definite at any damping up to 1")


def gptq(weight, hessian, scheme, *, act_order=False, static_groups=False, damping=0.01, block_size=128):
    """Quantizes `weight` [M, K] for inputs with `hessian` [K, K] (see hessian.Hessian).

    act_order      columns in the order of falling diag H. Without static_groups the groups are
                   made of columns in that order, and the result has an `order`.
    static_groups  scales and zeros come from the original weight, in original column order.
    damping        the share of mean(diag H) that is added to its diagonal; raised where needed.
    block_size     columns whose errors are applied to the rest together.

    Raises ValueError for arguments that do not fit together.
    """
    weight = check_weight(weight).astype(np.float64)
    rows, columns = weight.shape
    hessian = np.array(hessian, dtype=np.float64)
    if hessian.shape != (columns, columns):
        raise ValueError(f"a weight of {columns} columns needs a {columns} x {columns} Hessian, "
                         f"not the shape {list(hessian.shape)}")
    if not np.isfinite(hessian).all():
        raise ValueError("the Hessian has values that are not finite")
    if damping < 0:
        raise ValueError(f"damping must not be negative, not {damping}")
    if block_size < 1:
        raise ValueError(f"block_size must be positive, not {block_size}")

    # Columns whose input was always zero: their weights do not matter.
    dead = np.diag(hessian) == 0
    hessian[dead, dead] = 1.0
    weight[:, dead] = 0.0

    slices = scheme.groups(columns)
    scales = np.empty((rows, len(slices)), dtype=np.float32)
    zeros = np.empty((rows, len(slices)), dtype=np.int32)
    if static_groups:
        for g, group in enumerate(slices):
            scales[:, g], zeros[:, g] = find_params(weight[:, group], scheme)

    order = np.argsort(-np.diag(hessian), kind="stable") if act_order else np.arange(columns)
    weight = weight[:, order]
    upper, damping = factor_inverse(hessian[np.ix_(order, order)], damping)

    size = scheme.group_size or columns
    codes = np.empty((rows, columns), dtype=np.int32)
    loss = 0.0
    for begin in range(0, columns, block_size):
        end = min(begin + block_size, columns)
        errors = np.zeros((rows, end - begin))
        for i in range(begin, end):
            g = (order[i] if static_groups else i) // size
            if not static_groups and i % size == 0:
                group = weight[:, i:i + size].copy()
                # The part of the group behind this block has yet to receive the block's errors.
                group[:, end - i:] -= errors @ upper[begin:end, end:max(i + size, end)]
                scales[:, g], zeros[:, g] = find_params(group, scheme)
            column = weight[:, i:i + 1]
            codes[:, i:i + 1] = quantize_group(column, scales[:, g], zeros[:, g], scheme)
            value = dequantize_group(codes[:, i:i + 1], scales[:, g], zeros[:, g])
            error = (column - value)[:, 0] / upper[i, i]
            loss += float(error @ error) / 2
            weight[:, i:end] -= np.outer(error, upper[i, i:end])
            errors[:, i - begin] = error
        weight[:, end:] -= errors @ upper[begin:end, end:]

    original = np.empty_like(codes)
    original[:, order] = codes
    quantized = QuantizedWeight(scheme, original, scales, zeros, order if act_order and not static_groups else None)
    return GptqResult(quantized, loss, damping)
