"""The numpy reference of binary-coding quantization."""

import itertools

import numpy as np
import pytest

from lowbit.reference.bcq import Scheme, fit, quantize_bcq


def error(weight, scheme):
    return np.square(quantize_bcq(weight, scheme).dequantize() - weight).sum()


def test_one_bit_is_the_sign_and_the_mean_magnitude():
    quantized = quantize_bcq(np.array([[1, -2, 0, 5]]), Scheme(1, None, rounds=0))
    assert quantized.scales.tolist() == [[[2]]]
    assert quantized.signs.tolist() == [[[1, -1, 1, 1]]]


def test_alternating_finds_sums_of_signs():
    generator = np.random.default_rng(0)
    signs = generator.choice((-1.0, 1.0), (3, 256))
    scales, shift = fit(np.array([4.0, 2.0, 0.5]) @ signs, 3, 15, offset=False)
    assert np.allclose(scales, [4, 2, 0.5]) and shift == 0
    scales, shift = fit(np.array([4.0, 2.0, 0.5]) @ signs + 0.25, 3, 15, offset=True)
    assert np.allclose(scales, [4, 2, 0.5]) and np.isclose(shift, 0.25)


def test_two_bits_against_all_assignments():
    """The fit ends in a minimum that no other choice of signs for one weight improves."""
    values = np.random.default_rng(1).standard_normal(12)
    scales, _ = fit(values, 2, 100, offset=False)
    sums = [first * scales[0] + second * scales[1] for first, second in itertools.product((1, -1), repeat=2)]
    nearest = np.array(sums)[np.abs(np.subtract.outer(values, sums)).argmin(1)]
    signs = np.vstack([np.sign(nearest), np.where(np.abs(nearest) > scales[0], 1, -1) * np.sign(nearest)])
    assert np.allclose(np.linalg.lstsq(signs.T, values, rcond=None)[0], scales)


@pytest.mark.parametrize("offset", (False, True))
def test_error_falls_with_rounds_and_bits(offset):
    weight = np.random.default_rng(2).standard_normal((4, 100)).astype(np.float32)
    errors = [[error(weight, Scheme(bits, 32, "f32", offset, rounds)) for rounds in (0, 1, 4, 15)]
              for bits in range(1, 5)]
    assert (np.diff(errors, axis=1) <= 1e-6).all() and (np.diff(errors, axis=0) < 0).all()


def test_components_decode():
    weight = np.random.default_rng(3).standard_normal((3, 50)).astype(np.float32)
    quantized = quantize_bcq(weight, Scheme(2, 16, offset=True))
    parts = quantized.components()
    assert {name: part.shape for name, part in parts.items()} == {
        "planes": (2, 3, 7), "scales": (2, 3, 4), "offsets": (3, 4)}
    signs = 2.0 * np.unpackbits(parts["planes"], axis=2, bitorder="little")[:, :, :50] - 1
    group = np.arange(50) // 16
    value = parts["offsets"].astype(np.float32)[:, group]
    for plane, scales in zip(signs, parts["scales"].astype(np.float32)):
        value = value + plane.astype(np.float32) * scales[:, group]
    assert np.array_equal(value, quantized.dequantize())


def test_weights_that_are_not_finite():
    with pytest.raises(ValueError, match="not finite"):
        quantize_bcq(np.full((2, 2), np.nan), Scheme())
