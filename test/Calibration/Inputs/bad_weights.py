"""Every pass and recipe that needs no data, on weights that cannot be stored, or only just.

usage: bad_weights.py <folder>

Each meets NaN and infinity, which it must refuse in one line that names the layer, leaving no file; and weights that
are all zero, groups larger than rows, and rows that are no multiple of a block, with which it must either succeed or
say what does not fit. Prints how many did as they should.
"""

import concurrent.futures
import pathlib
import re
import subprocess
import sys

FORMATS = [
    "f16", "bf16", "f32", "u1", "u2g16", "u3", "u4g64", "u5", "u6", "u7", "u8g128", "s2", "s3g8", "s4", "s5", "s6",
    "s7", "s8g256", "nf4", "fp4", "fp8", "mxfp4", "mxfp8", "nvfp4", "q4_0", "q4_1", "q5_0", "q5_1", "q8_0", "q2_K",
    "q3_K", "q4_K", "q5_K", "q6_K", "iq4_nl", "iq4_xs",
    "#lowbit.uniform<u4, group = [2, 16], scale = bf16, zero = f32>",
    "#lowbit.codebook<[-1.0, -0.25, 0.25, 1.0], group = [1, 32], scale = f16>",
    "#lowbit.bcq<bits = 2, group = [1, 64], scale = f16, offset>",
    "#lowbit.ovp<int8, group = [1, *], scale = f32>",
    "#lowbit.n_of_m<2:4, values = #lowbit.float<f16>>",
    "#lowbit.sparse_outliers<dense = #lowbit.uniform<s4, group = [1, *], scale = f16, zero = none>, fraction = 0.1, "
    "value = f16>",
]
MIXTURES = ["q2-k", "q3-k-s", "q3-k-m", "q3-k-l", "q4-0", "q4-1", "q4-k-s", "q4-k-m", "q5-0", "q5-1", "q5-k-s",
            "q5-k-m", "q6-k", "q8-0", "iq4-nl", "iq4-xs"]
SOLVERS = [
    ("quantize-rtn", "mse"), ("quantize-hqq", ""), ("quantize-hqq", "bits=2 zero-type=f16"), ("quantize-bcq", ""),
    ("quantize-bcq", "bits=4 group-size=-1 offset"), ("quantize-easyquant", ""),
    ("quantize-easyquant", "symmetric group-size=8 fraction=0.5"), ("hqq", ""), ("bcq", ""), ("olive", ""),
    ("olive", "bits=8"), ("easyquant", ""), ("nf4", ""), ("fp4", ""), ("mxfp4", ""), ("mxfp8", ""), ("nvfp4", ""),
    ("prune", ""), ("prune", "scope=global"), ("prune", "pattern=2:4"),
]
# Passes on layers, each with `head` where it takes that.
LAYER_FLAGS = [f"--quantize-rtn=head format={name if name[0] != '#' else chr(34) + name + chr(34)}" for name in FORMATS]
LAYER_FLAGS += [f"--{name}=head {options}".rstrip() for name, options in SOLVERS]
LAYER_FLAGS += [f"--{name}" for name in MIXTURES]
GRAPH_FLAGS = ["--rotate", "--rotate=online=all", "--data-free-smooth", "--data-free-smooth=equalize=false"]

NAN, INFINITY, ZERO = "0x7FC00000", "0xFF800000", "0.0"


def dense(rows, columns, odd):
    """A weight of ones, with an element of its own in row 2, column 3."""
    values = [["1.0"] * columns for _ in range(rows)]
    values[2][3] = odd
    return f"onnx.Constant dense<[{', '.join(f'[{chr(44).join(row)}]' for row in values)}]> : tensor<{rows}x{columns}xf32>"


