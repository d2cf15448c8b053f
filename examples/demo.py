#!/usr/bin/env python3
"""Take the bundled model from ONNX to few bits and native code; `make demo` calls it.

Prints each command as a user would type it, then runs it in the folder
`--output`, and ends with a table. A step whose results are newer than its
inputs and its tool is not run again, so a second call takes seconds.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve()
MODEL_FOLDER = HERE.parent / "tiny-llama"
GROUP_SIZE = 64
BENCH_TOKENS = 64


class StepError(RuntimeError):
    """A step that did not work: one line for the user."""


class Steps:
    """Runs tools in one folder, only where their results are out of date."""

    def __init__(self, tools, folder):
        self.tools, self.folder = tools, folder
        (folder / ".commands").mkdir(parents=True, exist_ok=True)
        self.environment = dict(os.environ)
        if tools is not None:
            self.environment["PATH"] = f"{tools}{os.pathsep}{os.environ.get('PATH', '')}"

    def run(self, inputs, outputs, tool, *arguments, printed=None):
        """Runs `tool`; what it prints goes to the terminal and into the file `printed`, if that is given."""
        outputs = [*outputs, *([printed] if printed else [])]
        path = shutil.which(tool, path=self.environment["PATH"])
        if path is None:
            raise StepError(f"{tool} was not found; build Lowbit, or name the folder of the tools with --tools")
        command = shlex.join([tool, *arguments])
        print(f"$ {command}", flush=True)
        stamp = self.folder / ".commands" / outputs[0]
        if self._current(stamp, command, outputs, [path, HERE, *inputs]):
            if printed:
                sys.stdout.write((self.folder / printed).read_text())
            return
        stamp.unlink(missing_ok=True)
        start = time.monotonic()
        done = subprocess.run([path, *arguments], cwd=self.folder, env=self.environment, text=True,
                              stdout=subprocess.PIPE if printed else None, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            raise StepError(f"{tool} ended with status {done.returncode}")
        if printed:
            sys.stdout.write(done.stdout)
            temporary = self.folder / (printed + ".tmp")
            temporary.write_text(done.stdout)
            temporary.replace(self.folder / printed)
        stamp.write_text(command)
        print(f"# {time.monotonic() - start:.1f} s", flush=True)

    def _current(self, stamp, command, outputs, inputs):
        """Whether this very command made `outputs`, and none of `inputs` has changed since."""
        paths = [self.folder / name for name in outputs]
        if not all(path.exists() for path in [stamp, *paths]) or stamp.read_text() != command:
            return False
        oldest = min(path.stat().st_mtime_ns for path in paths)
        return all((self.folder / name).stat().st_mtime_ns < oldest for name in inputs)


@dataclasses.dataclass
class Variant:
    """A line of the table."""

    label: str
    bits: float
    perplexity: float
    tokens_per_second: float


class Demo:
    def __init__(self, steps, bits, tokens, calibration):
        self.steps, self.bits, self.tokens, self.calibration = steps, bits, tokens, calibration
        self.variants = []

    def measure(self, label, model, bits):
        """Runs `model`, a file in the folder, and adds it to the table."""
        printed = model.replace(".", "-") + ".txt"
        self.steps.run([model, self.tokens], [], "quant-run", model, "--perplexity", self.tokens, "--bench",
                       f"--tokens={BENCH_TOKENS}", printed=printed)
        text = (self.steps.folder / printed).read_text()
        perplexity = re.search(r"^perplexity: (\S+)$", text, re.MULTILINE)
        median = re.search(r"^tokens: \d+  median: (\S+) us", text, re.MULTILINE)
        if not perplexity or not median:
            raise StepError(f"quant-run printed no perplexity or no median for {model}")
        self.variants.append(Variant(label, bits, float(perplexity[1]), BENCH_TOKENS / float(median[1]) * 1e6))

    def quantize(self, label, name, flag, *inputs):
        """Quantizes model.mlir into `name`.mlir and measures it."""
        module, report = f"{name}.mlir", f"{name}.json"
        self.steps.run(["model.mlir", *inputs], [module, report], "quant-opt", "model.mlir",
                       f"{flag} report={report}", "-o", module)
        layers = json.loads((self.steps.folder / report).read_text())
        weights = [layer["rows"] * layer["cols"] for layer in layers]
        bits = sum(layer["bits_per_weight"] * count for layer, count in zip(layers, weights)) / sum(weights)
        self.measure(label, module, bits)

    def gptq_flag(self, bits):
        return f"--gptq=bits={bits} group-size={GROUP_SIZE} calibration={self.calibration}"

    def compile(self, module, library, target):
        header = str(pathlib.PurePath(library).with_suffix(".h"))
        self.steps.run([module], [library, header], "quant-compile", module, f"--target={target}", "-o", library)

    def compile_for_gpu(self, flag, *inputs):
        """ONNX graph to GPTQ to GPU code in one command, then the PTX alone; counts its kernels."""
        self.steps.run(["model.mlir", *inputs], ["gpu.mlir"], "quant-opt", "model.mlir", flag, "--lower-to-nvptx",
                       "-o", "gpu.mlir")
        self.steps.run(["gpu.mlir"], ["gpu.ptx"], "quant-compile", "gpu.mlir", "--target=sm_80", "--emit=ptx",
                       "-o", "gpu.ptx")
        text = (self.steps.folder / "gpu.ptx").read_text()
        print(f"# gpu.ptx: {text.count('.entry ')} kernels for sm_80")

    def run(self):
        model = os.path.relpath(MODEL_FOLDER / "tiny-llama.onnx", self.steps.folder)
        self.steps.run([model, model + ".data"], ["model.mlir"], "quant-translate", "--import-onnx", model,
                       "-o", "model.mlir")
        self.measure("float32", "model.mlir", 32.0)
        for bits in self.bits:
            self.quantize(f"{bits} bits, round to nearest", f"rtn{bits}",
                          f"--quantize-rtn=bits={bits} group-size={GROUP_SIZE}")
            self.quantize(f"{bits} bits, GPTQ", f"gptq{bits}", self.gptq_flag(bits), self.calibration)

        first = self.bits[0]
        stored = self.variants[2].bits
        self.compile(f"gptq{first}.mlir", "model.so", "native")
        self.measure(f"{first} bits, GPTQ, compiled", "model.so", stored)
        self.steps.run([f"gptq{first}.mlir"], ["int8.mlir"], "quant-opt", f"gptq{first}.mlir",
                       "--quantize-activations", "-o", "int8.mlir")
        self.compile("int8.mlir", "int8.so", "native")
        self.measure(f"{first} bits, GPTQ, int8 activations, compiled", "int8.so", stored)
        self.compile("int8.mlir", "arm.so", "aarch64+dotprod")
        self.compile_for_gpu(self.gptq_flag(first), self.calibration)

    def table(self):
        base = self.variants[0].perplexity
        header = ("tiny-llama", "bits per weight", "perplexity", "above float", "tokens/s")
        rows = [(v.label, f"{v.bits:.2f}", f"{v.perplexity:.4f}", f"{100 * (v.perplexity / base - 1):.2f} %",
                 f"{v.tokens_per_second:,.0f}") for v in self.variants]
        widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]

        def line(cells):
            first, *rest = (cell.ljust(width) if i == 0 else cell.rjust(width)
                            for i, (cell, width) in enumerate(zip(cells, widths)))
            return "| " + " | ".join([first, *rest]) + " |"

        ruler = "| " + " | ".join(["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]) + " |"
        return "\n".join([line(header), ruler, *map(line, rows)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tools", type=pathlib.Path, help="the folder of the tools (default: PATH)")
    parser.add_argument("--output", type=pathlib.Path, default=pathlib.Path("demo"), help="where results go")
    parser.add_argument("--tokens", type=pathlib.Path, default=MODEL_FOLDER / "eval.npy",
                        help="held-out tokens (default: eval.npy of the model)")
    parser.add_argument("--calibration", type=pathlib.Path, default=MODEL_FOLDER / "calib.npy",
                        help="calibration tokens (default: calib.npy of the model)")
    parser.add_argument("--bits", type=int, nargs="+", default=[4, 3, 2],
                        help="bits to quantize to (default: 4 3 2); the first is compiled")
    options = parser.parse_args()

    for path in (options.tokens, options.calibration):
        if not path.is_file():
            sys.exit(f"demo: error: {path}: No such file")
    folder = options.output.resolve()
    steps = Steps(options.tools and options.tools.resolve(), folder)
    tokens, calibration = (os.path.relpath(path.resolve(), folder) for path in (options.tokens, options.calibration))
    demo = Demo(steps, options.bits, tokens, calibration)
    try:
        demo.run()
    except StepError as error:
        sys.exit(f"demo: error: {error}")
    print()
    print(demo.table())
    print(f"\nBits per weight: of the linear layers, with scales and zero points; embedding and head stay float32."
          f"\nTokens/s: {BENCH_TOKENS} tokens at once, on this machine.")


if __name__ == "__main__":
    main()
