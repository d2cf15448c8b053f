#!/usr/bin/env python3
"""Perplexity of language models in float, after round-to-nearest and after GPTQ.

    benchmarks/perplexity.py                       # the bundled model
    benchmarks/perplexity.py models.json --bits 4 3 2 --json perplexity.json --onnxruntime
    benchmarks/perplexity.py --methods rtn hqq --transforms none rotate data-free-smooth

Each model goes through the tools as a user would: quant-translate --import-onnx, quant-run
--perplexity, then quant-opt --quantize-rtn and --gptq at each width, and quant-run again. The
result is a Markdown table on standard output (and all figures in the JSON file).

`models.json` is a list of objects; paths are relative to it:

    {"name": "tiny-llama", "model": "tiny-llama.onnx", "tokens": "eval.npy",
     "calibration": "calib.npy",      optional: without it, quant-opt generates its own
     "group_size": 64,                optional: else --group-size
     "expected": 1.7345,              optional: float perplexity, checked within 0.1 %
     "reference": {"rtn-4": 5.37, "gptq-4": 5.20}}   optional: figures to set beside ours
"""

import argparse
import itertools
import json
import math
import pathlib
import tempfile
import time

import numpy as np

import report
from lowbit import tools

BUNDLED = pathlib.Path(__file__).resolve().parents[1] / "examples" / "tiny-llama"
FLOAT_TOLERANCE = 1e-3
PASSES = {"rtn": "quantize-rtn", "hqq": "hqq", "gptq": "gptq"}
TRANSFORMS = {"none": [], "rotate": ["--rotate"], "data-free-smooth": ["--data-free-smooth"]}


def load_models(path):
    """The list of models with absolute paths; ends the script when it is not as described above."""
    if path is None:
        entries = [{"name": "tiny-llama", "model": "tiny-llama.onnx", "tokens": "eval.npy", "calibration": "calib.npy"}]
        folder = BUNDLED
    else:
        folder = path.resolve().parent
        try:
            entries = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            report.fail(f"{path}: {error}")
    for entry in entries:
        for key in ("name", "model", "tokens"):
            if key not in entry:
                report.fail(f"{path}: a model has no {key!r}")
        for key in ("model", "tokens", "calibration"):
            if key in entry:
                entry[key] = folder / entry[key]
                if not entry[key].exists():
                    report.fail(f"{entry['name']}: there is no file {entry[key]}")
    return entries


def onnxruntime_perplexity(model, tokens, batch=8):
    """The float perplexity by ONNX Runtime, with the same definition as quant-run's."""
    onnxruntime = report.need("onnxruntime")
    session = onnxruntime.InferenceSession(str(model), providers=["CPUExecutionProvider"])
    windows = np.load(tokens).astype(np.int64)
    total = 0.0
    for start in range(0, len(windows), batch):
        part = windows[start:start + batch]
        logits = session.run(None, {session.get_inputs()[0].name: part[:, :-1]})[0].astype(np.float64)
        top = logits.max(axis=-1, keepdims=True)
        log_sum = np.log(np.exp(logits - top).sum(axis=-1)) + top[..., 0]
        total += (log_sum - np.take_along_axis(logits, part[:, 1:, None], axis=-1)[..., 0]).sum()
    return math.exp(total / windows[:, 1:].size)


def measure(entry, options, folder):
    """All figures of one model."""
    module = tools.import_onnx(entry["model"], folder / f"{entry['name']}.mlir")
    result = {"name": entry["name"], "float": tools.perplexity(module, entry["tokens"]), "quantized": []}
    if options.onnxruntime:
        result["onnxruntime"] = onnxruntime_perplexity(entry["model"], entry["tokens"])
    group_size = entry.get("group_size", options.group_size)
    for bits in options.bits:
        for method, transform in itertools.product(options.methods, options.transforms):
            settings = {"bits": bits, "group_size": group_size}
            if method == "gptq" and "calibration" in entry:
                settings["calibration"] = entry["calibration"]
            flag = tools.pass_flag(PASSES[method], **settings)
            start = time.monotonic()
            quantized = tools.optimize(module, folder / f"{entry['name']}-{transform}-{method}-{bits}.mlir",
                                       *TRANSFORMS[transform], flag)
            seconds = time.monotonic() - start
            perplexity = tools.perplexity(quantized, entry["tokens"])
            name = method if transform == "none" else f"{transform}-{method}"
            result["quantized"].append({"method": name, "bits": bits, "group_size": group_size,
                                        "perplexity": perplexity, "seconds": round(seconds, 2),
                                        "reference": entry.get("reference", {}).get(f"{name}-{bits}")})
    return result


def expectations(entry, result):
    """Says how the float perplexity differs from what it should be; nothing when it does not."""
    for name, value in (("expected", entry.get("expected")), ("onnxruntime", result.get("onnxruntime"))):
        if value is not None and abs(result["float"] / value - 1) > FLOAT_TOLERANCE:
            yield f"{result['name']}: float perplexity {result['float']:.5f}, {name} {value:.5f}"


def rows(results):
    """The lines of the Markdown table."""
    for result in results:
        yield result["name"], "float", f"{result['float']:.4f}", "", "", ""
        if "onnxruntime" in result:
            yield "", "float, ONNX Runtime", f"{result['onnxruntime']:.4f}", "", "", ""
        for figure in result["quantized"]:
            reference = figure["reference"]
            against = "" if reference is None else f"{reference:.4f} ({100 * (figure['perplexity'] / reference - 1):+.2f} %)"
            yield ("", f"{figure['method']} {figure['bits']} bits, group {figure['group_size']}",
                   f"{figure['perplexity']:.4f}", f"{100 * (figure['perplexity'] / result['float'] - 1):+.2f} %",
                   against, f"{figure['seconds']:.1f}")


def main():
    parser = argparse.ArgumentParser(description="Perplexity in float and quantized; see the head of the file.")
    parser.add_argument("models", type=pathlib.Path, nargs="?", help="a list of models (default: the bundled one)")
    parser.add_argument("--bits", type=int, nargs="+", default=[4, 3, 2])
    parser.add_argument("--methods", nargs="+", choices=sorted(PASSES), default=["rtn", "gptq"])
    parser.add_argument("--transforms", nargs="+", choices=sorted(TRANSFORMS), default=["none"],
                        help="what comes before the method (default none)")
    parser.add_argument("--group-size", type=int, default=64, help="for models that name none (default 64)")
    parser.add_argument("--onnxruntime", action="store_true", help="also measure the float model with ONNX Runtime")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="write all figures to a file")
    options = parser.parse_args()

    entries = load_models(options.models)
    results, problems = [], []
    try:
        for entry in entries:
            with tempfile.TemporaryDirectory() as folder:
                results.append(measure(entry, options, pathlib.Path(folder)))
            problems += expectations(entry, results[-1])
    except tools.ToolError as error:
        report.fail(error)
    print(report.table(["model", "method", "perplexity", "increase", "reference", "seconds"], rows(results)))
    if options.json:
        report.write_json(options.json, {"machine": report.machine(), "models": results})
    if problems:
        report.fail("; ".join(problems))


if __name__ == "__main__":
    main()
