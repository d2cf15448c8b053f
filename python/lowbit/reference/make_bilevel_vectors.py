"""Write the vectors that uniform codes with scales of their own storage in C++ are tested against, bit for bit.

    python -m lowbit.reference.make_bilevel_vectors OUTDIR

For every case NAME:

    NAME.weight.npy       [M, K] float32
    NAME.values.npy       [M, K] float32, what it decodes to
    NAME.COMPONENT.npy    each component as it is stored
"""

import argparse
import pathlib
import sys

import numpy as np

from .bilevel import Scheme, components, quantize_bilevel

_U3 = Scheme(3, False, (16, 1), "f16", "f16")
_S8 = Scheme(8, True, (4, 8), "f32", "none")

#: Shape and scheme.
CASES = {
    "mxint8": ((5, 70), Scheme(8, True, (1, 32), "f8E8M0FNU", "none")),
    "powers": ((6, 33), Scheme(4, False, (2, 16), "f8E8M0FNU", "integer")),
    "powers-float": ((6, 33), Scheme(3, False, (1, 16), "f8E8M0FNU", "f16")),
    "spqr": ((37, 48), Scheme(3, False, (1, 16), _U3, _U3)),
    "integer-zeros": ((37, 40), Scheme(4, False, (1, 16), _U3, "integer")),
    "plain-scales": ((20, 40), Scheme(2, False, (1, 8), "f16", Scheme(4, True, (None, None), "f16", "f32"))),
    "rows": ((9, 64), Scheme(4, True, (1, 8), Scheme(8, False, (1, None), "f16", "none"), "none")),
    "offset": ((9, 64), Scheme(4, True, (1, 8), _S8, "none", offset=True)),
}


def make(name, seed=0):
    """Weight and the result of a case."""
    shape, scheme = CASES[name]
    weight = np.random.default_rng([seed, *name.encode()]).standard_normal(shape).astype(np.float32)
    # Rows of zeros, of small numbers and of one number.
    weight[1] = 0
    weight[2] *= np.float32(1e-3)
    weight[3, :16] = 0.75
    return weight, quantize_bilevel(weight, scheme)


def main():
    parser = argparse.ArgumentParser(prog="python -m lowbit.reference.make_bilevel_vectors",
                                     description="Write test vectors of uniform codes as .npy files.")
    parser.add_argument("folder", type=pathlib.Path, metavar="OUTDIR")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name in CASES:
        weight, quantized = make(name)
        np.save(folder / f"{name}.weight.npy", weight)
        np.save(folder / f"{name}.values.npy", quantized.dequantize())
        for component, part in components(quantized).items():
            np.save(folder / f"{name}.{component}.npy", part)
    print(f"{len(CASES)} cases written to {folder}", file=sys.stderr)


if __name__ == "__main__":
    main()
