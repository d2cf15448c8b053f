"""The reference of SpQR: what must hold of outliers, and what it is without them."""

import numpy as np
import pytest

from lowbit.reference import Hessian
from lowbit.reference.bilevel import Scheme, quantize_bilevel
from lowbit.reference.make_feedback_vectors import make_layer
from lowbit.reference.spqr import leave_one_out_gains, spqr

_U3 = Scheme(3, False, (16, 1), "f16", "f16")
BILEVEL = Scheme(3, False, (1, 16), _U3, _U3)


def layer():
    weight, inputs = make_layer()
    accumulator = Hessian(weight.shape[1])
    accumulator.update(inputs[None])
    return weight, accumulator.value


def error(weight, values, hessian):
    delta = weight - values
    return np.trace(delta @ hessian @ delta.T)


@pytest.mark.parametrize("act_order", [False, True])
def test_lower_thresholds_keep_more_and_lose_less(act_order):
    weight, hessian = layer()
    results = [spqr(weight, hessian, BILEVEL, threshold=threshold, act_order=act_order)
               for threshold in (np.inf, 1, 0.3, 0.1, 0.02)]
    counts = [result.outliers.sum() for result in results]
    assert counts[0] == 0 and (np.diff(counts) > 0).all()
    assert (np.diff([error(weight, result.values, hessian) for result in results]) < 0).all()


def test_uncorrelated_inputs_and_no_outliers_are_round_to_nearest():
    weight, _ = make_layer()
    result = spqr(weight, np.eye(weight.shape[1]), BILEVEL, threshold=np.inf)
    assert np.array_equal(result.values.astype(np.float32), quantize_bilevel(weight, BILEVEL).dequantize())


def test_outliers_stay_as_they_are():
    weight, _ = make_layer()
    result = spqr(weight, np.eye(weight.shape[1]), BILEVEL)
    assert result.outliers.any()
    assert np.array_equal(result.values[result.outliers], weight[result.outliers].astype(np.float64))


def test_leaving_the_outlier_out_gains_most():
    group = np.linspace(-1, 1, 16)[None].copy()
    group[0, 5] = 30
    gains = leave_one_out_gains(group, np.ones(16), BILEVEL)
    assert gains.argmax() == 5 and (np.delete(gains, 5) < 0.2 * gains[0, 5]).all()


def test_leaving_out_fits_groups_better():
    weight, hessian = layer()
    errors = [error(weight, spqr(weight, hessian, BILEVEL, simplified=simplified).values, hessian)
              for simplified in (False, True)]
    assert errors[0] < errors[1]
