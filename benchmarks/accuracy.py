#!/usr/bin/env python3
"""What each format and recipe costs in accuracy, on whole language models: makes docs/accuracy.md.

    benchmarks/accuracy.py                                                # the bundled model, on standard output
    benchmarks/accuracy.py models.json --json accuracy.json --output docs/accuracy.md
    benchmarks/accuracy.py models.json --rows 'nf4|q4-k' --windows 20     # some rows, on the first windows

`models.json` is the list that benchmarks/perplexity.py describes; "reference" may hold the perplexity
that another implementation reaches, by the flags of a row. "rows" may hold a regular expression
that picks the model's rows. Each row goes through the tools as a user would: quant-opt with its flags, then
quant-run beside the float model. Where only weights are quantized, they are decoded to f32 before they run, which
changes no value: formats are compared here, not the speed of their kernels. Where activations are quantized, too,
the kernels run, window by window. Rows that the JSON file holds already are not measured again.
"""

import argparse
import json
import pathlib
import re
import subprocess
import tempfile

import numpy as np

import peak_memory
import perplexity
import report
from lowbit import tools

# From -127 to 127, as the published methods have it; one scale for a channel, and for a matrix.
ROUNDED_8 = "--quantize-rtn=format=#lowbit.uniform<s8,group=[1,*],scale=f32,zero=none,narrow>"
ROUNDED_8_WHOLE = "--quantize-rtn=format=#lowbit.uniform<s8,group=[*,*],scale=f32,zero=none,narrow>"
PROPAGATED = "mse act-order static-groups error-propagation=0.5 {calibration}"
BEST_GPTQ = f"--gptq=bits=4 group-size=64 {PROPAGATED}"
# Scales of activations for each token, for a window, and known before.
PER_TOKEN, PER_WINDOW, STATIC = (f"--quantize-activations={text}"
                                 for text in ("granularity=row", "granularity=tensor", "static {calibration}"))
