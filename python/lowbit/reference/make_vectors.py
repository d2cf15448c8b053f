"""Write the vectors that the C++ quantizers are tested against, bit for bit.

    python -m lowbit.reference.make_vectors OUTDIR

For every case NAME:

    NAME.json         options: bits, group_size (-1: the whole row), symmetric, mse, scale_type, and for
                      GPTQ also act_order, static_groups, block_size, damping
    NAME.weight.npy   [M, K] float32
    NAME.inputs.npy   [T, K] float32, one sequence; only with GPTQ, round-to-nearest has none
    NAME.codes.npy    [M, K] int32, columns in original order; signed when symmetric
    NAME.scales.npy   [M, G] float32
    NAME.zeros.npy    [M, G] int32
    NAME.packed.npy   [M, ceil(K * bits / 8)] uint8, the canonical storage of the codes
    NAME.order.npy    [K] int32, only with act_order and no static_groups: see QuantizedWeight.order

A case is drawn again until small changes of weight and Hessian change no code,
zero or order, so that an implementation with other rounding errors agrees.
"""

import argparse
import dataclasses
import json
import pathlib
import sys

import numpy as np

from .gptq import gptq
from .hessian import Hessian
from .packing import pack
from .uniform import Scheme, quantize_rtn

# The relative change that no result may depend on, and how often it is tried.
PERTURBATION, TRIALS, DRAWS = 2e-6, 8, 200


@dataclasses.dataclass(frozen=True)
class Case:
    """One vector: round-to-nearest where `gptq` is None, else GPTQ with these options."""

    name: str
    rows: int
    columns: int
    scheme: Scheme
    gptq: dict = None
    dead_columns: tuple = ()


def _gptq(act_order=False, static_groups=False, block_size=128, damping=0.01):
    return dict(act_order=act_order, static_groups=static_groups, block_size=block_size, damping=damping)


CASES = [
    Case("rtn-u4-g16", 8, 64, Scheme(4, 16)),
    Case("rtn-u3-row-odd", 5, 37, Scheme(3, None)),
    Case("rtn-u2-g8-short", 6, 43, Scheme(2, 8)),
    Case("rtn-s4-g16", 8, 64, Scheme(4, 16, symmetric=True)),
    Case("rtn-s5-g32", 4, 64, Scheme(5, 32, symmetric=True)),
    Case("rtn-u8-row", 4, 32, Scheme(8, None)),
    Case("rtn-u7-g10", 4, 30, Scheme(7, 10)),
    Case("rtn-u4-g16-mse", 6, 48, Scheme(4, 16, mse=True)),
    Case("rtn-s3-g16-mse", 6, 48, Scheme(3, 16, symmetric=True, mse=True)),
    Case("rtn-u4-g16-f16", 8, 64, Scheme(4, 16, scale_type="f16")),
    Case("rtn-u4-g16-bf16", 8, 64, Scheme(4, 16, scale_type="bf16")),
    Case("gptq-u4-row", 8, 32, Scheme(4, None), _gptq()),
    Case("gptq-u4-g16", 8, 32, Scheme(4, 16), _gptq()),
    Case("gptq-u3-g16-block8", 8, 32, Scheme(3, 16), _gptq(block_size=8)),
    Case("gptq-u3-g16-block24", 8, 32, Scheme(3, 16), _gptq(block_size=24)),
    Case("gptq-u2-g12-short", 6, 43, Scheme(2, 12), _gptq(block_size=16)),
    Case("gptq-s4-g16", 8, 32, Scheme(4, 16, symmetric=True), _gptq()),
    Case("gptq-u4-g16-mse", 6, 32, Scheme(4, 16, mse=True), _gptq()),
    Case("gptq-u4-g16-act", 8, 32, Scheme(4, 16), _gptq(act_order=True)),
    Case("gptq-u4-g16-act-short", 6, 43, Scheme(4, 16), _gptq(act_order=True, block_size=10)),
    Case("gptq-u4-g16-act-static", 8, 32, Scheme(4, 16), _gptq(act_order=True, static_groups=True)),
    Case("gptq-u4-g16-static", 8, 32, Scheme(4, 16), _gptq(static_groups=True)),
    Case("gptq-u4-g16-damp", 8, 32, Scheme(4, 16), _gptq(damping=0.1)),
    Case("gptq-u4-g16-dead", 6, 32, Scheme(4, 16), _gptq(), dead_columns=(0, 17, 18, 31)),
]


