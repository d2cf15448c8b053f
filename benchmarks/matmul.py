#!/usr/bin/env python3
"""Time low-bit linear layers beside ONNX Runtime's MatMulNBits and ggml, in one run.

    benchmarks/matmul.py --json matmul.json
    benchmarks/matmul.py --cold --threads 1 2 --ggml ~/llama.cpp --tokens 1 8 64 512
    benchmarks/matmul.py --layers 4096x4096 --tokens 1 --bits 2 --activations float
    benchmarks/matmul.py --layers 4096x4096 --tokens 1 --bits 1 --target x86-64-v3 --strategies dot lut
    benchmarks/matmul.py --layers 4096x4096 --tokens 1 --bits 3 --format bcq --strategies dot lut

For each layer (outputs x inputs) a random float weight is written as an ONNX model, imported,
quantized (`quant-opt --quantize-rtn`, optionally `--quantize-activations`), compiled
(`quant-compile`) and called in this process. ONNX Runtime runs the same codes, scales and zero
points in MatMulNBits; accuracy_level 4 lets it quantize activations to int8, 1 keeps them float.
With --bits 16 and 32 weights are bf16 and f32, and ONNX Runtime runs MatMul in f32.
ggml, where --ggml names a folder with its headers and libraries (a build of llama.cpp), quantizes the
same weight to its own types. All take turns in every round, so that they see the same machine; a figure
is the median over the rounds, +- half the distance between the quartiles. With --cold every call finds
its weight in memory, not in a cache. Two rows are times that no kernel can beat: "reading the weight"
(its codes, from where the kernels read them) and "arithmetic alone" (as many multiply-adds, by the widest
instruction that the C compiler knows of, on registers). Outputs are compared before anything is timed.
"""

import argparse
import pathlib
import re
import tempfile
import time

import numpy as np

import report
from lowbit import tools
from lowbit.model import ModelError
from matmul_peers import ACCURACY_LEVEL, FLOAT_BITS, Ggml, Lowbit, OnnxRuntime, Peak, Probe

# Relative distance from ONNX Runtime's output. With int8 activations the two round in different groups; a weight in
# bf16 is compared with one in f32.
TOLERANCE = {"float": 1e-3, "int8": 3e-2}
BF16_TOLERANCE = 4e-3
NBITS = (2, 4, 8, *FLOAT_BITS)


def last_level_cache():
    """Bytes of the largest cache; 32 MiB where the system does not say."""
    sizes = [32 << 20]
    for path in pathlib.Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size"):
        match = re.fullmatch(r"(\d+)K", path.read_text().strip())
        sizes += [int(match[1]) << 10] if match else []
    return max(sizes)


def make_peers(weight, options, folder, ggml):
    """All implementations, Lowbit first, and the limits: those of memory and of arithmetic."""
    size = weight.size * options.bits // 8
    # Twice the cache: the copy that is next was last read longer ago than the cache remembers.
    copies = -(-2 * last_level_cache() // size) + 1 if options.cold else 1
    peers = [Lowbit(folder, weight, options, copies, strategy) for strategy in options.strategies]
    if options.bits in NBITS and options.format == "uniform":
        peers.append(OnnxRuntime(folder, weight, options, copies))
    if ggml:
        peers += Ggml.all(ggml, weight, options, copies)
    return peers, [Probe(folder, size, copies), Peak(folder, weight, options)]


def sample_us(calls, at, seconds):
    """The median time of the calls that fit into `seconds`, three at least; and the place to go on from."""
    samples, end = [], time.perf_counter() + seconds
    while len(samples) < 3 or time.perf_counter() < end:
        call = calls[at % len(calls)]
        start = time.perf_counter()
        call()
        samples.append((time.perf_counter() - start) * 1e6)
        at += 1
    return report.summary(samples)[0], at


def check(peers, x, options, what):
    """Ends the script where Lowbit, by all strategies, and ONNX Runtime do not compute the same."""
    outputs = {peer.name: peer.output(x) for peer in peers if isinstance(peer, (Lowbit, OnnxRuntime))}
    if len(outputs) < 2:
        return None
    ours, *others = outputs.values()
    difference = max(float(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs)) for theirs in others)
    if not difference < (BF16_TOLERANCE if options.bits == 16 else TOLERANCE[options.activations]):
        report.fail(f"{what}: outputs differ by {difference:.2e}")
    return difference


