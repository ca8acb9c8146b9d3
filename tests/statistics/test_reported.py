"""The arithmetic of printed r, P and n."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sudeck.core.errors import InputError
from sudeck.core.published import COHORT_SIZE, PUBLISHED_RATIOS
from sudeck.statistics.correlation import p_value
from sudeck.statistics.reported import check_reported_correlation, check_reported_set


def test_the_three_published_pairs_do_not_fit_one_sample() -> None:
    printed = [(ratio.r, ratio.p) for ratio in PUBLISHED_RATIOS.values()]
    checked = check_reported_set(printed, COHORT_SIZE)
    assert [c.compatible_n for c in checked.correlations] == [(63, 68), (64, 70), (91, 116)]
    assert [c.consistent for c in checked.correlations] == [False, False, True]
    assert [c.lost_zero for c in checked.correlations] == [True, True, False]
    assert checked.common_n is None
    assert "no single number" in str(checked)


def test_a_consistent_set_has_a_common_number() -> None:
    printed = [("0.30", f"{p_value(0.30, 80):.3f}"), ("0.25", f"{p_value(0.25, 80):.3f}")]
    common = check_reported_set(printed, 80).common_n
    assert common is not None
    assert common[0] <= 80 <= common[1]


@given(st.integers(5, 400), st.floats(-0.95, 0.95), st.integers(2, 4))
def test_a_true_report_is_never_accused(n: int, r: float, decimals: int) -> None:
    printed_r, printed_p = f"{r:.{decimals}f}", f"{p_value(r, n):.{decimals}f}"
    if abs(float(printed_r)) >= 1:
        return
    checked = check_reported_correlation(printed_r, printed_p, n)
    assert checked.consistent
    assert checked.compatible_n is not None
    assert checked.compatible_n[0] <= n <= checked.compatible_n[1]


@pytest.mark.parametrize(
    ("r", "p", "n", "consistent"),
    [
        ("0.50", "<0.001", 60, True),
        ("0.50", "P < 0.001", 30, False),
        ("0.1", "> 0.05", 30, True),
        ("−0.32", "0.00088", 105, True),
        ("0,32", "8.8e-4", 105, True),
        ("0.32", "=0.0009", 105, True),
    ],
)
def test_reads_what_papers_print(r: str, p: str, n: int, consistent: bool) -> None:
    assert check_reported_correlation(r, p, n).consistent is consistent


def test_interval_at_the_stated_n() -> None:
    checked = check_reported_correlation("0.32", "0.009", 66)
    assert checked.low == pytest.approx(0.08, abs=0.006)
    assert checked.high == pytest.approx(0.52, abs=0.006)
    assert check_reported_correlation("0.32", "0.009").low is None


@given(st.text(max_size=12), st.text(max_size=12))
def test_any_text_is_read_or_refused(r: str, p: str) -> None:
    with contextlib.suppress(InputError):
        check_reported_correlation(r, p, 50)


def test_refuses_nonsense() -> None:
    for arguments in (("1.2", "0.01", 50), ("0.3", "1.5", 50), ("0.3", "0.01", 2), ("high", "0.01", 50)):
        with pytest.raises(InputError):
            check_reported_correlation(*arguments)
