"""The reference of outlier-victim pairs against the definition."""

import numpy as np
import pytest

from lowbit.reference.ovp import (CANDIDATES, OUTLIERS, Scheme, candidate_scales, code_pairs, components, decode_pairs,
                                  quantize_ovp, search_scale, tables)

SCHEMES = [Scheme(), Scheme("flint4"), Scheme("int8", "e4m3"), Scheme("int8", "e2m5"), Scheme(keep_left=True)]


def test_levels():
    def positive(scheme, outliers):
        levels, _, is_outlier = tables(scheme)
        return sorted(levels[(is_outlier == outliers) & (levels >= 0)])

    assert positive(Scheme(), False) == list(range(8))
    assert positive(Scheme(), True) == [12, 16, 24, 32, 48, 64, 96]
    assert positive(Scheme("flint4"), False) == [0, 1, 2, 3, 4, 6, 8, 16]
    assert positive(Scheme("flint4"), True) == [24, 32, 48, 64, 96, 128, 192]
    paper, code = positive(Scheme("int8", "e4m3"), True), positive(Scheme("int8", "e2m5"), True)
    assert len(paper) == len(code) == 127
    assert paper[:3] == [144, 160, 176] and paper[-1] == 15 * 2**19
    assert code[:3] == [132, 136, 140] and code[-1] == 2016


def test_the_bits_of_a_pair():
    assert decode_pairs(np.array([[0b1000, 0b1111]]), Scheme()).tolist() == [[0, -96]]
    assert OUTLIERS["int4", "e2m1"][0b1111] == -96


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_every_pair_is_written_once(scheme):
    """All pairs that an encoder can write decode to values of their own."""
    codes = np.arange(2**scheme.bits)
    first, second = np.meshgrid(codes, codes, indexing="ij")
    pairs = np.stack([first.ravel(), second.ravel()], axis=1)
    stop = scheme.identifier
    unused = [(stop, stop), (stop, 0), (0, stop)]
    pairs = np.array([pair for pair in pairs.tolist() if tuple(pair) not in unused])
    if scheme.bits == 8:
        # Every pair with a victim, and some of the others.
        others = np.flatnonzero((pairs != stop).all(axis=1))[::37]
        pairs = np.concatenate([pairs[(pairs == stop).any(axis=1)], pairs[others]])
    levels = decode_pairs(pairs, scheme)
    assert len({tuple(pair) for pair in levels.tolist()}) == len(pairs)
    assert np.array_equal(code_pairs(levels, scheme), pairs)


def test_two_outliers():
    values = np.array([[12.0, 96.0], [96.0, -12.0], [-16.0, 16.0]])
    levels = decode_pairs(code_pairs(values, Scheme()), Scheme())
    assert levels.tolist() == [[0, 96], [96, 0], [-16, 0]]
    left = Scheme(keep_left=True)
    assert decode_pairs(code_pairs(values, left), left).tolist() == [[12, 0], [96, 0], [-16, 0]]


@pytest.mark.parametrize("scheme", SCHEMES, ids=str)
def test_the_scale_with_the_least_error_is_taken(scheme):
    values = np.random.default_rng(0).standard_t(3, (1, 64)).astype(np.float32)
    scale, errors = search_scale(values, scheme, np.ones(64))
    assert len(errors) == len(CANDIDATES) == 38
    assert errors[candidate_scales(values, scheme).tolist().index(scale)] == errors.min()
    decoded = quantize_ovp(values, scheme).dequantize()
    assert ((decoded - values) ** 2).sum() == pytest.approx(errors.min(), rel=1e-5)


def test_the_last_pair_may_lack_a_column():
    values = np.array([[*[1.0, -1.0] * 50, 20.0]])
    quantized = quantize_ovp(values, Scheme())
    assert components(quantized)[0].shape == (1, 51)
    # 20 needs no victim but the padding.
    assert quantized.codes[0, -1] == Scheme().identifier
    decoded = quantized.dequantize()
    assert decoded.shape == values.shape and decoded[0, -1] > 15


def test_zeros_stay_zero():
    for scheme in SCHEMES:
        assert not quantize_ovp(np.zeros((2, 8)), scheme).dequantize().any()


def test_weights_that_are_not_finite():
    with pytest.raises(ValueError, match="not finite"):
        quantize_ovp(np.full((2, 2), np.inf), Scheme())
