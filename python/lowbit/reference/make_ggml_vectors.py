"""Write the vectors that the GGML formats are tested against, bit for bit.

    python -m lowbit.reference.make_ggml_vectors --ggml libggml-base.so OUTDIR

They come from ggml's own quantizer, which must be built for a machine without
fused multiply-add, as ggml-base is by default:

    weight.npy           [M, K] float32
    importance.npy       [K] float32, the weights of the columns' squared errors
    TYPE.blocks.npy      [M, bytes] uint8, the weight in blocks of TYPE
    TYPE.important.npy   the same with importance
    TYPE.values.npy      [M, K] float32, what ggml decodes TYPE.blocks to
"""

import argparse
import ctypes
import pathlib

import numpy as np

from .ggml import TYPES, dequantize

# The types' numbers in ggml.h.
NUMBERS = {"q4_0": 2, "q4_1": 3, "q5_0": 6, "q5_1": 7, "q8_0": 8, "q2_K": 10, "q3_K": 11, "q4_K": 12, "q5_K": 13,
           "q6_K": 14, "iq4_nl": 20, "iq4_xs": 23}


def draw():
    """Two super-blocks in a row; groups of zeros, of one sign, of very different sizes."""
    generator = np.random.default_rng(0)
    weight = generator.standard_normal((3, 512)).astype(np.float32)
    weight[0, ::61] *= 12
    weight[1, :256] = 0
    weight[1, 288:352] = 0
    weight[1, 384:416] *= np.float32(1e-6)
    weight[2, :128] = np.abs(weight[2, :128])
    weight[2, 256:288] = np.float32(0.75)
    weight[2, 288:320] = -np.abs(weight[2, 288:320])
    importance = generator.random(512).astype(np.float32) ** 4 + np.float32(1e-3)
    return weight, importance


def main():
    parser = argparse.ArgumentParser(prog="python -m lowbit.reference.make_ggml_vectors",
                                     description="Write test vectors of the GGML formats as .npy files.")
    parser.add_argument("--ggml", required=True, metavar="LIBRARY")
    parser.add_argument("folder", type=pathlib.Path, metavar="OUTDIR")
    options = parser.parse_args()
    library = ctypes.CDLL(options.ggml)
    library.ggml_quantize_chunk.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64,
                                            ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p]
    options.folder.mkdir(parents=True, exist_ok=True)
    weight, importance = draw()
    rows, columns = weight.shape
    np.save(options.folder / "weight.npy", weight)
    np.save(options.folder / "importance.npy", importance)
    for name, (width, size) in TYPES.items():
        blocks = np.empty((rows, columns // width * size), np.uint8)
        for kind, weights in [("important", importance.ctypes.data), ("blocks", None)]:
            library.ggml_quantize_chunk(NUMBERS[name], weight.ctypes.data, blocks.ctypes.data, 0, rows, columns, weights)
            np.save(options.folder / f"{name}.{kind}.npy", blocks)
        values = np.empty_like(weight)
        getattr(library, f"dequantize_row_{name}")(ctypes.c_void_p(blocks.ctypes.data),
                                                   ctypes.c_void_p(values.ctypes.data), ctypes.c_int64(weight.size))
        np.save(options.folder / f"{name}.values.npy", values)
        if not np.array_equal(values.view(np.uint32), dequantize(name, blocks).view(np.uint32)):
            raise RuntimeError(f"{name}: the numpy reference decodes to other values")


if __name__ == "__main__":
    main()
