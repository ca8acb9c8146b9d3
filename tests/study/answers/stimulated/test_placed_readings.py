"""From records to readings: sides, visits, muscles, intensities, and what is left out with a reason."""

from __future__ import annotations

from typing import Any

import pytest

from sudeck.study.answers.stimulated.hemisphere_reading import Reading
from sudeck.study.answers.stimulated.placed_readings import read_recordings, visit_names
from sudeck.study.answers.stimulated.stimulation_table import combine_intervals
from support.stimulated import estimate

VISITS = visit_names(("ses-pre", "ses-post"))


def record(*estimates: dict[str, Any], session: str = "ses-pre") -> dict[str, Any]:
    return {"participant_id": "sub-001", "recordings": {session: {"estimates": list(estimates)}}}


def read(*estimates: dict[str, Any], affected: Any = "right", **options: Any) -> tuple[Reading, ...]:
    return read_recordings(record(*estimates), VISITS, affected, **options)[0]


def codes(*estimates: dict[str, Any], affected: Any = "right") -> list[str]:
    return [flag.code for flag in read_recordings(record(*estimates), VISITS, affected)[1]]


@pytest.mark.parametrize(("affected", "pain"), [("right", "left"), ("left", "right")])
def test_the_pain_side_is_the_hemisphere_across(affected: str, pain: str) -> None:
    readings = read(estimate("RMT", "left", 50.0), estimate("RMT", "right", 40.0), affected=affected)
    assert {one.side: one.hemisphere for one in readings}[pain] == "pain"
    assert [one.hemisphere for one in readings].count("pain") == 1


def test_the_tested_hemisphere_counts() -> None:
    # IHI: the test pulse goes left, the conditioning pulse right. iSP: the right one interrupts the left one.
    ihi = estimate("IHI", "left", 0.6, isi_ms=10.0)
    isp = estimate("iSP", "right", 25.0, muscle_side="right")
    assert [(one.name, one.side, one.hemisphere) for one in read(ihi, isp)] == [
        ("IHI_10", "left", "pain"),
        ("iSP", "left", "pain"),
    ]


def test_ipsilateral_responses_are_another_pathway() -> None:
    assert read(estimate("MEP", "left", 0.1, intensity="120 %RMT", muscle_side="left")) == ()


def test_both_hands_in_one_recording_equal_a_recording_a_hemisphere() -> None:
    def hand(hemisphere: str, muscle_side: str, rmt: float, mep: float) -> list[dict[str, Any]]:
        pair = {"isi_ms": 2.0, "conditioning": "40 %MSO", "intensity": "60 %MSO", "muscle_side": muscle_side}
        return [
            estimate("RMT", hemisphere, rmt, muscle_side=muscle_side),
            estimate("MEP", hemisphere, mep, intensity="60 %MSO", muscle_side=muscle_side),
            estimate("SICI", hemisphere, 0.5, **pair),
        ]

    across = [*hand("left", "right", 50.0, 1.0), *hand("right", "left", 48.0, 0.9)]
    # The muscle on the side of the pulse answers late, if at all: its threshold is high.
    same_side = [*hand("left", "left", 83.0, 0.06), *hand("right", "right", 71.0, 0.05)]
    apart = read(*across)
    assert read(*across, *same_side) == read(*same_side, *across) == apart
    assert {one.side: one.conditioning_rmt for one in apart if one.measure == "SICI"} == pytest.approx(
        {"left": 80.0, "right": 4000 / 48}
    )
    assert codes(*across, *same_side) == codes(*same_side, *across) == []


def test_errors_come_to_the_log_scale() -> None:
    linear = estimate("RMT", "left", 50.0, se=1.0, scale="linear")
    bounds = estimate("CSP", "left", 150.0, se=0.1) | {"se": None, "low": 120.0, "high": 187.5}
    open_end = estimate("CSP", "right", 150.0) | {"se": None, "high": None}
    errors = {(one.measure, one.side): one.log_se for one in read(linear, bounds, open_end)}
    assert errors["RMT", "left"] == pytest.approx(0.02)
    assert errors["CSP", "left"] == pytest.approx(0.1139, abs=1e-4)
    assert errors["CSP", "right"] != errors["CSP", "right"]


@pytest.mark.parametrize(
    ("intensity", "name"),
    [
        ("120 %RMT", "MEP_1.2"),
        ("110 %RMT", "MEP_1.1"),
        ("59 %MSO", "MEP_1.2"),
        ("66 %MSO", "MEP_1.3"),
        ("55 %MSO", None),
        ("100 %RMT", None),
    ],
)
def test_an_mep_is_named_by_its_intensity_over_the_threshold(intensity: str, name: str | None) -> None:
    readings = read(estimate("RMT", "left", 50.0), estimate("MEP", "left", 1.0, intensity=intensity))
    assert [one.name for one in readings if one.measure == "MEP"] == ([name] if name else [])
    rows = [estimate("RMT", "left", 50.0), estimate("MEP", "left", 1.0, intensity=intensity)]
    assert codes(*rows) == ([] if name else ["mep-not-placed"])


