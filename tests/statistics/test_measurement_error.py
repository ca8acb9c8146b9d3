"""Attenuation as theory says, and the way of undoing it."""

from __future__ import annotations

import numpy as np
import pytest

from sudeck.statistics.measurement_error import (
    expected_truth,
    logistic_stretch,
    predictor_distribution,
)
from sudeck.statistics.regression.linear import fit_linear
from sudeck.statistics.regression.logistic import expit, maximise_logistic

TRUE = np.array([[1.0, 0.3, 0.2], [0.3, 1.0, 0.1], [0.2, 0.1, 1.0]])
ERROR = np.array([[0.5, -0.2, 0.0], [-0.2, 0.4, 0.0], [0.0, 0.0, 0.0]])
SLOPES = np.array([1.0, -0.5, 0.3])


def with_ones(x: np.ndarray) -> np.ndarray:
    return np.concatenate([np.ones((*x.shape[:-1], 1)), x], axis=-1)


@pytest.fixture(scope="module")
def sample() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    n = 20_000
    x = rng.multivariate_normal([1.0, 2.0, 3.0], TRUE, n)
    w = x + rng.multivariate_normal(np.zeros(3), ERROR, n)
    return x, w, np.broadcast_to(ERROR, (n, 3, 3)), x @ SLOPES + rng.normal(size=n)


def test_reliability_and_naive_slopes_are_as_theory_says(sample: tuple[np.ndarray, ...]) -> None:
    _, w, error, y = sample
    distribution = predictor_distribution(w, error)
    np.testing.assert_allclose(distribution.reliability(), [1 / 1.5, 1 / 1.4, 1.0], atol=0.015)
    theory = np.linalg.solve(TRUE + ERROR, TRUE @ SLOPES)
    np.testing.assert_allclose(fit_linear(with_ones(w), y).coefficients[1:], theory, atol=0.025)
    np.testing.assert_allclose(distribution.attenuation() @ SLOPES, theory, atol=0.02)
    assert distribution.weakest_reliability() < distribution.reliability().min()


def test_regression_calibration_is_unbiased(sample: tuple[np.ndarray, ...]) -> None:
    _, w, error, y = sample
    expected, _ = expected_truth(w, error, predictor_distribution(w, error))
    np.testing.assert_allclose(fit_linear(with_ones(expected), y).coefficients[1:], SLOPES, atol=0.05)


def test_conditional_expectation_also_fills_gaps(sample: tuple[np.ndarray, ...]) -> None:
    x, w, error, _ = sample
    distribution = predictor_distribution(w, error)
    gappy = w.copy()
    gappy[:, 0] = np.nan
    expected, unsure = expected_truth(gappy, error, distribution)
    residual = x - expected
    np.testing.assert_allclose(residual.mean(axis=0), 0, atol=0.03)
    np.testing.assert_allclose(np.cov(residual.T), unsure[0], atol=0.04)
    assert np.array_equal(expected[:, 2], w[:, 2])  # measured without error: known to the last bit


def test_a_patient_measured_badly_is_drawn_further_to_the_mean() -> None:
    rng = np.random.default_rng(2)
    w = rng.normal(size=(500, 1)) * 1.2
    error = np.full((500, 1, 1), 0.1)
    error[0] = 2.0
    w[0] = w[1] = 2.0
    expected, _ = expected_truth(w, error, predictor_distribution(w, error))
    assert 0 < expected[0, 0] < expected[1, 0] < 2.0


def test_without_error_nothing_changes() -> None:
    w = np.random.default_rng(3).normal(size=(30, 2))
    none = np.zeros((30, 2, 2))
    expected, unsure = expected_truth(w, none, predictor_distribution(w, none))
    assert np.array_equal(expected, w)
    assert not unsure.any()


def test_error_larger_than_the_spread_is_capped_and_told() -> None:
    w = np.random.default_rng(4).normal(size=(50, 2))
    error = np.broadcast_to(5.0 * np.eye(2), (50, 2, 2))
    distribution = predictor_distribution(w, error)
    assert distribution.overwhelmed
    assert np.linalg.eigvalsh(distribution.covariance).min() > 0
    np.testing.assert_allclose(distribution.reliability(), 0.1, atol=1e-6)


