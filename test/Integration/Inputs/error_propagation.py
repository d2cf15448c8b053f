"""What `error-propagation` of --gptq gains on a model.

usage: error_propagation.py <folder> <model's folder>

<folder> holds model.mlir, and gets what is made of it.
"""

import pathlib
import sys

import numpy as np

from lowbit import tools

FEW = 24


def main():
    folder, source = map(pathlib.Path, sys.argv[1:])
    model = folder / "model.mlir"
    for name in ("calib", "eval"):
        np.save(folder / f"{name}.npy", np.load(source / f"{name}.npy")[:FEW])

    def quantize(name, **options):
        flag = tools.pass_flag("gptq", bits=2, group_size=32, calibration=folder / "calib.npy", **options)
        tools.optimize(model, folder / f"{name}.mlir", flag)
        return folder / f"{name}.mlir"

    reference = tools.perplexity(model, folder / "eval.npy")
    without = tools.perplexity(quantize("without"), folder / "eval.npy") - reference
    first = quantize("first", error_propagation=0.5, threads=1)
    ratio = (tools.perplexity(first, folder / "eval.npy") - reference) / without
    print(f"2 bits: the increase falls to {'less' if ratio < 0.7 else f'{ratio}, not less'} than 0.7 of what it was")

    second = quantize("second", error_propagation=0.5, threads=3)
    same = first.read_bytes() == second.read_bytes()
    print(f"{'same' if same else 'other'} bits with 1 and 3 threads")


if __name__ == "__main__":
    main()
