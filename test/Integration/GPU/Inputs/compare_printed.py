#!/usr/bin/env python3
"""Compares two matrices as MLIR's printMemref* print them.

Fails unless they have as many elements, none is a NaN, and the norm of the
difference is at most a thousandth of the second matrix's norm.
"""

import math
import re
import sys


def read(path):
    with open(path) as file:
        text = file.read()
    text = text[text.index("data =") + len("data ="):]
    return [float(x) for x in re.findall(r"-?(?:\d[\d.e+-]*|nan|inf)", text)]


actual, expected = map(read, sys.argv[1:3])
if len(actual) != len(expected):
    sys.exit(f"{len(actual)} elements, expected {len(expected)}")
error = math.hypot(*(a - e for a, e in zip(actual, expected)))
norm = math.hypot(*expected)
if not error <= 1e-3 * norm or norm == 0:
    sys.exit(f"relative error {error / norm if norm else math.nan}")
print(f"{len(actual)} elements agree")
