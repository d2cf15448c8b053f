"""Layers of uniform codes with scales of their own storage, compiled for x86, Arm and NVPTX, against numpy.

usage: bilevel_layers.py <folder> <runner>

Layers of odd numbers of rows and columns. Prints `N layers agree on M targets`.
"""

import pathlib
import sys

import numpy as np
from compile_layers import Layer, check_layers

from lowbit.reference.bilevel import Scheme, components, quantize_bilevel

COLUMNS = 131
U3 = Scheme(3, False, (16, 1), "f16", "f16")
S8 = Scheme(8, True, (4, 2), "f32", "none")
SCHEMES = {
    "mxint8": (7, Scheme(8, True, (1, 32), "f8E8M0FNU", "none")),
    "powers": (16, Scheme(4, False, (1, 32), "f8E8M0FNU", "integer")),
    "powers_of_rows": (5, Scheme(4, True, (1, None), "f8E8M0FNU", "none")),
    "spqr": (37, Scheme(3, False, (1, 16), U3, U3)),
    "integer_zeros": (33, Scheme(4, False, (1, 32), U3, "integer")),
    "float_scales": (8, Scheme(2, False, (1, 16), "f16", Scheme(4, True, (None, None), "f16", "f32"))),
    "offset": (9, Scheme(4, True, (1, 32), S8, "none", offset=True)),
}


def make_layer(name, generator):
    """A layer of normal weights."""
    rows, scheme = SCHEMES[name]
    weight = generator.standard_normal((rows, COLUMNS)).astype(np.float32)
    quantized = quantize_bilevel(weight, scheme)
    return Layer(name, scheme.spell(weight.shape), components(quantized), quantized.dequantize())


def main():
    generator = np.random.default_rng(0)
    layers = [make_layer(name, generator) for name in SCHEMES]
    check_layers(layers, generator, pathlib.Path(sys.argv[1]), sys.argv[2])


if __name__ == "__main__":
    main()
