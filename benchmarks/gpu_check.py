#!/usr/bin/env python3
"""Make a folder with which a machine that has a GPU, but neither Lowbit nor LLVM, checks compiled models.

    benchmarks/gpu_check.py check model.onnx other.onnx        # here
    sh check/run.sh                                            # there; needs a C compiler

Each model is quantized (`--quantize-rtn`), compiled for the GPU (`quant-compile --target=sm_80`) and run
on the CPU (`quant-run`) to record inputs and outputs, for one token and for several. `run.sh` compiles
`gpu_check.c`, runs every model, prints the largest error relative to the CPU's outputs and the median
time of a run, and fails where the error exceeds 1e-3. With `--target=native` it can be tried anywhere.
"""

import argparse
import pathlib
import shutil
import struct
import subprocess

import numpy as np

import report
from lowbit.model import Model

PAST = 16
RUN = """#!/bin/sh
# Checks the models of this folder; see gpu_check.c.
cd "$(dirname "$0")" || exit 1
${CC:-cc} -O2 -I. gpu_check.c -ldl -lm -o gpu_check || exit 1
status=0
for case in *.bin; do
  ./gpu_check "./${case%%-*}.so" "$case" || status=1
done
exit $status
"""


def read_shapes(infos):
    """The shapes of a library's inputs or outputs by their names."""
    return {info.name: info.shape for info in infos}


def make_inputs(inputs, vocabulary, tokens, seed):
    """What a language model takes for `tokens` tokens, after PAST others if it has a cache."""
    rng = np.random.default_rng(seed)
    past = PAST if any(name.startswith("past_key_values") for name in inputs) else 0
    made = {}
    for name, shape in inputs.items():
        if name == "input_ids":
            made[name] = rng.integers(0, vocabulary, (1, tokens))
        elif name == "attention_mask":
            made[name] = np.ones((1, past + tokens), np.int64)
        elif name == "position_ids":
            made[name] = np.arange(past, past + tokens).reshape(1, tokens)
        elif name.startswith("past_key_values") and len(shape) == 4:
            made[name] = rng.standard_normal((1, shape[1], past, shape[3])).astype(np.float32)
        else:
            report.fail(f"input '{name}' is none that a language model has")
    return made


def write_case(path, inputs, outputs):
    """Writes what gpu_check.c reads."""

    def text(value):
        return struct.pack("<q", len(value)) + value.encode()

    with open(path, "wb") as file:
        file.write(struct.pack("<q", len(inputs) + len(outputs)))
        for kind, arrays in (("input", inputs), ("output", outputs)):
            for name, array in arrays.items():
                data = np.ascontiguousarray(array).tobytes()
                file.write(text(kind) + text(name) + struct.pack(f"<{array.ndim + 2}q", array.ndim, *array.shape, len(data)))
                file.write(data)


def run(*arguments):
    done = subprocess.run(list(map(str, arguments)), capture_output=True, text=True, check=False)
    if done.returncode:
        report.fail(f"{arguments[0]} fails: {done.stderr.strip()}")


def add_model(folder, path, args):
    """Compiles a model and records what it gives."""
    name = path.stem.replace("-", "_")
    work = folder / "work"
    work.mkdir(exist_ok=True)
    if path.suffix == ".onnx":
        run("quant-translate", "--import-onnx", path, "-o", work / f"{name}.mlir")
        path = work / f"{name}.mlir"
    quantized = work / f"{name}-quantized.mlir"
    run("quant-opt", path, f"--quantize-rtn=bits={args.bits} group-size={args.group_size}", "-o", quantized)
    library = folder / f"{name}.so"
    run("quant-compile", quantized, f"--target={args.target}", "-o", library)
    shutil.copyfile(library.with_suffix(".h"), folder / "model.h")
    library.with_suffix(".h").unlink()
    model = Model(library)
    inputs, outputs = read_shapes(model.inputs), read_shapes(model.outputs)
    if "logits" not in outputs:
        report.fail(f"'{path}' has no output 'logits'")
    for tokens in args.tokens:
        made = make_inputs(inputs, outputs["logits"][2], tokens, seed=tokens)
        np.savez(work / "in.npz", **made)
        run("quant-run", quantized, f"--inputs={work / 'in.npz'}", f"--outputs={work / 'out.npz'}")
        with np.load(work / "out.npz") as expected:
            write_case(folder / f"{name}-{tokens}.bin", made, dict(expected))
    shutil.rmtree(work)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path, help="what to make")
    parser.add_argument("models", type=pathlib.Path, nargs="+", help="language models, .onnx or .mlir")
    parser.add_argument("--target", default="sm_80")
    parser.add_argument("--bits", type=int, default=4)
    parser.add_argument("--group-size", type=int, default=32)
    parser.add_argument("--tokens", type=int, nargs="+", default=[1, 33])
    args = parser.parse_args()
    if args.folder.exists():
        report.fail(f"'{args.folder}' exists")
    args.folder.mkdir(parents=True)
    for model in args.models:
        add_model(args.folder, model, args)
    shutil.copyfile(pathlib.Path(__file__).with_name("gpu_check.c"), args.folder / "gpu_check.c")
    (args.folder / "run.sh").write_text(RUN, encoding="utf-8")
    print(f"copy '{args.folder}' to a machine with a GPU and call: sh {args.folder.name}/run.sh")


if __name__ == "__main__":
    main()
