"""Writes arrays to an .npz or .npy file: make_npz.py <file> name=<numpy expression> ..."""

import pathlib
import sys

import numpy as np

path = pathlib.Path(sys.argv[1])
path.parent.mkdir(parents=True, exist_ok=True)
arrays = {}
for argument in sys.argv[2:]:
    name, _, expression = argument.partition("=")
    arrays[name] = eval(expression, {"np": np})  # the tests' own text
if path.suffix == ".npy":
    (array,) = arrays.values()
    np.save(path, array)
else:
    np.savez(path, **arrays)
