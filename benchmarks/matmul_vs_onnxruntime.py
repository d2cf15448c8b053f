#!/usr/bin/env python3
"""Time 4-bit linear layers beside ONNX Runtime's MatMulNBits, in one run.

    benchmarks/matmul_vs_onnxruntime.py --json matmul.json
    benchmarks/matmul_vs_onnxruntime.py --layers 4096x4096 --tokens 1 --rounds 3 --activations float

For each layer (outputs x inputs) a random float weight is written as an ONNX model, imported,
quantized (`quant-opt --quantize-rtn`, optionally `--quantize-activations`), compiled
(`quant-compile`) and timed (`quant-run --bench`). ONNX Runtime runs the same codes, scales and zero
points in MatMulNBits; accuracy_level 4 lets it quantize activations to int8, 1 keeps them float.
The two take turns in every round, so that both see the same machine; a figure is the median over the
rounds, +- half the distance between the quartiles. Outputs are compared before anything is timed.
"""

import argparse
import pathlib
import tempfile
import time

import numpy as np

import report
from lowbit import tools
from lowbit.reference import Scheme, pack, quantize_rtn

ACCURACY_LEVEL = {"float": 1, "int8": 4}
# Relative distance of the outputs. With int8 activations the two sides round in different groups.
TOLERANCE = {"float": 1e-3, "int8": 3e-2}


def save_float_model(path, weight):
    """y = x W^T with W [N, K]; x is [batch, sequence, K]."""
    onnx = report.need("onnx")
    outputs, inputs = weight.shape
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node("MatMul", ["x", "weight"], ["y"], name="/linear/MatMul")], "linear",
        [value("x", onnx.TensorProto.FLOAT, ["batch", "sequence", inputs])],
        [value("y", onnx.TensorProto.FLOAT, ["batch", "sequence", outputs])],
        [onnx.numpy_helper.from_array(np.ascontiguousarray(weight.T), "weight")])
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8), path)


def save_nbits_model(path, quantized, accuracy_level):
    """The same layer as com.microsoft.MatMulNBits with the codes of `quantized`: asymmetric, in whole groups."""
    onnx = report.need("onnx")
    outputs, inputs = quantized.codes.shape
    scheme = quantized.scheme
    groups = inputs // scheme.group_size
    # Groups are whole bytes, so the canonical stream of a row is the concatenation of its groups.
    codes = pack(quantized.codes, scheme.bits).reshape(outputs, groups, -1)
    tensors = [onnx.numpy_helper.from_array(codes, "codes"),
               onnx.numpy_helper.from_array(quantized.scales.reshape(-1), "scales"),
               onnx.numpy_helper.from_array(pack(quantized.zeros, scheme.bits).reshape(-1), "zeros")]
    node = onnx.helper.make_node("MatMulNBits", ["x", "codes", "scales", "zeros"], ["y"], domain="com.microsoft",
                                 K=inputs, N=outputs, bits=scheme.bits, block_size=scheme.group_size,
                                 accuracy_level=accuracy_level)
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph([node], "linear",
                                   [value("x", onnx.TensorProto.FLOAT, ["batch", "sequence", inputs])],
                                   [value("y", onnx.TensorProto.FLOAT, ["batch", "sequence", outputs])], tensors)
    opsets = [onnx.helper.make_opsetid("", 17), onnx.helper.make_opsetid("com.microsoft", 1)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=8), path)


class OnnxRuntime:
    """A session whose calls are timed."""

    def __init__(self, path, threads):
        onnxruntime = report.need("onnxruntime")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def run(self, x):
        return self.session.run(None, {"x": x})[0]

    def median_us(self, x, seconds):
        """The median time of the calls that fit into `seconds`, three at least."""
        self.run(x)
        samples, end = [], time.perf_counter() + seconds
        while len(samples) < 3 or time.perf_counter() < end:
            start = time.perf_counter()
            self.run(x)
            samples.append((time.perf_counter() - start) * 1e6)
        return report.summary(samples)[0]


def build_library(folder, weight, options):
    """The layer through Lowbit's tools, to a shared library."""
    save_float_model(folder / "float.onnx", weight)
    module = tools.import_onnx(folder / "float.onnx", folder / "float.mlir")
    flags = [tools.pass_flag("quantize-rtn", bits=4, group_size=options.group_size)]
    if options.activations == "int8":
        flags.append("--quantize-activations")
    quantized = tools.optimize(module, folder / "int4.mlir", *flags)
    return tools.compile_library(quantized, folder / "int4.so")


