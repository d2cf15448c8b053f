"""The reference of pruning, and of N of every M weights, against their definitions."""

import numpy as np
import pytest

from lowbit.reference.sparsity import (find_kept, gather, index_bits, pack_places, place, prune_least, prune_pattern,
                                       unpack_places)

PATTERNS = [(2, 4), (4, 8), (1, 2), (3, 5), (1, 16), (4, 4)]


def make_weight(columns, rows=9):
    return np.random.default_rng(columns).standard_normal((rows, columns)).astype(np.float32)


@pytest.mark.parametrize("kept, block", PATTERNS)
@pytest.mark.parametrize("columns", [1, 7, 40, 43])
def test_no_element_that_is_kept_is_smaller_than_one_that_is_not(kept, block, columns):
    weight = make_weight(columns)
    pruned = prune_pattern(weight, kept, block)
    for begin in range(0, columns, block):
        part, left = weight[:, begin:begin + block], pruned[:, begin:begin + block]
        assert ((left != 0).sum(axis=1) == min(kept, part.shape[1])).all()
        assert ((left == 0) | (left == part)).all()
        least = np.where(left != 0, np.abs(part), np.inf).min(axis=1)
        assert (np.where(left == 0, np.abs(part), 0).max(axis=1) <= least).all()


def test_equal_magnitudes():
    assert prune_pattern(np.array([[1.0, -1, 1, 1]]), 2, 4).tolist() == [[1, -1, 0, 0]]
    assert prune_least([np.array([[1.0, -1, 0], [1, 0, 2]])], 4 / 6)[0].tolist() == [[0, 0, 0], [1, 0, 2]]


@pytest.mark.parametrize("kept, block", PATTERNS)
@pytest.mark.parametrize("columns", [1, 7, 40, 43])
def test_storage_holds_what_is_kept(kept, block, columns):
    weight = make_weight(columns)
    places = find_kept(weight, kept, block)
    packed = pack_places(places, block)
    assert packed.shape == (9, -(-places[0].size * index_bits(block) // 8))
    restored = unpack_places(packed, kept, block, columns)
    assert np.array_equal(restored, places)
    assert np.array_equal(place(gather(weight, restored, block), restored, columns, block),
                          prune_pattern(weight, kept, block))


@pytest.mark.parametrize("sparsity", [0, 0.3, 0.5, 1])
def test_all_together(sparsity):
    weights = [make_weight(12), 0.1 * make_weight(20)]
    pruned = np.concatenate([weight.ravel() for weight in prune_least(weights, sparsity)])
    everything = np.concatenate([weight.ravel() for weight in weights])
    assert (pruned == 0).sum() == int(sparsity * everything.size)
    assert np.abs(everything[pruned == 0]).max(initial=0) <= np.abs(everything[pruned != 0]).min(initial=np.inf)
