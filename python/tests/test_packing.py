"""The canonical storage of codes."""

import numpy as np
import pytest

from lowbit.reference import pack, packed_width, unpack


@pytest.mark.parametrize("bits", range(1, 9))
@pytest.mark.parametrize("columns", [1, 7, 8, 43])
def test_round_trip(bits, columns):
    generator = np.random.default_rng(bits)
    codes = generator.integers(0, 1 << bits, (5, columns))
    packed = pack(codes, bits)
    assert packed.dtype == np.uint8 and packed.shape == (5, packed_width(columns, bits))
    assert np.array_equal(unpack(packed, bits, columns), codes)
    signed = codes - (1 << (bits - 1))
    assert np.array_equal(unpack(pack(signed, bits), bits, columns, signed=True), signed)


def test_four_bits_put_even_columns_low():
    assert pack(np.array([[0x1, 0x2, 0x3]]), 4).tolist() == [[0x21, 0x03]]


def test_three_bits_cross_bytes():
    # 1, 2, 7 and -1 are 001, 010, 111 and 111: the stream 100 010 111 111, lowest bit first.
    assert pack(np.array([[1, 2, 7, -1]]), 3).tolist() == [[0b11010001, 0b1111]]


def test_matches_one_big_integer():
    codes = np.random.default_rng(1).integers(0, 32, (1, 29))
    stream = sum(int(code) << (5 * k) for k, code in enumerate(codes[0]))
    assert pack(codes, 5).tobytes() == stream.to_bytes(packed_width(29, 5), "little")


@pytest.mark.parametrize("codes", [[[16]], [[-9]], [1, 2]])
def test_codes_that_do_not_fit(codes):
    with pytest.raises(ValueError):
        pack(np.array(codes), 4)


@pytest.mark.parametrize("shape", [(2, 3), (2, 5), (8,)])
def test_packed_of_wrong_width(shape):
    with pytest.raises(ValueError, match="4 bytes"):
        unpack(np.zeros(shape, dtype=np.uint8), 4, 8)
