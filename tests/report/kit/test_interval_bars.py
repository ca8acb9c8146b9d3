"""Bars lie where their numbers say, on linear and log axes."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudeck.core.estimate import Estimate
from sudeck.report.kit.interval_bars import IntervalAxis, share_bar

positive = st.floats(1e-4, 1e4)


def test_a_log_axis_puts_equal_ratios_at_equal_distances() -> None:
    axis = IntervalAxis(0.5, 2.0, "log")
    assert axis.place(0.5) == 0.0
    assert axis.place(1.0) == pytest.approx(0.5)
    assert axis.place(math.sqrt(2.0)) == pytest.approx(0.75)
    assert axis.place(0.0) == 0.0
    assert axis.place(math.inf) == 1.0


@given(positive, positive, positive)
def test_an_axis_holds_what_it_was_made_for(first: float, second: float, third: float) -> None:
    low, value, high = sorted((first, second, third))
    axis = IntervalAxis.around([Estimate("x", value, low, high)], reference=1.0, scale="log")
    assert 0.0 < axis.place(low) <= axis.place(high) < 1.0
    ticks = axis.ticks()
    assert ticks
    assert all(axis.low <= tick <= axis.high for tick in ticks)
    assert list(ticks) == sorted(set(ticks))


def test_the_mark_and_the_dot_stand_at_their_values() -> None:
    axis = IntervalAxis(0.5, 2.0, "log")
    bar = str(axis.bar(Estimate("x", 1.0, 0.8, 1.25), mark=2.0))
    assert 'cx="120.0"' in bar
    assert "M240.0 1v" in bar


def test_open_bounds_end_at_the_axis() -> None:
    axis = IntervalAxis.around([Estimate("x", 3.0, -math.inf, 5.0)])
    bar = str(axis.bar(Estimate("x", 3.0, -math.inf, 5.0)))
    assert "M0.0 12.0H" in bar
    assert not re.search('nan|inf(?!")', bar.split("aria-label")[1].split(">", 1)[1])


def test_a_share_fills_its_part() -> None:
    assert 'width="30.0"' in str(share_bar(1.0, 3.0))
    assert 'width="0.0"' in str(share_bar(0.0, 0.0))
