"""Compiled products with weights whose scales are stored in few bits, too, as matmul_grid.py checks them.

usage: nested_grid.py <folder> <target>...

GGML's blocks, and tables whose scales are small numbers with scales of their own. Prints `N products agree`.
"""

import pathlib
import sys

import numpy as np

from lowbit.reference import pack
from lowbit.reference.codebook import TABLES, Scheme
from lowbit.reference.ggml import TYPES, dequantize
from matmul_grid import LevelsWeight, compare, constant

TOKENS = [1, 2, 3, 5, 13, 64]


class UniformScalesWeight:
    """NF4 whose scales are integers with a scale and perhaps a zero point for several rows and groups."""

    def __init__(self, name, generator, rows, columns, bits, shared, has_zeros):
        self.name, self.rows, self.size, self.groups = name, rows, 16, -(-columns // 16)
        shape = tuple(-(-whole // (size or whole)) for whole, size in zip((rows, self.groups), shared))
        codes = generator.integers(0, 16, (rows, columns)).astype(np.uint8)
        scales = generator.integers(0, 2**bits, (rows, self.groups)).astype(np.uint8)
        factors = generator.standard_normal(shape).astype(np.float16)
        factors[0, 0], factors[-1, -1] = 6e-8, 6e4
        zeros = generator.integers(0, 2**bits, shape).astype(np.uint8) * has_zeros

        def spread(values):
            result = values
            for axis, size in enumerate(shared):
                result = np.repeat(result, size or (rows, self.groups)[axis], axis)
            return result[:rows, :self.groups].astype(np.float64)

        decoded = (scales - spread(zeros)) * spread(factors)
        self.exact = TABLES["nf4"].astype(np.float64)[codes] * np.repeat(decoded, 16, 1)[:, :columns]
        self.bound = np.abs(self.exact)
        parts = {"codes": pack(codes, 4), "scales_codes": pack(scales, bits), "scales_scales": factors}
        if has_zeros:
            parts["scales_zeros"] = pack(zeros, bits)
        group = ", ".join(str(size or "*") for size in shared)
        pad = any(size and whole % size for whole, size in zip((rows, self.groups), shared))
        self.type = (f"!lowbit.tensor<{rows}x{columns}xf32, #lowbit.codebook<nf4, group = [1, 16], scale = "
                     f"#lowbit.uniform<u{bits}, group = [{group}], scale = f16, "
                     f"zero = {f'u{bits}' if has_zeros else 'none'}{', pad' if pad else ''}>"
                     f"{', pad' if columns % 16 else ''}>>")
        self.text = constant(name, parts, self.type)


# Where a block has `d` and `dmin`, the columns of a group, and what the factors of an element and of the scale, and
# of the min, may be as large as; kernels subtract half of a signed code's range from the sum.
BLOCKS = {"q4_0": (0, None, 32, 23, 1, 0), "q4_1": (0, 2, 32, 15, 1, 1), "q5_0": (0, None, 32, 47, 1, 0),
          "q5_1": (0, 2, 32, 31, 1, 1), "q8_0": (0, None, 32, 383, 1, 0), "q2_K": (80, 82, 16, 3, 15, 15),
          "q3_K": (108, None, 16, 11, 32, 0), "q4_K": (0, 2, 32, 15, 63, 63), "q5_K": (0, 2, 32, 31, 63, 63),
          "q6_K": (208, None, 16, 95, 128, 0), "iq4_nl": (0, None, 32, 127, 1, 0),
          "iq4_xs": (0, None, 32, 127, 32, 0)}


class GgmlWeight:
    """Any bytes are a block; `d` and `dmin` are numbers of both signs."""

    def __init__(self, name, generator, rows, columns, kind):
        block_columns, block_bytes = TYPES[kind]
        d_byte, min_byte, self.size, level, scale, min_scale = BLOCKS[kind]
        blocks = generator.integers(0, 256, (rows, columns // block_columns, block_bytes)).astype(np.uint8)
        self.name, self.rows = name, rows
        self.groups = columns // self.size * (1 if min_byte is None else 2)

        def set_halves(byte):
            if byte is None:
                return np.zeros(blocks.shape[:2])
            values = generator.standard_normal(blocks.shape[:2]).astype(np.float16)
            values[0, 0], values[1 % rows, -1], values[2 % rows, 0] = 0, 6e-8, 6e4
            blocks[:, :, byte:byte + 2] = values[:, :, None].view(np.uint8)
            return np.abs(values.astype(np.float64))

        bound = set_halves(d_byte) * level * scale + set_halves(min_byte) * min_scale
        self.bound = np.repeat(bound, block_columns, 1)
        stored = blocks.reshape(rows, -1)
        self.exact = dequantize(kind, stored).astype(np.float64)
        self.type = f"!lowbit.tensor<{rows}x{columns}xf32, #lowbit.ggml<{kind}>>"
        self.text = constant(name, {"blocks": stored}, self.type)


def ggml_weights(generator, columns, quantized):
    """A weight of each type whose blocks divide the columns; long rows are for types whose blocks are long."""
    weights = []
    for number, (kind, (block_columns, _)) in enumerate(TYPES.items()):
        if columns % block_columns or columns > 2 * block_columns:
            continue
        weights.append(GgmlWeight(kind, generator, [37, 16, 1, 21][number % 4], columns, kind))
    return weights


def nested_weights(generator, columns):
    """Tables whose scales have scales."""
    schemes = {
        "nvfp4": Scheme("e2m1", (1, 16), Scheme("e4m3", (None, None))),
        "bytes": Scheme("e2m1", (1, 16), Scheme("e4m3", (3, 2), "f16")),
        "e4m3": Scheme("nf4", (2, 16), "f8E4M3FN"),
        "qlora": Scheme("nf4", (1, 32), Scheme("dynamic8", (4, 2)), offset=True),
    }
    weights = [LevelsWeight(name, generator, 37, columns, scheme) for name, scheme in schemes.items()]
    for bits, shared, has_zeros in [(3, (16, 1), True), (8, (1, None), False)]:
        weights.append(UniformScalesWeight(f"u{bits}", generator, 37, columns, bits, shared, has_zeros))
    return weights


def main():
    folder, targets = pathlib.Path(sys.argv[1]), sys.argv[2:]
    generator = np.random.default_rng(0)
    products = 0
    for columns, quantized in [(64, ""), (64, "group"), (331, ""), (512, ""), (512, "row")]:
        weights = ggml_weights(generator, columns, quantized)
        if columns == 331:
            weights = nested_weights(generator, columns)
        compare(folder, weights, (columns, quantized), [(target, "auto") for target in targets], TOKENS, generator)
        products += len(weights)
    print(f"{products} products agree")


if __name__ == "__main__":
    main()
