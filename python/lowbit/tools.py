"""Run Lowbit's tools as child processes.

The tools are looked for in the folder given by the environment variable
LOWBIT_TOOLS (the `bin` folder of a build or an installation), else on PATH.
Every failure is a ToolError whose text is one line a user can act on.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess

TOOLS = ("quant-translate", "quant-opt", "quant-compile", "quant-run")


class ToolError(RuntimeError):
    """A tool is missing, failed, or printed something else than it promised."""


def find_tool(name):
    """The path of a tool; ToolError when there is none."""
    folder = os.environ.get("LOWBIT_TOOLS")
    path = shutil.which(name, path=folder) if folder else shutil.which(name)
    if path is None:
        where = f"in {folder} (from LOWBIT_TOOLS)" if folder else "on PATH (or set LOWBIT_TOOLS to its folder)"
        raise ToolError(f"{name} was not found {where}")
    return path


def run_tool(name, *arguments, timeout=None):
    """Runs a tool and returns its standard output.

    Raises ToolError, with the tool's first error line, when it is missing, exits with another
    status than 0 or takes longer than `timeout` seconds.
    """
    command = [find_tool(name), *map(str, arguments)]
    try:
        # Messages may quote bytes of files that are no text.
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=timeout)
    except subprocess.TimeoutExpired:
        raise ToolError(f"{name} did not end within {timeout} s") from None
    if done.returncode != 0:
        how = f"was ended by signal {-done.returncode}" if done.returncode < 0 else f"failed ({done.returncode})"
        raise ToolError(f"{name} {how}: {error_line(done.stderr)}")
    return done.stdout


def error_line(text):
    """The first line that says 'error' or, as LLVM's parser of command lines does, 'unknown', else the last one."""
    lines = [line for line in text.splitlines() if line.strip()]
    return next((line for line in lines if re.search("error|unknown command line", line, re.IGNORECASE)),
                lines[-1] if lines else "it printed nothing")


def import_onnx(model, output):
    """quant-translate --import-onnx: an `.onnx` file to an `.mlir` file, whose path is returned."""
    run_tool("quant-translate", "--import-onnx", model, "-o", output)
    return pathlib.Path(output)


def optimize(model, output, *flags):
    """quant-opt with pass flags such as `--gptq=bits=4`; returns the path of the output."""
    run_tool("quant-opt", model, *flags, "-o", output)
    return pathlib.Path(output)


def compile_library(model, output, target="native", strategy="auto"):
    """quant-compile to a shared library (a C header goes beside it); returns its path."""
    run_tool("quant-compile", model, f"--target={target}", f"--strategy={strategy}", "-o", output)
    return pathlib.Path(output)


def perplexity(model, tokens, *flags):
    """The perplexity that quant-run measures on a token file (int32 [windows, length])."""
    output = run_tool("quant-run", model, f"--perplexity={tokens}", *flags)
    match = re.search(r"^perplexity: (\S+)$", output, re.MULTILINE)
    if match is None:
        raise ToolError("quant-run printed no line 'perplexity: ...'")
    return float(match.group(1))


def divergence(reference, other, tokens, *flags):
    """How far a model's predictions on a token file are from those of a reference: the parsed JSON of quant-run."""
    output = run_tool("quant-run", reference, f"--perplexity={tokens}", f"--compare={other}", "--json", *flags)
    return _parse_json(output)


def compare(reference, other, inputs, *flags):
    """How far a model's layers, their weights and its outputs are from those of a reference on an .npz file of inputs
    or an .npy file of samples or token windows: the parsed JSON of quant-run, a list with one entry for each."""
    return _parse_json(run_tool("quant-run", reference, f"--compare={other}", f"--inputs={inputs}", "--json", *flags))


_EXTERNAL = re.compile(r'#lowbit\.external<"((?:[^"\\]|\\.)*)", '
                       r'(?:offset = (\d+), length = (\d+)|"((?:[^"\\]|\\.)*)")>')


def _unescape(text):
    """A string as it is, from how MLIR prints it: two hexadecimal digits behind a backslash for some bytes."""
    return re.sub(rb"\\([0-9A-Fa-f]{2}|.)", lambda m: bytes.fromhex(m[1].decode()) if len(m[1]) == 2 else m[1],
                  text.encode()).decode()


def _tensor_lengths(path):
    """{name: bytes} of the tensors in a .safetensors file."""
    try:
        with open(path, "rb") as stream:
            header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
        return {name: entry["data_offsets"][1] - entry["data_offsets"][0]
                for name, entry in header.items() if name != "__metadata__"}
    except (OSError, ValueError, KeyError, TypeError, MemoryError, OverflowError) as error:
        raise ToolError(f"{path} is no .safetensors file: {error}") from None


def external_slices(module):
    """{(path, offset or name): bytes} of the parts of files, or the tensors in .safetensors files, that a module
    refers to."""
    slices, files = {}, {}
    for file, offset, length, name in _EXTERNAL.findall(run_tool("quant-opt", module)):
        # What is printed names files from the current folder.
        path = pathlib.Path(_unescape(file)).absolute()
        if offset:
            slices[path, int(offset)] = int(length)
            continue
        if path not in files:
            files[path] = _tensor_lengths(path)
        name = _unescape(name)
        if name not in files[path]:
            raise ToolError(f"{path} has no tensor '{name}', which {module} refers to")
        slices[path, name] = files[path][name]
    return slices


def stored_bytes(module):
    """The bytes of a module with those of what it refers to in other files, each once."""
    return pathlib.Path(module).stat().st_size + sum(external_slices(module).values())


def bench(model, tokens, *flags):
    """Times of a model at several numbers of tokens: the parsed JSON of quant-run --bench."""
    counts = ",".join(map(str, tokens))
    return _parse_json(run_tool("quant-run", model, "--bench", f"--tokens={counts}", "--json", *flags))


def _parse_json(output):
    try:
        return json.loads(output)
    except json.JSONDecodeError as error:
        raise ToolError(f"quant-run --json printed no JSON: {error}") from None


def pass_flag(name, **options):
    """`--name`, or `--name=key=value key="a value"`: underscores become hyphens, True a bare key, False nothing."""
    parts = []
    for key, value in options.items():
        key = key.replace("_", "-")
        if value is True:
            parts.append(key)
        elif value is not False:
            parts.append(f'{key}="{value}"' if " " in str(value) else f"{key}={value}")
    return f"--{name}={' '.join(parts)}" if parts else f"--{name}"
