"""Ridge regression, against rms and glmnet."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from sudeck.statistics.regression.logistic import expit, maximise_logistic
from sudeck.statistics.regression.ridge import PENALTY_GRID, fit_ridge

NAMES = ["age", "lwt", "smoke", "ht", "ui"]


def birthwt(shared: Path) -> tuple[np.ndarray, np.ndarray]:
    table = pd.read_csv(shared / "stats" / "birthwt.csv")
    return np.column_stack([np.ones(len(table)), table[NAMES].to_numpy(dtype=float)]), table["low"].to_numpy(
        float
    )


def test_equals_rms_penalty(shared: Path) -> None:
    X, y = birthwt(shared)
    expected = json.loads((shared / "stats" / "refs" / "rms_penalty4.json").read_text())["coef"]
    np.testing.assert_allclose(fit_ridge(X, y, penalty=4).coefficients, list(expected.values()), atol=1e-9)


def test_equals_glmnet(shared: Path) -> None:
    X, y = birthwt(shared)
    stored = json.loads((shared / "stats" / "refs" / "glmnet_ridge_birthwt.json").read_text())
    fit = fit_ridge(X, y, penalty=len(y) * stored["ridge_lambda"], sd_ddof=0)
    np.testing.assert_allclose(fit.coefficients, stored["coef"], rtol=1e-6)


def toy(seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    X = np.column_stack([np.ones(80), rng.normal(size=(80, 3))])
    return X, (rng.random(80) < expit(X @ [0.0, 0.8, 0.4, 0.0])).astype(float)


def test_no_penalty_is_maximum_likelihood_and_much_penalty_leaves_the_mean() -> None:
    X, y = toy(1)
    np.testing.assert_allclose(fit_ridge(X, y, penalty=0).coefficients, maximise_logistic(X, y).coefficients)
    heavy = fit_ridge(X, y, penalty=1e9)
    assert np.abs(heavy.coefficients[1:]).max() < 1e-6
    assert expit(heavy.coefficients[:1])[0] == np.float64(y.mean()).round(12) or np.isclose(
        expit(heavy.coefficients[:1])[0], y.mean()
    )
    assert float(heavy.effective_df) < 1e-5


def test_penalty_does_not_depend_on_units() -> None:
    X, y = toy(2)
    np.testing.assert_allclose(
        fit_ridge(X * [1, 100, 1, 1], y, penalty=3).coefficients * [1, 100, 1, 1],
        fit_ridge(X, y, penalty=3).coefficients,
        rtol=1e-9,
    )


def test_chosen_penalty_is_the_best_of_the_grid_for_each_resample() -> None:
    X, y = toy(3)
    weights = np.random.default_rng(0).multinomial(80, np.full(80, 1 / 80), size=3).astype(float)
    stack = fit_ridge(X, y, weights=weights)
    for i in range(3):
        rows = np.repeat(np.arange(80), weights[i].astype(int))
        single = fit_ridge(X[rows], y[rows])
        assert float(single.penalty) == float(stack.penalty[i])
        assert float(single.penalty) in PENALTY_GRID
        np.testing.assert_allclose(single.coefficients, stack.coefficients[i], rtol=1e-6)
