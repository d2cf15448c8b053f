"""Layers with outliers beside their codes, or 2:4 sparsity, compiled for x86, Arm and NVPTX, against numpy.

usage: sparse_layers.py <folder> <runner>

Prints `N layers agree on M targets`.
"""

import pathlib
import sys

import numpy as np
from compile_layers import Layer, check_layers

from lowbit.reference import codebook, packing, sparsity, uniform

COLUMNS = 200


def quantize_uniform(weight, symmetric, group):
    scheme = uniform.Scheme(bits=4, group_size=group, symmetric=symmetric, scale_type="f16")
    quantized = uniform.quantize_rtn(weight, scheme)
    stored = {"codes": packing.pack(quantized.codes, 4), "scales": quantized.scales.astype(np.float16)}
    if not symmetric:
        stored["zeros"] = packing.pack(quantized.zeros, 4)
    spelled = (f"#lowbit.uniform<{'s4' if symmetric else 'u4'}, group = [1, {group or '*'}], scale = f16, "
               f"zero = {'none' if symmetric else 'u4'}{', pad' if group and weight.shape[1] % group else ''}>")
    return quantized.dequantize(), stored, spelled


def quantize_nf4(weight):
    scheme = codebook.Scheme("nf4", (1, 32), "f16")
    quantized = codebook.quantize_codebook(weight, scheme)
    codes, scales = codebook.components(quantized)
    return quantized.dequantize(), {"codes": codes, "scales": scales}, scheme.spell(weight.shape)


def make_outlier_layer(name, quantize, rows, count, generator, bias=False):
    """A dense part, and `count` outliers where it is zero."""
    weight = generator.standard_normal((rows, COLUMNS)).astype(np.float32)
    flat = np.sort(generator.permutation(rows * COLUMNS)[:count])
    weight.reshape(-1)[flat] = 0
    values, stored, dense = quantize(weight)
    outliers = (20 * generator.standard_normal(count)).astype(np.float16)
    values.reshape(-1)[flat] += outliers
    offsets = np.searchsorted(flat, COLUMNS * np.arange(rows + 1)).astype(np.int32)
    stored |= {"outlier_offsets": offsets, "outlier_columns": (flat % COLUMNS).astype(np.int16),
               "outlier_values": outliers}
    spelled = f"#lowbit.sparse_outliers<dense = {dense}, count = {count}, value = f16>"
    return Layer(name, spelled, stored, values, generator.standard_normal(rows).astype(np.float32) if bias else None)


def make_pattern_layer(name, rows, generator):
    """Two of every four weights, with four bits."""
    places = np.sort(generator.permuted(np.tile(np.arange(4), (rows, COLUMNS // 4, 1)), axis=2)[..., :2], axis=2)
    kept, stored, spelled = quantize_uniform(
        generator.standard_normal((rows, COLUMNS // 2)).astype(np.float32), True, 20)
    stored["indices"] = sparsity.pack_places(places, 4)
    return Layer(name, f"#lowbit.n_of_m<2:4, values = {spelled}>", stored, sparsity.place(kept, places, COLUMNS, 4))


def main():
    generator = np.random.default_rng(0)
    layers = [
        make_outlier_layer("symmetric", lambda w: quantize_uniform(w, True, None), 37, 74, generator),
        make_outlier_layer("grouped", lambda w: quantize_uniform(w, False, 64), 16, 5, generator, bias=True),
        make_outlier_layer("nf4", quantize_nf4, 7, 14, generator),
        make_outlier_layer("none", lambda w: quantize_uniform(w, True, None), 5, 0, generator),
        make_outlier_layer("one", lambda w: quantize_uniform(w, True, None), 1, 1, generator),
        make_outlier_layer("all", lambda w: quantize_uniform(w, True, 32), 3, 3 * COLUMNS, generator),
        make_pattern_layer("pattern", 19, generator),
    ]
    check_layers(layers, generator, pathlib.Path(sys.argv[1]), sys.argv[2])


if __name__ == "__main__":
    main()
