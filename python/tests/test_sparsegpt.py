"""The references of SparseGPT and Wanda: how much they prune, and what it costs."""

import pathlib

import numpy as np
import pytest

from lowbit.reference import Hessian
from lowbit.reference.make_feedback_vectors import make, make_layer
from lowbit.reference.sparsegpt import sparsegpt, wanda
from lowbit.reference.sparsity import prune_least, prune_pattern

COMMITTED = pathlib.Path(__file__).parents[2] / "unittests" / "Quantize" / "feedback"


def layer():
    weight, inputs = make_layer()
    accumulator = Hessian(weight.shape[1])
    accumulator.update(inputs[None])
    return weight, inputs, accumulator.value


def error(weight, values, hessian):
    delta = weight - values
    return np.trace(delta @ hessian @ delta.T)


@pytest.mark.parametrize("options, part", [(dict(sparsity=0.5), 0.5), (dict(sparsity=0.7), 0.7),
                                           (dict(pattern=(2, 4)), 0.5), (dict(pattern=(1, 4)), 0.75)])
def test_the_better_method_costs_less(options, part):
    weight, inputs, hessian = layer()
    if "pattern" in options:
        least = prune_pattern(weight, *options["pattern"])
    else:
        least = prune_least([weight], part)[0]
    pruned = [least, wanda(weight, inputs, **options), sparsegpt(weight, hessian, **options)]
    for values in pruned:
        assert abs((values == 0).mean() - part) < 0.02
    errors = [error(weight, values, hessian) for values in pruned]
    assert errors[0] > errors[1] > errors[2]


def test_uncorrelated_inputs_and_equal_norms_are_magnitudes():
    weight, _ = make_layer()
    equal = np.ones((3, weight.shape[1]))
    identity = np.eye(weight.shape[1])
    assert np.array_equal(wanda(weight, equal, pattern=(2, 4)), prune_pattern(weight, 2, 4))
    assert np.array_equal(sparsegpt(weight, identity, pattern=(2, 4)), prune_pattern(weight, 2, 4))
    assert np.array_equal(sparsegpt(weight, identity), prune_least([weight], 0.5)[0])


def test_wanda_compares_within_rows():
    weight, inputs, _ = layer()
    assert ((wanda(weight, inputs, 0.25) == 0).sum(axis=1) == weight.shape[1] // 4).all()


@pytest.mark.parametrize("block_size", [8, 16, 128])
def test_patterns_do_not_depend_on_blocks(block_size):
    weight, _, hessian = layer()
    assert np.allclose(sparsegpt(weight, hessian, pattern=(2, 4), block_size=block_size),
                       sparsegpt(weight, hessian, pattern=(2, 4)))


def test_vectors_are_those_of_the_references():
    weight, inputs, results = make()
    assert np.array_equal(np.load(COMMITTED / "weight.npy"), weight)
    assert np.array_equal(np.load(COMMITTED / "inputs.npy"), inputs)
    for name, values in results.items():
        assert np.allclose(np.load(COMMITTED / f"{name}.npy"), values, atol=1e-4), name
