"""Runs products of matrices by quant-run and compares them with numpy's, on shapes that do not divide
evenly by any tile: contractions.py <model.mlir> <folder> [quant-run flags]"""

import pathlib
import subprocess
import sys

import numpy as np

SHAPES = [(2, 1, 70, 33), (2, 13, 130, 300), (1, 200, 65, 257), (2, 3, 300, 64), (1, 0, 5, 3), (2, 4, 5, 0)]

model, folder, flags = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]
folder.mkdir(parents=True, exist_ok=True)
random = np.random.default_rng(0)
worst = 0.0
for batch, m, n, k in SHAPES:
    a = random.standard_normal((batch, m, k)).astype(np.float32)
    b = random.standard_normal((batch, n, k)).astype(np.float32)
    np.savez(folder / "in.npz", a=a, b=b)
    subprocess.run(["quant-run", model, f"--inputs={folder}/in.npz", f"--outputs={folder}/out.npz", *flags], check=True)
    result = np.load(folder / "out.npz")
    scores = np.einsum("bmk,bnk->bmn", a.astype(float), b.astype(float))
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    for name, expected in (("scores", scores), ("mixed", weights @ b)):
        error = np.abs(result[name] - expected).max(initial=0)
        scale = np.abs(expected).max(initial=1e-9)
        worst = max(worst, error / scale)
        if not error <= 2e-5 * scale:
            sys.exit(f"{name} of {(batch, m, n, k)}: error {error} at scale {scale}")
print(f"all agree within {2e-5}")