def test_a_stack_of_weights_equals_the_resamples_one_by_one() -> None:
    rng = np.random.default_rng(5)
    w, error = rng.normal(size=(40, 2)), np.broadcast_to(0.2 * np.eye(2), (40, 2, 2)).copy()
    error[:10] *= 2
    weights = rng.multinomial(40, np.full(40, 1 / 40), size=3).astype(float)
    stack = predictor_distribution(w, error, weights=weights)
    expected, _ = expected_truth(w, error, stack)
    for i in range(3):
        rows = np.repeat(np.arange(40), weights[i].astype(int))
        single = predictor_distribution(w[rows], error[rows])
        np.testing.assert_allclose(stack.covariance[i], single.covariance, atol=1e-12)
        np.testing.assert_allclose(expected[i], expected_truth(w, error, single)[0], atol=1e-12)


def test_logistic_slopes_are_stretched_back() -> None:
    rng = np.random.default_rng(7)
    n, slope = 60_000, 1.5
    x = rng.normal(size=(n, 1))
    w = x + np.sqrt(0.5) * rng.normal(size=(n, 1))
    y = (rng.random(n) < expit(slope * x[:, 0])).astype(float)
    error = np.full((n, 1, 1), 0.5)
    expected, unsure = expected_truth(w, error, predictor_distribution(w, error))
    calibrated = maximise_logistic(with_ones(expected), y).coefficients[1:]
    assert calibrated[0] < 0.95 * slope
    factor = logistic_stretch(calibrated, unsure.mean(axis=0))
    assert factor * calibrated[0] == pytest.approx(slope, rel=0.03)


@pytest.mark.parametrize("k", [2, 3, 5])
def test_the_short_way_for_two_predictors_with_error_is_the_long_way(k: int) -> None:
    rng = np.random.default_rng(4)
    observed = rng.normal(size=(3, 40, k)) @ rng.normal(size=(k, k))
    root = rng.normal(size=(40, 2, 2)) * 0.3
    error = np.zeros((40, k, k))
    error[:, :2, :2] = root @ np.swapaxes(root, -1, -2)
    error[0] = 0.0
    distribution = predictor_distribution(observed, error)
    expected, unsure = expected_truth(observed, error, distribution)
    sigma = distribution.covariance[:, None]
    gain = sigma @ np.linalg.inv(sigma + error)
    centred = observed - distribution.mean[:, None, :]
    np.testing.assert_allclose(
        expected, distribution.mean[:, None, :] + (gain @ centred[..., None])[..., 0], atol=1e-10
    )
    np.testing.assert_allclose(unsure, sigma - gain @ sigma, atol=1e-10)
    assert (expected[:, 0] == observed[:, 0]).all()  # without error, known to the last bit


def test_a_predictor_that_is_the_same_in_all_leaves_the_others_alone() -> None:
    # As in a resample that drew hands only; its variance of 1e-312 overflowed in the solution.
    rng = np.random.default_rng(6)
    observed = np.column_stack([rng.normal(size=(31, 2)), np.ones(31)])
    error = np.zeros((31, 3, 3))
    error[:, :2, :2] = [[0.3, -0.1], [-0.1, 0.2]]
    alone, _ = expected_truth(
        observed[:, :2], error[:, :2, :2], predictor_distribution(observed[:, :2], error[:, :2, :2])
    )
    expected, unsure = expected_truth(observed, error, predictor_distribution(observed, error))
    np.testing.assert_allclose(expected[:, :2], alone, atol=1e-9)
    assert (expected[:, 2] == 1).all()
    assert np.isfinite(unsure).all()
    gap = np.where(np.arange(31)[:, None] == [[0, 0, 0]], np.array([[np.nan, 0, 0]]) + observed, observed)
    filled, _ = expected_truth(gap, error, predictor_distribution(observed, error))
    assert np.isfinite(filled).all()
