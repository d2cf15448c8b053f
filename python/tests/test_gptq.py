"""GPTQ: the invariants that hold for every correct implementation, and its options."""

import numpy as np
import pytest

from lowbit.reference import Hessian, Scheme, factor_inverse, gptq, quantize_rtn
from lowbit.reference.uniform import find_params

COLUMNS = 40


def layer(rows=8, columns=COLUMNS, seed=0):
    """A weight and the Hessian of correlated inputs of unequal size."""
    generator = np.random.default_rng(seed)
    mix = generator.standard_normal((columns, columns)) / np.sqrt(columns)
    inputs = generator.standard_normal((4 * columns, columns)) @ (np.eye(columns) + mix)
    inputs *= np.exp(generator.standard_normal(columns))
    hessian = Hessian(columns)
    hessian.update(inputs)
    return generator.standard_normal((rows, columns)).astype(np.float32), hessian.value


def output_error(weight, result, hessian):
    delta = weight - result.weight.dequantize()
    return np.trace(delta @ hessian @ delta.T)


def damped(hessian, damping=0.01):
    return hessian + damping * np.mean(np.diag(hessian)) * np.eye(len(hessian))


# The five invariants.

@pytest.mark.parametrize("block_size", [1, 7, 128])
@pytest.mark.parametrize("act_order", [False, True])
def test_identity_hessian_is_round_to_nearest(block_size, act_order):
    weight, _ = layer()
    scheme = Scheme(3, 16)
    result = gptq(weight, np.eye(COLUMNS), scheme, block_size=block_size, act_order=act_order).weight
    nearest = quantize_rtn(weight, scheme)
    assert np.array_equal(result.codes, nearest.codes)
    assert np.array_equal(result.scales, nearest.scales) and np.array_equal(result.zeros, nearest.zeros)


def test_diagonal_hessian_is_round_to_nearest():
    weight, hessian = layer()
    scheme = Scheme(3, 16)
    assert np.array_equal(gptq(weight, np.diag(np.diag(hessian)), scheme).weight.codes,
                          quantize_rtn(weight, scheme).codes)


@pytest.mark.parametrize("bits", [2, 3, 4])
def test_correlated_inputs_lower_the_output_error(bits):
    for seed in range(5):
        weight, hessian = layer(seed=seed)
        scheme = Scheme(bits, 20)
        delta = weight - quantize_rtn(weight, scheme).dequantize()
        nearest = np.trace(delta @ hessian @ delta.T)
        assert output_error(weight, gptq(weight, hessian, scheme), hessian) < 0.9 * nearest


@pytest.mark.parametrize("options", [{}, dict(act_order=True), dict(act_order=True, static_groups=True)])
@pytest.mark.parametrize("group_size", [16, None])
def test_block_size_changes_nothing(options, group_size):
    weight, hessian = layer()
    results = [gptq(weight, hessian, Scheme(3, group_size), block_size=size, **options).weight
               for size in (1, 2, 3, 24, COLUMNS, 128)]
    for other in results[1:]:
        assert np.array_equal(results[0].codes, other.codes)
        assert np.allclose(results[0].scales, other.scales, rtol=1e-6)


@pytest.mark.parametrize("options", [{}, dict(act_order=True), dict(static_groups=True), dict(block_size=3)])
def test_loss_is_half_the_output_error_under_the_damped_hessian(options):
    weight, hessian = layer()
    result = gptq(weight, hessian, Scheme(3, 16), **options)
    assert 2 * result.loss == pytest.approx(output_error(weight, result, damped(hessian)), rel=1e-6)


def test_factor_of_the_inverse():
    _, hessian = layer()
    upper, damping = factor_inverse(hessian, 0.01)
    assert damping == 0.01
    assert np.array_equal(upper, np.triu(upper))
    assert np.allclose(upper.T @ upper @ damped(hessian), np.eye(COLUMNS), atol=1e-8)


# Options.

def test_static_groups_are_those_of_the_original_weight():
    weight, hessian = layer()
    scheme = Scheme(4, 16)
    result = gptq(weight, hessian, scheme, act_order=True, static_groups=True).weight
    assert result.order is None
    for g, columns in enumerate(scheme.groups(COLUMNS)):
        scale, zero = find_params(weight[:, columns], scheme)
        assert np.array_equal(result.scales[:, g], scale) and np.array_equal(result.zeros[:, g], zero)


