#!/usr/bin/env python3
"""Compares Lowbit's GGML blocks with those of ggml's quantizer, byte for byte, and times both.

    benchmarks/ggml_agreement.py --ggml ~/llama.cpp/build/bin/libggml-base.so

For each type a million blocks of random values, or the matrices of an ONNX model (--model), are quantized by
both, without and with importance weights. Times are of the processor, all threads together. The library must be
built for a machine without fused multiply-add, as ggml-base is by default: with it, sums are rounded otherwise.
Exits with status 1 if a block differs.
"""

import argparse
import concurrent.futures
import ctypes
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import numpy as np

import report

FOLDER = pathlib.Path(__file__).resolve().parent
# Columns and bytes of a block, and the number of the type in ggml.h.
TYPES = {"q4_0": (32, 18, 2), "q4_1": (32, 20, 3), "q5_0": (32, 22, 6), "q5_1": (32, 24, 7), "q8_0": (32, 34, 8),
         "q2_K": (256, 84, 10), "q3_K": (256, 110, 11), "q4_K": (256, 144, 12), "q5_K": (256, 176, 13),
         "q6_K": (256, 210, 14), "iq4_nl": (32, 18, 20), "iq4_xs": (256, 136, 23)}


def compile_quantizer(build, folder):
    """Lowbit's quantizer as a library of one function."""
    output = folder / "quantize.so"
    config = shutil.which("llvm-config-22") or "/usr/lib/llvm-22/bin/llvm-config"
    flags = subprocess.run([config, "--cxxflags", "--ldflags", "--libs"], capture_output=True, text=True, check=True)
    done = subprocess.run([shutil.which("clang++-22") or "c++", "-O2", "-shared", "-fPIC", "-I", FOLDER.parent / "include",
                           FOLDER / "ggml_quantize.cpp", build / "lib/libLowbitQuantize.a",
                           build / "lib/libLowbitSupport.a", *flags.stdout.split(), "-std=c++20", "-o", output],
                          capture_output=True, text=True, check=False)
    if done.returncode:
        report.fail(next((line for line in done.stderr.splitlines() if "error" in line), done.stderr.strip()))
    library = ctypes.CDLL(str(output))
    library.quantize.restype = ctypes.c_double
    library.quantize.argtypes = [ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p,
                                 ctypes.c_uint, ctypes.c_void_p]
    return library


def load_ggml(path):
    try:
        library = ctypes.CDLL(path)
    except OSError as error:
        report.fail(str(error))
    library.ggml_quantize_chunk.restype = ctypes.c_size_t
    library.ggml_quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64,
                                            ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p]
    return library


def random_matrices(columns, blocks, generator):
    """Rows of very different sizes, with outliers, runs of zeros and values of one sign."""
    width = 4096
    rows = -(-blocks * columns // width)
    for first in range(0, rows, 4096):
        count = min(4096, rows - first)
        matrix = generator.standard_normal((count, width), dtype=np.float32)
        matrix *= np.exp(2 * generator.standard_normal((count, 1))).astype(np.float32)
        matrix[generator.random(matrix.shape, dtype=np.float32) < 1e-3] *= 20
        matrix[::7, : width // 2] = np.abs(matrix[::7, : width // 2])
        matrix[::11, 512:1100] = 0
        matrix[::13, 2048:2304] *= 1e-6
        yield matrix


def model_matrices(path):
    """Matrices as [outputs, inputs]; ONNX has them transposed."""
    onnx = report.need("onnx")
    for tensor in onnx.load(path).graph.initializer:
        if len(tensor.dims) == 2 and tensor.data_type == onnx.TensorProto.FLOAT:
            yield np.ascontiguousarray(onnx.numpy_helper.to_array(tensor).T)


def run_ggml(ggml, number, row_bytes, matrix, importance, threads, blocks):
    """Processor seconds; rows are shared out among the threads."""
    rows, columns = matrix.shape
    weights = importance.ctypes.data if importance is not None else None

    def work(part):
        first, last = rows * part // threads, rows * (part + 1) // threads
        ggml.ggml_quantize_chunk(number, matrix.ctypes.data + first * columns * 4,
                                 blocks.ctypes.data + first * row_bytes, 0, last - first, columns, weights)

    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        start = time.process_time()
        list(pool.map(work, range(threads)))
        return time.process_time() - start


def compare(lowbit, ggml, name, matrices, important, threads, generator):
    """The numbers of blocks and of those that differ, and the processor seconds of both."""
    columns, size, number = TYPES[name]
    total = different = 0
    seconds = [0.0, 0.0]
    for matrix in matrices:
        if matrix.shape[1] % columns:
            continue
        rows, width = matrix.shape
        importance = generator.random(width, dtype=np.float32) ** 4 + np.float32(1e-4) if important else None
        ours = np.empty((rows, width // columns, size), np.uint8)
        theirs = np.empty_like(ours)
        took = lowbit.quantize(name.encode(), matrix.ctypes.data, rows, width,
                               importance.ctypes.data if important else None, threads, ours.ctypes.data)
        if took < 0:
            report.fail(f"{name}: Lowbit refuses")
        seconds[0] += took
        seconds[1] += run_ggml(ggml, number, width // columns * size, matrix, importance, threads, theirs)
        total += rows * (width // columns)
        different += int((ours != theirs).any(axis=-1).sum())
    return total, different, *seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--ggml", required=True, metavar="LIBRARY", help="libggml-base.so")
    parser.add_argument("--build", type=pathlib.Path, default=FOLDER.parent / "build", help="Lowbit's build directory")
    parser.add_argument("--types", nargs="+", choices=TYPES, default=list(TYPES))
    parser.add_argument("--blocks", type=int, default=1_000_000, help="of random values for each type")
    parser.add_argument("--model", type=pathlib.Path, help="the matrices of an ONNX model instead of random ones")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    ggml = load_ggml(options.ggml)
    failed = False
    print(f"{'type':8} {'importance':10} {'blocks':>9} {'different':>9} {'Lowbit s':>9} {'ggml s':>9} {'ggml/Lowbit':>11}")
    with tempfile.TemporaryDirectory() as folder:
        lowbit = compile_quantizer(options.build, pathlib.Path(folder))
        for name in options.types:
            for important in (False, True):
                generator = np.random.default_rng(options.seed)
                matrices = (model_matrices(options.model) if options.model
                            else random_matrices(TYPES[name][0], options.blocks, generator))
                blocks, different, ours, theirs = compare(lowbit, ggml, name, matrices, important, options.threads,
                                                          np.random.default_rng(options.seed + 1))
                failed |= different > 0
                ratio = theirs / ours if ours else float("nan")
                print(f"{name:8} {'yes' if important else 'no':10} {blocks:9} {different:9} {ours:9.2f} {theirs:9.2f} "
                      f"{ratio:11.2f}", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