def test_without_a_threshold_the_one_test_pulse_is_known_by_its_pairs() -> None:
    alone = estimate("MEP", "left", 1.0, intensity="60 %MSO")
    step = estimate("MEP", "left", 0.1, intensity="48 %MSO")
    pair = estimate("SICI", "left", 0.5, isi_ms=2.0, intensity="60 %MSO")
    assert [one.name for one in read(alone, step, pair)] == ["MEP", "SICI_2"]
    assert [one.name for one in read(alone, step)] == []


def test_the_unconditioned_error_is_that_of_the_test_pulse() -> None:
    single = estimate("MEP", "left", 1.0, intensity="60 %MSO", se=0.06)
    pair = estimate("SICI", "left", 0.5, isi_ms=2.0, intensity="60 %MSO", se=0.1)
    other = estimate("ICF", "left", 1.5, isi_ms=10.0, intensity="70 %MSO", se=0.1)
    shared = {one.measure: one.shared_variance for one in read(single, pair, other)}
    assert shared["SICI"] == pytest.approx(0.0036)
    assert shared["ICF"] != shared["ICF"]


def test_one_muscle_for_each_hemisphere() -> None:
    rows = [estimate("RMT", "left", 50.0, muscle=muscle) for muscle in ("APB", "FDI")]
    assert [one.muscle for one in read(*rows, muscles=("FDI", "APB"))] == ["FDI"]
    assert [one.muscle for one in read(*rows, muscles=("APB",))] == ["APB"]
    both = {
        "participant_id": "sub-001",
        "recordings": {"ses-pre": {"estimates": rows}, "ses-post": {"estimates": rows[:1]}},
    }
    readings, _ = read_recordings(both, VISITS, "right", muscles=("FDI",))
    assert [(one.visit, one.muscle) for one in readings] == [("pre", "APB"), ("post", "APB")]


def test_conditioning_intensities_are_told_apart() -> None:
    rows = [
        estimate("SICI", "left", value, isi_ms=2.0, conditioning=f"{percent} %RMT")
        for percent, value in ((70, 0.6), (80, 0.5))
    ]
    assert [one.name for one in read(*rows)] == ["SICI_2 at 70 %RMT", "SICI_2 at 80 %RMT"]
    assert [one.name for one in read(rows[0])] == ["SICI_2"]


@pytest.mark.parametrize(
    ("rows", "affected", "code"),
    [
        ([estimate("RMT", "left", 50.0)], None, "side-unknown"),
        ([estimate("RMT", None, 50.0)], "right", "hemisphere-unknown"),
        ([estimate("ICF", "left", 0.0, isi_ms=10.0)], "right", "value-not-positive"),
        ([estimate("SICI tracked", "left", 1.1, isi_ms=2.0)], "right", "tracked"),
        ([estimate("RMT", "left", 50.0, visit=v) for v in ("a", "b")], "right", "several-visits"),
        ([estimate("RMT", "left", 50.0, participant=v) for v in ("a", "b")], "right", "several-people"),
        ([estimate("CSP", "left", 150.0), estimate("CSP", "left", 160.0)], "right", "measured-twice"),
    ],
)
def test_what_can_not_be_placed_is_left_out_with_a_sentence(
    rows: list[dict[str, Any]], affected: Any, code: str
) -> None:
    assert read(*rows, affected=affected) == ()
    assert codes(*rows, affected=affected) == [code]


def test_a_session_that_is_not_named_is_not_read() -> None:
    assert read_recordings(record(estimate("RMT", "left", 50.0), session="ses-03"), VISITS, "right") == (
        (),
        (),
    )


@pytest.mark.parametrize(
    ("before_rmt", "after_rmt", "names"),
    [
        # 52 %MSO are 121 and 125 % of the thresholds: 48 %MSO must not stand for them at one visit,
        (43.0, 41.5, ["MEP_1.2", "MEP_1.2"]),
        # nor at both, where it is nearer to 120 %.
        (41.0, 41.2, ["MEP_1.3", "MEP_1.3"]),
        (43.0, 38.0, ["MEP_1.2", "MEP_1.4"]),
    ],
)
def test_the_test_pulse_of_the_pairs_is_one_intensity_though_thresholds_have_errors(
    before_rmt: float, after_rmt: float, names: list[str]
) -> None:
    pair = estimate("SICI", "left", 0.5, isi_ms=2.0, intensity="52 %MSO")
    test = estimate("MEP", "left", 1.0, intensity="52 %MSO", n=25)
    step = estimate("MEP", "left", 0.2, intensity="48 %MSO", n=4)
    recordings = {
        session: {"estimates": [estimate("RMT", "left", rmt), test, step, pair]}
        for session, rmt in zip(VISITS, (before_rmt, after_rmt), strict=True)
    }
    readings, _ = read_recordings({"participant_id": "sub-001", "recordings": recordings}, VISITS, "right")
    assert [one.name for one in readings if one.measure == "MEP" and one.value == 1.0] == names
    combined = [one.value for one, _ in combine_intervals(readings)[0] if one.measure == "MEP"]
    assert combined == ([1.0, 1.0] if len(set(names)) == 1 else [])
