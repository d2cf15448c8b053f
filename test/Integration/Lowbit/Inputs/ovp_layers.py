"""Layers with weights in outlier-victim pairs, compiled for x86, Arm and NVPTX, against numpy.

usage: ovp_layers.py <folder> <runner>

Layers of odd numbers of rows and columns. Prints `N layers agree on M targets`.
"""

import pathlib
import sys

import numpy as np
from compile_layers import Layer, check_layers

from lowbit.reference.ovp import Scheme, components, quantize_ovp

COLUMNS = 131
SCHEMES = {
    "int4": (7, Scheme("int4", scale="f16")),
    "int4_groups": (16, Scheme("int4", group=(1, 32), scale="f16")),
    "flint4": (37, Scheme("flint4", scale="bf16")),
    "flint4_left": (1, Scheme("flint4", group=(1, 64), keep_left=True)),
    "int8": (5, Scheme("int8", "e4m3", scale="f16")),
    "int8_e2m5": (8, Scheme("int8", "e2m5", group=(None, None))),
}


def make_layer(name, generator):
    """A layer of many outliers."""
    rows, scheme = SCHEMES[name]
    weight = generator.standard_t(2, (rows, COLUMNS))
    quantized = quantize_ovp(weight, scheme)
    assert (quantized.codes == scheme.identifier).any()
    codes, scales = components(quantized)
    return Layer(name, scheme.spell(weight.shape), {"codes": codes, "scales": scales}, quantized.dequantize())


def main():
    generator = np.random.default_rng(0)
    layers = [make_layer(name, generator) for name in SCHEMES]
    check_layers(layers, generator, pathlib.Path(sys.argv[1]), sys.argv[2])


if __name__ == "__main__":
    main()
