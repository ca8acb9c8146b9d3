"""Rubin's rules against mice, and imputation against a truth."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sudeck.core.errors import InputError
from sudeck.statistics.imputation import barnard_rubin_df, impute, pool
from sudeck.statistics.regression.linear import fit_linear


def test_pooling_equals_mice(shared: Path) -> None:
    long = pd.read_csv(shared / "stats" / "refs" / "nhanes_mice_m20_long.csv")
    expected = json.loads((shared / "stats" / "refs" / "mice_pool_nhanes.json").read_text())
    fits = []
    for _, group in long.groupby(".imp"):
        design = np.column_stack([np.ones(len(group)), group[["age", "bmi"]]])
        fits.append(fit_linear(design, group["chl"].to_numpy(dtype=float)))
    for j, (pooled, summary) in enumerate(zip(expected["pooled"], expected["summary"], strict=True)):
        ours = pool(
            [fit.coefficients[j] for fit in fits],
            [fit.covariance[j, j] for fit in fits],
            complete_df=pooled["dfcom"],
        )
        assert ours.degrees_of_freedom == pytest.approx(pooled["df"], abs=5e-10)
        assert ours.between == pytest.approx(pooled["b"], rel=1e-11)
        assert ours.total == pytest.approx(pooled["t"], rel=1e-11)
        assert ours.fraction_missing == pytest.approx(pooled["lambda"], rel=1e-11)
        assert ours.p == pytest.approx(summary["p.value"], rel=1e-9)
        assert ours.estimate.low == pytest.approx(summary["2.5 %"], rel=1e-9)


def test_pooling_by_hand() -> None:
    pooled = pool([1.0, 1.2, 0.9, 1.1], [0.04, 0.05, 0.04, 0.05], complete_df=np.inf)
    between = 0.05 / 3  # variance of the four estimates
    assert pooled.total == pytest.approx(0.045 + 1.25 * between)
    assert pooled.degrees_of_freedom == pytest.approx(3 * (pooled.total / (1.25 * between)) ** 2)
    assert pooled.estimate.se == pytest.approx(np.sqrt(pooled.total))


def test_imputations_differ_as_much_as_they_should() -> None:
    # Half of x is missing. The mean of x must vary between imputations by the noise of 30 drawn values and by
    # the uncertainty of the regression they are drawn from, which is the larger part here.
    between, expected = [], []
    for rng in np.random.default_rng(5).spawn(20):
        z = rng.normal(size=60)
        x = z + rng.normal(size=60)
        gap = np.arange(60) < 30
        completed = impute(np.column_stack([np.where(gap, np.nan, x), z]), m=40, rng=rng)
        between.append(completed[:, :, 0].mean(axis=1).var(ddof=1))
        design = np.column_stack([np.ones(60), z])
        row = design[gap].mean(axis=0)
        uncertainty = row @ np.linalg.inv(design[~gap].T @ design[~gap]) @ row
        expected.append(0.25 * (1 / 30 + uncertainty))
    assert np.mean(between) == pytest.approx(np.mean(expected), rel=0.25)


def test_degrees_of_freedom_at_their_limits() -> None:
    assert barnard_rubin_df(20, 0.0, 50.0) == pytest.approx(51 / 53 * 50)
    assert barnard_rubin_df(5, 0.5, np.inf) == 16.0
    assert barnard_rubin_df(5, 0.5, 50.0) < 16.0


def test_imputation_undoes_selection() -> None:
    # x is mostly missing where z is large, so the mean of what is left of x is wrong; imputation repairs it.
    rng = np.random.default_rng(1)
    z = rng.normal(size=600)
    x = z + rng.normal(scale=0.5, size=600)
    values = np.column_stack([np.where((z > 0) & (rng.random(600) < 0.8), np.nan, x), z])
    completed = impute(values, m=10, rng=rng)
    assert np.nanmean(values[:, 0]) < x.mean() - 0.25
    assert abs(completed[:, :, 0].mean() - x.mean()) < 0.05
    assert np.array_equal(completed[:, ~np.isnan(values[:, 0]), 0][0], values[~np.isnan(values[:, 0]), 0])


def test_imputed_values_are_values_somebody_has_and_vary_between_sets() -> None:
    rng = np.random.default_rng(2)
    flag = rng.integers(0, 2, 80).astype(float)
    values = np.column_stack([np.where(rng.random(80) < 0.3, np.nan, flag), flag + rng.normal(size=80)])
    completed = impute(values, m=6, rng=np.random.default_rng(3))
    assert set(np.unique(completed[:, :, 0])) == {0.0, 1.0}
    assert not np.array_equal(completed[0], completed[1])
    assert np.array_equal(completed, impute(values, m=6, rng=np.random.default_rng(3)))


def test_a_fully_collinear_column_does_not_break_it() -> None:
    rng = np.random.default_rng(4)
    a = rng.normal(size=40)
    values = np.column_stack([np.where(rng.random(40) < 0.2, np.nan, a), 2 * a, np.ones(40)])
    assert np.isfinite(impute(values, m=2, rng=rng)).all()


def test_refuses_a_column_nobody_has_and_a_single_imputation() -> None:
    values = np.column_stack([np.full(10, np.nan), np.arange(10.0)])
    with pytest.raises(InputError, match="only 0 patients"):
        impute(values, m=2, rng=np.random.default_rng(0))
    with pytest.raises(InputError, match="at least two"):
        pool([1.0], [0.1], complete_df=10)
