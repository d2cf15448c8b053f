#!/usr/bin/env python3
"""Judges the inner loops of the Arm kernels by llvm-mca, beside those of ggml.

usage: benchmarks/arm_kernels.py [--ggml <source folder>] [--cpus neoverse-v2 apple-m1] [--group 32]

Compiles a 4-bit product with int8 activations for several levels, finds the loops that multiply in the machine code
and has llvm-mca simulate a group of columns: the inner loop as often as it runs, with the scaling of its sums around it.
With --ggml, the kernels of ggml for q4_0 are compiled by clang for the same CPU; their loops step over blocks of 32
columns, scaling included. Prints cycles for 1024 products: everything is in the first-level cache.
"""

import argparse
import pathlib
import re
import subprocess
import tempfile

import report

# Tokens of the tiles that kernels have, from the first to the last in the code.
LEVELS = {
    "neon": ("aarch64+dotprod", [4, 2, 1]),
    "i8mm": ("aarch64+dotprod+i8mm", [8, 4, 2, 1]),
    "sve": ("aarch64+sve", [8, 4, 2, 1]),
    "sve-i8mm": ("aarch64+sve+i8mm", [8, 4, 2, 1]),
}
# Functions of ggml: where they are, and how many tokens they take.
PEERS = [
    ("ggml_vec_dot_q4_0_q8_0", "quants.c", 1),
    ("ggml_gemv_q4_0_4x4_q8_0", "repack.cpp", 1),
    ("ggml_gemv_q4_0_4x8_q8_0", "repack.cpp", 1),
    ("ggml_gemm_q4_0_4x4_q8_0", "repack.cpp", 16),
    ("ggml_gemm_q4_0_4x8_q8_0", "repack.cpp", 16),
]
PRODUCTS = {"sdot": 16, "udot": 16, "usdot": 16, "smmla": 32, "usmmla": 32}
MODEL = """
#w = #lowbit.uniform<s4, group = [1, {group}], scale = f16, zero = none>
#x = #lowbit.uniform<s8, group = [1, {group}], scale = f32, zero = none, narrow>
func.func @main(%x: tensor<?x{columns}xf32>) -> tensor<?x512xf32> {{
  %q = lowbit.dynamic_quantize %x : tensor<?x{columns}xf32> -> !lowbit.tensor<?x{columns}xf32, #x>
  %w = lowbit.constant {{codes = dense<85> : tensor<512x{bytes}xi8>, scales = dense<0.5> : tensor<512x{groups}xf16>}}
    : !lowbit.tensor<512x{columns}xf32, #w>
  %y = lowbit.matmul %q, %w : (!lowbit.tensor<?x{columns}xf32, #x>, !lowbit.tensor<512x{columns}xf32, #w>)
    -> tensor<?x512xf32>
  return %y : tensor<?x512xf32>
}}
"""


class Code:
    """The instructions of a function and the loops in them, as ranges of positions."""

    def __init__(self, lines):
        self.addresses, self.texts, targets = [], [], []
        for line in lines:
            match = re.match(r"\s*([0-9a-f]+):\s+(.*)", line)
            if not match:
                continue
            text = match[2].split("//")[0].split(" <")[0].strip().replace("\t", " ")
            branch = re.match(r"(?:b|b\.\w+|cbn?z \w+,|tbn?z \w+, #\w+,) (?:0x)?([0-9a-f]+)$", text)
            targets.append(int(branch[1], 16) if branch else None)
            self.addresses.append(int(match[1], 16))
            self.texts.append("" if branch or re.match(r"(bl|blr|ret)\b", text) else text)
        positions = {address: i for i, address in enumerate(self.addresses)}
        self.loops = sorted({(positions[target], i + 1) for i, target in enumerate(targets)
                             if target in positions and positions[target] <= i})

    def products(self, begin, end):
        """The products that the instructions compute, for vectors of 128 bits."""
        return sum(PRODUCTS.get(text.split(" ")[0], 0) for text in self.texts[begin:end])

    def inner_loops(self):
        """Innermost loops that multiply."""
        return [(begin, end) for begin, end in self.loops if self.products(begin, end)
                and not any((b, e) != (begin, end) and begin <= b and e <= end for b, e in self.loops)]

    def sums(self, begin, end):
        """How many sums a loop has in registers."""
        registers = {re.split(r"[ .]", text)[1] for text in self.texts[begin:end] if text.split(" ")[0] in PRODUCTS}
        return 4 * len(registers)

    def group(self, begin, end, columns):
        """The instructions of a group: those of a loop as often as it runs, and of the loop around it."""
        trips = columns * self.sums(begin, end) // self.products(begin, end)
        around = min(((b, e) for b, e in self.loops if b <= begin and end <= e and (b, e) != (begin, end)),
                     key=lambda loop: loop[1] - loop[0])
        return self.texts[around[0]:begin] + self.texts[begin:end] * trips + self.texts[end:around[1]]


