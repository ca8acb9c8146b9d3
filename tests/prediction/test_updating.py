"""Updating on local patients, and priors with their weight."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from sudeck.core.errors import InputError
from sudeck.prediction.cohort import read_cohort
from sudeck.prediction.model_data import model_data
from sudeck.prediction.response_model import ResponseModel
from sudeck.prediction.updating import recalibrated, update_model
from sudeck.statistics.calibration import measure_performance
from sudeck.statistics.regression.logistic import expit


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
    data = model_data(read_cohort(table), model.plan)

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


def test_refuses_equal_predictions() -> None:
    with pytest.raises(InputError, match="all are equal"):
        update_model(np.zeros(10), np.repeat([0, 1], 5))
