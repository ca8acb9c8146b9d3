"""Rows of treatment.tsv and sessions.tsv as the room `ketamine` takes them."""

from __future__ import annotations

from collections.abc import Mapping

from sudeck.ketamine.given import GivenDose, Moment
from sudeck.study.folder.fields import Value, hours_of
from sudeck.study.folder.tables import StudyTables


def given_doses(tables: StudyTables) -> tuple[GivenDose, ...]:
    """Return what was given: rows that name a patient, a day and a drug, in the order of the table."""
    table = tables["treatment"]
    return tuple(
        GivenDose(
            row["participant_id"],
            row["day"],
            row["drug"],
            _number(row["dose_mg"]),
            _text(row["dose_form"]),
            _number(row["duration_h"]),
            _text(row["route"]),
            _clock(row["start_time"]),
            row["infusion"] if isinstance(row["infusion"], int) else None,
            _number(row["planned_mg"]),
            None if row["stopped_early"] is None else row["stopped_early"] == "yes",
            line,
        )
        for row, line in zip(table.rows, table.lines, strict=True)
        if isinstance(row["participant_id"], str)
        and isinstance(row["day"], int)
        and isinstance(row["drug"], str)
    )


def recorded_moments(tables: StudyTables) -> tuple[Moment, ...]:
    """Return when patients were recorded or scanned: sessions whose day is known."""
    table = tables["sessions"]
    return tuple(
        Moment(row["participant_id"], str(row["session_id"]), row["day"], _clock(row["time"]), line)
        for row, line in zip(table.rows, table.lines, strict=True)
        if isinstance(row["participant_id"], str) and isinstance(row["day"], int)
    )


def scored_moments(tables: StudyTables) -> tuple[tuple[Moment, float], ...]:
    """Return when pain was asked, and the score: rows with both."""
    return tuple(
        (Moment(row["participant_id"], str(row["visit"]), row["day"], _clock(row["time"])), float(row["nrs"]))
        for row in tables["pain"].rows
        if isinstance(row["participant_id"], str)
        and isinstance(row["day"], int)
        and isinstance(row["nrs"], int | float)
    )


def body_weights(tables: StudyTables) -> Mapping[str, float]:
    """Return the weight of each patient whose weight is known, in kg."""
    weights = {row["participant_id"]: row["weight_kg"] for row in tables["participants"].rows}
    return {
        str(patient): float(kilos)
        for patient, kilos in weights.items()
        if isinstance(kilos, int | float) and kilos > 0
    }


def _number(value: Value) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _text(value: Value) -> str | None:
    return value if isinstance(value, str) else None


def _clock(value: Value) -> float | None:
    return hours_of(value) if isinstance(value, str) else None