def output_of(*command, **options):
    try:
        return subprocess.run([str(part) for part in command], check=True, text=True, stdout=subprocess.PIPE,
                              **options).stdout
    except FileNotFoundError:
        report.fail(f"{command[0]} is not there")
    except subprocess.CalledProcessError as error:
        report.fail(f"{pathlib.Path(str(command[0])).name} failed: status {error.returncode}")


def disassemble(tools, path):
    """Name -> code of all functions of an object."""
    text = output_of(tools / "llvm-objdump", "-d", "--no-show-raw-insn", "--mattr=+all", path)
    parts = re.split(r"^[0-9a-f]+ <(.+)>:$", text, flags=re.M)[1:]
    return {name: Code(body.splitlines()) for name, body in zip(parts[::2], parts[1::2])}


def simulate(tools, cpu, texts):
    """Cycles that a processor takes for 1024 products, when the instructions are repeated."""
    iterations = 100
    products = sum(PRODUCTS.get(text.split(" ")[0], 0) for text in texts)
    text = output_of(tools / "llvm-mca", "-mtriple=aarch64", f"-mcpu={cpu}", "-mattr=+dotprod,+i8mm",
                     f"-iterations={iterations}", input="\n".join(filter(None, texts)) + "\n",
                     stderr=subprocess.DEVNULL)
    return 1024 * int(re.search(r"Total Cycles:\s+(\d+)", text)[1]) / iterations / products


def judge_ours(arguments, folder):
    """(level, tokens, cycles for each CPU) of all loops."""
    source = folder / "product.mlir"
    columns = 16 * arguments.group
    source.write_text(MODEL.format(group=arguments.group, columns=columns, bytes=columns // 2, groups=16))
    for level in arguments.levels:
        target, tokens = LEVELS[level]
        library = folder / f"{level}.o"
        output_of("quant-compile", source, f"--target={target}", "--emit=obj", "-o", library)
        loops = [(code, *loop) for code in disassemble(arguments.tools, library).values()
                 for loop in code.inner_loops()]
        if len(loops) != len(tokens):
            report.fail(f"the code for {level} has {len(loops)} loops that multiply instead of {len(tokens)}")
        for count, (code, begin, end) in zip(tokens, loops):
            texts = code.group(begin, end, arguments.group)
            # Apple's processors have no SVE.
            yield level, count, [None if level.startswith("sve") and cpu.startswith("apple") else
                                 simulate(arguments.tools, cpu, texts) for cpu in arguments.cpus]


def judge_peers(arguments, folder):
    """The same of ggml's functions: of each the loop with the most products."""
    base = arguments.ggml / "src"
    if not (base / "ggml-cpu").is_dir():
        report.fail(f"'{arguments.ggml}' has no src/ggml-cpu: name ggml's source folder")
    found = {}
    for cpu in arguments.cpus:
        for name in sorted({file for _, file, _ in PEERS}):
            target = folder / f"{cpu}-{name}.o"
            # What a user of such a machine would build: without SVE, whose kernels need vectors of 256 bits.
            # Any C++ library's headers do.
            headers = [flag for path in sorted(pathlib.Path("/usr/include").glob("*-linux-gnu/c++/*"))
                       for flag in ("-idirafter", path)]
            output_of(arguments.tools / "clang", "--target=aarch64-linux-gnu", "-march=armv8.6-a+dotprod+i8mm+nosve",
                      f"-mtune={cpu}", "-O3", "-w", *(["-std=c++17", *headers] if name.endswith("cpp") else []), "-I",
                      base, "-I", base.parent / "include", "-I", base / "ggml-cpu", "-c",
                      base / "ggml-cpu" / "arch" / "arm" / name, "-o", target)
            found[cpu, name] = disassemble(arguments.tools, target)
    for function, name, tokens in PEERS:
        cycles = []
        for cpu in arguments.cpus:
            code = next((code for symbol, code in found[cpu, name].items() if function in symbol), None)
            if code is None or not code.inner_loops():
                report.fail(f"'{arguments.ggml}' has no {function} that multiplies")
            begin, end = max(code.inner_loops(), key=lambda loop: code.products(*loop))
            cycles.append(simulate(arguments.tools, cpu, code.texts[begin:end]))
        yield f"ggml {function.removeprefix('ggml_').replace('_', ' ', 1)}", tokens, cycles


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--ggml", type=pathlib.Path, help="ggml's source folder (in llama.cpp: ggml)")
    parser.add_argument("--cpus", nargs="+", default=["neoverse-v2", "apple-m1"], help="LLVM's names")
    parser.add_argument("--levels", nargs="+", default=list(LEVELS), choices=list(LEVELS))
    parser.add_argument("--group", type=int, default=32, help="columns of a group (ggml's have 32)")
    parser.add_argument("--tools", type=pathlib.Path, default=pathlib.Path("/usr/lib/llvm-22/bin"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        rows = list(judge_ours(arguments, pathlib.Path(name)))
        if arguments.ggml:
            rows += judge_peers(arguments, pathlib.Path(name))
    texts = [[kernel, tokens, *("-" if value is None else f"{value:.1f}" for value in cycles)]
             for kernel, tokens, cycles in rows]
    print(report.table(["kernel", "tokens", *arguments.cpus], texts))


if __name__ == "__main__":
    main()
