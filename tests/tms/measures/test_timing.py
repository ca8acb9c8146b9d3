from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sudeck.core.errors import InputError
from sudeck.tms.measures.timing import mean_time, typical_duration


def test_mean_has_the_t_interval_of_scipy() -> None:
    times = np.array([21.8, 22.9, 22.4, 21.5, 23.1])
    estimate = mean_time(times, "MEP latency")
    low, high = stats.t.interval(0.95, 4, times.mean(), stats.sem(times))
    assert (estimate.value, estimate.low, estimate.high) == pytest.approx((times.mean(), low, high))
    assert (estimate.unit, estimate.n) == ("ms", 5.0)


def test_without_open_ends_it_is_the_mean() -> None:
    times = [120.0, 130.0, 150.0]
    assert typical_duration(times, [False] * 3, "CSP") == mean_time(times, "CSP")


def test_median_does_not_ask_how_long_the_open_ones_were() -> None:
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(300):
        times = 150.0 * np.exp(0.2 * rng.standard_normal(20))
        times[0] = 500.0
        limit = max(180.0, np.sort(times)[12])
        estimate = typical_duration(np.minimum(times, limit), times > limit)
        covered += estimate.low <= 150.0 <= estimate.high
    assert covered / 300 > 0.93


def test_open_upper_end_is_infinite() -> None:
    estimate = typical_duration([100, 110, 120, 130, 140], [False, False, False, True, True])
    assert estimate.value == 120.0
    assert estimate.high == np.inf
    assert estimate.to_dict()["high"] is None


@pytest.mark.parametrize(
    ("times", "censored", "problem"),
    [
        ([100.0], [False], "one trial"),
        ([100.0], [True], "one trial"),
        ([100, 110, 120], [True, True, True], "had not returned"),
    ],
)
def test_what_can_not_be_estimated_is_refused(times: list[float], censored: list[bool], problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        typical_duration(times, censored)
