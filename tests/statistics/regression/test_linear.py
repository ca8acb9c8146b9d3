"""Least squares, one and many at once."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import linregress

from sudeck.core.errors import InputError
from sudeck.statistics.regression.linear import fit_linear


def test_equals_scipy() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=30)
    y = 2 + 3 * x + rng.normal(size=30)
    fit, reference = fit_linear(np.column_stack([np.ones(30), x]), y), linregress(x, y)
    assert fit.coefficients[1] == pytest.approx(reference.slope)
    assert np.sqrt(fit.covariance[1, 1]) == pytest.approx(reference.stderr)
    assert float(fit.r_squared) == pytest.approx(reference.rvalue**2)
    assert fit.degrees_of_freedom == 28


def test_weights_count_patients() -> None:
    rng = np.random.default_rng(1)
    X, y = np.column_stack([np.ones(30), rng.normal(size=30)]), rng.normal(size=30)
    weights = rng.multinomial(30, np.full(30, 1 / 30), size=3).astype(float)
    stack = fit_linear(X, y, weights=weights)
    for i in range(3):
        rows = np.repeat(np.arange(30), weights[i].astype(int))
        single = fit_linear(X[rows], y[rows])
        np.testing.assert_allclose(stack.coefficients[i], single.coefficients, atol=1e-12)
        np.testing.assert_allclose(stack.covariance[i], single.covariance, atol=1e-12)


def test_refuses_more_coefficients_than_patients() -> None:
    with pytest.raises(InputError, match="cannot carry"):
        fit_linear(np.ones((2, 2)), np.ones(2))