def measure(outputs, inputs, options, folder, ggml):
    """The figures of one layer: one for each number of tokens, number of threads and peer."""
    generator = np.random.default_rng([outputs, inputs])
    weight = generator.standard_normal((outputs, inputs), dtype=np.float32) * np.float32(inputs**-0.5)
    peers, limits = make_peers(weight, options, folder, ggml)
    for tokens in options.tokens:
        x = generator.standard_normal((1, tokens, inputs), dtype=np.float32)
        layer = f"{outputs}x{inputs}"
        difference = check(peers, x, options, f"{layer}, {tokens} tokens")
        for threads in options.threads:
            timed = peers + limits
            calls = [peer.calls(x, threads) for peer in timed]
            for group in calls:
                for call in group:
                    call()
            samples, at = [[] for _ in timed], [0] * len(timed)
            for _ in range(options.rounds):
                for i, group in enumerate(calls):
                    value, at[i] = sample_us(group, at[i], options.seconds)
                    samples[i].append(value)
            ours = report.summary(samples[0])[0]
            for peer, values in zip(timed, samples):
                median, spread = report.summary(values)
                yield {"layer": layer, "operations": 2 * weight.size * tokens,
                       "code_bytes": weight.size * options.bits // 8, "bits": options.bits, "format": options.format,
                       "group_size": options.group_size, "activations": options.activations, "cold": options.cold, "tokens": tokens,
                       "threads": threads, "peer": peer.name, "median_us": median, "spread_us": spread,
                       "lowbit_ratio": ours / median, "samples_us": values, "difference": difference}


def layer_shape(text):
    """'4096x4096' as a pair: outputs, inputs."""
    outputs, separator, inputs = text.partition("x")
    if not separator or not outputs.isdigit() or not inputs.isdigit() or 0 in (int(outputs), int(inputs)):
        raise argparse.ArgumentTypeError(f"{text!r} is no layer such as 4096x4096 (outputs x inputs)")
    return int(outputs), int(inputs)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=layer_shape, nargs="+", default=[(4096, 4096), (11008, 4096)])
    parser.add_argument("--tokens", type=int, nargs="+", default=[1, 512])
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--bits", type=int, choices=[*range(1, 9), *FLOAT_BITS], default=4,
                        help="of a weight (default 4); 16 and 32 stand for bf16 and f32 and leave activations float")
    parser.add_argument("--format", choices=["uniform", "bcq"], default="uniform",
                        help="of a weight: integers, or sums of scaled signs (1 to 4 bits), which ONNX Runtime lacks")
    parser.add_argument("--group-size", type=int, default=128)
    parser.add_argument("--activations", choices=sorted(ACCURACY_LEVEL), default="int8")
    parser.add_argument("--target", default="native", help="of quant-compile: x86-64-v3 (default: native)")
    parser.add_argument("--strategies", nargs="+", default=["auto"], metavar="NAME",
                        help="of quant-compile, each as an implementation of its own: dot lut (default: auto)")
    parser.add_argument("--cold", action="store_true", help="read weights from memory, not from a cache")
    parser.add_argument("--ggml", type=pathlib.Path, metavar="FOLDER", help="with ggml's headers and libraries")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.2, help="for each peer in each round (default 0.2)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write all figures to a file")
    options = parser.parse_args()
    if options.bits in FLOAT_BITS:
        options.activations = "float"
    if options.format == "bcq" and options.bits > 4:
        parser.error(f"--format bcq has 1 to 4 bits, not {options.bits}")

    for _, inputs in options.layers:
        if inputs % options.group_size:
            parser.error(f"--group-size {options.group_size} does not divide {inputs} inputs, as MatMulNBits needs")

    figures = []
    try:
        for tool in tools.TOOLS:
            tools.find_tool(tool)
        with tempfile.TemporaryDirectory() as common:
            ggml = Ggml.open(options.ggml, pathlib.Path(common)) if options.ggml else None
            for outputs, inputs in options.layers:
                with tempfile.TemporaryDirectory() as folder:
                    figures += measure(outputs, inputs, options, pathlib.Path(folder), ggml)
    except (tools.ToolError, ModelError) as error:
        report.fail(error)
    print(report.table(
        ["layer (out x in)", "tokens", "threads", "us", "Lowbit's time / this", "of", "difference"],
        [(f["layer"], f["tokens"], f["threads"], f"{f['median_us']:.0f} +- {f['spread_us']:.0f}",
          f"{f['lowbit_ratio']:.2f}", f["peer"],
          "" if f["difference"] is None else f"{f['difference']:.1e}") for f in figures]))
    if options.json:
        report.write_json(options.json, {"machine": report.machine(), "figures": figures})


if __name__ == "__main__":
    main()
