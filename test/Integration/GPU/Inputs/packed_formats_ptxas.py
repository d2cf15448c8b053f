"""Assembles the kernels of products with weights of every number format.

usage: packed_formats_ptxas.py <folder> <ptxas> <chip>...

The PTX is for the first chip; later ones take it, too. Fails if a kernel needs memory of a thread's own.
"""

import pathlib
import re
import sys

from packed_formats import FORMATS, GGML, run

ROWS, COLUMNS = 40, 512


def main():
    folder, ptxas, chips = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    folder.mkdir(parents=True, exist_ok=True)
    # Those with outliers are products with their dense parts.
    formats = [spelled for spelled in FORMATS if "outliers" not in spelled]
    formats += [f"#lowbit.ggml<{name}>" for name in GGML]
    types = [f"!lowbit.tensor<{ROWS}x{COLUMNS}xf32, {spelled}>" for spelled in formats]
    x, y = f"tensor<?x{COLUMNS}xf32>", f"tensor<?x{ROWS}xf32>"
    parameters = ", ".join([f"%x: {x}", *(f"%w{i}: {kind}" for i, kind in enumerate(types))])
    body = "\n".join(f"%y{i} = lowbit.matmul %x, %w{i} : ({x}, {kind}) -> {y}" for i, kind in enumerate(types))
    results = ", ".join(f"%y{i}" for i in range(len(types)))
    module, ptx = folder / "module.mlir", folder / "kernels.ptx"
    module.write_text(f"func.func @main({parameters}) -> ({', '.join([y] * len(types))}) {{\n{body}\n"
                      f"return {results} : {', '.join([y] * len(types))}\n}}\n")
    run(["quant-compile", module, f"--target={chips[0]}", "--emit=ptx", "-o", ptx])
    if ".extern" in ptx.read_text():
        sys.exit("a kernel needs a library")
    for chip in chips:
        log = run([ptxas, f"-arch={chip}", "-v", ptx, "-o", folder / "kernels.cubin"])
        kernels = log.count("Compiling entry function 'quant_matmul_")
        registers = [int(number) for number in re.findall(r"Used (\d+) registers", log)]
        memory = re.findall(r"[1-9]\d* bytes (?:stack frame|spill stores|spill loads)", log)
        if len(registers) != kernels or memory:
            sys.exit(f"{chip}: {kernels} kernels, {len(registers)} in registers, {memory}")
        print(f"{kernels} kernels of {len(types)} formats on {chip}, at most {max(registers)} registers")


if __name__ == "__main__":
    main()
