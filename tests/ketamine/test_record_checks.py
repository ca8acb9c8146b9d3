"""A record that contradicts itself is told, one that does not is left alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from sudeck.ketamine.given import GivenDose, Moment
from sudeck.ketamine.record_checks import RecordFinding, check_record
from sudeck.ketamine.regimen import days_left_out
from sudeck.ketamine.units import BASE_SHARE

WEIGHTS = {f"sub-{n}": 50.0 + 4 * n for n in range(9)}
CLEAN = [
    GivenDose(
        patient, day, "ketamine", round(1.6 * kilos), "base", 4.0, "intravenous", 9.0, 1, round(1.6 * kilos)
    )
    for patient, kilos in WEIGHTS.items()
    for day in range(1, 6)
]
RECORDED = [Moment(patient, "ses-post", 6, 9.0) for patient in WEIGHTS]


def codes(
    doses: Sequence[GivenDose],
    weights: dict[str, float] | None = None,
    moments: Sequence[Moment] = RECORDED,
) -> set[str]:
    return {one.code for one in check_record(doses, weights or WEIGHTS, moments)}


def with_first(**change: object) -> list[GivenDose]:
    return [replace(CLEAN[0], **change), *CLEAN[1:]]  # type: ignore[arg-type]


def all_of_first(change: Callable[[GivenDose], GivenDose]) -> list[GivenDose]:
    return [change(dose) if dose.patient == "sub-0" else dose for dose in CLEAN]


def test_a_clean_record_is_left_alone() -> None:
    assert codes(CLEAN) == set()
    steps = [
        GivenDose("sub-0", day, "esketamine", 50.0 * day, "base", 24.0, "intravenous") for day in range(1, 11)
    ]
    assert codes(steps, moments=()) == set()  # a titration is none of the factors
    bolus = GivenDose("sub-0", 1, "ketamine", 15.0, "base", 0.0, "intravenous", 8.9, 1)
    assert codes([bolus, *CLEAN]) == set()
    half = with_first(dose_mg=40.0, duration_h=2.0, stopped_early=True)
    assert codes(half) == set()


@pytest.mark.parametrize(
    ("doses", "code"),
    [
        (with_first(dose_mg=800.0, planned_mg=None), "other-days"),
        (with_first(dose_mg=16.0, planned_mg=None), "other-days"),
        (with_first(dose_mg=400.0, planned_mg=None), "other-days"),
        (with_first(dose_mg=400.0), "ampoule"),
        (with_first(dose_mg=160.0), "ampoule"),
        (with_first(dose_mg=60.0), "planned"),
        (with_first(dose_mg=80.0 * BASE_SHARE), "base-for-salt"),
        (
            all_of_first(lambda d: replace(d, dose_mg=d.dose_mg and 10 * d.dose_mg, planned_mg=None)),
            "above-awake",
        ),
        (
            all_of_first(lambda d: replace(d, dose_mg=d.dose_mg and d.dose_mg / 5, planned_mg=None)),
            "other-patients",
        ),
        (
            all_of_first(lambda d: replace(d, dose_mg=d.dose_mg and 2.2 * d.dose_mg, planned_mg=None)),
            "pounds",
        ),
        (all_of_first(lambda d: replace(d, form="hydrochloride")), "base-for-salt"),
        (with_first(duration_h=0.0), "zero-hours"),
        (with_first(duration_h=None), "no-duration"),
        (with_first(stopped_early=True), "planned"),
        ([*CLEAN, GivenDose("sub-0", 3, "placebo", 0.0, "base", 4.0, "intravenous")], "placebo"),
        ([*CLEAN, GivenDose("sub-0", 1, "ketamine", 20.0, "base", 1.0, "intravenous", 10.0, 2)], "overlap"),
        ([*CLEAN, GivenDose("sub-0", 1, "midazolam", 2000.0, route="intravenous")], "unit"),
        ([*CLEAN, GivenDose("sub-0", 1, "clonidine", 100.0, route="oral")], "unit"),
        (with_first(dose_mg=0.5, planned_mg=None), "unit"),
    ],
)
def test_each_error_is_told(doses: list[GivenDose], code: str) -> None:
    assert code in codes(doses)


def test_a_weight_in_pounds_is_told_of_that_patient() -> None:
    (found,) = check_record(CLEAN, WEIGHTS | {"sub-3": WEIGHTS["sub-3"] * 2.20462}, RECORDED)
    assert (found.code, found.patient) == ("pounds", "sub-3")


@pytest.mark.parametrize(
    ("day", "clock", "words"),
    [
        (5, 11.0, "during an infusion"),
        (5, 15.0, "2 h after an infusion"),
        (5, None, "times not known"),
        (5, 8.0, ""),
        (6, 9.0, ""),
        (6, None, ""),
    ],
)
def test_recording_under_drug(day: int, clock: float | None, words: str) -> None:
    found: tuple[RecordFinding, ...] = check_record(CLEAN, WEIGHTS, [Moment("sub-0", "ses-post", day, clock)])
    assert [words in one.message for one in found] == ([True] if words else [])


def test_what_the_rows_of_a_day_say_together() -> None:
    first = CLEAN[0]
    twice = [
        replace(first, dose_mg=400.0, planned_mg=None, infusion=n, start_h=h)
        for n, h in ((1, 8.0), (2, 14.0))
    ]
    (said,) = (one for one in check_record(twice, WEIGHTS) if one.code == "above-awake")
    assert "16 mg/kg on day 1 in 2 rows" in said.message
    little = [replace(first, dose_mg=1.6, planned_mg=None)]
    assert codes(little, moments=()) == {"unit"}
    mixed = [first, replace(first, start_h=None, infusion=2)]
    assert "half-timed" in codes(mixed, moments=())
    assert "half-timed" not in codes([replace(first, start_h=None)], moments=())


def test_two_salts_a_day_left_out_and_mg_an_hour() -> None:
    hydrochloride = with_first(form="hydrochloride")
    assert "two-salts" in codes(hydrochloride)
    gap = [dose for dose in CLEAN if (dose.patient, dose.day) != ("sub-3", 3)]
    assert codes(gap) == set(), "a day that is left out is asked for, not blamed"
    assert days_left_out(gap) == (("sub-3", 3),)
    assert days_left_out([*gap, replace(CLEAN[0], patient="sub-3", day=3, dose_mg=0.0)]) == ()
    early = [
        dose for dose in CLEAN if dose.patient != "sub-3" or dose.day < 4
    ]  # a course that ends is no gap
    assert codes(early) == set()
    assert days_left_out(early) == ()
    hourly = all_of_first(lambda dose: replace(dose, dose_mg=20.0, planned_mg=None))
    (said,) = (one for one in check_record(hourly, WEIGHTS) if one.code == "per-hour")
    assert "mg an hour in place of mg, as 4 h suggest" in said.message


def test_an_error_in_one_step_of_a_titrated_infusion() -> None:
    steps = [
        GivenDose("sub-0", day, "ketamine", rate * hours, "base", hours, "intravenous", start, 1)
        for day in range(1, 6)
        for rate, hours, start in ((10.0, 1.0, 9.0), (15.0, 1.0, 10.0), (20.0, 3.0, 11.0))
    ]
    assert codes(steps, moments=()) == set()
    for place, factor in ((4, 10.0), (8, 5.0), (6, 0.1)):
        wrong = list(steps)
        wrong[place] = replace(steps[place], dose_mg=factor * (steps[place].dose_mg or 0.0))
        found = [one for one in check_record(wrong, WEIGHTS) if one.code == "other-days"]
        assert len(found) == 1, (place, factor)


def test_a_second_course_of_another_dose_hides_no_error_at_its_ends() -> None:
    courses = [replace(CLEAN[0], day=day, dose_mg=mg, planned_mg=None) for day, mg in
               [(1, 40.0), (2, 40.0), (3, 40.0), (92, 61.0), (93, 61.0), (94, 61.0)]]  # fmt: skip
    assert codes(courses, moments=()) == set()
    courses[3] = replace(courses[3], dose_mg=6.1)
    assert codes(courses, moments=()) >= {"other-days"}


def test_a_form_that_differs_from_the_cohorts_at_the_same_written_dose() -> None:
    salt = [replace(dose, form="hydrochloride") for dose in CLEAN]
    assert codes(salt) == set()
    one_base = [replace(dose, form="base") if dose.patient == "sub-4" else dose for dose in salt]
    (said,) = check_record(one_base, WEIGHTS, RECORDED)
    assert (said.code, said.patient, said.column) == ("base-for-salt", "sub-4", "dose_form")


def test_heavy_patients_who_share_a_highest_dose_are_not_blamed() -> None:
    most = 1.6 * 90.0
    heavy = {"sub-a": 90.0 / BASE_SHARE, "sub-b": 96.0}
    capped = [
        replace(dose, patient=patient, dose_mg=most, planned_mg=most)
        for patient in heavy
        for dose in CLEAN[:5]
    ]
    assert codes([*CLEAN, *capped], WEIGHTS | heavy, ()) == set()
