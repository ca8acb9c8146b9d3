"""The area under the ROC curve, against pROC and against counting pairs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudeck.core.errors import InputError
from sudeck.statistics.roc import area_under_curve, c_statistic, round_ties


@pytest.fixture
def asah(shared: Path) -> pd.DataFrame:
    return pd.read_csv(shared / "stats" / "aSAH.csv")


@pytest.mark.parametrize(
    ("marker", "area", "variance", "low", "high"),
    [
        ("s100b", 0.731368563686, 0.00266868245717, 0.630118211762, 0.832618915610),
        ("wfns", 0.823678861789, 0.00146991470882, 0.748534887819, 0.898822835758),
        ("ndka", 0.611957994580, 0.00319081054939, 0.501244999272, 0.722670989888),
    ],
)
def test_area_and_delong_variance_equal_proc(
    asah: pd.DataFrame, marker: str, area: float, variance: float, low: float, high: float
) -> None:
    estimate = area_under_curve(asah[marker], asah["outcome"] == "Poor")
    assert estimate.value == pytest.approx(area, abs=5e-13)
    assert estimate.se is not None
    assert estimate.se**2 == pytest.approx(variance, abs=5e-15)
    assert (estimate.low, estimate.high) == (pytest.approx(low, abs=5e-12), pytest.approx(high, abs=5e-12))


def test_area_is_the_share_of_pairs_in_the_right_order() -> None:
    rng = np.random.default_rng(3)
    score, outcome = rng.integers(0, 8, 60).astype(float), rng.integers(0, 2, 60).astype(float)
    cases, controls = score[outcome == 1], score[outcome == 0]
    pairs = cases[:, None] - controls
    expected = float(((pairs > 0) + 0.5 * (pairs == 0)).mean())
    assert area_under_curve(score, outcome).value == pytest.approx(expected, abs=1e-14)
    assert float(c_statistic(score, outcome)) == pytest.approx(expected, abs=1e-14)


def test_weighted_c_equals_the_c_of_the_resample() -> None:
    rng = np.random.default_rng(4)
    score, outcome = np.round(rng.normal(size=(5, 40)), 1), rng.integers(0, 2, 40).astype(float)
    rows = [rng.integers(0, 40, 40) for _ in range(5)]
    weights = np.array([np.bincount(row, minlength=40) for row in rows]).astype(float)
    stacked = c_statistic(score, outcome, weights)
    single = [area_under_curve(score[i][row], outcome[row]).value for i, row in enumerate(rows)]
    np.testing.assert_allclose(stacked, single, atol=1e-14)


def test_ties_survive_floating_point_noise() -> None:
    # 0.1 + 0.2 and 0.3 are the same linear predictor summed in two orders.
    noisy, outcome = np.array([0.1 + 0.2, 0.3, 0.5, 0.1]), np.array([1.0, 0.0, 1.0, 0.0])
    assert noisy[0] != noisy[1]
    assert area_under_curve(noisy, outcome).value == 0.875
    assert float(c_statistic(noisy, outcome)) == 0.875


@given(st.lists(st.tuples(st.floats(-50, 50), st.booleans()), min_size=4, max_size=40), st.floats(0.1, 10))
def test_area_does_not_depend_on_scale_and_turns_with_the_sign(
    rows: list[tuple[float, bool]], k: float
) -> None:
    score = np.array([round(x, 3) for x, _ in rows])
    outcome = np.array([float(flag) for _, flag in rows])
    if outcome.min() == outcome.max():
        return
    area = area_under_curve(score, outcome).value
    assert area_under_curve(k * score, outcome).value == pytest.approx(area, abs=1e-12)
    assert area_under_curve(-score, outcome).value == pytest.approx(1 - area, abs=1e-12)


def test_rounding_keeps_order_and_zero() -> None:
    assert round_ties(np.zeros(3)).tolist() == [0.0, 0.0, 0.0]
    assert (np.diff(round_ties(np.array([-3.0, 1e-6, 2e-6, 5.0]))) > 0).all()


def test_refuses_one_class_and_missing_scores() -> None:
    with pytest.raises(InputError, match="same outcome"):
        area_under_curve([1, 2, 3], [1, 1, 1])
    with pytest.raises(InputError, match="one is missing"):
        area_under_curve([1, np.nan, 3], [1, 0, 1])


def test_one_patient_in_a_class_says_nothing_about_spread() -> None:
    estimate = area_under_curve([1, 2, 3], [0, 0, 1])
    assert (estimate.value, estimate.low, estimate.high, estimate.se) == (1.0, 0.0, 1.0, None)


def test_delong_error_is_that_of_counted_pairs() -> None:
    rng = np.random.default_rng(7)
    outcome = np.repeat([1.0, 0.0], [14, 23])
    score = np.round(rng.normal(outcome, 1.0), 1)
    cases, controls = score[outcome == 1], score[outcome == 0]
    wins = (cases[:, None] > controls) + (cases[:, None] == controls) / 2
    variance = wins.mean(axis=1).var(ddof=1) / len(cases) + wins.mean(axis=0).var(ddof=1) / len(controls)
    found = area_under_curve(score, outcome)
    assert found.value == pytest.approx(wins.mean(), rel=1e-12)
    assert found.se == pytest.approx(np.sqrt(variance), rel=1e-12)