# To add a row, add a line: the flags of quant-opt. {calibration} becomes the model's calibration data.
ROWS = (
    ("In float", (
        "--quantize-rtn=format=bf16",
        "--quantize-rtn=format=f16",
        "--quantize-rtn=format=fp8",
    )),
    ("Round to nearest", (
        "--quantize-rtn=bits=8 group-size=-1",
        "--quantize-rtn=bits=8 group-size=64",
        "--quantize-rtn=bits=6 group-size=64",
        "--quantize-rtn=bits=5 group-size=64",
        "--quantize-rtn=bits=4 group-size=-1",
        "--quantize-rtn=bits=4 group-size=-1 range=percentile percentile=99.9",
        "--quantize-rtn=bits=4 group-size=128",
        "--quantize-rtn=bits=4 group-size=64",
        "--quantize-rtn=bits=4 group-size=64 mse",
        "--quantize-rtn=bits=4 group-size=64 symmetric",
        "--quantize-rtn=bits=4 group-size=32",
        "--quantize-rtn=bits=3 group-size=64",
        "--quantize-rtn=bits=3 group-size=64 mse",
        "--quantize-rtn=bits=2 group-size=64",
        "--quantize-rtn=bits=2 group-size=64 mse",
    )),
    ("Scales and zero points that are powers of two or quantized, too", (
        "--quantize-rtn=format=mxint8",
        "--quantize-rtn=bits=4 group-size=32 scale-type=e8m0",
        "--quantize-rtn=format=#lowbit.uniform<u4,group=[1,16],scale=#lowbit.uniform<u3,group=[16,1],scale=f16,zero=f16>,"
        "zero=#lowbit.uniform<u3,group=[16,1],scale=f16,zero=f16>>",
    )),
    ("Tables of levels", (
        "--nf4",
        "--quantize-rtn=format=#lowbit.codebook<nf4,group=[1,64],scale=f16>",
        "--fp4",
        "--mxfp8",
        "--mxfp4",
        "--nvfp4",
    )),
    ("HQQ", (
        "--hqq=bits=8",
        "--hqq",
        "--hqq=bits=3",
        "--hqq=bits=2",
        "--quantize-hqq=bits=4 group-size=64",
    )),
    ("Sums of scaled signs", (
        "--bcq=bits=4",
        "--bcq",
        "--bcq=bits=2",
    )),
    ("Outliers apart", (
        "--olive=bits=8",
        "--olive",
        "--easyquant",
        "--easyquant=bits=3",
    )),
    ("Pruned by magnitude", (
        "--prune --quantize-rtn=format=f16",
        "--prune=pattern=2:4 --quantize-rtn=format=#lowbit.n_of_m<2:4,values=#lowbit.float<f16>>",
        "--prune=pattern=2:4 --quantize-rtn=format=#lowbit.n_of_m<2:4,values=#lowbit.uniform<s4,group=[1,32],"
        "scale=f16,zero=none>>",
    )),
    ("Transforms without data", (
        "--rotate --quantize-rtn=bits=4 group-size=64",
        "--data-free-smooth --quantize-rtn=bits=4 group-size=64",
        "--rotate --quantize-rtn=bits=3 group-size=64 mse",
        "--rotate --hqq=bits=3",
        "--rotate --nf4",
    )),
    ("Types of GGML, where they do not fit those that llama.cpp takes", tuple(
        f"--assign-formats=default={name} fallback=ggml --quantize-rtn"
        for name in ("q8_0", "q6_K", "q5_K", "q5_1", "q5_0", "q4_K", "q4_1", "q4_0", "iq4_nl", "iq4_xs", "q3_K", "q2_K")
    )),
    ("Types of GGML with the importance of input channels", tuple(
        f"--collect-importance={{calibration}} --assign-formats=default={name} fallback=ggml --quantize-rtn"
        for name in ("q5_K", "q4_K", "q4_0", "iq4_nl", "iq4_xs", "q3_K", "q2_K")
    )),
    ("Mixtures of llama.cpp, embeddings and the head included", (
        "--q8-0", "--q6-k", "--q5-k-m", "--q5-k-s", "--q5-1", "--q5-0", "--q4-k-m", "--q4-k-s", "--q4-1", "--q4-0",
        "--iq4-nl", "--iq4-xs", "--q3-k-l", "--q3-k-m", "--q3-k-s", "--q2-k",
        "--q4-k-m={calibration}", "--q3-k-m={calibration}", "--q2-k={calibration}",
    )),
    ("GPTQ", (
        "--gptq=bits=4 group-size=128 {calibration}",
        "--gptq=bits=4 group-size=64 {calibration}",
        "--gptq=bits=4 group-size=64 act-order static-groups {calibration}",
        "--gptq=bits=3 group-size=64 {calibration}",
        "--gptq=bits=3 group-size=64 act-order static-groups {calibration}",
        "--gptq=bits=2 group-size=64 {calibration}",
        "--gptq=bits=2 group-size=64 act-order static-groups {calibration}",
        "--gptq=format=nf4 {calibration}",
        "--gptq=format=mxfp4 {calibration}",
        "--gptq=format=#lowbit.n_of_m<2:4,values=#lowbit.uniform<s4,group=[1,32],scale=f16,zero=none>> {calibration}",
    )),
    ("GPTQ that makes up for the errors of the layers before, too", tuple(
        f"--gptq=bits={bits} group-size={group} {PROPAGATED}"
        for bits in (4, 3, 2) for group in (128, 64)
    )),
    ("AWQ", (
        *(f"--awq=bits={bits} group-size={group} samples=16 {{calibration}} "
          f"--quantize-rtn=bits={bits} group-size={group}"
          for bits, group in ((4, 128), (4, 64), (3, 128), (3, 64), (2, 64))),
        "--awq=bits=4 group-size=64 {calibration} --quantize-rtn=bits=4 group-size=64",
        f"--awq=clip=false bits=4 group-size=64 samples=16 {{calibration}} {BEST_GPTQ}",
    )),
    ("SpQR", (
        "--spqr=bits=4 inputs=block {calibration}",
        "--spqr=inputs=block {calibration}",
        "--spqr={calibration}",
    )),
    ("Pruned on inputs", (
        "--prune=method=wanda {calibration} --quantize-rtn=format=f16",
        "--prune=method=sparsegpt {calibration} --quantize-rtn=format=f16",
        "--prune=method=wanda pattern=2:4 {calibration} --quantize-rtn=format=#lowbit.n_of_m<2:4,values=#lowbit.float<f16>>",
        "--prune=method=sparsegpt pattern=2:4 {calibration} "
        "--quantize-rtn=format=#lowbit.n_of_m<2:4,values=#lowbit.float<f16>>",
        "--gptq=bits=4 group-size=64 sparsity=0.5 {calibration}",
    )),
    ("A format for each layer, by search", tuple(
        f"--assign-formats=search budget={budget} candidates=u2g64,u3g64,u4g64,u5g64 kl-samples=4 {{calibration}} "
        f"--gptq={PROPAGATED}"
        for budget in (3.3, 2.4)
    )),
    ("Combinations", (
        f"--rotate {BEST_GPTQ}",
        f"--smoothquant={{calibration}} {BEST_GPTQ}",
        "--assign-formats=mixture=Q4_K_M --gptq={calibration}",
        "--assign-formats=mixture=Q3_K_M --gptq={calibration}",
        "--assign-formats=mixture=Q2_K --gptq={calibration}",
        "--rotate --gptq=bits=3 group-size=64 {calibration}",
        "--rotate --gptq=bits=2 group-size=64 {calibration}",
    )),
)
ACTIVATION_ROWS = (
    ("Weights and activations in 8 bits", (
        *(f"{weights} {activations}" for weights in (ROUNDED_8, ROUNDED_8_WHOLE)
          for activations in (PER_TOKEN, PER_WINDOW, STATIC)),
        *(f"{ROUNDED_8} --quantize-activations=static range={name} {{calibration}}"
          for name in ("average", "percentile", "entropy", "mse", "sigma")),
    )),
    ("SmoothQuant: O1, O2 and O3 have one scale for a matrix", tuple(
        f"--smoothquant=alpha={alpha} {{calibration}} {weights} {activations}"
        for alpha, weights in (("0.5", ROUNDED_8), ("0.5", ROUNDED_8_WHOLE), ("0.85", ROUNDED_8),
                               ("0.85", ROUNDED_8_WHOLE), ("search", ROUNDED_8))
        for activations in (PER_TOKEN, PER_WINDOW, STATIC)
    )),
    ("Outliers of activations spread or apart", (
        *(f"--rotate {ROUNDED_8} {activations}" for activations in (PER_TOKEN, STATIC)),
        "--llm-int8",
        "--llm-int8={calibration}",
        "--olive=bits=8 activations",
        "--olive=bits=8 {calibration}",
        "--zeroquant",
        "--zeroquant=ffn-bits=4",
    )),
    ("Weights in 4 bits, activations in 8", (
        *(f"--quantize-rtn=bits=4 group-size={group} {PER_TOKEN}" for group in (128, 64)),
        f"--quantize-rtn=bits=4 group-size=-1 symmetric {PER_TOKEN}",
        f"--gptq=bits=4 group-size=128 act-order static-groups {{calibration}} {PER_TOKEN}",
        f"{BEST_GPTQ} --quantize-activations",
        f"--smoothquant={{calibration}} {BEST_GPTQ} {PER_TOKEN}",
    )),
    ("Weights and activations in 4 bits", (
        f"{BEST_GPTQ} --quantize-activations=bits=4 granularity=row",
        f"--rotate {BEST_GPTQ} --quantize-activations=bits=4 granularity=row",
        "--rotate --quantize-rtn=bits=4 group-size=32 symmetric --quantize-activations=bits=4",
        "--olive=activations",
        "--olive={calibration}",
    )),
)
ALL_ROWS = ROWS + ACTIVATION_ROWS
RUN_BY_KERNELS = frozenset(row for _, rows in ACTIVATION_ROWS for row in rows)
FLOAT = "float"
HEADER = """# Accuracy

What each format and recipe costs, on whole language models. Made by

    benchmarks/accuracy.py models.json --json accuracy.json --output docs/accuracy.md

A row is the flags of `quant-opt`. Its figures are

* **bits**: bits per weight as stored, scales and all else included, over the layers that are quantized;
* **MB**: megabytes on disk of the whole model, with the weights that stay float;
* **perplexity**, and its increase over the float model's, on text that took no part in calibration;
* **KL**: the divergence of the distribution of the next token from the float model's, in nats: its mean,
  and what 99 % of the tokens stay below;
* **top-1**: how often both models find the same token likeliest;
* **s**, **MiB**: what quantizing takes: seconds, and the peak of memory that is not mapped from files.
"""
COLUMNS = ["flags", "bits", "MB", "perplexity", "increase", "KL mean", "KL 99 %", "top-1", "s", "MiB"]


