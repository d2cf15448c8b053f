"""Round-to-nearest and range parameters."""

import numpy as np
import pytest

from lowbit.reference import QuantizedWeight, Scheme, find_params, quantize_rtn, round_scales


def weight(rows=6, columns=40, seed=0):
    return np.random.default_rng(seed).standard_normal((rows, columns)).astype(np.float32)


def test_rounds_half_to_even():
    # Scale 1 and zero 0 by construction: the range is 0 .. 15.
    row = np.array([[0.0, 15.0, 0.5, 1.5, 2.5, 3.49]], dtype=np.float32)
    result = quantize_rtn(row, Scheme(4, None))
    assert result.scales.item() == 1.0 and result.zeros.item() == 0
    assert result.codes.tolist() == [[0, 15, 0, 2, 2, 3]]


def test_zero_is_exact_and_in_range():
    # All weights are far from 0; the range is widened to contain it.
    scale, zero = find_params(np.full((1, 4), 3.0, dtype=np.float32), Scheme(4))
    assert zero.item() == 0 and scale.item() == pytest.approx(0.2)
    scale, zero = find_params(np.full((1, 4), -3.0, dtype=np.float32), Scheme(4))
    assert zero.item() == 15 and scale.item() == pytest.approx(0.2)


@pytest.mark.parametrize("symmetric", [False, True])
def test_all_zero_group_stays_zero(symmetric):
    result = quantize_rtn(np.zeros((2, 8), dtype=np.float32), Scheme(4, 4, symmetric=symmetric))
    assert np.isfinite(result.scales).all() and (result.scales > 0).all()
    assert (result.dequantize() == 0).all()


@pytest.mark.parametrize("bits, symmetric", [(1, False)] + [(b, s) for b in range(2, 9) for s in (False, True)])
def test_error_is_at_most_half_a_step(bits, symmetric):
    w = weight()
    result = quantize_rtn(w, Scheme(bits, 16, symmetric=symmetric))
    steps = result.scales[:, result.group_index()]
    # A positive extreme of a symmetric range lies half a step above the last code, too.
    assert (np.abs(result.dequantize() - w) <= 0.5 * steps * (1 + 1e-4)).all()


def test_group_of_whole_row_equals_none():
    w = weight()
    one, other = quantize_rtn(w, Scheme(4, None)), quantize_rtn(w, Scheme(4, w.shape[1]))
    assert np.array_equal(one.codes, other.codes) and np.array_equal(one.scales, other.scales)


def test_last_group_may_be_short():
    w = weight(columns=43)
    result = quantize_rtn(w, Scheme(4, 16))
    assert result.scales.shape == (6, 3)
    alone = quantize_rtn(w[:, 32:], Scheme(4, 16))
    assert np.array_equal(result.codes[:, 32:], alone.codes)


def test_mse_lowers_the_error_it_minimizes():
    w = weight() ** 3
    plain = quantize_rtn(w, Scheme(3, 40)).dequantize()
    best = quantize_rtn(w, Scheme(3, 40, mse=True)).dequantize()
    error, best_error = ((np.abs(v - w) ** 2.4).sum(axis=1) for v in (plain, best))
    assert (best_error <= error * (1 + 1e-6)).all() and best_error.sum() < 0.95 * error.sum()


def test_scale_types():
    values = np.array([1.0, 1 / 3, 1e-12, 1e6, 3e38], dtype=np.float32)
    half = round_scales(values, "f16")
    assert half[0] == 1 and half[1] == np.float16(1 / 3) and half[2] == 2.0**-24 and half[3] == half[4] == 65504
    brain = round_scales(values, "bf16")
    assert (brain.view(np.uint32) & 0xFFFF == 0).all() and np.allclose(brain, values, rtol=2.0**-8)
    # A tie goes to the even neighbour: 1 + 2^-8 lies between 1 and 1 + 2^-7.
    assert round_scales(np.float32([1 + 2.0**-8, 1 + 3 * 2.0**-8]), "bf16").tolist() == [1.0, 1 + 2.0**-6]


def test_order_scatters_groups():
    codes = np.array([[0, 1, 2, 3]])
    result = QuantizedWeight(Scheme(2, 2), codes, np.array([[1.0, 10.0]], np.float32),
                             np.zeros((1, 2), np.int32), np.array([3, 1, 0, 2]))
    # Columns 3 and 1 form the first group, 0 and 2 the second.
    assert result.group_index().tolist() == [1, 0, 1, 0]
    assert result.dequantize().tolist() == [[0, 1, 20, 3]]


def test_bits_per_weight():
    w = weight(columns=64)
    assert quantize_rtn(w, Scheme(4, 32, scale_type="f16")).bits_per_weight() == 4 + (16 + 4) / 32
    assert quantize_rtn(w, Scheme(4, 32, symmetric=True)).bits_per_weight() == 5


@pytest.mark.parametrize("arguments", [dict(bits=0), dict(bits=1, symmetric=True), dict(bits=9), dict(group_size=0),
                                       dict(group_size=-7), dict(scale_type="f8")])
def test_bad_schemes(arguments):
    with pytest.raises(ValueError, match=str(list(arguments.values())[0])):
        Scheme(**arguments)


@pytest.mark.parametrize("bad", [np.ones(3), np.ones((0, 3)), np.ones((1, 2, 3)), np.array([[np.nan]]),
                                 np.array([[np.inf]])])
def test_bad_weights(bad):
    with pytest.raises(ValueError):
        quantize_rtn(bad, Scheme())
