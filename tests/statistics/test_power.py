"""What n patients can see, against known values and against simulation; effect sizes against scipy."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from sudeck.core.errors import InputError
from sudeck.statistics.effect_size import noncentral_t_cdf, standardise_change
from sudeck.statistics.power import describe_power, detectable_change, detectable_r, power_of_r


def test_nineteen_patients() -> None:
    power = describe_power(19, sd_of_change={"SICI": 0.3})
    assert power.significant_r == pytest.approx(0.456, abs=5e-4)
    assert power.r_interval == pytest.approx((0.06, 0.78), abs=5e-3)
    assert power.detectable_r == pytest.approx(0.605, abs=5e-3)
    assert "With 19 patients" in str(power)
    assert json.dumps(power.to_dict(), allow_nan=False)


def test_the_detectable_change_is_detected_four_times_in_five() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(detectable_change(12), 1, (20_000, 12))
    assert np.mean(stats.ttest_1samp(x, 0, axis=1).pvalue < 0.05) == pytest.approx(0.8, abs=0.01)


def test_the_equivalence_margin_is_shown_four_times_in_five() -> None:
    margin = np.log(describe_power(15, sd_of_change={"RMT": 1.0}).ratios[0].equivalence)
    x = np.random.default_rng(3).normal(0, 1, (20_000, 15))
    se, t = stats.sem(x, axis=1), stats.t.isf(0.05, 14)
    shown = (np.abs(x.mean(1)) + t * se < margin).mean()
    assert shown == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize("df", [1, 2, 18, 200])
@pytest.mark.parametrize("t", [-3.0, 0.0, 2.5])
def test_noncentral_t_agrees_with_scipy_where_scipy_works(df: int, t: float) -> None:
    for noncentrality in (-1.0, 0.0, 2.0):
        assert noncentral_t_cdf(t, df, noncentrality) == pytest.approx(
            stats.nct.cdf(t, df, noncentrality), abs=1e-10
        )


def test_effect_size_intervals_cover() -> None:
    rng = np.random.default_rng(4)
    estimates = [standardise_change(rng.normal(0.7, 1, 10)) for _ in range(200)]
    # The interval is exact for d; g differs from d by the bias correction alone.
    correction = 1 - 3 / 35
    assert 0.90 <= np.mean([e.low <= 0.7 * correction <= e.high for e in estimates]) <= 0.99
    assert np.mean([e.value for e in estimates]) == pytest.approx(0.7, abs=0.08)


def test_extreme_and_impossible_changes() -> None:
    huge = standardise_change([1.0, 1.0001, 1.0002])
    assert 0 < huge.low < huge.value < huge.high
    with pytest.raises(InputError, match="do not vary"):
        standardise_change([0.5, 0.5])
    with pytest.raises(InputError, match="two or more"):
        standardise_change([0.5, np.nan])
    with pytest.raises(InputError, match="four or more"):
        describe_power(3)


def test_power_of_r_turns_detectable_r_round():
    for n, alpha in ((19, 0.05), (19, 0.0125), (60, 0.01)):
        r = detectable_r(n, power=0.7, alpha=alpha)
        assert power_of_r(-r, n, alpha=alpha) == pytest.approx(0.7, abs=1e-9)


def test_the_strictest_of_several_tests_finds_as_often_as_stated():
    power = describe_power(19).shared_by(4)
    r, rng = power.detectable_r, np.random.default_rng(0)
    x = rng.standard_normal((40_000, 19))
    y = r * x + np.sqrt(1 - r * r) * rng.standard_normal(x.shape)
    x, y = (values - values.mean(axis=1, keepdims=True) for values in (x, y))
    found = (x * y).sum(axis=1) / np.sqrt((x**2).sum(axis=1) * (y**2).sum(axis=1))
    assert (np.abs(found) > power.significant_r).mean() == pytest.approx(0.80, abs=0.02)
    assert power.alpha == 0.05
    assert power.tests == 4


def test_error_of_measurement_asks_for_a_stronger_true_correlation():
    power = describe_power(19)
    assert power.true_r(0.81) == pytest.approx(power.detectable_r / 0.9)
    assert power.true_r(0.2) is None