def split_flags(row, entry):
    """The arguments of quant-opt that a row stands for."""
    data = f"calibration={entry['calibration']}" if "calibration" in entry else ""
    return [flag.rstrip(" =") for flag in re.split(r" (?=--)", row.format(calibration=data))]


def add_option(flag, option):
    return f"{flag}{' ' if '=' in flag else '='}{option}"


def quantize(source, target, flags, folder):
    """Runs quant-opt; returns bits per weight, seconds and MiB."""
    table, errors = folder / "layers.json", folder / "stderr"
    # The last one that codes weights tells of all.
    last = max(i for i, flag in enumerate(flags) if not flag.startswith("--quantize-activations"))
    flags[last] = add_option(flags[last], f"report={table}")
    with open(errors, "w", encoding="utf-8") as stream:
        done = peak_memory.measure([tools.find_tool("quant-opt"), str(source), *flags, "--emit-bytecode", "-o", str(target)],
                                   stderr=stream, stdout=subprocess.DEVNULL)
    if done["status"] != 0:
        raise tools.ToolError(tools.error_line(errors.read_text(encoding="utf-8")))
    layers = json.loads(table.read_text(encoding="utf-8"))
    weights = sum(layer["rows"] * layer["cols"] for layer in layers)
    bits = sum(layer["bits_per_weight"] * layer["rows"] * layer["cols"] for layer in layers)
    return {"bits": bits / weights, "seconds": done["seconds"], "mib": done["peak_anonymous_mib"]}


