"""SparseGPT and Wanda: pruning by what the inputs of a layer make of its weights.

Frantar, Alistarh: "SparseGPT: Massive Language Models Can Be Accurately Pruned in One-Shot", 2023, arXiv 2301.00774.
Sun, Liu, Bair, Kolter: "A Simple and Effective Pruning Approach for Large Language Models", 2023, arXiv 2306.11695.

Two points differ from the code published with SparseGPT. It prunes all weights up to the cost of the one behind the
last that is to go, so one more than asked for; here it is exactly the part. And equal costs go in order, row by row,
where it leaves that to the library.
"""

import numpy as np

from .gptq import factor_inverse
from .sparsity import find_kept, place
from .uniform import check_weight


def _outside(scores, kept, block):
    """Where the scores are not among the `kept` greatest of every `block` columns."""
    places = find_kept(scores, kept, block)
    inside = place(np.ones((len(scores), places[0].size), bool), places, scores.shape[1], block)
    return ~inside


def wanda(weight, inputs, sparsity=0.5, pattern=None):
    """A copy of `weight` [M, K] with zeros where |w| ||x|| is least in its row, for `inputs` [tokens, K].

    pattern    (N, M) keeps N of every M columns; else the part `sparsity` of each row goes.
    """
    weight = check_weight(weight)
    scores = np.abs(weight) * np.linalg.norm(np.asarray(inputs, np.float64), axis=0)
    if pattern:
        return np.where(_outside(scores.astype(np.float32), *pattern), 0, weight).astype(weight.dtype)
    pruned = weight.copy()
    least = np.argsort(scores, axis=1, kind="stable")[:, :int(weight.shape[1] * sparsity)]
    np.put_along_axis(pruned, least, 0, axis=1)
    return pruned


def sparsegpt(weight, hessian, *, sparsity=0.5, pattern=None, damping=0.01, block_size=128):
    """Prunes `weight` [M, K] for inputs with `hessian` [K, K] (see hessian.Hessian), and adapts what stays.

    sparsity    the part of each `block_size` columns, all rows together, that becomes zero.
    pattern     (N, M) keeps N of every M columns of a row instead.

    Returns the pruned weight, float64.
    """
    weight = check_weight(weight).astype(np.float64)
    rows, columns = weight.shape
    hessian = np.array(hessian, dtype=np.float64)
    dead = np.diag(hessian) == 0
    hessian[dead, dead] = 1.0
    weight[:, dead] = 0.0
    upper, _ = factor_inverse(hessian, damping)
    diagonal = np.diag(upper)

    for begin in range(0, columns, block_size):
        end = min(begin + block_size, columns)
        mask = np.zeros((rows, columns), bool)
        if not pattern:
            costs = (weight[:, begin:end] / diagonal[begin:end]) ** 2
            chosen = np.zeros(costs.size, bool)
            chosen[np.argsort(costs, axis=None, kind="stable")[:int(costs.size * sparsity)]] = True
            mask[:, begin:end] = chosen.reshape(costs.shape)
        for i in range(begin, end):
            if pattern and i % pattern[1] == 0:
                ahead = slice(i, min(i + pattern[1], columns))
                costs = (weight[:, ahead] / diagonal[ahead]) ** 2
                mask[:, ahead] = _outside(costs.astype(np.float32), *pattern)
            value = np.where(mask[:, i], 0, weight[:, i])
            error = (weight[:, i] - value) / upper[i, i]
            weight[:, i:] -= np.outer(error, upper[i, i:])
            weight[:, i] = value
    return weight
