"""Every pass and recipe that needs data, on data that a model cannot be calibrated on, or only just.

usage: bad_data.py <folder>

Each meets values that are no numbers, tokens outside the vocabulary, and files that are empty, cut off, or of the wrong
type or shape, which it must refuse in one line that says what is wrong, leaving no file; and channels that are always
zero, inputs that are all zero, a single token, and Hessians of less than full rank, undamped too, with which it must
succeed and leave only finite numbers. Prints how many did as they should.
"""

import concurrent.futures
import pathlib
import re
import subprocess
import sys

import numpy as np

WIDTH, VOCABULARY = 8, 6
# Passes with the options that they take besides the data.
FLAGS = [
    ("gptq", "head group-size=4"), ("gptq", "head group-size=4 damping=0 act-order"), ("gptq", "head pattern=2:4"),
    ("gptq", "head group-size=4 error-propagation=0.5"), ("quantize-spqr", "head bits=3 group-size=4"),
    ("prune", "method=wanda head"), ("prune", "method=sparsegpt head damping=0"), ("collect-importance", ""),
    ("awq", "head bits=3 group-size=4 points=3"), ("smoothquant", "head"), ("smoothquant", "head alpha=search"),
    ("split-static-outliers", "head threshold=2.5"), ("llm-int8", "head"), ("q8-0", ""),
    ("assign-formats", "search head budget=10 candidates=u4g4,u8g4 sensitivity=kl"),
    ("quantize-activations", "static"), ("quantize-activations", "range=entropy"),
    ("quantize-activations", "range=percentile"), ("quantize-activations", "range=mse"), ("olive", "head activations"),
]


def dense(values):
    shape = "x".join(map(str, values.shape))
    return f"onnx.Constant dense<{values.tolist()}> : tensor<{shape}xf32>"


def model(random, on_tokens):
    """A norm and two layers, on tokens or on floats; the input of the second layer is half zero."""
    kind = f"tensor<?x?x{WIDTH}xf32>"
    matrix = f"tensor<{WIDTH}x{WIDTH}xf32>"
    weights = [random.normal(size=(WIDTH, WIDTH)).round(3) for _ in range(2)]
    head = f'%x: {kind} {{onnx.name = "x"}}'
    start = "%input = onnx.Relu(%x) : ({0}) -> {0}".format(kind)
    if on_tokens:
        head = '%x: tensor<?x?xi64> {onnx.name = "input_ids"}'
        start = (f"%table = {dense(random.normal(size=(VOCABULARY, WIDTH)).round(3))}\n"
                 f"  %input = onnx.Gather(%table, %x) {{axis = 0 : i64}} : (tensor<{VOCABULARY}x{WIDTH}xf32>, "
                 f"tensor<?x?xi64>) -> {kind}")
    return f"""func.func @model({head}) -> ({kind} {{onnx.name = "logits"}}) {{
  {start}
  %scale = onnx.Constant dense<1.0> : tensor<{WIDTH}xf32>
  %w1 = {dense(weights[0])}
  %w2 = {dense(weights[1])}
  %n = onnx.RMSNormalization(%input, %scale) : ({kind}, tensor<{WIDTH}xf32>) -> {kind}
  %1 = onnx.MatMul(%n, %w1) : ({kind}, {matrix}) -> {kind} loc("first")
  %2 = onnx.Relu(%1) : ({kind}) -> {kind}
  %3 = onnx.MatMul(%2, %w2) : ({kind}, {matrix}) -> {kind} loc("second")
  return %3 : {kind}
}}
"""