def measure_row(entry, row, module, tokens, folder):
    """The figures of one row, or why there are none."""
    target = folder / "quantized.mlirbc"
    try:
        if row == FLOAT:
            tools.optimize(module, target, "--emit-bytecode")
            return {"bytes": tools.stored_bytes(target), "perplexity": tools.perplexity(module, tokens)}
        figures = quantize(module, target, split_flags(row, entry), folder)
        if row in RUN_BY_KERNELS:
            # Window by window: scales and outliers may be those of all that a run reads.
            measured = tools.divergence(module, target, tokens, "--batch=1")
        else:
            decoded = tools.optimize(target, folder / "decoded.mlirbc", "--convert-formats=to=f32", "--emit-bytecode")
            measured = tools.divergence(module, decoded, tokens)
    except tools.ToolError as error:
        return {"error": str(error)}
    return {**figures, "bytes": tools.stored_bytes(target), "perplexity": measured["other_perplexity"],
            "kl_mean": measured["kl_mean"], "kl_p99": measured["kl_p99"], "top1": measured["top1_agreement"]}


def pick_sections(entry, options):
    """The sections with the rows that the model and the command line ask for."""
    try:
        wanted = re.compile(entry.get("rows", ""))
    except (re.error, TypeError) as error:
        report.fail(f'"rows" of the model \'{entry["name"]}\' must be a regular expression: {error}')
    sections = [(title, tuple(row for row in rows if options.rows.search(row) and wanted.search(row)))
                for title, rows in ALL_ROWS]
    return [(title, rows) for title, rows in sections if rows]


def measure(entry, sections, options, known, save):
    """Fills in what is not known of a model, row by row."""
    results = known.setdefault(entry["name"], {})
    with tempfile.TemporaryDirectory() as text:
        folder = pathlib.Path(text)
        module = tools.import_onnx(entry["model"], folder / "float.mlir")
        tokens = entry["tokens"]
        if options.windows:
            tokens = folder / "tokens.npy"
            np.save(tokens, np.load(entry["tokens"])[:options.windows])
        for row in (FLOAT, *(row for _, rows in sections for row in rows)):
            # What failed may be mended.
            if "error" in results.get(row, {"error": ""}):
                results[row] = measure_row(entry, row, module, tokens, folder)
                save()
    return results


