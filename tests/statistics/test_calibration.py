"""Calibration measures, against rms::val.prob and against their definitions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sudeck.core.errors import InputError
from sudeck.statistics.calibration import (
    brier_score,
    local_curve,
    lowess,
    measure_performance,
    recalibration,
)
from sudeck.statistics.regression.logistic import expit


def test_equals_val_prob(shared: Path) -> None:
    table = pd.read_csv(shared / "stats" / "birthwt.csv")
    eta = (
        -1.0
        + 0.02 * (25 - table["age"])
        + 0.01 * (130 - table["lwt"])
        + 0.6 * table["smoke"]
        + 1.2 * table["ht"]
    )
    ours = measure_performance(expit(eta.to_numpy(dtype=float)), table["low"])
    printed = json.loads((shared / "stats" / "refs" / "rms_valprob_birthwt.json").read_text())["val.prob"]
    pairs = {
        "C (ROC)": ours.c_statistic.value,
        "Brier": ours.brier.value,
        "Intercept": ours.intercept.value,
        "Slope": ours.slope.value,
        "S:z": ours.spiegelhalter_z,
        "S:p": ours.spiegelhalter_p,
        "U:Chi-sq": ours.unreliability_chi2,
        "U:p": ours.unreliability_p,
        "D": ours.discrimination,
        "U": ours.unreliability,
        "Q": ours.quality,
        "R2": ours.nagelkerke_r2,
        "Eavg": ours.mean_error,
        "Emax": ours.largest_error,
        "E90": ours.error_90,
    }
    for name, value in pairs.items():
        assert value == pytest.approx(printed[name], abs=1e-10), name
    assert ours.slope.value == pytest.approx(1.41081661268275, abs=1e-9)


def draw(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    eta = rng.normal(0.2, 1.0, n)
    return eta, (rng.random(n) < expit(eta)).astype(float)


def test_true_probabilities_are_calibrated() -> None:
    eta, y = draw(20_000, 1)
    result = measure_performance(expit(eta), y)
    assert result.slope.low < 1 < result.slope.high
    assert result.intercept_in_the_large.low < 0 < result.intercept_in_the_large.high
    assert result.observed_over_expected.low < 1 < result.observed_over_expected.high
    assert abs(result.spiegelhalter_z) < 3
    assert result.mean_error < 0.02


def test_overconfident_predictions_show_a_slope_below_one() -> None:
    eta, y = draw(20_000, 2)
    result = measure_performance(expit(2 * eta + 1), y)
    assert result.slope.value == pytest.approx(0.5, abs=0.03)
    assert result.intercept_in_the_large.value < -0.5
    assert result.unreliability_p < 1e-6


def test_recalibration_of_a_stack_equals_one_by_one() -> None:
    eta, y = draw(200, 3)
    stack = np.array([eta, 2 * eta, eta - 1])
    intercepts, slopes = recalibration(stack, y)
    assert slopes[1] == pytest.approx(slopes[0] / 2, rel=1e-9)
    assert slopes[2] == pytest.approx(slopes[0], rel=1e-9)
    assert intercepts[2] == pytest.approx(intercepts[0] + slopes[0], rel=1e-9)
    weights = np.zeros(200)
    weights[:100] = 2.0
    assert float(brier_score(expit(eta), y, weights)) == pytest.approx(
        float(brier_score(expit(eta[:100]), y[:100]))
    )


def test_smoothers_reproduce_a_straight_line_and_agree() -> None:
    x = np.linspace(0, 1, 60) ** 2
    line = 0.2 + 0.5 * x
    np.testing.assert_allclose(lowess(x, line), line, atol=1e-10)
    np.testing.assert_allclose(local_curve(x, line, x), line, atol=1e-10)
    rng = np.random.default_rng(4)
    y = (rng.random(60) < x).astype(float)
    assert np.abs(np.clip(lowess(x, y), 0, 1) - local_curve(x, y, x)).max() < 0.04


def test_close_points_are_interpolated_between_fitted_ones() -> None:
    # 501 points two thousandths of the range apart: one fit every five steps (one hundredth), lines between.
    x = np.linspace(0, 1, 501)
    y = (np.random.default_rng(6).random(501) < x**2).astype(float)
    bends = np.flatnonzero(np.abs(np.diff(lowess(x, y), 2)) > 1e-12) + 1
    assert 60 < len(bends) < 110
    assert (np.diff(bends) >= 4).mean() > 0.9


def test_weighted_curve_equals_the_curve_of_the_resample() -> None:
    rng = np.random.default_rng(5)
    x, at = rng.random(50), np.linspace(0.2, 0.8, 7)
    y = (rng.random(50) < x).astype(float)
    weights = rng.multinomial(50, np.full(50, 0.02), size=2).astype(float)
    stack = local_curve(x, y, at, weights=weights)
    for i in range(2):
        rows = np.repeat(np.arange(50), weights[i].astype(int))
        np.testing.assert_allclose(stack[i], local_curve(x[rows], y[rows], at), atol=1e-9)


def test_survives_ties_and_certain_predictions() -> None:
    y = np.array([0.0, 1.0, 0.0, 1.0, 1.0, 0.0])
    p = np.array([0.2, 0.2, 0.2, 0.8, 0.8, 0.8])
    assert np.isfinite(lowess(p, y)).all()
    assert lowess(p, y)[0] == lowess(p, y)[1]
    alike = np.append(np.full(9, 0.2), 0.9)  # more of them alike than a local fit sees: no width at all
    assert lowess(alike, np.array([0.0, 1.0] * 5))[[0, 9]] == pytest.approx([4 / 9, 1.0])
    result = measure_performance(np.array([0.0, 1.0, 0.2, 0.7, 0.6, 0.4]), y)
    assert 0 <= result.brier.value <= 1


def test_refuses_what_is_no_probability() -> None:
    for bad in ([0.2, 1.2, 0.5], [0.2, np.nan, 0.5], [0.2, 0.5]):
        with pytest.raises(InputError, match="outside 0 to 1"):
            measure_performance(bad, [0, 1, 0])


def test_the_large_intercept_varies_as_its_error_says_where_the_slope_is_wrong() -> None:
    found = []
    for seed in range(400):
        eta, y = draw(150, 1000 + seed)
        large = measure_performance(expit(2.5 * eta), y).intercept_in_the_large
        found.append((large.value, (large.high - large.low) / (2 * 1.959964)))
    value, se = np.array(found).T
    # Its own standard error is known to 3.5 % from 400 studies; the model's would be a quarter too small.
    assert np.sqrt(np.mean(se**2)) == pytest.approx(value.std(ddof=1), rel=0.1)
