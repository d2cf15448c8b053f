"""The canonical storage of codes: one little-endian bit stream for each row.

Code k of a row occupies bits k*bits .. (k+1)*bits-1 of the row's stream, where
bit i of the stream is bit i % 8 of byte i // 8; so with 4 bits the even columns
are in the low nibbles. A row ends with zero bits up to a whole byte. Signed
codes are stored in two's complement. Zero points are stored like codes.
"""

import numpy as np


def packed_width(columns, bits):
    """The bytes of one row of `columns` codes."""
    return (columns * bits + 7) // 8


def pack(codes, bits):
    """[M, K] integers to [M, packed_width(K, bits)] uint8."""
    codes = np.asarray(codes, dtype=np.int64)
    if codes.ndim != 2:
        raise ValueError(f"codes are a matrix, not of shape {list(codes.shape)}")
    if codes.size and not (-(1 << (bits - 1)) <= codes.min() and codes.max() < (1 << bits)):
        raise ValueError(f"codes {codes.min()} .. {codes.max()} do not fit {bits} bits")
    planes = (codes[:, :, None] >> np.arange(bits)) & 1
    return np.packbits(planes.reshape(codes.shape[0], -1).astype(np.uint8), axis=1, bitorder="little")


def unpack(packed, bits, columns, signed=False):
    """The inverse of `pack`: [M, packed_width(columns, bits)] uint8 to [M, columns] int32."""
    packed = np.asarray(packed, dtype=np.uint8)
    if packed.ndim != 2 or packed.shape[1] != packed_width(columns, bits):
        raise ValueError(f"{columns} codes of {bits} bits need {packed_width(columns, bits)} bytes a row, "
                         f"not the shape {list(packed.shape)}")
    planes = np.unpackbits(packed, axis=1, count=columns * bits, bitorder="little")
    codes = (planes.reshape(packed.shape[0], columns, bits).astype(np.int32) << np.arange(bits)).sum(axis=2)
    if signed:
        codes -= (codes >> (bits - 1) & 1) << bits
    return codes.astype(np.int32)