def _draw(case, generator):
    """A weight and inputs whose channels are correlated and of unequal size."""
    weight = generator.standard_normal((case.rows, case.columns))
    weight *= np.exp(0.5 * generator.standard_normal((case.rows, 1)))
    if case.scheme.symmetric:
        # A symmetric range puts its largest magnitude on a tie, w / s = (2^bits - 1) / 2. Where
        # that is positive both neighbours are clamped to one code.
        for group in case.scheme.groups(case.columns):
            part = weight[:, group]
            part *= np.where(part.max(axis=1) < -part.min(axis=1), -1, 1)[:, None]
    mix = generator.standard_normal((case.columns, case.columns)) / np.sqrt(case.columns)
    size = np.exp(0.7 * generator.standard_normal(case.columns))
    inputs = generator.standard_normal((case.columns + 8, case.columns)) @ (np.eye(case.columns) + mix) * size
    inputs[:, list(case.dead_columns)] = 0.0
    return weight.astype(np.float32), inputs.astype(np.float32)


def _solve(case, weight, hessian):
    if case.gptq is None:
        return quantize_rtn(weight, case.scheme)
    return gptq(weight, hessian, case.scheme, **case.gptq).weight


def _same(one, other):
    orders = (one.order is None and other.order is None) or np.array_equal(one.order, other.order)
    return orders and np.array_equal(one.codes, other.codes) and np.array_equal(one.zeros, other.zeros) \
        and np.allclose(one.scales, other.scales, rtol=1e-4)


def make(case, seed=0):
    """Weight, inputs and the result of a case that is far from every tie; RuntimeError if none is found."""
    generator = np.random.default_rng([seed, *case.name.encode()])
    for _ in range(DRAWS):
        weight, inputs = _draw(case, generator)
        accumulator = Hessian(case.columns)
        accumulator.update(inputs)
        result = _solve(case, weight, accumulator.value)

        def changed(array):
            noise = generator.standard_normal(array.shape)
            if array.shape[0] == array.shape[1]:
                noise = (noise + noise.T) / 2
            return array * (1 + PERTURBATION * noise)

        if all(_same(result, _solve(case, changed(weight), changed(accumulator.value))) for _ in range(TRIALS)):
            return weight, inputs, result
    raise RuntimeError(f"{case.name}: no draw in {DRAWS} is far from all ties")


def _options(case):
    scheme = dataclasses.asdict(case.scheme)
    scheme["group_size"] = case.scheme.group_size or -1
    return {**scheme, **(case.gptq or {})}


def write(case, folder):
    """Writes the files of a case."""
    weight, inputs, result = make(case)
    arrays = {"weight": weight, "codes": result.codes, "scales": result.scales, "zeros": result.zeros,
              "packed": pack(result.codes, case.scheme.bits)}
    if case.gptq is not None:
        arrays["inputs"] = inputs
    if result.order is not None:
        arrays["order"] = result.order.astype(np.int32)
    for kind, array in arrays.items():
        np.save(folder / f"{case.name}.{kind}.npy", array)
    (folder / f"{case.name}.json").write_text(json.dumps(_options(case), indent=2) + "\n")


def main():
    parser = argparse.ArgumentParser(prog="python -m lowbit.reference.make_vectors",
                                     description="Write test vectors of RTN and GPTQ as .npy and .json files.")
    parser.add_argument("folder", type=pathlib.Path, metavar="OUTDIR")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    for case in CASES:
        write(case, options.folder)
    print(f"{len(CASES)} cases written to {options.folder}", file=sys.stderr)


if __name__ == "__main__":
    main()