def test_act_order_sorts_by_falling_diagonal():
    weight, hessian = layer()
    result = gptq(weight, hessian, Scheme(4, 16), act_order=True).weight
    assert (np.diff(np.diag(hessian)[result.order]) <= 0).all()
    # Quantizing the permuted layer in plain order is the same computation.
    permuted = gptq(weight[:, result.order], hessian[np.ix_(result.order, result.order)], Scheme(4, 16)).weight
    assert np.array_equal(result.codes[:, result.order], permuted.codes)


def test_dead_columns_become_zero():
    weight, hessian = layer()
    hessian[:, 5] = hessian[5, :] = 0
    result = gptq(weight, hessian, Scheme(4, 16)).weight
    assert (result.dequantize()[:, 5] == 0).all()


def test_damping_is_raised_where_the_hessian_is_singular():
    weight, _ = layer()
    indefinite = np.eye(COLUMNS)
    indefinite[0, 1] = indefinite[1, 0] = 1.02  # the smallest eigenvalue is -0.02
    result = gptq(weight, indefinite, Scheme(4, 16), damping=0.0)
    assert 0.02 <= result.damping <= 0.04


def test_one_input_is_enough():
    weight, _ = layer()
    hessian = Hessian(COLUMNS)
    hessian.update(np.random.default_rng(0).standard_normal(COLUMNS))
    result = gptq(weight, hessian.value, Scheme(4, 16))
    assert np.isfinite(result.loss) and np.isfinite(result.weight.dequantize()).all()


def test_inputs_are_not_changed():
    weight, hessian = layer()
    copies = weight.copy(), hessian.copy()
    gptq(weight, hessian, Scheme(4, 16), act_order=True)
    assert np.array_equal(weight, copies[0]) and np.array_equal(hessian, copies[1])


# Hessian.

def test_hessian_counts_sequences():
    inputs = np.random.default_rng(0).standard_normal((3, 5, 4))
    whole, parts, left, right = Hessian(4), Hessian(4), Hessian(4), Hessian(4)
    whole.update(inputs)
    for sequence in inputs:
        parts.update(sequence)
    left.update(inputs[:1])
    right.update(inputs[1:])
    left.merge(right)
    flat = inputs.reshape(-1, 4)
    for hessian in (whole, parts, left):
        assert hessian.sequences == 3
        assert np.allclose(hessian.value, 2 / 3 * flat.T @ flat)


def test_merge_of_nothing():
    hessian = Hessian(4)
    hessian.merge(Hessian(4))
    assert hessian.sequences == 0 and (hessian.value == 0).all()


# Refusals.

@pytest.mark.parametrize("shape", [(3,), (2, 5), (1, 2, 3, 4)])
def test_inputs_of_wrong_shape(shape):
    with pytest.raises(ValueError, match="4 columns"):
        Hessian(4).update(np.zeros(shape))


def test_inputs_that_are_not_finite():
    with pytest.raises(ValueError, match="not finite"):
        Hessian(1).update(np.array([np.nan]))


def test_merge_of_another_layer():
    with pytest.raises(ValueError, match="4 and 5"):
        Hessian(4).merge(Hessian(5))


def test_hessian_of_another_layer():
    with pytest.raises(ValueError, match="40 x 40"):
        gptq(layer()[0], np.eye(3), Scheme())


@pytest.mark.parametrize("options", [dict(damping=-1), dict(block_size=0)])
def test_bad_options(options):
    weight, hessian = layer()
    with pytest.raises(ValueError, match=next(iter(options))):
        gptq(weight, hessian, Scheme(), **options)


def test_hessian_that_no_damping_helps():
    with pytest.raises(ValueError, match="positive definite"):
        gptq(layer()[0], -np.eye(COLUMNS), Scheme())


def test_hessian_that_is_not_finite():
    weight, hessian = layer()
    hessian[3, 3] = np.inf
    with pytest.raises(ValueError, match="not finite"):
        gptq(weight, hessian, Scheme())