def layer_model(shapes, odd=None):
    """Layers of these rows and columns; their weights are zero, or ones with an odd element."""
    arguments = ", ".join(f"%x{i}: tensor<?x{columns}xf32>" for i, (_, columns) in enumerate(shapes))
    results = ", ".join(f"tensor<?x{rows}xf32>" for rows, _ in shapes)
    text = f"func.func @model({arguments}) -> ({results}) {{\n"
    for i, (rows, columns) in enumerate(shapes):
        kind = f"tensor<{columns}x{rows}xf32>"
        text += f"%w{i} = {dense(columns, rows, odd) if odd else f'onnx.Constant dense<0.0> : {kind}'}\n"
        text += (f"%{i} = onnx.MatMul(%x{i}, %w{i}) : (tensor<?x{columns}xf32>, {kind}) -> tensor<?x{rows}xf32> "
                 f'loc("bad{i}")\n')
    return text + f"return {', '.join(f'%{i}' for i in range(len(shapes)))} : {results}\n}}\n"


def stream_model(odd):
    """A residual stream with a norm and a layer that writes to it."""
    return f"""
func.func @model(%t: tensor<?xi64>) -> tensor<?x4xf32> {{
  %table = onnx.Constant dense<1.0> : tensor<5x4xf32>
  %scale = onnx.Constant dense<1.0> : tensor<4xf32>
  %w = {dense(4, 4, odd)}
  %h = onnx.Constant dense<0.5> : tensor<4x4xf32>
  %x = onnx.Gather(%table, %t) : (tensor<5x4xf32>, tensor<?xi64>) -> tensor<?x4xf32>
  %n = onnx.RMSNormalization(%x, %scale) : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %m = onnx.MatMul(%n, %w) : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32> loc("bad0")
  %a = onnx.Add(%x, %m) : (tensor<?x4xf32>, tensor<?x4xf32>) -> tensor<?x4xf32>
  %o = onnx.RMSNormalization(%a, %scale) : (tensor<?x4xf32>, tensor<4xf32>) -> tensor<?x4xf32>
  %y = onnx.MatMul(%o, %h) : (tensor<?x4xf32>, tensor<4x4xf32>) -> tensor<?x4xf32> loc("head")
  return %y : tensor<?x4xf32>
}}
"""


def make_cases(folder):
    """(name, flag, model, what the error must match; empty where there may be none)."""
    models = {
        "nan": layer_model([(8, 256)], NAN), "infinity": layer_model([(8, 256)], INFINITY),
        "zero": layer_model([(8, 256)]), "shapes": layer_model([(3, 5), (1, 1), (1, 300)]),
    }
    streams = {"nan": stream_model(NAN), "infinity": stream_model(INFINITY), "zero": stream_model(ZERO)}
    words = {"nan": "NaN", "infinity": "infinite"}
    for kind, flags, texts in [("layer", LAYER_FLAGS, models), ("stream", GRAPH_FLAGS, streams)]:
        for model, text in texts.items():
            path = folder / f"{kind}-{model}.mlir"
            path.write_text(text)
            for flag in flags:
                yield f"{flag} on {kind}-{model}", flag, path, words.get(model, "")


def run(case):
    """What is wrong with it, or nothing."""
    index, (name, flag, model, word) = case
    output = model.parent / f"output-{index}.mlir"
    done = subprocess.run(["quant-opt", model, flag, "-o", output], capture_output=True, text=True, check=False)
    errors = [line for line in done.stderr.splitlines() if "error:" in line]
    if done.returncode == 0 and not word:
        return None if output.exists() else f"{name}: there is no output"
    if done.returncode == 0:
        return f"{name}: succeeds"
    if done.returncode != 1 or len(errors) != 1:
        return f"{name}: exits with {done.returncode}: {done.stderr[-300:]}"
    if output.exists():
        return f"{name}: leaves an output"
    if not re.search("'bad[0-2]'", errors[0]):
        return f"{name}: does not name the layer: {errors[0]}"
    if word and word not in errors[0]:
        return f"{name}: does not say {word}: {errors[0]}"
    # Only blocks of GGML must fill rows.
    if not word and not re.search(r"blocks of \d+ columns, which do not divide the \d+", errors[0]):
        return f"{name}: {errors[0]}"
    return None


def main():
    cases = list(make_cases(pathlib.Path(sys.argv[1])))
    with concurrent.futures.ThreadPoolExecutor() as pool:
        problems = [problem for problem in pool.map(run, enumerate(cases)) if problem]
    print("\n".join(problems))
    print(f"{len(cases) - len(problems)} of {len(cases)} as they should")


main()
