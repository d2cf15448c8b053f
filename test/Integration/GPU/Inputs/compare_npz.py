#!/usr/bin/env python3
"""Compares the arrays of two .npz files: compare_npz.py <actual> <expected> <tolerance>

Fails unless both have the same arrays of the same shapes, none is all zero or empty, and the largest
difference in each is at most `tolerance` times the largest magnitude expected there.
"""

import sys

import numpy as np

actual, expected = np.load(sys.argv[1]), np.load(sys.argv[2])
tolerance = float(sys.argv[3])
if sorted(actual.files) != sorted(expected.files) or not expected.files:
    sys.exit(f"arrays {sorted(actual.files)}, expected {sorted(expected.files)}")
for name in expected.files:
    a, e = actual[name].astype(np.float64), expected[name].astype(np.float64)
    if a.shape != e.shape:
        sys.exit(f"{name} has shape {a.shape}, expected {e.shape}")
    scale = np.abs(e).max(initial=0)
    error = np.abs(a - e).max(initial=0)
    # A NaN makes the comparison false.
    if not scale > 0 or not error <= tolerance * scale:
        sys.exit(f"{name} differs by {error} where {scale} is the largest value")
print(f"{len(expected.files)} arrays agree")
