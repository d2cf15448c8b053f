"""run_model.py <library>: a compiled model from Python, and what goes wrong."""

import sys

import numpy as np

from lowbit.model import Model, ModelError

model = Model(sys.argv[1])
print("inputs:", *((info.name, str(info.dtype), info.shape, info.dims) for info in model.inputs))
print("outputs:", *((info.name, str(info.dtype), info.shape) for info in model.outputs))

x = np.arange(6, dtype=np.float32).reshape(3, 2)
call = model.prepare({"x": x[:, ::-1], "bias": np.float32([1, 2])})
for threads in (1, 2):
    model.set_threads(threads)
    call()
    assert (call.outputs()["y"] == x[:, ::-1] + [1, 2]).all()
empty = model.run({"x": x[:0], "bias": np.float32([1, 2])})["y"]
print("empty:", empty.shape, empty.dtype)


def fails(action):
    try:
        action()
    except ModelError as error:
        print("error:", error)
    else:
        raise AssertionError("nothing was raised")


bias = np.float32([1, 2])
fails(lambda: model.run({"x": x}))
fails(lambda: model.run({"x": x, "bias": bias, "z": bias}))
fails(lambda: model.run({"x": x.astype(np.float64), "bias": bias}))
fails(lambda: model.run({"x": bias, "bias": bias}))
fails(lambda: model.run({"x": np.zeros((3, 4), np.float32), "bias": bias}))
fails(lambda: model.set_threads(-1))
fails(lambda: Model("missing.so"))
fails(lambda: Model(__file__))
