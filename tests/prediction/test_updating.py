"""Updating on local patients, and priors with their weight."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sudeck.core.errors import InputError
from sudeck.prediction.calibration import measure_performance
from sudeck.prediction.linear import fit_linear
from sudeck.prediction.logistic import expit
from sudeck.prediction.response_model import ResponseModel, model_data
from sudeck.prediction.updating import (
    combine_correlations,
    combine_slopes,
    recalibrated,
    slope_prior,
    update_model,
)


def local(
    n: int, seed: int, *, intercept: float = 0.0, slope: float = 1.0, new: float = 0.0
) -> tuple[np.ndarray, ...]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2))
    eta = X @ [1.0, 0.5]
    truth = intercept + slope * eta + new * X[:, 1]
    return X, eta, (rng.random(n) < expit(truth)).astype(float)


@pytest.mark.parametrize(
    ("changes", "chosen"),
    [
        ({}, "original"),
        ({"intercept": -1.0}, "intercept"),
        ({"intercept": -1.0, "slope": 0.4}, "slope"),
        ({"new": -1.5}, "revision"),
    ],
)
def test_the_smallest_sufficient_change_is_chosen(changes: dict[str, float], chosen: str) -> None:
    X, eta, y = local(1500, 1, **changes)
    update = update_model(eta, y, design=X, names=["a", "b"])
    assert update.chosen == chosen
    assert list(update.steps) == ["original", "intercept", "slope", "revision"]
    likelihoods = [step.log_likelihood for step in update.steps.values()]
    assert likelihoods == sorted(likelihoods)


def test_the_closed_test_keeps_its_level() -> None:
    changed = [update_model(eta, y, design=X, names=["a", "b"]).chosen != "original"
               for X, eta, y in (local(200, seed) for seed in range(150))]  # fmt: skip
    assert 0.01 <= np.mean(changed) <= 0.10


def test_estimates_recover_the_change() -> None:
    _, eta, y = local(20_000, 2, intercept=-0.7, slope=0.6)
    update = update_model(eta, y)
    intercept, slope = update.steps["slope"].coefficients
    assert intercept.low < -0.7 < intercept.high
    assert slope.low < 0.6 < slope.high
    assert "revision" not in update.steps
    assert update.chosen == "slope"


def test_a_separated_revision_is_left_out_and_told() -> None:
    x = np.linspace(-1, 1, 30)
    y = (x > 0).astype(float)
    update = update_model(np.random.default_rng(0).normal(size=30), y, design=x[:, None], names=["x"])
    assert "revision" not in update.steps
    assert update.flags[0].code == "separated"


def test_recalibrated_model_is_calibrated_on_the_local_patients(
    complete_table: pd.DataFrame, model: ResponseModel
) -> None:
    table = complete_table.assign(responder=np.random.default_rng(3).random(len(complete_table)) < 0.2)
    data = model_data(table, model.plan, outcome="responder")

    def predict(m: ResponseModel) -> np.ndarray:
        return m.as_stack().linear_predictor(data.predictors.values, data.predictors.error)

    update = update_model(predict(model), data.outcome)
    assert update.chosen in {"intercept", "slope"}
    updated = recalibrated(model, update)
    after = measure_performance(expit(predict(updated)), data.outcome)
    assert after.intercept_in_the_large.value == pytest.approx(0, abs=1e-8)
    if update.chosen == "slope":
        assert after.slope.value == pytest.approx(1, abs=1e-6)
    assert "updated on" in updated.coefficients[0].method
    assert updated.coefficients[0].se is not None


def test_revision_is_not_a_recalibration(model: ResponseModel) -> None:
    X, eta, y = local(1500, 1, new=-1.5)
    with pytest.raises(InputError, match="call for a revision"):
        recalibrated(model, update_model(eta, y, design=X, names=["a", "b"]))


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


def test_refuses_equal_predictions() -> None:
    with pytest.raises(InputError, match="all are equal"):
        update_model(np.zeros(10), np.repeat([0, 1], 5))
