"""Quantizes weights and activations of a model and checks what runs: integer products, that compute what was meant.

    integer_models.py MODEL TOKENS CALIBRATION OBJDUMP FOLDER

The kernels' perplexity is compared with that of the reference lowering, which decodes weights and activations and
multiplies floats. The machine code of each kernel that multiplies quantized weights is searched for the instructions
that multiply integers, and the loops around these for any that multiply floats.
"""

import pathlib
import re
import subprocess
import sys

from lowbit import tools

CHANNELS = "--quantize-rtn=format=#lowbit.uniform<s8,group=[1,*],scale=f32,zero=none,narrow>"
GROUPS = "--quantize-rtn=bits=4 group-size=32"
MODELS = {
    "W8A8 per token": (CHANNELS, "--quantize-activations=granularity=row"),
    "W8A8 per tensor": (CHANNELS, "--quantize-activations=granularity=tensor"),
    "W8A8 static": (CHANNELS, "--quantize-activations=static calibration={calibration}"),
    "W4A8 per token": (GROUPS, "--quantize-activations=granularity=row"),
    "W4A4 rotated": ("--rotate", GROUPS, "--quantize-activations=bits=4 granularity=row"),
}
# What multiplies integers, by the target.
INTEGER_PRODUCTS = {
    "x86-64-v4+avx512vnni": r"vpdpbusd",
    "x86-64-v3": r"vpmaddubsw",
    "aarch64+dotprod": r"sdot",
    "aarch64+dotprod+i8mm": r"u?smmla",
}
FLOAT_PRODUCTS = re.compile(r"vfn?m(add|sub)\d+[ps]s$|vmul[ps]s$|fml[as]$|fmadd$|fmul$")
TOLERANCE = 1e-3


def disassemble(objdump, path):
    """Lists of (address, instruction, target of a jump or None), by kernel."""
    text = subprocess.run([objdump, "-d", "--no-show-raw-insn", path], capture_output=True, text=True, check=True).stdout
    kernels, current = {}, None
    for line in text.splitlines():
        if symbol := re.match(r"[0-9a-f]+ <(.*)>:$", line):
            # The body of a parallel loop is a function of its own.
            kernel = symbol[1].split("..omp_par")[0]
            current = kernels.setdefault(kernel, []) if kernel.startswith("lowbit_matmul") else None
        elif current is not None and (code := re.match(r" *([0-9a-f]+):\s+(\S+)(.*)", line)):
            jump = re.search(r"0x([0-9a-f]+) <", code[3]) if re.match(r"j|b\.|b$|cb|tb", code[2]) else None
            current.append((int(code[1], 16), code[2], int(jump[1], 16) if jump else None))
    return kernels


def innermost_loops(code, product):
    """The instructions of the shortest loops around a product."""
    loops = [(jump, address) for address, _, jump in code if jump is not None and jump <= address]
    found = set()
    for address, name, _ in code:
        around = [loop for loop in loops if loop[0] <= address <= loop[1]]
        if re.fullmatch(product, name) and around:
            found.add(min(around, key=lambda loop: loop[1] - loop[0]))
    return [[name for address, name, _ in code if begin <= address <= end] for begin, end in found]


def check_code(name, module, objdump, folder):
    """Fails if a kernel of quantized weights multiplies no integers, or floats beside them."""
    for target, product in INTEGER_PRODUCTS.items():
        path = folder / "model.o"
        tools.run_tool("quant-compile", module, f"--target={target}", "--emit=obj", "-o", path)
        integer, floating = 0, []
        for kernel, code in disassemble(objdump, path).items():
            names = [instruction for _, instruction, _ in code]
            floats = sum(bool(FLOAT_PRODUCTS.match(instruction)) for instruction in names)
            products = sum(bool(re.fullmatch(product, instruction)) for instruction in names)
            if not products:
                floating.append(kernel)
                continue
            integer += 1
            loops = innermost_loops(code, product)
            assert loops, f"{name}, {target}: no loop in {kernel} multiplies integers"
            if name.startswith("W8"):
                mixed = [loop for loop in loops if any(FLOAT_PRODUCTS.match(instruction) for instruction in loop)]
                assert not mixed, f"{name}, {target}: {kernel} multiplies floats beside integers: {mixed[0]}"
            else:
                # Scales of groups: once for several products of their codes.
                assert floats <= 2 * products, f"{name}, {target}: {kernel} has {floats} float products"
        # The weight of the head stays float.
        assert integer >= 3 and len(floating) == 1, f"{name}, {target}: {floating} multiply no integers"


def main():
    model, tokens, calibration, objdump, folder = sys.argv[1:]
    folder = pathlib.Path(folder)
    source = tools.import_onnx(model, folder / "float.mlir")
    unquantized = tools.perplexity(source, tokens)
    for name, flags in MODELS.items():
        module = tools.optimize(source, folder / "quantized.mlir", *(flag.format(calibration=calibration) for flag in flags))
        # Of the baseline there are no kernels: the reference lowering serves.
        kernels = tools.perplexity(module, tokens, "--batch=1")
        reference = tools.perplexity(module, tokens, "--batch=1", "--cpu=x86-64")
        assert abs(kernels / reference - 1) <= TOLERANCE, f"{name}: perplexity {kernels}, by the reference {reference}"
        assert kernels != unquantized, f"{name}: nothing was quantized"
        # Kernels do not depend on where scales come from.
        if name.endswith("per token"):
            check_code(name, module, objdump, folder)
        print(name, "agrees")


if __name__ == "__main__":
    main()
