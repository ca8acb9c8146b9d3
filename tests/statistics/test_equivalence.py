"""Equivalence: the two one-sided tests and the interval say the same."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sudeck.core.errors import InputError
from sudeck.statistics.equivalence import show_equivalence


def test_p_is_that_of_two_one_sided_t_tests() -> None:
    x = np.random.default_rng(1).normal(0.01, 0.05, 19)
    test = show_equivalence(x.mean(), stats.sem(x), 18, low_margin=0.95, high_margin=1.05)
    above = stats.ttest_1samp(x, math.log(0.95), alternative="greater").pvalue
    below = stats.ttest_1samp(x, math.log(1.05), alternative="less").pvalue
    assert (test.p_above_low, test.p_below_high) == pytest.approx((above, below), rel=1e-9)
    assert test.p == max(test.p_above_low, test.p_below_high)
    assert json.dumps(test.to_dict(), allow_nan=False)


@given(shift=st.floats(-0.4, 0.4), se=st.floats(0.005, 0.2), df=st.floats(2, 100))
def test_equivalent_exactly_when_the_interval_lies_inside(shift: float, se: float, df: float) -> None:
    test = show_equivalence(shift, se, df, low_margin=0.8, high_margin=1.25)
    inside = test.ratio.low > 0.8 and test.ratio.high < 1.25
    assert (test.verdict == "equivalent") == inside


def test_not_significant_is_not_equivalent() -> None:
    assert show_equivalence(0.0, 0.3, 18, low_margin=0.8, high_margin=1.25).verdict == "undecided"
    assert show_equivalence(0.3, 0.05, 18, low_margin=0.8, high_margin=1.25).verdict == "changed"


def test_margins_that_do_not_enclose_one_are_refused() -> None:
    with pytest.raises(InputError, match="do not enclose one"):
        show_equivalence(0.0, 0.1, 18, low_margin=1.1, high_margin=1.25)
    with pytest.raises(InputError, match="not positive"):
        show_equivalence(0.0, 0.0, 18, low_margin=0.8, high_margin=1.25)


@pytest.mark.parametrize(("t", "verdict"), [(1.90, "undecided"), (2.15, "changed"), (-2.15, "changed")])
def test_a_change_is_claimed_by_the_two_sided_test(t: float, verdict: str) -> None:
    # With 18 degrees of freedom 5 % two-sided begins at 2.10, one-sided at 1.73.
    found = show_equivalence(t * 0.1, 0.1, 18, low_margin=0.95, high_margin=1.05)
    assert found.verdict == verdict
