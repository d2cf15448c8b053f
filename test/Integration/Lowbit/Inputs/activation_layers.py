"""Layers whose inputs are quantized, compiled for x86, Arm and NVPTX, against numpy.

usage: activation_layers.py <folder> <runner>

Scales are found while the model runs, for each token or for all, or known before; codes have
eight bits or four, or are outlier-victim pairs. Prints `N layers agree on M targets`.
"""

import pathlib
import sys

import numpy as np
from compile_layers import Activations, Layer, check_layers

from lowbit.reference import ovp

ROWS, COLUMNS = 21, 67


def uniform(bits, whole, narrow):
    """The format of signed codes with a scale for each token, or for the whole tensor."""
    group = "[*, *]" if whole else "[1, *]"
    return f"#lowbit.uniform<s{bits}, group = {group}, scale = f32, zero = none{', narrow' * narrow}>"


def dynamic(bits, whole=False):
    """The largest magnitude is the last code."""
    top = (1 << (bits - 1)) - 1

    def quantize(x):
        largest = np.abs(x).max(axis=None if whole else 1, keepdims=True)
        scale = (largest + largest) / np.float32(2 * top)
        return scale * np.clip(np.rint(x / scale), -top, top)

    return Activations("dynamic_quantize", uniform(bits, whole, narrow=True), quantize)


def static(bits, scale):
    """The scale is known, and what lies beyond the codes is clipped."""
    lowest, top = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    scale = np.float32(scale)
    return Activations(f"static_quantize scale {float(scale)!r}", uniform(bits, whole=True, narrow=False),
                       lambda x: scale * np.clip(np.rint(x / scale), lowest, top))


def pairs(normals, outliers, scale):
    """The same in outlier-victim pairs."""
    scheme = ovp.Scheme(normals, outliers, group=(None, None), scale="f32")
    scale = np.float32(scale)

    def quantize(x):
        steps = np.pad(x / scale, [(0, 0), (0, COLUMNS % 2)])
        return scale * ovp.decode_pairs(ovp.code_pairs(steps, scheme), scheme)[:, :COLUMNS]

    return Activations(f"static_quantize scale {float(scale)!r}", scheme.spell((ROWS, COLUMNS)), quantize)


# The first of each kind clips half of the inputs, to the code that is farthest from 0.
ACTIVATIONS = {
    "row8": dynamic(8),
    "row4": dynamic(4),
    "tensor8": dynamic(8, whole=True),
    "tensor4": dynamic(4, whole=True),
    "static8": static(8, 0.005),
    "static8_wide": static(8, 0.03),
    "static4": static(4, 0.1),
    "static4_wide": static(4, 0.5),
    "pairs_int4": pairs("int4", "e2m1", 0.1),
    "pairs_flint4": pairs("flint4", "e2m1", 0.05),
    "pairs_int8": pairs("int8", "e4m3", 0.01),
}


def make_bytes(name, activations, generator):
    """A weight of eight bits with all codes, of which some rows have the greatest or the least only."""
    codes = generator.integers(-128, 128, (ROWS, COLUMNS)).astype(np.int8)
    codes[0], codes[1] = 127, -128
    scales = generator.uniform(0.01, 0.02, (ROWS, 1)).astype(np.float32)
    return Layer(name + "_w8", "#lowbit.uniform<s8, group = [1, *], scale = f32, zero = none>",
                 {"codes": codes.view(np.uint8), "scales": scales}, scales * codes, activations=activations)


def make_pairs(name, activations, generator):
    """A weight in pairs of four bits."""
    scheme = ovp.Scheme("int4", scale="f16")
    quantized = ovp.quantize_ovp(generator.standard_t(2, (ROWS, COLUMNS)), scheme)
    codes, scales = ovp.components(quantized)
    return Layer(name + "_pairs", scheme.spell((ROWS, COLUMNS)), {"codes": codes, "scales": scales},
                 quantized.dequantize(), activations=activations)


def main():
    generator = np.random.default_rng(0)
    layers = [make(name, activations, generator)
              for name, activations in ACTIVATIONS.items() for make in (make_bytes, make_pairs)]
    check_layers(layers, generator, pathlib.Path(sys.argv[1]), sys.argv[2])


if __name__ == "__main__":
    main()
