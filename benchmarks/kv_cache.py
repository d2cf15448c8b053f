#!/usr/bin/env python3
"""Time attention of one new token on KV caches of floats, 8 and 4 bits.

    benchmarks/kv_cache.py                       # 32 query heads on 4 key heads of 64 channels
    benchmarks/kv_cache.py --heads 32 --kv-heads 8 --size 128 --past 2048 8192 --threads 2

The libraries take turns in every round. A figure is the least time of all rounds, in microseconds: what others do on
the machine does not make a call faster. With one thread it is processor time. The result is a Markdown table.
"""

import argparse
import pathlib
import tempfile
import time

import numpy as np

import report
from lowbit import tools
from lowbit.model import Model

TYPES = ("in-place", "int8", "int4")


def make_model(heads, kv_heads, size):
    """Attention on past keys and values, which exporters return with the new ones behind."""
    q, k = (f"tensor<1x{count}x?x{size}xf32>" for count in (heads, kv_heads))

    def dims(length, name):
        return f'{{onnx.dim_params = ["", "", "{length}", ""], onnx.name = "{name}"}}'

    return f"""func.func @main(%q: {q} {dims('new', 'q')}, %k: {k} {dims('new', 'k')}, %v: {k} {dims('new', 'v')},
    %pk: {k} {dims('past', 'past.key')}, %pv: {k} {dims('past', 'past.value')}) -> ({q}, {k}, {k}) {{
  %none = onnx.NoValue
  %y:4 = onnx.Attention(%q, %k, %v, %none, %pk, %pv, %none) {{is_causal = 1 : i64}}
      : ({q}, {k}, {k}, none, {k}, {k}, none) -> ({q}, {k}, {k}, none)
  return %y#0, %y#1, %y#2 : {q}, {k}, {k}
}}
"""


def make_call(model, past, random):
    """A run on caches of random content with room for one more token."""
    inputs = {}
    for info in model.inputs:
        shape = [(past + 1 if info.updated else 1) if size is None else size for size in info.shape]
        if info.name == "past_length":
            inputs[info.name] = np.array(past)
        elif info.dtype.kind == "f":
            inputs[info.name] = random.standard_normal(shape).astype(info.dtype)
        else:
            inputs[info.name] = random.integers(-128, 128, shape).astype(info.dtype)
    return model.prepare(inputs)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--heads", type=int, default=32)
    parser.add_argument("--kv-heads", type=int, default=4)
    parser.add_argument("--size", type=int, default=64, help="channels of a head")
    parser.add_argument("--past", type=int, nargs="+", default=[512, 4096, 16384])
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=60)
    options = parser.parse_args()
    clock = time.process_time if options.threads == 1 else time.perf_counter
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder, models = pathlib.Path(name), []
        (folder / "model.mlir").write_text(make_model(options.heads, options.kv_heads, options.size))
        for kind in TYPES:
            tools.run_tool("quant-compile", folder / "model.mlir", f"--kv-cache={kind}", "-o", folder / f"{kind}.so")
            models.append(Model(folder / f"{kind}.so"))
            models[-1].set_threads(options.threads)
        for past in options.past:
            random = np.random.default_rng(0)
            calls, best = [make_call(model, past, random) for model in models], [float("inf")] * len(models)
            for _ in range(options.rounds):
                for i, call in enumerate(calls):
                    start = clock()
                    call()
                    best[i] = min(best[i], clock() - start)
            rows.append([f"{past:,}", *(f"{seconds * 1e6:,.0f}" for seconds in best)])
    print(report.table(["past", "f32", "int8", "int4"], rows))


if __name__ == "__main__":
    try:
        main()
    except tools.ToolError as error:
        report.fail(error)
