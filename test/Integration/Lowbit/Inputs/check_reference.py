"""Runs the reference lowering and compares it with numpy, bit for bit where it is exact.

Every case of the files beside this one becomes a function of one module; `main` calls each with constants that the
compiler cannot fold, because they are arguments, and prints the results as integers, which
loses nothing. The oracle is the numpy reference of the Python package, which shares no code
with the compiler.
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[4] / "python"))
import activation_cases  # noqa: E402
import format_cases  # noqa: E402
import uniform_cases  # noqa: E402
from reference_case import mlir_type  # noqa: E402

PIPELINE = [
    "--lowbit-to-linalg",
    "--canonicalize",
    "--cse",
    "--convert-elementwise-to-linalg",
    "--one-shot-bufferize=bufferize-function-boundaries function-boundary-type-conversion=identity-layout-map",
    "--convert-linalg-to-loops",
    "--expand-strided-metadata",
    "--lower-affine",
    "--convert-scf-to-cf",
    "--convert-math-to-llvm",
    "--finalize-memref-to-llvm",
    "--convert-arith-to-llvm",
    "--convert-index-to-llvm",
    "--convert-cf-to-llvm",
    "--convert-func-to-llvm",
    "--reconcile-unrealized-casts",
]


def dense(array):
    """A constant with the array's bytes. One element as hexadecimal would be a splat."""
    text = np.ascontiguousarray(array).tobytes().hex().upper()
    if array.size == 1:
        value = "0x" + array.tobytes()[::-1].hex().upper()
        return f"dense<{value}> : {mlir_type(array)}"
    return f'dense<"0x{text}"> : {mlir_type(array)}'


def write_module(cases):
    lines = ["func.func private @printMemrefI32(tensor<*xi32>) attributes {llvm.emit_c_interface}"]
    main = []
    for case in cases:
        parameters = ", ".join(f"%a{i}: {mlir_type(a)}" for i, a in enumerate(case.inputs))
        result = mlir_type(case.expected)
        lines += [
            f"func.func private @{case.name}({parameters}) -> {result} attributes {{no_inline}} {{",
            case.body,
            f"return %r0 : {result}",
            "}",
        ]
        for i, array in enumerate(case.inputs):
            main.append(f"%{case.name}_a{i} = arith.constant {dense(array)}")
        arguments = ", ".join(f"%{case.name}_a{i}" for i in range(len(case.inputs)))
        input_types = ", ".join(map(mlir_type, case.inputs))
        main.append(f"%{case.name} = call @{case.name}({arguments}) : ({input_types}) -> {result}")
        bits = result.replace("f32", "i32")
        main.append(f"%{case.name}_b = arith.bitcast %{case.name} : {result} to {bits}")
        main.append(f"%{case.name}_u = tensor.cast %{case.name}_b : {bits} to tensor<*xi32>")
        main.append(f"call @printMemrefI32(%{case.name}_u) : (tensor<*xi32>) -> ()")
    return "\n".join([*lines, "func.func @main() attributes {llvm.emit_c_interface} {", *main, "return", "}", ""])


def main():
    rng = np.random.default_rng(0)
    cases = [case for cases in (uniform_cases, activation_cases, format_cases) for case in cases.make_cases(rng)]
    lowered = subprocess.run(
        ["quant-opt", *PIPELINE], input=write_module(cases), capture_output=True, text=True, check=False
    )
    if lowered.returncode:
        sys.exit(lowered.stderr)
    libraries = pathlib.Path(shutil.which("mlir-runner")).resolve().parent.parent / "lib"
    names = ["libmlir_runner_utils.so", "libmlir_c_runner_utils.so", "libmlir_float16_utils.so"]
    shared = ",".join(str(libraries / name) for name in names)
    run = subprocess.run(
        ["mlir-runner", "-e", "main", "-entry-point-result=void", f"--shared-libs={shared}"],
        input=lowered.stdout,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        sys.exit(run.stderr)
    printed = re.findall(r"data =\s*\n?(.*?)(?=Unranked|\Z)", run.stdout, re.S)
    if len(printed) != len(cases):
        sys.exit(f"{len(cases)} cases, but {len(printed)} results")
    failures = 0
    for case, text in zip(cases, printed):
        actual = np.array(json.loads(text), dtype=np.int32).view(np.float32)
        expected = case.expected
        if case.tolerance == 0.0:
            same = (actual.view(np.int32) == expected.view(np.int32)) | (np.isnan(actual) & np.isnan(expected))
            good = actual.shape == expected.shape and same.all()
        else:
            good = np.linalg.norm(actual - expected) <= case.tolerance * np.linalg.norm(expected)
        if not good:
            failures += 1
            print(f"{case.name}: expected\n{expected}\ngot\n{actual}")
    print(f"{len(cases) - failures} agree, {failures} differ")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
