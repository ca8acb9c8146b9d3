"""The planned treatment: what it holds, and that a checker finds nothing in it."""

from __future__ import annotations

from sudeck.ketamine.given import GivenDose, Moment
from sudeck.ketamine.record_checks import check_record
from sudeck.ketamine.regimen import days_left_out, regimen_given
from sudeck.synthetic.study.treatment_plan import recording_time, treatment_rows

PATIENTS = [(f"sub-{n:03d}", 50.0 + n % 50) for n in range(60)]


def _hours(clock: str) -> float:
    return int(clock[:2]) + int(clock[3:]) / 60


def doses() -> list[GivenDose]:
    return [
        GivenDose(
            row["participant_id"],
            row["day"],
            row["drug"],
            row["dose_mg"],
            row.get("dose_form"),
            row.get("duration_h"),
            row["route"],
            _hours(row["start_time"]),
            row.get("infusion"),
            row.get("planned_mg"),
            row.get("stopped_early") == "yes",
        )
        for row in treatment_rows(PATIENTS, seed=3)
    ]


def test_steps_gaps_stops_and_co_medication() -> None:
    given = doses()
    assert {one.drug for one in given} == {"ketamine", "midazolam", "clonidine"}
    assert any(one.stopped_early for one in given)
    days = [len({one.day for one in given if one.patient == patient}) for patient, _ in PATIENTS]
    assert set(days) >= {4, 5}, "a day is missing here and there"
    first = regimen_given([one for one in given if one.patient == "sub-000"], "ketamine")
    assert first is not None
    assert len(first.on_h) == days[0], "steps of a day join without a gap"
    assert (
        treatment_rows(PATIENTS[:3], seed=3)
        == treatment_rows(PATIENTS, seed=3)[: len(treatment_rows(PATIENTS[:3], seed=3))]
    )


def test_nothing_in_it_looks_wrong_but_days_that_are_left_out() -> None:
    moments = [
        Moment(p, "ses-post", 6, _hours(recording_time(n, seed=3))) for n, (p, _) in enumerate(PATIENTS)
    ]
    given = doses()
    assert check_record(given, dict(PATIENTS), moments) == ()
    found = days_left_out(given)
    ketamine = [one for one in given if one.drug == "ketamine"]
    days = {patient: {one.day for one in ketamine if one.patient == patient} for patient, _ in PATIENTS}
    inside = {
        patient
        for patient, own in days.items()
        if own and any(day not in own for day in range(min(own), max(own)))
    }
    assert {patient for patient, _ in found} == inside
