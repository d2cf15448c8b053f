#!/usr/bin/env python3
"""Time GPTQ's parts on one layer, beside the published algorithm in PyTorch.

    benchmarks/gptq_layer.py --build build
    benchmarks/gptq_layer.py --build build --width 1024 --threads 1

Both accumulate the Hessian of the same inputs, quantize the same weights with it, and run one after the other in this
process with the same number of threads. Wall seconds are of a machine that does nothing else; on a busy one, look at
processor seconds with --threads 1. The peer is the algorithm of the GPTQ paper (Frantar et al., 2022) and of its
authors' code, written anew: H is scaled and added to sequence by sequence, its inverse is made of two Cholesky
factors, and columns are coded in blocks of 128. The output errors of both, tr((W-Q) H (W-Q)^T) relative to
tr(W H W^T), show that they do the same. Needs PyTorch.
"""

import argparse
import ctypes
import math
import pathlib
import shutil
import subprocess
import tempfile
import time

import numpy as np

import report

FOLDER = pathlib.Path(__file__).resolve().parent
SEQUENCE = 2048
BLOCK = 128


def compile_lowbit(build, folder):
    """Lowbit's solver as a library of two functions."""
    output = folder / "gptq.so"
    config = shutil.which("llvm-config-22") or "/usr/lib/llvm-22/bin/llvm-config"
    flags = subprocess.run([config, "--cxxflags", "--ldflags", "--libs"], capture_output=True, text=True, check=True)
    done = subprocess.run([shutil.which("clang++-22") or "c++", "-O2", "-shared", "-fPIC", "-I", FOLDER.parent / "include",
                           FOLDER / "gptq_layer.cpp", build / "lib/libLowbitQuantize.a",
                           build / "lib/libLowbitSupport.a", *flags.stdout.split(), "-std=c++20", "-o", output],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        report.fail(next((line for line in done.stderr.splitlines() if "error" in line), done.stderr.strip()))
    library = ctypes.CDLL(str(output))
    pointer, integer = ctypes.c_void_p, ctypes.c_int64
    library.accumulate.restype = None
    library.solve.restype = ctypes.c_bool
    library.accumulate.argtypes = [pointer, integer, integer, integer, ctypes.c_uint, pointer]
    library.solve.argtypes = [pointer, integer, integer, pointer, ctypes.c_uint, integer, ctypes.c_bool, ctypes.c_bool,
                              integer, ctypes.c_uint, pointer]
    return library


def make_layer(width, generator):
    """Weights of deviation 0.02, and one sequence of correlated inputs of unequal sizes."""
    weights = (0.02 * generator.standard_normal((width, width))).astype(np.float32)
    inputs = generator.standard_normal((SEQUENCE, width)).astype(np.float32)
    inputs += generator.standard_normal((SEQUENCE, 32)).astype(np.float32) @ generator.standard_normal(
        (32, width)).astype(np.float32) / 4
    return weights, inputs * np.exp(0.5 * generator.standard_normal(width)).astype(np.float32)


def peer_hessian(torch, inputs, repetitions):
    width = inputs.shape[1]
    hessian = torch.zeros(width, width)
    for count in range(1, repetitions + 1):
        columns = inputs.t()
        hessian *= (count - 1) / count
        columns = math.sqrt(2 / count) * columns.float()
        hessian += columns.matmul(columns.t())
    return hessian


def peer_solve(torch, weights, hessian, bits, group, act_order, static_groups):
    weights, hessian = weights.clone(), hessian.clone()
    width = weights.shape[1]
    top = 2**bits - 1

    def fit(values):
        low, high = values.amin(1).clamp(max=0), values.amax(1).clamp(min=0)
        scale = (high - low) / top
        return scale, torch.round(-low / scale)

    groups = [fit(weights[:, first:first + group]) for first in range(0, width, group)] if static_groups else []
    order = torch.arange(width)
    if act_order:
        order = torch.argsort(torch.diag(hessian), descending=True)
        weights, hessian = weights[:, order], hessian[order][:, order]
    result = torch.zeros_like(weights)
    diagonal = torch.arange(width)
    hessian[diagonal, diagonal] += 0.01 * torch.mean(torch.diag(hessian))
    factor = torch.linalg.cholesky(torch.cholesky_inverse(torch.linalg.cholesky(hessian)), upper=True)
    for begin in range(0, width, BLOCK):
        end = min(begin + BLOCK, width)
        block = weights[:, begin:end].clone()
        inner = factor[begin:end, begin:end]
        errors = torch.zeros_like(block)
        for i in range(end - begin):
            column = begin + i
            if static_groups:
                scale, zero = groups[int(order[column]) // group]
            elif column % group == 0:
                scale, zero = fit(weights[:, column:column + group])
            values = block[:, i]
            coded = scale * (torch.clamp(torch.round(values / scale) + zero, 0, top) - zero)
            result[:, column] = coded
            error = (values - coded) / inner[i, i]
            block[:, i:] -= error.unsqueeze(1).matmul(inner[i, i:].unsqueeze(0))
            errors[:, i] = error
        weights[:, end:] -= errors.matmul(factor[begin:end, end:])
    return result[:, torch.argsort(order)]


def relative_error(weights, decoded, hessian):
    def norm(matrix):
        matrix = matrix.astype(np.float64)
        return np.einsum("ij,ij->", matrix @ hessian, matrix)

    return math.sqrt(norm(weights - decoded) / norm(weights))


def main():
    parser = argparse.ArgumentParser(description="Time GPTQ's parts on one layer, beside PyTorch.")
    parser.add_argument("--build", type=pathlib.Path, default="build", help="the folder of the build")
    parser.add_argument("--width", type=int, default=4096, help="inputs and outputs of the layer")
    parser.add_argument("--tokens", type=int, default=65536, help="tokens of the Hessian, a multiple of 2048")
    parser.add_argument("--bits", type=int, default=4)
    parser.add_argument("--group", type=int, default=128)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repetitions", type=int, default=3, help="how often each is timed; medians are printed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", metavar="FILE", help="also write the figures to a file")
    options = parser.parse_args()
    torch = report.need("torch")
    torch.set_num_threads(options.threads)
    generator = np.random.default_rng(options.seed)
    weights, inputs = make_layer(options.width, generator)
    batches = options.tokens // SEQUENCE
    if batches < 1:
        report.fail(f"tokens must be at least {SEQUENCE}")
    hessian = np.empty((options.width, options.width), np.float32)
    decoded = np.empty_like(weights)
    torch_weights, torch_inputs = torch.from_numpy(weights), torch.from_numpy(inputs)
    cases = [("Hessian", None), ("solve", {}), ("solve, act-order, static groups", {"act_order": True, "static_groups": True})]

    def peer(case):
        if case is None:
            result = peer_hessian(torch, torch_inputs, batches)
        else:
            result = peer_solve(torch, torch_weights, torch.from_numpy(hessian), options.bits, options.group,
                                case.get("act_order", False), case.get("static_groups", False))
        return result.numpy()

    with tempfile.TemporaryDirectory() as folder:
        library = compile_lowbit(options.build.resolve(), pathlib.Path(folder))

        def ours(case, refinements):
            if case is None:
                library.accumulate(inputs.ctypes.data, SEQUENCE, options.width, batches, options.threads,
                                   hessian.ctypes.data)
                return hessian
            if not library.solve(weights.ctypes.data, options.width, options.width, hessian.ctypes.data, options.bits,
                                 options.group, case.get("act_order", False), case.get("static_groups", False),
                                 refinements, options.threads, decoded.ctypes.data):
                report.fail("Lowbit could not quantize the layer")
            return decoded

        rows, records = [], []
        for name, case in cases:
            variants = {"Lowbit": lambda case=case: ours(case, 0), "PyTorch": lambda case=case: peer(case)}
            if case is not None:
                variants["Lowbit, 2 refinements"] = lambda case=case: ours(case, 2)
            times = {variant: [] for variant in variants}
            errors = {}
            for _ in range(options.repetitions):
                for variant, run in variants.items():
                    start = time.perf_counter(), time.process_time()
                    result = run()
                    times[variant].append((time.perf_counter() - start[0], time.process_time() - start[1]))
                    if case is None:
                        errors[variant] = result.copy()
                    elif variant not in errors:
                        errors[variant] = relative_error(weights, result, hessian)
            if case is None:
                difference = np.abs(errors["Lowbit"] - errors["PyTorch"]).max() / np.abs(errors["PyTorch"]).max()
                if not difference < 1e-4:
                    report.fail(f"the Hessians differ by {difference:.1e} of their maximum")
                errors = {}
            medians = {variant: [report.summary(kind)[0] for kind in zip(*samples)] for variant, samples in times.items()}
            for variant, (wall, processor) in medians.items():
                ratios = wall / medians["PyTorch"][0], processor / medians["PyTorch"][1]
                rows.append([name, variant, f"{wall:.2f}", f"{ratios[0]:.2f}", f"{processor:.2f}", f"{ratios[1]:.2f}",
                             f"{errors[variant]:.5f}" if variant in errors else ""])
                records.append({"step": name, "variant": variant, "wall_seconds": wall, "processor_seconds": processor,
                                "wall_ratio": ratios[0], "processor_ratio": ratios[1], "output_error": errors.get(variant)})
    print(report.table(["step", "variant", "wall s", "of PyTorch", "processor s", "of PyTorch", "output error"], rows))
    if options.json:
        report.write_json(options.json, records)


if __name__ == "__main__":
    main()
