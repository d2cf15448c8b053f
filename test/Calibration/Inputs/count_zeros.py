"""Counts the zeros in the constant weights of linear layers, float or decoded to #lowbit.float<f32>.

    count_zeros.py model.mlir [N:M] [pruned.mlir]

With N:M it fails if there are more than N others among M input channels that follow each other; with the model
that was pruned, if a weight that is zero there is not.
"""

import json
import re
import sys


def read(path):
    """The weights [out, in] as lists, in the order of the layers."""
    text = open(path).read()
    values = dict(re.findall(r"%(\w+) = (?:onnx.Constant|lowbit.constant \{values =) dense<(\[\[.*?\]\])>", text))
    weights = []
    for kind, name in re.findall(r"(onnx.MatMul\(|lowbit.matmul )%\w+, %(\w+)", text):
        weight = json.loads(values[name])
        weights.append(weight if kind.startswith("lowbit") else [list(column) for column in zip(*weight)])
    return weights


weights = read(sys.argv[1])
for name, weight in zip(("query", "key", "up", "head"), weights):
    zeros = sum(value == 0 for row in weight for value in row)
    print(f"{name} {zeros} of {sum(map(len, weight))}")
    if len(sys.argv) > 2 and name != "head":
        kept, block = map(int, sys.argv[2].split(":"))
        for row in weight:
            for begin in range(0, len(row), block):
                others = sum(value != 0 for value in row[begin:begin + block])
                if others > kept:
                    sys.exit(f"{name}: {others} of {block} are not zero")
if len(sys.argv) > 3:
    for weight, pruned in zip(weights[:3], read(sys.argv[3])):
        for row, other in zip(weight, pruned):
            for value, was in zip(row, other):
                if was == 0 and value != 0:
                    sys.exit(f"{value} was zero")
