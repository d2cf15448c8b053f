"""The vectors for the C++ tests."""

import json
import pathlib

import numpy as np
import pytest

from lowbit.reference import Hessian, gptq, quantize_rtn, unpack
from lowbit.reference.make_vectors import CASES, make, write

COMMITTED = pathlib.Path(__file__).parents[2] / "unittests" / "Quantize" / "vectors"


def test_names_are_unique():
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", [c for c in CASES if "act" in c.name or "short" in c.name], ids=lambda c: c.name)
def test_files_hold_the_result(case, tmp_path):
    write(case, tmp_path)
    weight, _, result = make(case)
    load = {path.name.split(".")[-2]: np.load(path) for path in tmp_path.glob("*.npy")}
    assert np.array_equal(load["weight"], weight) and load["weight"].dtype == np.float32
    assert np.array_equal(load["codes"], result.codes) and load["codes"].dtype == np.int32
    assert np.array_equal(unpack(load["packed"], case.scheme.bits, case.columns), result.codes)
    assert ("inputs" in load) == (case.gptq is not None)
    assert ("order" in load) == (result.order is not None)
    options = json.loads((tmp_path / f"{case.name}.json").read_text())
    assert options["bits"] == case.scheme.bits and options["group_size"] == case.scheme.group_size


def test_same_bytes_every_time(tmp_path):
    for folder in ("one", "other"):
        (tmp_path / folder).mkdir()
        write(CASES[0], tmp_path / folder)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "other" / path.name).read_bytes()


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_committed_vectors_are_current(case):
    load = {path.name.split(".")[-2]: np.load(path) for path in COMMITTED.glob(f"{case.name}.*.npy")}
    if case.gptq is None:
        result = quantize_rtn(load["weight"], case.scheme)
    else:
        hessian = Hessian(case.columns)
        hessian.update(load["inputs"])
        result = gptq(load["weight"], hessian.value, case.scheme, **case.gptq).weight
    # Not the same bytes: sums depend on the BLAS that numpy uses.
    assert np.array_equal(load["codes"], result.codes) and np.array_equal(load["zeros"], result.zeros)
    assert np.allclose(load["scales"], result.scales, rtol=1e-5)
