"""What the block types of GGML decode to.

Written type by type from the layouts, with none of the C++ code's planes.
"""

import numpy as np

#: Columns and bytes of a block.
TYPES = {"q4_0": (32, 18), "q4_1": (32, 20), "q5_0": (32, 22), "q5_1": (32, 24), "q8_0": (32, 34),
         "q2_K": (256, 84), "q3_K": (256, 110), "q4_K": (256, 144), "q5_K": (256, 176), "q6_K": (256, 210),
         "iq4_nl": (32, 18), "iq4_xs": (256, 136)}

TABLE = np.array([-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113], np.float32)


def _half(blocks, byte):
    """The f16 at this byte of every block, as [n, 1] float32."""
    return blocks[:, byte:byte + 2].copy().view(np.float16).astype(np.float32)


def _halves(data):
    """Low nibbles, then high nibbles, of [..., b] bytes."""
    return np.concatenate([data & 15, data >> 4], axis=-1)


def _quarters(data):
    """Pairs of bits of [..., b] bytes, lowest first."""
    return np.concatenate([data >> shift & 3 for shift in (0, 2, 4, 6)], axis=-1)


def _bits(data):
    """Bits of [..., b] bytes: of all the lowest, then of all the next."""
    return np.concatenate([data >> shift & 1 for shift in range(8)], axis=-1)


def _fifth_bits(data):
    """The bits of a little-endian 32-bit word."""
    return np.unpackbits(data, axis=-1, bitorder="little")


def _six_bit_pairs(data):
    """Eight scales and eight mins from twelve bytes."""
    low, middle, last = data[:, 0:4], data[:, 4:8], data[:, 8:12]
    scales = np.concatenate([low & 63, (last & 15) | (low >> 6) << 4], axis=1)
    mins = np.concatenate([middle & 63, (last >> 4) | (middle >> 6) << 4], axis=1)
    return scales, mins


def _times(values, codes):
    """A value per group times the codes of the groups."""
    count, groups = values.shape
    return values[:, :, None] * codes.reshape(count, groups, -1).astype(np.float32)


def _float(array):
    return array.astype(np.float32)


def _decode_q4_0(b):
    return _times(_half(b, 0), _halves(b[:, 2:18]).astype(np.int32) - 8)


def _decode_q4_1(b):
    return _times(_half(b, 0), _halves(b[:, 4:20])) + _half(b, 2)[:, :, None]


def _decode_q5_0(b):
    codes = _halves(b[:, 6:22]) | _fifth_bits(b[:, 2:6]) << 4
    return _times(_half(b, 0), codes.astype(np.int32) - 16)


def _decode_q5_1(b):
    codes = _halves(b[:, 8:24]) | _fifth_bits(b[:, 4:8]) << 4
    return _times(_half(b, 0), codes) + _half(b, 2)[:, :, None]


def _decode_q8_0(b):
    return _times(_half(b, 0), b[:, 2:34].copy().view(np.int8))


def _decode_q2_k(b):
    codes = _quarters(b[:, 16:80].reshape(-1, 2, 32))
    scales, mins = _half(b, 80) * _float(b[:, 0:16] & 15), _half(b, 82) * _float(b[:, 0:16] >> 4)
    return _times(scales, codes) - mins[:, :, None]


def _decode_q3_k(b):
    codes = _quarters(b[:, 32:96].reshape(-1, 2, 32)).reshape(-1, 256) | _bits(b[:, 0:32]) << 2
    low, high = b[:, 96:104], b[:, 104:108]
    scales = np.concatenate([low & 15, low >> 4], axis=1) | _quarters(high) << 4
    return _times(_half(b, 108) * _float(scales.astype(np.int32) - 32), codes.astype(np.int32) - 4)


def _decode_with_pairs(b, codes):
    scales, mins = _six_bit_pairs(b[:, 4:16])
    return _times(_half(b, 0) * _float(scales), codes) - (_half(b, 2) * _float(mins))[:, :, None]


def _decode_q4_k(b):
    return _decode_with_pairs(b, _halves(b[:, 16:144].reshape(-1, 4, 32)))


def _decode_q5_k(b):
    low = _halves(b[:, 48:176].reshape(-1, 4, 32)).reshape(-1, 256)
    return _decode_with_pairs(b, low | _bits(b[:, 16:48]) << 4)


def _decode_q6_k(b):
    low = _halves(b[:, 0:128].reshape(-1, 2, 64))
    codes = low | _quarters(b[:, 128:192].reshape(-1, 2, 32)) << 4
    scales = _half(b, 208) * _float(b[:, 192:208].copy().view(np.int8))
    return _times(scales, codes.astype(np.int32) - 32)


def _decode_iq4_nl(b):
    return _half(b, 0) * TABLE[_halves(b[:, 2:18])]


def _decode_iq4_xs(b):
    low = np.stack([b[:, 4:8] & 15, b[:, 4:8] >> 4], axis=-1).reshape(-1, 8)
    high = np.stack([b[:, 2:4] >> shift & 3 for shift in (0, 2, 4, 6)], axis=-1).reshape(-1, 8)
    scales = _float((low | high << 4).astype(np.int32) - 32)
    return (_half(b, 0) * scales)[:, :, None] * TABLE[_halves(b[:, 8:136].reshape(-1, 8, 16))]


def dequantize(name, stored):
    """[M, K] float32 from the blocks of M rows, [M, bytes] uint8."""
    columns, size = TYPES[name]
    rows = len(stored)
    blocks = np.ascontiguousarray(stored).reshape(-1, size)
    return globals()[f"_decode_{name.lower()}"](blocks).reshape(rows, -1, columns).reshape(rows, -1)