def lowbit_output(folder, library, x):
    """What the library computes for x."""
    np.savez(folder / "in.npz", x=x)
    tools.run_tool("quant-run", library, f"--inputs={folder / 'in.npz'}", f"--outputs={folder / 'out.npz'}")
    with np.load(folder / "out.npz") as outputs:
        return outputs["y"]


def lowbit_median_us(library, tokens):
    entry = next((e for e in tools.bench(library, [tokens]) if e["tokens"] == tokens), None)
    if entry is None:
        raise tools.ToolError(f"quant-run --bench gave no figure for {tokens} tokens")
    return entry["median_us"]


def measure(outputs, inputs, options, folder):
    """The figures of one layer, one for each number of tokens."""
    generator = np.random.default_rng([outputs, inputs])
    weight = generator.standard_normal((outputs, inputs), dtype=np.float32) * np.float32(inputs**-0.5)
    # Scales are float16 in both, as Lowbit stores them.
    quantized = quantize_rtn(weight, Scheme(4, options.group_size, scale_type="f16"))
    save_nbits_model(folder / "nbits.onnx", quantized, ACCURACY_LEVEL[options.activations])
    peer = OnnxRuntime(folder / "nbits.onnx", options.threads)
    library = build_library(folder, weight, options)

    for tokens in options.tokens:
        x = generator.standard_normal((1, tokens, inputs), dtype=np.float32)
        expected = peer.run(x)
        difference = np.linalg.norm(lowbit_output(folder, library, x) - expected) / np.linalg.norm(expected)
        if not difference < TOLERANCE[options.activations]:
            report.fail(f"{outputs}x{inputs}, {tokens} tokens: outputs differ by {difference:.2e}")
        ours, theirs = [], []
        for _ in range(options.rounds):
            ours.append(lowbit_median_us(library, tokens))
            theirs.append(peer.median_us(x, options.seconds))
        (our_median, our_spread), (their_median, their_spread) = report.summary(ours), report.summary(theirs)
        yield {"layer": f"{outputs}x{inputs}", "tokens": tokens, "activations": options.activations,
               "group_size": options.group_size, "difference": float(difference),
               "lowbit_us": our_median, "lowbit_spread_us": our_spread, "lowbit_samples_us": ours,
               "onnxruntime_us": their_median, "onnxruntime_spread_us": their_spread,
               "onnxruntime_samples_us": theirs}


def layer(text):
    """'4096x4096' as a pair: outputs, inputs."""
    outputs, separator, inputs = text.partition("x")
    if not separator or not outputs.isdigit() or not inputs.isdigit() or 0 in (int(outputs), int(inputs)):
        raise argparse.ArgumentTypeError(f"{text!r} is no layer such as 4096x4096 (outputs x inputs)")
    return int(outputs), int(inputs)


def main():
    parser = argparse.ArgumentParser(description="Time 4-bit linear layers beside MatMulNBits; see the head of the file.")
    parser.add_argument("--layers", type=layer, nargs="+", default=[(4096, 4096), (11008, 4096)])
    parser.add_argument("--tokens", type=int, nargs="+", default=[1, 512])
    parser.add_argument("--group-size", type=int, default=128)
    parser.add_argument("--activations", choices=sorted(ACCURACY_LEVEL), default="int8")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.5, help="for ONNX Runtime, in each round (default 0.5)")
    parser.add_argument("--threads", type=int, default=0,
                        help="of ONNX Runtime (default 0: its own choice; Lowbit follows OMP_NUM_THREADS)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write all figures to a file")
    options = parser.parse_args()

    for _, inputs in options.layers:
        if inputs % options.group_size:
            parser.error(f"--group-size {options.group_size} does not divide {inputs} inputs, as MatMulNBits needs")

    figures = []
    try:
        for tool in tools.TOOLS:
            tools.find_tool(tool)
        for outputs, inputs in options.layers:
            with tempfile.TemporaryDirectory() as folder:
                figures += measure(outputs, inputs, options, pathlib.Path(folder))
    except tools.ToolError as error:
        report.fail(error)
    print(report.table(
        ["layer (out x in)", "tokens", "Lowbit us", "ONNX Runtime us", "ratio", "difference"],
        [(f["layer"], f["tokens"], f"{f['lowbit_us']:.0f} +- {f['lowbit_spread_us']:.0f}",
          f"{f['onnxruntime_us']:.0f} +- {f['onnxruntime_spread_us']:.0f}",
          f"{f['lowbit_us'] / f['onnxruntime_us']:.2f}", f"{f['difference']:.1e}") for f in figures]))
    if options.json:
        report.write_json(options.json, {"machine": report.machine(), "figures": figures})


if __name__ == "__main__":
    main()
