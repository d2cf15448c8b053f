"""Compares logits, .npz files of quant-run or files of float32, with those of the first file:
compare_logits.py <relative tolerance> <expected> <actual>..."""

import pathlib
import sys

import numpy as np


def read(path):
    if path.suffix == ".npz":
        return np.load(path)["logits"].ravel()
    return np.fromfile(path, np.float32)


expected, *others = [read(pathlib.Path(path)) for path in sys.argv[2:]]
assert expected.size and np.isfinite(expected).all()
for path, actual in zip(sys.argv[3:], others):
    error = np.abs(actual - expected).max() / np.abs(expected).max()
    assert error <= float(sys.argv[1]), f"{path}: relative error {error}"
print("all agree")
