"""Hadamard matrices as `lowbit.hadamard` defines them."""

import numpy as np


def _is_prime(number):
    return number > 1 and all(number % divisor for divisor in range(2, int(number**0.5) + 1))


def _conference(prime):
    """Paley's conference matrix, by Euler's criterion."""
    def legendre(value):
        power = pow(value % prime, (prime - 1) // 2, prime)
        return -1 if power == prime - 1 else power

    matrix = np.ones((prime + 1, prime + 1), dtype=np.int64)
    matrix[0, 0] = 0
    matrix[1:, 0] = legendre(-1)
    matrix[1:, 1:] = [[legendre(i - j) for j in range(prime)] for i in range(prime)]
    return matrix


def paley(order):
    """The matrix of either construction, the first preferred; None if there is none."""
    if order % 4:
        return None
    if _is_prime(order - 1):
        return _conference(order - 1) + np.eye(order, dtype=np.int64)
    half = order // 2
    if half % 4 == 2 and _is_prime(half - 1):
        return np.kron(_conference(half - 1), [[1, 1], [1, -1]]) + np.kron(np.eye(half, dtype=np.int64), [[1, -1], [-1, -1]])
    return None


def hadamard(order, max_paley=256):
    """The matrix of +1 and -1 of this order; None if there is none."""
    odd = order
    while odd % 2 == 0:
        odd //= 2
    factor = 1 if odd == 1 else odd
    matrix = np.ones((1, 1), dtype=np.int64) if odd == 1 else None
    while matrix is None and factor <= min(order, max_paley):
        matrix = paley(factor)
        if matrix is None:
            factor *= 2
    if matrix is None:
        return None
    while len(matrix) < order:
        matrix = np.kron(matrix, [[1, 1], [1, -1]])
    return matrix


def transform(rows, block, transposed=False):
    """Rows times H / sqrt(block), in blocks along the last axis."""
    matrix = hadamard(block) / np.sqrt(block)
    blocks = rows.reshape(*rows.shape[:-1], -1, block)
    return (blocks @ (matrix.T if transposed else matrix)).reshape(rows.shape)