def write_data(folder):
    """(file, whether it is for floats, what the error must match; nothing where there must be none)."""
    random = np.random.default_rng(1)
    good = np.abs(random.normal(size=(2, 5, WIDTH))).astype(np.float32)

    def changed(place, value):
        array = good.copy()
        array[place] = value
        return array

    channel = (slice(None), slice(None), 3)
    not_finite = "not finite|NaN or infinite"
    floats = {
        "nan": (changed((1, 2, 3), np.nan), not_finite), "infinity": (changed((1, 2, 3), np.inf), not_finite),
        "zeros": (0 * good, None), "dead": (changed(channel, 0), None), "one-row": (good[:1, :1], None),
        "none": (good[:0], r"float32\[0, 5, 8\], which are no samples for the input 'x'"),
        "no-rows": (good[:, :0], r"float32\[2, 0, 8\], which are no samples for the input 'x'"),
        "double": (good.astype(np.float64), "float64.*, but the input 'x' takes float32"),
        "rank": (good[0], r"float32\[5, 8\], which are no samples for the input 'x'"),
        "width": (good[:, :, :4], r"float32\[2, 5, 4\], which are no samples for the input 'x'")}
    tokens = np.array([[0, 5, 2, 3, 1], [4, 2, 2, 1, 0]], np.int32)
    no_samples = "which are no samples for the input 'input_ids' of type"
    integers = {
        "tokens": (tokens, None), "same": (0 * tokens, None), "one": (tokens[:1, :1], None),
        "outside": (tokens + 1, "token 6 in sample 0 is outside the vocabulary of 6"),
        "negative": (tokens - 1, "token -1 in sample 0 is outside the vocabulary of 6"),
        "large": (tokens + 2**40, "token 1099511627776 in sample 0 is outside the vocabulary of 6"),
        "half": (tokens.astype(np.int16), r"int16\[2, 5\], but tokens must be int32 or int64"),
        "float": (tokens.astype(np.float32), r"float32\[2, 5\], but tokens must be int32 or int64"),
        "flat": (tokens[0], no_samples), "deep": (tokens[None], no_samples), "scalar": (tokens[0, 0], no_samples),
        "empty": (tokens[:0], no_samples), "no-tokens": (tokens[:, :0], no_samples)}
    for is_float, arrays in ((True, floats), (False, integers)):
        for name, (array, message) in arrays.items():
            np.save(folder / f"{name}.npy", array)
            yield name, is_float, message
    whole = (folder / "tokens.npy").read_bytes()
    for name, size, message in (("cut", -1, "is truncated"), ("header", 40, "is truncated"), ("void", 0, "no")):
        (folder / f"{name}.npy").write_bytes(whole[:size])
        yield name, False, message


def run(case):
    """What is wrong with it, or nothing."""
    index, (folder, data, is_float, message, (flag, options)) = case
    name = f"--{flag}={options} on {data}"
    output = folder / f"output-{index}.mlir"
    flags = [f"--{flag}={options} calibration={folder / data}.npy"]
    if flag == "quantize-activations":
        flags.insert(0, "--quantize-rtn=head format=s8")
    done = subprocess.run(["quant-opt", folder / f"{'floats' if is_float else 'language'}.mlir", *flags, "-o", output],
                          capture_output=True, text=True, check=False)
    errors = [line for line in done.stderr.splitlines() if "error:" in line]
    if message is None:
        if done.returncode != 0 or not output.exists():
            return f"{name}: exits with {done.returncode}: {done.stderr[-300:]}"
        # Infinities and NaN are written in hexadecimal.
        if re.search("0x(7F[8-F]|FF[8-F])", output.read_text()):
            return f"{name}: writes values that are not finite"
        return None
    if done.returncode != 1 or len(errors) != 1:
        return f"{name}: exits with {done.returncode}: {done.stderr[-300:]}"
    if output.exists():
        return f"{name}: leaves an output"
    if not re.search(message, errors[0]):
        return f"{name}: does not say {message}: {errors[0]}"
    return None


def main():
    folder = pathlib.Path(sys.argv[1])
    random = np.random.default_rng(2)
    (folder / "floats.mlir").write_text(model(random, on_tokens=False))
    (folder / "language.mlir").write_text(model(random, on_tokens=True))
    cases = [(folder, *data, flag) for data in write_data(folder) for flag in FLAGS]
    with concurrent.futures.ThreadPoolExecutor() as pool:
        problems = [problem for problem in pool.map(run, enumerate(cases)) if problem]
    print("\n".join(problems))
    print(f"{len(cases) - len(problems)} of {len(cases)} as they should")


main()
