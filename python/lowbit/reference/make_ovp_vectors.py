"""Write the vectors that outlier-victim pairs in C++ are tested against, bit for bit.

    python -m lowbit.reference.make_ovp_vectors OUTDIR

For every case NAME:

    NAME.weight.npy      [M, K] float32
    NAME.importance.npy  [K] float32, what squared errors count
    NAME.codes.npy       uint8, the stored codes
    NAME.scales.npy      [M / group rows, K / group columns] float32

A case is drawn again until no scale wins its search by less than rounding errors.
"""

import argparse
import pathlib
import sys

import numpy as np

from .ovp import Scheme, components, quantize_ovp, search_scale

#: Shape, and whether columns are of unequal importance.
CASES = {
    "int4": ((9, 64), Scheme(), False),
    "int4-left": ((9, 64), Scheme(keep_left=True), False),
    "int4-odd-f16": ((5, 37), Scheme(group=(1, 16), scale="f16"), False),
    "int4-important": ((7, 48), Scheme(), True),
    "flint4": ((9, 64), Scheme("flint4"), False),
    "flint4-rows-bf16": ((8, 30), Scheme("flint4", group=(3, 12), scale="bf16"), True),
    "int8-e4m3": ((5, 64), Scheme("int8", "e4m3"), False),
    "int8-e2m5-tensor": ((5, 33), Scheme("int8", "e2m5", group=(None, None)), False),
}
# The relative change of weights, and of errors, that no result may depend on.
MARGIN = 1e-5


def _is_clear(weight, scheme, importance):
    rows, columns = (size or whole for size, whole in zip(scheme.group, weight.shape))
    for row in range(0, weight.shape[0], rows):
        for column in range(0, weight.shape[1], columns):
            values = weight[row : row + rows, column : column + columns]
            _, errors = search_scale(values, scheme, importance[column : column + columns])
            best, second = np.sort(errors)[:2]
            if values.any() and second - best < MARGIN * best:
                return False
    # Nor may a value lie near a tie, or a scale between two numbers of its type.
    first, *others = [quantize_ovp(weight * np.float32(factor), scheme, importance)
                      for factor in (1, 1 - MARGIN, 1 + MARGIN)]
    scales_move = 2 * MARGIN if scheme.scale == "f32" else 0
    return all(np.array_equal(first.codes, other.codes)
               and (np.abs(first.scales - other.scales) <= scales_move * first.scales).all() for other in others)


def make(name, seed=0):
    """Weight, importance and the result of a case; RuntimeError if none is found."""
    shape, scheme, is_important = CASES[name]
    generator = np.random.default_rng([seed, *name.encode()])
    for _ in range(200):
        weight = generator.standard_t(2, shape).astype(np.float32)
        # A row of zeros, and pairs of outliers.
        weight[1] = 0
        weight[-1, 4:8] = [30, -31, -60, 45]
        importance = np.ones(shape[1], dtype=np.float32)
        if is_important:
            importance = generator.exponential(size=shape[1]).astype(np.float32)
        if _is_clear(weight, scheme, importance):
            return weight, importance, quantize_ovp(weight, scheme, importance)
    raise RuntimeError(f"{name}: no draw in 200 is far from all ties")


def main():
    parser = argparse.ArgumentParser(prog="python -m lowbit.reference.make_ovp_vectors",
                                     description="Write test vectors of outlier-victim pairs as .npy files.")
    parser.add_argument("folder", type=pathlib.Path, metavar="OUTDIR")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name in CASES:
        weight, importance, quantized = make(name)
        np.save(folder / f"{name}.weight.npy", weight)
        np.save(folder / f"{name}.importance.npy", importance)
        np.save(folder / f"{name}.codes.npy", components(quantized)[0])
        np.save(folder / f"{name}.scales.npy", quantized.scales)
    print(f"{len(CASES)} cases written to {folder}", file=sys.stderr)


if __name__ == "__main__":
    main()
