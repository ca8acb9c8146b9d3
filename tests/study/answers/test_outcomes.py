"""Outcomes: arithmetic by hand, missing scores shown, the responder rule at its limit."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sudeck.study.answers.outcomes import measure_outcomes
from sudeck.study.folder.schema import PAIN
from sudeck.study.folder.settings import Settings
from sudeck.study.folder.stated_rules import ResponderRule
from sudeck.study.folder.tables import ReadTable, type_rows


def pain(*rows: tuple[str, str, int, float | str]) -> ReadTable:
    cells = [(1, list(PAIN.columns)), *((n, list(map(str, row))) for n, row in enumerate(rows, 2))]
    return type_rows(cells, PAIN, where="pain.tsv")


def test_relief_by_hand() -> None:
    table = pain(("sub-001", "baseline", 0, 7), ("sub-001", "day 5", 5, 4.9), ("sub-001", "week 12", 84, 8))
    (patient,) = measure_outcomes(table, Settings()).patients
    assert patient.visits["day 5"].relief_points == pytest.approx(2.1)
    assert patient.visits["day 5"].relief_percent == pytest.approx(30)
    assert patient.responder is True  # the limit itself counts, whatever 0.3 is in binary
    assert patient.visits["week 12"].relief_percent == pytest.approx(-100 / 7)
    assert patient.visits["week 4"].missing == "no score at week 4"
    assert patient.follow_up_days == 84


def test_follow_up_counts_from_baseline_not_from_day_nought() -> None:
    table = pain(("sub-001", "baseline", -3, 7), ("sub-001", "day 5", 5, 4), ("sub-001", "week 4", 28, 5))
    (patient,) = measure_outcomes(table, Settings()).patients
    assert patient.follow_up_days == 31


def test_other_rules() -> None:
    table = pain(("sub-001", "baseline", 0, 4), ("sub-001", "week 4", 28, 2.5))
    rule = ResponderRule(2.0, "points", "week 4")
    assert measure_outcomes(table, Settings(responder=rule)).patients[0].responder is False
    assert (
        measure_outcomes(table, Settings(responder=ResponderRule(visit="week 4"))).patients[0].responder
        is True
    )


def test_missing_scores_are_shown_and_not_imputed() -> None:
    table = pain(
        ("sub-001", "baseline", 0, "n/a"),
        ("sub-001", "day 5", 5, 3),
        ("sub-002", "baseline", 0, 0),
        ("sub-002", "day 5", 5, 0),
    )
    outcomes = measure_outcomes(table, Settings(), patients=["sub-001", "sub-002", "sub-003"])
    assert [patient.responder for patient in outcomes.patients] == [None, None, None]
    assert outcomes.patients[1].visits["day 5"].missing == "no pain at baseline, so no per cent of it"
    frame = outcomes.frame()
    assert frame.relief_percent.isna().all()
    assert frame.relief_points.tolist()[1] == 0
    assert "sub-003" in str(outcomes)


def test_share_of_responders_with_wilson_interval() -> None:
    rows = []
    for n in range(10):
        after = 2 if n < 4 else 8
        rows += [(f"sub-{n}", "baseline", 0, 8), (f"sub-{n}", "day 5", 5, after)]
    share = measure_outcomes(pain(*rows), Settings()).share_of_responders()
    # Wilson interval of 4 of 10, any textbook: 0.168 to 0.687.
    assert share.value == 0.4
    assert (round(share.low, 3), round(share.high, 3)) == (0.168, 0.687)


def test_reliable_change_from_repeated_baselines() -> None:
    rng = np.random.default_rng(1)
    rows = []
    for n in range(400):
        rows += [(f"sub-{n}", "baseline", -day, round(5 + rng.normal(0, 0.5), 6)) for day in range(3)]
        rows += [(f"sub-{n}", "day 5", 5, 5 - (n % 2) * 2.5)]
    outcomes = measure_outcomes(pain(*rows), Settings())
    assert outcomes.reliable_change is not None
    assert outcomes.reliable_change.points == pytest.approx(1.96 * math.sqrt(2) * 0.5, rel=0.05)
    assert outcomes.patients[1].visits["day 5"].reliable is True


def test_reliable_change_is_not_guessed() -> None:
    outcomes = measure_outcomes(pain(("sub-001", "baseline", 0, 7), ("sub-001", "day 5", 5, 1)), Settings())
    assert outcomes.reliable_change is None
    assert "not judged" in outcomes.remarks[0]
    assert outcomes.patients[0].visits["day 5"].reliable is None