def format_row(row, figures, base, references):
    """The cells of a table."""
    name = row if row == FLOAT else f"`{row.replace('{calibration}', 'calibration=…')}`"
    cells = [name, f"{figures['bits']:.3f}" if "bits" in figures else "", f"{figures['bytes'] / 1e6:.2f}",
             f"{figures['perplexity']:.4f}"]
    if row == FLOAT:
        cells += [""] * 6
    else:
        cells += [f"{100 * (figures['perplexity'] / base['perplexity'] - 1):+.2f} %", f"{figures['kl_mean']:.5f}",
                  f"{figures['kl_p99']:.4f}", f"{100 * figures['top1']:.2f} %", f"{figures['seconds']:.1f}",
                  f"{figures['mib']:.0f}"]
    if references:
        reference = references.get(row)
        cells.append("" if reference is None else
                     f"{reference:.4f} ({100 * (figures['perplexity'] / reference - 1):+.2f} %)")
    return cells


def format_model(entry, sections, results):
    """The part of the page about one model."""
    lines = [f"## {entry['name']}", ""]
    base = results[FLOAT]
    if "error" in base:
        return "\n".join([*lines, f"The float model does not run: {base['error']}", ""])
    # Those of benchmarks/perplexity.py have other names.
    references = {row: value for row, value in entry.get("reference", {}).items() if row in results}
    for title, rows in (("", (FLOAT,)), *sections):
        done = [row for row in rows if "error" not in results[row]]
        if title:
            lines += [f"### {title}", ""]
        if done:
            cells = [format_row(row, results[row], base, references) for row in done]
            lines += [report.table(COLUMNS + (["reference"] if references else []), cells), ""]
        lines += [f"`{row}` is refused: {results[row]['error']}\n" for row in rows if "error" in results[row]]
    return "\n".join(lines)


def load_known(path, windows):
    """The figures that a file holds, which must be of the same windows."""
    if path is None or not path.exists():
        return {}
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        known, measured = data["models"], data["windows"]
    except (ValueError, KeyError, TypeError):
        report.fail(f"{path} is not a file of this script")
    if measured != windows:
        report.fail(f"{path} was measured with --windows {measured}, not {windows}")
    return known


def main():
    parser = argparse.ArgumentParser(description="Accuracy of all formats and recipes; see the head of the file.")
    parser.add_argument("models", type=pathlib.Path, nargs="?", help="a list of models (default: the bundled one)")
    parser.add_argument("--rows", type=re.compile, default=re.compile(""), metavar="REGEX", help="only rows that match")
    parser.add_argument("--windows", type=int, default=0, help="evaluate on so many windows only (default: all)")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="keep all figures in a file, and go on from it")
    parser.add_argument("--output", type=pathlib.Path, metavar="FILE", help="the page (default: standard output)")
    options = parser.parse_args()

    if not any(options.rows.search(row) for _, rows in ALL_ROWS for row in rows):
        report.fail(f"no row matches '{options.rows.pattern}'")
    known = load_known(options.json, options.windows)

    def save():
        if options.json:
            report.write_json(options.json, {"machine": report.machine(), "windows": options.windows, "models": known})

    parts = [HEADER]
    try:
        for entry in perplexity.load_models(options.models):
            sections = pick_sections(entry, options)
            parts.append(format_model(entry, sections, measure(entry, sections, options, known, save)))
    except tools.ToolError as error:
        report.fail(error)
    machine = report.machine()
    parts[0] += f"\nSeconds are of {machine['cpus']} processors, {machine['processor']}.\n"
    if options.windows:
        parts[0] += f"Only the first {options.windows} windows of each text were read.\n"
    page = "\n".join(parts).rstrip() + "\n"
    if options.output:
        options.output.write_text(page, encoding="utf-8")
    else:
        print(page, end="")


if __name__ == "__main__":
    main()
