"""Degrees of freedom against lmerTest and pbkrtest, and where classical analysis knows them exactly."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sudeck.core.errors import InputError
from sudeck.statistics.mixed.degrees_of_freedom import compare_jointly, estimate_contrast
from sudeck.statistics.mixed.mixed_model import MixedModel, RandomTerm, fit_mixed_model

METHODS = ["kenward-roger", "satterthwaite"]


@pytest.fixture
def nineteen(shared: Path) -> tuple[MixedModel, np.ndarray, dict]:
    data = pd.read_csv(shared / "stats/refs/mixed_n19.csv")
    X = np.column_stack([np.ones(len(data)), data.visit == 1, data.visit == 2]).astype(float)
    reference = json.loads((shared / "stats/refs/mixed_n19.json").read_text())
    return fit_mixed_model(data.y, X, [RandomTerm("id", data.id)]), X, reference


@pytest.mark.parametrize(("method", "key"), [("satterthwaite", "satterthwaite"), ("kenward-roger", "kr")])
def test_each_coefficient_agrees_with_r(nineteen, method, key) -> None:
    model, _, reference = nineteen
    for weights, row in zip(np.eye(3), reference[key], strict=True):
        contrast = estimate_contrast(model, weights, method=method)
        assert contrast.estimate.value == pytest.approx(row["Estimate"], rel=1e-6)
        assert contrast.estimate.se == pytest.approx(row["Std. Error"], rel=1e-6)
        assert contrast.df == pytest.approx(row["df"], rel=1e-6)
        assert contrast.t == pytest.approx(row["t value"], rel=1e-6)
        # P of 1e-21 magnifies the seventh digit of t.
        assert contrast.p == pytest.approx(row["Pr(>|t|)"], rel=1e-6 if row["Pr(>|t|)"] > 1e-6 else 5e-6)


def test_joint_tests_agree_with_r(nineteen) -> None:
    model, X, reference = nineteen
    kr = compare_jointly(model, np.eye(3)[1:])
    expected = reference["anova_kr"][0]
    assert (kr.f, kr.denominator_df, kr.p) == pytest.approx(
        (expected["F value"], expected["DenDF"], expected["Pr(>F)"]), rel=1e-6
    )
    # lmerTest spans the hypothesis by the rows of the unit upper triangle of X'X.
    triangle = np.linalg.cholesky(X.T @ X).T
    rows = (triangle / np.diag(triangle)[:, None])[1:]
    satterthwaite = compare_jointly(model, rows, method="satterthwaite")
    expected = reference["anova_s"][0]
    assert (satterthwaite.f, satterthwaite.denominator_df, satterthwaite.p) == pytest.approx(
        (expected["F value"], expected["DenDF"], expected["Pr(>F)"]), rel=1e-6
    )


@pytest.mark.parametrize("method", METHODS)
def test_sleepstudy_has_seventeen_degrees_of_freedom_and_not_infinitely_many(shared: Path, method) -> None:
    data = pd.read_csv(shared / "stats/sleepstudy.csv")
    X = np.column_stack([np.ones(len(data)), data.Days])
    model = fit_mixed_model(data.Reaction, X, [RandomTerm("Subject", data.Subject, X, ("intercept", "Days"))])
    slope = estimate_contrast(model, [0, 1], method=method)
    assert slope.df == pytest.approx(17, rel=1e-6)
    assert slope.p == pytest.approx(3.2638e-6, rel=1e-4)
    assert 2 * stats.norm.sf(slope.t) < 2e-11


def paired(n: int = 9, seed: int = 4) -> tuple[np.ndarray, np.ndarray, MixedModel]:
    rng = np.random.default_rng(seed)
    before = rng.normal(0, 1, n)
    after = before + rng.normal(0.5, 0.4, n)
    y = np.column_stack([before, after]).ravel()
    X = np.tile([[1.0, 0.0], [1.0, 1.0]], (n, 1))
    return before, after, fit_mixed_model(y, X, [RandomTerm("patient", np.repeat(np.arange(n), 2))])


@pytest.mark.parametrize("method", METHODS)
def test_two_complete_visits_are_the_paired_t_test(method) -> None:
    before, after, model = paired()
    contrast = estimate_contrast(model, [0, 1], method=method)
    classical = stats.ttest_rel(after, before)
    assert contrast.t == pytest.approx(classical.statistic, rel=1e-8)
    assert contrast.df == pytest.approx(8, rel=1e-7)
    assert contrast.p == pytest.approx(classical.pvalue, rel=1e-7)
    interval = classical.confidence_interval()
    assert (contrast.estimate.low, contrast.estimate.high) == pytest.approx(
        (interval.low, interval.high), rel=1e-7
    )


@pytest.mark.parametrize("method", METHODS)
def test_a_balanced_joint_test_is_the_classical_analysis_of_variance(method) -> None:
    rng = np.random.default_rng(7)
    n, k = 7, 4
    table = rng.normal(0, 1, n)[:, None] + rng.normal(0, 0.7, (n, k)) + np.array([0, 0.2, 0.5, 0.9])
    X = np.tile(np.column_stack([np.ones(k), np.eye(k)[:, 1:]]), (n, 1))
    model = fit_mixed_model(table.ravel(), X, [RandomTerm("patient", np.repeat(np.arange(n), k))])
    test = compare_jointly(model, np.eye(k)[1:], method=method)
    between = n * ((table.mean(0) - table.mean()) ** 2).sum() / (k - 1)
    residual = table - table.mean(0) - table.mean(1)[:, None] + table.mean()
    error = (residual**2).sum() / ((n - 1) * (k - 1))
    assert test.f == pytest.approx(between / error, rel=1e-7)
    assert test.denominator_df == pytest.approx((n - 1) * (k - 1), rel=1e-6)


def test_kenward_roger_needs_reml_and_joint_rows_must_differ() -> None:
    before, after, model = paired()
    y, X = np.column_stack([before, after]).ravel(), np.tile([[1.0, 0.0], [1.0, 1.0]], (9, 1))
    by_ml = fit_mixed_model(y, X, [RandomTerm("patient", np.repeat(np.arange(9), 2))], method="ML")
    with pytest.raises(InputError, match="fitted by ML"):
        estimate_contrast(by_ml, [0, 1])
    with pytest.raises(InputError, match="linearly dependent"):
        compare_jointly(model, [[0, 1], [0, 2]])
    with pytest.raises(InputError, match="no variance"):
        estimate_contrast(model, [0, 0], method="satterthwaite")


def test_kenward_roger_agrees_with_its_formulae_written_out_with_full_matrices() -> None:
    """An unbalanced study with known errors, where no classical answer exists."""
    rng = np.random.default_rng(11)
    patient = np.array([0, 0, 0, 1, 1, 2, 2, 2, 3, 4, 4, 5, 5, 6, 6, 6])
    n = len(patient)
    X = np.column_stack([np.ones(n), rng.normal(0, 1, n)])
    known = rng.uniform(0, 0.3, n)
    y = rng.normal(0, 1, 7)[patient] + rng.normal(0, 0.6, n) + rng.normal(0, np.sqrt(known))
    model = fit_mixed_model(y, X, [RandomTerm("patient", patient)], known_variance=known)
    G = [(patient[:, None] == patient).astype(float), np.eye(n)]
    V = np.diag(known) + model.variances["patient"] * G[0] + model.variances["residual"] * G[1]
    W = np.linalg.inv(V)
    Phi = np.linalg.inv(X.T @ W @ X)
    R = W - W @ X @ Phi @ X.T @ W
    information = np.array([[np.trace(R @ a @ R @ b) / 2 for b in G] for a in G])
    spread = np.linalg.inv(information)
    P = [-X.T @ W @ g @ W @ X for g in G]
    inflation = sum(
        spread[i, j] * (X.T @ W @ G[i] @ W @ G[j] @ W @ X - P[i] @ Phi @ P[j])
        for i in range(2)
        for j in range(2)
    )
    adjusted = Phi + 2 * Phi @ inflation @ Phi
    # For one contrast the degrees of freedom are 2 (variance)^2 over the variance of the variance.
    slope = np.array([0.0, 1.0])
    gradient = np.array([-slope @ Phi @ p @ Phi @ slope for p in P])
    df = 2 * (slope @ Phi @ slope) ** 2 / (gradient @ spread @ gradient)
    contrast = estimate_contrast(model, slope)
    assert contrast.estimate.se == pytest.approx(np.sqrt(slope @ adjusted @ slope), rel=1e-8)
    assert contrast.estimate.se > 1.001 * model.standard_errors[1]
    assert contrast.df == pytest.approx(df, rel=1e-8)
