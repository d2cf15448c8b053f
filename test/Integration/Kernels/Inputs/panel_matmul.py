"""Runs generated panel kernels on random data and compares with numpy.

usage: panel_matmul.py TARGET

Prints one line per case. The packed weight is laid out here, independently of
the compiler, as the description of #lowbit.panels says.
"""

import itertools
import re
import subprocess
import sys

import numpy

ROWS = 16
LIBRARIES = ["libmlir_runner_utils.so", "libmlir_c_runner_utils.so"]
ATTRIBUTES = {
    "avx2": "+avx2,+f16c,+fma",
    "avx512vnni": "+avx512f,+avx512bw,+avx512vl,+avx512vnni,+f16c,+fma",
    "amx": "+avx512f,+avx512bw,+avx512vl,+avx512vnni,+f16c,+fma,+amx-int8,+amx-bf16",
    "neon": "",
    "i8mm": "",
}
QVEC = {
    "avx2": "--convert-qvec-to-x86=level=avx2",
    "avx512vnni": "--convert-qvec-to-x86=level=avx512vnni",
    "amx": "--convert-qvec-to-x86=level=amx",
    # The tiles of the ARM kernels with instructions of the host.
    "neon": "--convert-qvec-to-vector",
    "i8mm": "--convert-qvec-to-vector",
}


def dense(name, array, element):
    shape = "x".join(map(str, array.shape))
    return (f'memref.global "private" constant @{name} : '
            f'memref<{shape}x{element}> = dense<"0x{array.tobytes().hex()}">')


def memref(array, element):
    return f"memref<{'x'.join(map(str, array.shape))}x{element}>"


def planes(bits):
    """(width, lowest bit) of each plane."""
    base, found = 0, []
    for width in (8, 4, 2, 1):
        if bits & width:
            found.append((width, base))
            base += width
    return found


