"""The reference of codebook formats against what defines the tables."""

import numpy as np
import pytest

from lowbit.reference.codebook import TABLES, Scheme, components, nearest, normal_map, quantize_codebook


def test_nf4_are_quantiles():
    assert np.abs(normal_map() - TABLES["nf4"]).max() < 1e-6
    assert TABLES["nf4"][7] == 0 and TABLES["nf4"][0] == -1 and TABLES["nf4"][15] == 1


def test_dynamic_map():
    levels = TABLES["dynamic8"]
    assert len(set(levels)) == 256 and levels[-1] == 1 and 0 in levels
    assert levels[0] == np.float32(-0.99296875)


@pytest.mark.parametrize("name, dtype", [("e4m3", "float8_e4m3fn"), ("e5m2", "float8_e5m2"), ("e2m1", "float4_e2m1fn")])
def test_minifloats_are_those_of_ml_dtypes(name, dtype):
    dtype = getattr(pytest.importorskip("ml_dtypes"), dtype)
    levels = TABLES[name]
    codes = np.arange(len(levels), dtype=np.uint8)
    assert np.array_equal(codes.view(dtype).astype(np.float32), levels, equal_nan=True)
    generator = np.random.default_rng(0)
    values = generator.standard_normal(100_000) * np.exp(3 * generator.standard_normal(100_000))
    largest = levels[np.isfinite(levels)].max()
    values = np.clip(values, -largest, largest).astype(np.float32)
    assert np.array_equal(nearest(values, Scheme(name)), values.astype(dtype).view(np.uint8))


def test_double_quantization_stores_127_thousandths_of_a_bit_more():
    weight = np.random.default_rng(1).standard_normal((64, 4096)).astype(np.float32)
    quantized = quantize_codebook(weight, Scheme("nf4", (1, 64), Scheme("dynamic8", (4, 64)), offset=True))
    size = sum(part.nbytes for part in components(quantized)) * 8 / weight.size
    # And the mean, of 32 bits.
    assert size == 4.126953125 + 32 / weight.size
    plain = quantize_codebook(weight, Scheme("nf4", (1, 64)))
    assert np.array_equal(plain.codes, quantized.codes)
    assert np.abs(plain.scales - quantized.scales).max() < 0.02 * plain.scales.max()


def test_zeros_stay_zero():
    for scale in ("f32", "f16", "bf16", "f8E8M0FNU", "f8E4M3FN", Scheme("e4m3", (None, None))):
        assert not quantize_codebook(np.zeros((2, 8)), Scheme("nf4", (1, 4), scale)).dequantize().any()


def test_weights_that_are_not_finite():
    with pytest.raises(ValueError, match="not finite"):
        quantize_codebook(np.full((2, 2), np.inf), Scheme())
