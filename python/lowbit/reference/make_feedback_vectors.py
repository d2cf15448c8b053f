"""Write the results that SpQR, SparseGPT and Wanda in C++ are tested against.

    python -m lowbit.reference.make_feedback_vectors OUTDIR

    weight.npy     [M, K] float32
    inputs.npy     [tokens, K] float32, one sequence
    NAME.npy       [M, K] float32, the weight that a case makes of it
"""

import argparse
import pathlib
import sys

import numpy as np

from .bilevel import Scheme
from .hessian import Hessian
from .sparsegpt import sparsegpt, wanda
from .spqr import spqr

_U3 = Scheme(3, False, (16, 1), "f16", "f16")
_BILEVEL = Scheme(3, False, (1, 16), _U3, _U3)


def make_layer(rows=37, columns=44, seed=5):
    """A weight with outliers, and correlated inputs of unequal size; one channel is never used."""
    generator = np.random.default_rng(seed)
    weight = generator.standard_normal((rows, columns))
    weight *= np.where(generator.random((rows, columns)) < 0.02, 6, 1)
    mix = generator.standard_normal((columns, columns)) / np.sqrt(columns)
    inputs = generator.standard_normal((3 * columns, columns)) @ (np.eye(columns) + mix)
    inputs *= np.exp(0.7 * generator.standard_normal(columns))
    inputs[:, 7] = 0
    return weight.astype(np.float32), inputs.astype(np.float32)


def make():
    """Weight, inputs and the results by name."""
    weight, inputs = make_layer()
    accumulator = Hessian(weight.shape[1])
    accumulator.update(inputs[None])
    hessian = accumulator.value
    return weight, inputs, {
        "spqr": spqr(weight, hessian, _BILEVEL).values,
        "spqr-act-order": spqr(weight, hessian, _BILEVEL, act_order=True).values,
        "spqr-simplified": spqr(weight, hessian, _BILEVEL, threshold=0.5, damping=0.01, simplified=True).values,
        "spqr-none": spqr(weight, hessian, _BILEVEL, threshold=np.inf).values,
        "sparsegpt": sparsegpt(weight, hessian, block_size=16),
        "sparsegpt-0.7": sparsegpt(weight, hessian, sparsity=0.7),
        "sparsegpt-2of4": sparsegpt(weight, hessian, pattern=(2, 4)),
        "sparsegpt-3of8": sparsegpt(weight, hessian, pattern=(3, 8)),
        "wanda": wanda(weight, inputs),
        "wanda-2of4": wanda(weight, inputs, pattern=(2, 4)),
    }


def main():
    parser = argparse.ArgumentParser(prog="python -m lowbit.reference.make_feedback_vectors",
                                     description="Write test vectors of solvers with error feedback as .npy files.")
    parser.add_argument("folder", type=pathlib.Path, metavar="OUTDIR")
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    weight, inputs, results = make()
    np.save(folder / "weight.npy", weight)
    np.save(folder / "inputs.npy", inputs)
    for name, values in results.items():
        np.save(folder / f"{name}.npy", np.ascontiguousarray(values, dtype=np.float32))
    print(f"{len(results)} cases written to {folder}", file=sys.stderr)


if __name__ == "__main__":
    main()
