"""Proportions and two-by-two tables, against epiR and closed forms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudeck.core.errors import InputError
from sudeck.statistics.proportion import diagnostic_accuracy, proportion


def test_exact_intervals_and_likelihood_ratios_equal_epir() -> None:
    # The worked table of epiR::epi.tests (sensitivity and so on with exact intervals, printed to two
    # decimals).
    accuracy = diagnostic_accuracy(670, 202, 74, 640, method="exact")
    printed = {
        "sensitivity": (0.90, 0.88, 0.92),
        "specificity": (0.76, 0.73, 0.79),
        "positive_predictive_value": (0.77, 0.74, 0.80),
        "negative_predictive_value": (0.90, 0.87, 0.92),
        "positive_likelihood_ratio": (3.75, 3.32, 4.24),
        "negative_likelihood_ratio": (0.13, 0.11, 0.16),
    }
    for name, numbers in printed.items():
        estimate = getattr(accuracy, name)
        assert tuple(round(x, 2) for x in (estimate.value, estimate.low, estimate.high)) == numbers
    assert accuracy.youden == pytest.approx(670 / 744 + 640 / 842 - 1)


def test_wilson_interval_by_hand() -> None:
    # Wilson 1927 for 8 of 10: the roots of (p - 0.8)² = z² p (1 - p) / 10.
    estimate = proportion("share", 8, 10)
    assert estimate is not None
    for p in (estimate.low, estimate.high):
        assert (p - 0.8) ** 2 == pytest.approx(1.959963984540054**2 * p * (1 - p) / 10, rel=1e-9)


@given(st.integers(0, 60), st.integers(1, 60), st.sampled_from(["wilson", "exact"]))
def test_interval_holds_the_share_and_mirrors(successes: int, total: int, method: str) -> None:
    if successes > total:
        return
    one = proportion("p", successes, total, method=method)  # type: ignore[arg-type]
    other = proportion("q", total - successes, total, method=method)  # type: ignore[arg-type]
    assert one is not None
    assert other is not None
    assert 0 <= one.low <= one.value <= one.high <= 1
    assert one.low == pytest.approx(1 - other.high, abs=1e-12)


def test_nobody_to_count_is_none_and_nonsense_is_refused() -> None:
    assert proportion("p", 0, 0) is None
    accuracy = diagnostic_accuracy(0, 3, 0, 4)
    assert accuracy.sensitivity is None
    assert accuracy.youden is None
    assert accuracy.to_dict()["sensitivity"] is None
    with pytest.raises(InputError, match="no proportion"):
        proportion("p", 3, 2)
    with pytest.raises(InputError, match="negative"):
        diagnostic_accuracy(1, -1, 0, 0)
