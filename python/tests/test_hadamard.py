"""The numpy reference of Hadamard matrices."""

import numpy as np
import pytest

from lowbit.reference.hadamard import hadamard, transform


@pytest.mark.parametrize("order", [1, 2, 4, 12, 16, 20, 24, 28, 36, 44, 60, 76, 108, 352, 768])
def test_rows_are_orthogonal(order):
    matrix = hadamard(order)
    assert np.isin(matrix, [-1, 1]).all()
    assert np.array_equal(matrix @ matrix.T, order * np.eye(order))


def test_order_four_is_sylvesters():
    assert hadamard(4).tolist() == [[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]


@pytest.mark.parametrize("order", [3, 6, 52, 92, 172, 11008])
def test_says_where_there_is_none(order):
    assert hadamard(order) is None


@pytest.mark.parametrize("block", [24, 12, 4])
def test_the_transpose_undoes(block):
    rows = np.random.default_rng(0).standard_normal((3, 2, 24))
    mixed = transform(rows, block)
    assert not np.allclose(mixed, rows)
    assert np.allclose(transform(mixed, block, transposed=True), rows, atol=1e-12)
