"""A resample repeats every step of the fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sudeck.core.errors import InputError
from sudeck.prediction.cohort import Cohort
from sudeck.prediction.fitting import ModelPlan, complete, fit_stack
from sudeck.prediction.model_data import model_data
from sudeck.prediction.response_model import fit_model
from sudeck.statistics.regression.logistic import expit


@pytest.mark.parametrize("likelihood", ["firth", "ridge", "linear"])
def test_a_weighted_resample_equals_the_fit_of_its_rows(
    complete_cohort: Cohort, plan: ModelPlan, likelihood: str
) -> None:
    chosen = replace(plan, likelihood=likelihood)  # type: ignore[arg-type]
    data = model_data(complete_cohort, chosen)
    rng = np.random.default_rng(1)
    weights = rng.multinomial(data.n, np.full(data.n, 1 / data.n), size=3).astype(float)
    p = data.predictors
    stack = fit_stack(p.values, p.error, data.outcome, chosen, weights=weights, rng=rng)
    for i, row in enumerate(weights.astype(int)):
        rows = np.repeat(np.arange(data.n), row)
        ids = tuple(str(k) for k in range(len(rows)))
        drawn = replace(
            p, ids=ids, values=p.values[rows], error=p.error[rows], error_known=p.error_known[rows]
        )
        alone = fit_model(
            replace(data, predictors=drawn, outcome=data.outcome[rows]), chosen, rng=rng
        ).as_stack()
        np.testing.assert_allclose(stack.coefficients[i], alone.coefficients, rtol=1e-6)
        np.testing.assert_allclose(stack.shift[i], alone.shift, atol=1e-6)
        np.testing.assert_allclose(
            stack.linear_predictor(p.values, p.error)[i], alone.linear_predictor(p.values, p.error), atol=1e-6
        )


def test_predictions_of_every_resample_are_right_on_average(complete_cohort: Cohort, plan: ModelPlan) -> None:
    data = model_data(complete_cohort, plan)
    rng = np.random.default_rng(2)
    weights = rng.multinomial(data.n, np.full(data.n, 1 / data.n), size=4).astype(float)
    p = data.predictors
    stack = fit_stack(p.values, p.error, data.outcome, plan, weights=weights, rng=rng)
    predicted = (weights * expit(stack.linear_predictor(p.values, p.error))).sum(axis=1)
    np.testing.assert_allclose(predicted, weights @ data.outcome, rtol=1e-8)


def test_imputation_needs_randomness_and_uses_the_outcome() -> None:
    rng = np.random.default_rng(3)
    x, outcome = rng.normal(size=200), np.repeat([0.0, 1.0], 100)
    x = x + 2 * outcome
    values = np.where(rng.random(200) < 0.5, np.nan, x)[:, None]
    error = np.zeros((200, 1, 1))
    with pytest.raises(InputError, match="no source of randomness"):
        complete(values, error, outcome, m=2, rng=None)
    filled = complete(values, error, outcome, m=10, rng=rng).designs[:, np.isnan(values[:, 0]), 1]
    gap = np.isnan(values[:, 0])
    assert filled[:, outcome[gap] == 1].mean() - filled[:, outcome[gap] == 0].mean() == pytest.approx(
        2, abs=0.5
    )
