"""Layers with weights in GGML blocks, compiled for x86, Arm and NVPTX, against numpy.

usage: ggml_layers.py <folder> <runner>

A layer for each block type, of odd numbers of rows. Prints `N layers agree on M targets`.
"""

import pathlib
import sys

import numpy as np
from compile_layers import Layer, check_layers

from lowbit.reference import ggml

COLUMNS = 512
ROWS = [1, 7, 16, 37]


def halves(name):
    """The first bytes of the f16 numbers of a block."""
    places = {"q2_K": (80, 82), "q3_K": (108,), "q6_K": (208,)}
    return places.get(name, (0, 2) if name in ("q4_1", "q5_1", "q4_K", "q5_K") else (0,))


def make_layer(name, rows, generator):
    """A layer whose blocks are random bytes."""
    columns, size = ggml.TYPES[name]
    blocks = generator.integers(0, 256, (rows, COLUMNS // columns, size), dtype=np.uint8)
    for byte in halves(name):
        # Between 2^-9 and 2, of either sign.
        blocks[..., byte + 1] = blocks[..., byte + 1] & 0x9F | 0x20
    stored = blocks.reshape(rows, -1)
    return Layer(name, f"#lowbit.ggml<{name}>", {"blocks": stored}, ggml.dequantize(name, stored))


def main():
    generator = np.random.default_rng(0)
    layers = [make_layer(name, ROWS[i % len(ROWS)], generator) for i, name in enumerate(ggml.TYPES)]
    check_layers(layers, generator, pathlib.Path(sys.argv[1]), sys.argv[2])


if __name__ == "__main__":
    main()
