#!/usr/bin/env python3
"""Time a whole Llama-shaped language model beside llama.cpp and ONNX Runtime, in one run.

    benchmarks/language_model.py --llama-bench ~/llama.cpp/build/bin/llama-bench --onnxruntime --json model.json
    benchmarks/language_model.py --width 256 --hidden 512 --layers 2 --heads 4 --kv-heads 2 --vocabulary 1000

The model has random weights (make_llama_onnx.py; the defaults are the sizes of TinyLlama 1.1B), takes and returns the
keys and values of a past, and computes the logits of the last token only, as llama.cpp's benchmark does. Lowbit rounds all its matrices, the embedding and the head too, to
symmetric 4-bit codes in groups of 32 with scales in f16, which are 4.5 bits a weight; llama.cpp reads files of
the same shapes in q4_0 and q4_K, which are 4.5 bits, too; ONNX Runtime runs MatMulNBits with blocks of 32 and
accuracy level 4, its embedding stays float. All of them quantize activations to int8.

"prefill" is the number of tokens a second of one call with --prompt tokens, "decode" that of --decode calls
with one token each, from an empty past on. All take turns in every round, each in a process of its own; a
figure is the median over the rounds, +- half the distance between the quartiles. "resident" is the largest
size of such a process, "file" that of the weights it reads; "compiling" the seconds of quant-compile.
"""

import argparse
import pathlib
import tempfile

import make_llama_onnx
import report
from language_model_peers import LlamaCpp, Lowbit, OnnxRuntime
from lowbit import tools


def make_peers(options, folder):
    source = options.model
    if source is None:
        source = folder / "float.onnx"
        make_llama_onnx.write(source, options)
    peers = [Lowbit(source, folder)]
    if options.llama_bench:
        peers += [LlamaCpp(options.llama_bench, name, options, folder) for name in LlamaCpp.TYPES]
    if options.onnxruntime:
        peers.append(OnnxRuntime(source, folder))
    return peers


def measure(peers, options):
    """One figure for each number of threads and peer."""
    for threads in options.threads:
        samples = [[] for _ in peers]
        for _ in range(options.rounds):
            for values, peer in zip(samples, peers):
                values.append(peer.measure(threads=threads, prompt=options.prompt, decode=options.decode,
                                           vocabulary=options.vocabulary))
        for peer, values in zip(peers, samples):
            figure = {"peer": peer.name, "threads": threads, "file": peer.weight_bytes, "compiling": peer.compiling,
                      "resident": max((v["resident"] for v in values if v["resident"]), default=None)}
            for what in ("prefill", "decode"):
                figure[what], figure[f"{what}_spread"] = report.summary([v[what] for v in values])
                figure[f"{what}_samples"] = [v[what] for v in values]
                ours = report.summary([v[what] for v in samples[0]])[0]
                figure[f"{what}_ratio"] = ours / figure[what]
            yield figure


def mebibytes(size):
    return "" if size is None else f"{size / 2**20:.0f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    make_llama_onnx.add_sizes(parser)
    parser.add_argument("--model", type=pathlib.Path, help="what make_llama_onnx.py --cache --last-logits made of these sizes")
    parser.add_argument("--llama-bench", type=pathlib.Path, metavar="PROGRAM", help="llama.cpp's benchmark")
    parser.add_argument("--onnxruntime", action="store_true", help="time ONNX Runtime, too")
    parser.add_argument("--threads", type=int, nargs="+", default=[1])
    parser.add_argument("--prompt", type=int, default=512, help="tokens (default 512)")
    parser.add_argument("--decode", type=int, default=64, help="tokens (default 64)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=pathlib.Path, help="keep the models here (default: a temporary folder)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write all figures to a file")
    options = parser.parse_args()
    make_llama_onnx.check_sizes(parser, options)
    options.cache = options.last_logits = True

    try:
        for tool in tools.TOOLS:
            tools.find_tool(tool)
        with tempfile.TemporaryDirectory() as temporary:
            folder = options.folder or pathlib.Path(temporary)
            folder.mkdir(parents=True, exist_ok=True)
            peers = make_peers(options, folder)
            figures = list(measure(peers, options))
    except tools.ToolError as error:
        report.fail(error)
    print(report.table(
        ["", "threads", "prefill, tokens/s", "Lowbit's / this", "decode, tokens/s", "Lowbit's / this", "resident, MiB",
         "file, MiB", "compiling, s"],
        [(f["peer"], f["threads"], f"{f['prefill']:.1f} +- {f['prefill_spread']:.1f}", f"{f['prefill_ratio']:.2f}",
          f"{f['decode']:.1f} +- {f['decode_spread']:.1f}", f"{f['decode_ratio']:.2f}", mebibytes(f["resident"]),
          mebibytes(f["file"]), "" if f["compiling"] is None else f"{f['compiling']:.1f}") for f in figures]))
    if options.json:
        report.write_json(options.json, {"machine": report.machine(), "figures": figures})


if __name__ == "__main__":
    main()
