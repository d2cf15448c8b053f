"""Compares logits, .npz files of quant-run or files of float32, bit for bit with those of the
first file: compare_logits.py <expected> <actual>..."""

import pathlib
import sys

import numpy as np


def read(path):
    if path.suffix == ".npz":
        return np.load(path)["logits"].ravel()
    return np.fromfile(path, np.float32)


expected, *others = [read(pathlib.Path(path)) for path in sys.argv[1:]]
assert expected.size and np.isfinite(expected).all()
for path, actual in zip(sys.argv[2:], others):
    different = np.count_nonzero(actual.view(np.int32) != expected.view(np.int32))
    assert not different, (
        f"{path}: {different} of {expected.size} differ, "
        f"by up to {np.abs(actual - expected).max() / np.abs(expected).max():.1e} of the largest"
    )
print("all agree")
