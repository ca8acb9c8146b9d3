"""Published numbers as priors, with their weight."""

from __future__ import annotations

import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.prediction.priors import combine_correlations, combine_slopes, slope_prior
from sudeck.statistics.regression.linear import fit_linear


def test_prior_weight_is_its_share_of_patients() -> None:
    combined = combine_correlations(0.10, 103, 0.32, 53)
    assert combined.prior_weight["r"] == pytest.approx(50 / 150)
    z = (100 * np.arctanh(0.10) + 50 * np.arctanh(0.32)) / 150
    assert combined.combined[0].value == pytest.approx(np.tanh(z))
    half = combine_correlations(0.10, 103, 0.32, 53, discount=0.5)
    assert half.prior_weight["r"] == pytest.approx(25 / 125)
    assert half.conflict_p > combined.conflict_p
    assert "33 %" in str(combined)
    with pytest.raises(InputError):
        combine_correlations(0.1, 103, 0.32, 53, discount=0.0)


def test_slope_prior_equals_the_spread_of_slopes_in_simulated_papers() -> None:
    R = np.array([[1.0, 0.31, 0.32], [0.31, 1.0, 0.23], [0.32, 0.23, 1.0]])
    sd = np.array([0.2, 0.15])
    scale = np.array([*sd, 26.0])
    mean, covariance = slope_prior(R[:2, 2], 105, R[:2, :2] * np.outer(sd, sd), 26.0)
    expected = np.linalg.solve(R[:2, :2], R[:2, 2]) * 26.0 / sd
    np.testing.assert_allclose(mean, expected)
    rng = np.random.default_rng(0)
    slopes = []
    for _ in range(3000):
        X = rng.multivariate_normal(np.zeros(3), R * np.outer(scale, scale), 105)
        r = np.corrcoef(X.T)[:2, 2]
        slopes.append(np.linalg.solve(R[:2, :2], r) * 26.0 / sd)
    np.testing.assert_allclose(np.cov(np.array(slopes).T), covariance, rtol=0.15)


def test_combining_slopes_equals_fitting_both_samples_together() -> None:
    # With known, equal noise, a prior from one sample and data from another is the fit to both.
    rng = np.random.default_rng(1)
    X = np.column_stack([np.ones(200), rng.normal(size=200)])
    y = X @ [1.0, 2.0] + rng.normal(size=200)
    parts = []
    for rows in (slice(0, 150), slice(150, 200)):
        gram = X[rows].T @ X[rows]
        parts.append((np.linalg.solve(gram, X[rows].T @ y[rows]), np.linalg.inv(gram)))
    combined = combine_slopes(["intercept", "x"], parts[1], parts[0])
    together = fit_linear(X, y)
    np.testing.assert_allclose([e.value for e in combined.combined], together.coefficients, rtol=1e-9)
    assert 0.6 < combined.prior_weight["x"] < 0.9
    assert combined.conflict_p > 0.01
    half = combine_slopes(["intercept", "x"], parts[1], parts[0], discount=0.5)
    wider = combine_slopes(["intercept", "x"], parts[1], (parts[0][0], 2 * parts[0][1]))
    assert half.prior_weight == pytest.approx(wider.prior_weight)
    assert half.prior_weight["x"] < combined.prior_weight["x"]
