#!/usr/bin/env python3
"""Prints the PTX of the gpu.binary of a module in MLIR's text form."""

import re
import sys

with open(sys.argv[1]) as file:
    text = re.search(r'assembly = "((?:[^"\\]|\\.)*)"', file.read()).group(1)
text = re.sub(r"\\([0-9A-F]{2})", lambda m: chr(int(m.group(1), 16)), text)
print(text.replace('\\"', '"').replace("\\\\", "\\").rstrip("\0"))