def pack(codes, bits, group):
    """Codes [n, k] -> the chunks of #lowbit.panels."""
    n, k = codes.shape

    def pack_planes(split):
        columns = 32 // split[-1][0]
        groups = -(-k // group)
        per_group = -(-group // columns)
        chunks = (groups - 1) * per_group + -(-(k - (groups - 1) * group) // columns)
        packed = []
        for width, base in split:
            per_block = 32 // width
            plane = numpy.zeros((-(-n // ROWS), chunks, columns // per_block, 64), numpy.uint8)
            for row, column in itertools.product(range(n), range(k)):
                chunk = column // group * per_group + column % group // columns
                block, place = divmod(column % group % columns, per_block)
                plane[row // ROWS, chunk, block, row % ROWS * 4 + place % 4] |= (
                    (codes[row, column] >> base) % (1 << width) << (width * (place // 4)))
            packed.append(plane.reshape(*plane.shape[:2], -1))
        return numpy.concatenate(packed, 2)

    split = pack_planes(planes(bits))
    whole = pack_planes(planes(1 << (bits - 1).bit_length()))
    return split if split.size < whole.size else whole


def per_panel(values, dtype):
    """Values [n, groups] -> [panels, groups, 16]."""
    n, groups = values.shape
    panels = numpy.zeros((-(-n // ROWS), groups, ROWS), dtype)
    for row in range(n):
        panels[row // ROWS, :, row % ROWS] = values[row]
    return panels


class Case:
    """One matmul: its operands, its IR and its result."""

    def __init__(self, index, bits, group, n, k, tokens, symmetric, input_group,
                 bias, scale):
        self.text = (f"u{bits} g{group} n{n} k{k} t{tokens}"
                     f"{' sym' if symmetric else ''} x{input_group or 'f32'}"
                     f"{' bias' if bias else ''} {scale}")
        random = numpy.random.default_rng(index)
        size = min(group, k)
        groups = -(-k // size)
        codes = random.integers(0, 2**bits, (n, k)).astype(numpy.uint8)
        numpy_scale = numpy.float16 if scale == "f16" else numpy.float32
        scales = (random.random((n, groups)) + 0.1).astype(numpy_scale)
        zeros = (numpy.full((n, groups), 2**(bits - 1)) if symmetric else
                 random.integers(0, 2**bits, (n, groups)))
        x = random.standard_normal((tokens, k)).astype(numpy.float32)
        weight = ((codes.astype(float) - numpy.repeat(zeros, size, 1)[:, :k])
                  * numpy.repeat(scales.astype(float), size, 1)[:, :k])

        pad = ", pad" if k % size else ""
        shown = "*" if group >= k else group
        weight_type = (
            f"!lowbit.tensor<{n}x{k}xf32, #lowbit.uniform<"
            f"{'s' if symmetric else 'u'}{bits}, group = [1, {shown}], "
            f"scale = {scale}, zero = {'none' if symmetric else f'u{bits}'}"
            f"{pad}>, #lowbit.panels>")
        components = [("c", pack(codes, bits, size), "i8"),
                      ("s", per_panel(scales, numpy_scale), scale)]
        if not symmetric:
            components.append(("z", per_panel(zeros, numpy.uint8), "i8"))

        inputs, input_type, exact = [("x", x, "f32")], "", x.astype(float)
        if input_group:
            span = k if input_group == "*" else size
            count = -(-k // span)
            x_scales = numpy.stack(
                [abs(x[:, i * span:(i + 1) * span]).max(1) / 127
                 for i in range(count)], 1).astype(numpy.float32)
            spread = numpy.repeat(x_scales, span, 1)[:, :k]
            x_codes = numpy.rint(x / spread).astype(numpy.int8)
            exact = x_codes * spread.astype(float)
            inputs = [("x", x_codes, "i8"), ("xs", x_scales, "f32")]
            x_pad = ", pad" if k % span else ""
            input_type = (
                f" as !lowbit.tensor<?x{k}xf32, #lowbit.uniform<s8, group = "
                f"[1, {input_group if input_group == '*' else span}], "
                f"scale = f32, zero = none, narrow{x_pad}>>")
        self.expected = exact @ weight.T
        biases = []
        if bias:
            vector = random.standard_normal(n).astype(numpy.float32)
            self.expected = self.expected + vector
            biases = [("b", vector, "f32")]

        def names(operands):
            return ", ".join(f"%{name}" for name, _, _ in operands)

        def types(operands, dynamic=False):
            return ", ".join(
                f"memref<?x{array.shape[1]}x{element}>" if dynamic else
                memref(array, element) for _, array, element in operands)

        operands = inputs + components + biases
        self.globals = [dense(f"{name}{index}", array, element)
                        for name, array, element in operands]
        body = []
        for name, array, element in operands:
            body.append(f"%{name}_static = memref.get_global @{name}{index} : "
                        f"{memref(array, element)}")
            to = (f"memref<?x{array.shape[1]}x{element}>"
                  if any(name == i[0] for i in inputs) else
                  memref(array, element))
            body.append(f"%{name} = memref.cast %{name}_static : "
                        f"{memref(array, element)} to {to}")
        bias_text = (f" bias({names(biases)} : {types(biases)})"
                     if biases else "")
        body += [
            f"%t = arith.constant {tokens} : index",
            f"%y = memref.alloc(%t) : memref<?x{n}xf32>",
            f"lowbit.packed_matmul ins({names(inputs)} : "
            f"{types(inputs, True)}{input_type}) weight({names(components)} : "
            f"{types(components)} as {weight_type}){bias_text} "
            f"outs(%y : memref<?x{n}xf32>)",
            f"%any = memref.cast %y : memref<?x{n}xf32> to memref<*xf32>",
            "call @printMemrefF32(%any) : (memref<*xf32>) -> ()",
            "return",
        ]
        self.function = (f"func.func @case{index}() {{\n" + "\n".join(body)
                         + "\n}")


def main():
    target = sys.argv[1]
    # bits, group, n, k, tokens, symmetric, input group, bias, scale
    settings = [
        (4, 32, 20, 40, 1, False, None, True, "f16"),
        (4, 32, 150, 72, 9, False, None, False, "f32"),
        (4, 32, 150, 72, 9, False, "group", True, "f16"),
        (4, 32, 37, 72, 6, True, "*", False, "f16"),
        (8, 64, 33, 130, 5, False, "group", False, "f32"),
        (8, 16, 16, 32, 4, True, "*", False, "f16"),
        (3, 7, 33, 47, 5, False, "group", False, "f16"),
        (2, 16, 33, 47, 6, True, "*", True, "f16"),
        (2, 64, 160, 128, 5, False, None, False, "f16"),
        (5, 1000, 16, 31, 3, False, None, False, "f32"),
        (6, 24, 1, 53, 1, False, "group", False, "f16"),
        (7, 128, 31, 127, 2, True, None, True, "f32"),
        (3, 64, 37, 128, 6, False, "group", False, "f16"),
        (3, 32, 18, 33, 1, True, None, False, "f16"),
        (5, 32, 20, 64, 5, False, "*", True, "f16"),
        (6, 16, 33, 48, 1, False, "group", False, "f32"),
        (6, 48, 16, 100, 9, True, None, False, "f16"),
        (7, 96, 17, 96, 4, False, "group", False, "f16"),
    ]
    if target == "amx":
        # Tiles: whole and half blocks of tokens, groups of several tiles and
        # of odd depth, zero points that stay outside, floats in parts. Fewer
        # tokens are computed as without AMX.
        settings = settings[1:3] + [
            (4, 32, 37, 80, 17, False, "group", True, "f16"),
            (4, 64, 64, 320, 49, True, "*", False, "f32"),
            (8, 128, 33, 256, 33, False, "group", True, "f16"),
            (8, 1000, 16, 420, 16, True, "*", False, "f16"),
            (3, 24, 90, 100, 150, False, "*", False, "f16"),
            (2, 16, 48, 530, 31, False, "group", False, "f16"),
            (4, 32, 37, 80, 17, False, None, True, "f16"),
            (8, 128, 33, 256, 48, False, None, False, "f32"),
            (3, 24, 90, 100, 33, True, None, False, "f16"),
        ]
    cases = [Case(i, *setting) for i, setting in enumerate(settings)]
    module = "\n".join(
        sum((case.globals for case in cases), [])
        + ["func.func private @printMemrefF32(memref<*xf32>) "
           "attributes {llvm.emit_c_interface}"]
        + [case.function for case in cases]
        + ["func.func @main() {"]
        + [f"call @case{i}() : () -> ()" for i in range(len(cases))]
        + ["return", "}"])
    lowered = subprocess.run(
        ["quant-opt", "-", f"--lowbit-generate-kernels=target={target} parallel=false",
         QVEC[target], "--canonicalize", "--convert-scf-to-cf",
         "--convert-vector-to-llvm", "--expand-strided-metadata",
         "--lower-affine", "--finalize-memref-to-llvm",
         "--convert-arith-to-llvm", "--convert-func-to-llvm",
         "--convert-cf-to-llvm", "--convert-ub-to-llvm",
         "--reconcile-unrealized-casts"],
        input=module, stdout=subprocess.PIPE, text=True, check=True).stdout
    folder = subprocess.run(["llvm-config", "--libdir"], stdout=subprocess.PIPE,
                            text=True, check=True).stdout.strip()
    # For processors without tiles, which the emulator may run on, LLVM does not
    # allocate them properly when it optimizes.
    level = "-O0" if target == "amx" else "-O2"
    output = subprocess.run(
        ["mlir-runner", "-", "-e", "main", "--entry-point-result=void", level,
         f"--mattr={ATTRIBUTES[target]}",
         "--shared-libs=" + ",".join(f"{folder}/{name}" for name in LIBRARIES)],
        input=lowered, stdout=subprocess.PIPE, text=True, check=True).stdout
    parts = output.split("data =")[1:]
    assert len(parts) == len(cases), output
    for case, part in zip(cases, parts):
        part = part.split("Unranked")[0]
        values = numpy.array([float(v) for v in re.findall(r"[^\s,\[\]]+", part)])
        values = values.reshape(case.expected.shape)
        error = abs(values - case.expected).max() / abs(case.expected).max()
        # Six printed digits and float32 sums.
        print(f"{case.text}: {'ok' if error < 1e-5 else f'ERROR {error}'}")


if __name__ == "__main__":
    main()
