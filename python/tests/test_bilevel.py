"""The reference of uniform codes with scales of their own storage against what defines it."""

import pathlib

import numpy as np
import pytest

from lowbit.reference import uniform
from lowbit.reference.bilevel import Scheme, components, quantize_bilevel
from lowbit.reference.make_bilevel_vectors import CASES, make

SECOND = Scheme(3, False, (16, 1), "f16", "f16")
SPQR = Scheme(3, False, (1, 16), SECOND, SECOND)


def _random(shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("signed", [False, True])
def test_plain_scales_are_those_of_uniform(signed):
    weight = _random((5, 40))
    quantized = quantize_bilevel(weight, Scheme(4, signed, (1, 16), "f16", "none" if signed else "integer"))
    expected = uniform.quantize_rtn(weight, uniform.Scheme(4, 16, signed, scale_type="f16"))
    assert np.array_equal(quantized.codes, expected.codes)
    assert np.array_equal(quantized.dequantize(), expected.dequantize())


def test_mxint8():
    # The specification: elements are multiples of 1/64 between -2 and 2 in units of the shared power of two, which
    # is that of the greatest magnitude.
    weight = _random((9, 64))
    blocks = weight.reshape(-1, 32)
    shared = 2.0 ** np.floor(np.log2(np.abs(blocks).max(axis=1, keepdims=True)))
    expected = np.clip(np.rint(blocks / shared * 64), -128, 127) / 64 * shared
    quantized = quantize_bilevel(weight, Scheme(8, True, (1, 32), "f8E8M0FNU", "none"))
    assert np.array_equal(quantized.dequantize(), expected.reshape(9, 64).astype(np.float32))


def test_spqr():
    """As the published code does it, step by step, in float64."""
    weight = _random((32, 48), 3)

    def second_level(values):
        groups = values.reshape(-1, 16)
        low, high = groups.min(axis=1, keepdims=True), groups.max(axis=1, keepdims=True)
        scale = ((high - low) / 7).astype(np.float16).astype(np.float64)
        zero = (-low / scale).astype(np.float16).astype(np.float64)
        return (scale * (np.clip(np.rint(groups / scale + zero), 0, 7) - zero)).reshape(values.shape)

    expected = np.empty(weight.shape)
    for start in range(0, 48, 16):
        group = weight[:, start : start + 16].astype(np.float64)
        low, high = group.min(axis=1), group.max(axis=1)
        scale = (high - low) / 7
        zero = second_level(-low / scale)[:, None]
        scale = second_level(scale)[:, None]
        expected[:, start : start + 16] = scale * (np.clip(np.rint(group / scale + zero), 0, 7) - zero)
    assert np.abs(quantize_bilevel(weight, SPQR).dequantize() - expected).max() < 1e-5


def test_spqr_takes_3_and_5_eighths_bits():
    stored = components(quantize_bilevel(_random((64, 128)), SPQR))
    assert list(stored) == ["codes", "scales_codes", "scales_scales", "scales_zeros", "zeros_codes", "zeros_scales",
                            "zeros_zeros"]
    # 16 groups of 3 bits fill 6 bytes if they are in a row; here they are in a column, of 8 groups in a row.
    assert sum(part.nbytes for part in stored.values()) * 8 / (64 * 128) == 3 + 2 * 3 / 16 + 4 * 16 / 256


@pytest.mark.parametrize("name", CASES)
def test_committed_vectors_are_current(name):
    folder = pathlib.Path(__file__).parents[2] / "unittests" / "Quantize" / "bilevel"
    weight, quantized = make(name)
    expected = {"weight": weight, "values": quantized.dequantize(), **components(quantized)}
    assert set(expected) == {path.name.split(".")[1] for path in folder.glob(f"{name}.*.npy")}
    for part, array in expected.items():
        assert np.array_equal(np.load(folder / f"{name}.{part}.npy"), array), part
