"""Checks of the tables of a study against each other and against its settings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from statistics import median
from typing import Final

from sudeck.ketamine.record_checks import check_record
from sudeck.ketamine.regimen import days_left_out
from sudeck.study.checks.check_scores import check_pain, check_ratios, is_alike
from sudeck.study.folder.given_doses import body_weights, given_doses, recorded_moments
from sudeck.study.folder.schema import INSTRUMENTS
from sudeck.study.folder.settings import Settings
from sudeck.study.folder.tables import Problem, Row, StudyTables

_DAYS_A_MONTH: Final = 365.25 / 12
_DURATION_TOLERANCE_MONTHS: Final = 2.0
_SAME_VISIT_DAYS: Final = 7
_FEWEST: Final = 5  # patients that a middle can be taken of
_HEAVY_KG: Final = 110.0


def check_tables(tables: StudyTables, settings: Settings) -> Iterator[Problem]:
    """Yield what is missing or contradictory in the tables, beyond what each cell and row says by itself."""
    yield from _strangers(tables)
    yield from _participants(tables)
    yield from _pain(tables, settings)
    yield from _sessions(tables)
    yield from _criteria(tables)
    yield from _totals(tables)
    yield from _treatment(tables)
    yield from check_pain(tables, settings)
    yield from check_ratios(tables["scan_ratios"])


def _rows(tables: StudyTables, name: str) -> Iterator[tuple[str, int, Row]]:
    """Yield patient, line and row of every row that names a patient."""
    table = tables[name]
    for row, line in zip(table.rows, table.lines, strict=True):
        patient = row["participant_id"]
        if isinstance(patient, str):
            yield patient, line, row


def _strangers(tables: StudyTables) -> Iterator[Problem]:
    known = {patient for patient, _, _ in _rows(tables, "participants")}
    for name in tables.tables:
        if name == "participants" or not tables["participants"].present:
            continue
        first = {patient: line for patient, line, _ in reversed(list(_rows(tables, name)))}
        for patient in sorted(set(first) - known):
            yield Problem(
                tables[name].file,
                f"the patient is not in {tables['participants'].file}",
                first[patient],
                patient=patient,
            )


def _participants(tables: StudyTables) -> Iterator[Problem]:
    where = tables["participants"].file
    begins = {
        patient: row["date"]
        for patient, _, row in reversed(list(_rows(tables, "sessions")))
        if row["date"] is not None
    }
    if tables["participants"].present and not tables["participants"].rows:
        yield Problem(where, "it lists no patient")
    weights = sorted(body_weights(tables).values())
    if len(weights) > _FEWEST and (middle := median(weights)) > _HEAVY_KG:
        message = f"half of the patients weigh {middle:g} or more; perhaps pounds in place of kilograms"
        yield Problem(where, message, column="weight_kg", serious=False)
    for patient, line, row in _rows(tables, "participants"):
        onset, months, first = row["onset_date"], row["duration_months"], begins.get(patient)
        if onset is None and months is None:
            message = "neither onset_date nor duration_months is given"
            yield Problem(where, message, line, "duration_months", patient, serious=False)
        if row["limb"] == "hand" and row["handedness"] is None:
            message = "not given, and a dominant hand takes up more"
            yield Problem(where, message, line, "handedness", patient, serious=False)
        if not isinstance(onset, date) or not isinstance(first, date):
            continue
        since = (first - onset).days / _DAYS_A_MONTH
        if since < 0:
            yield Problem(where, "it is after the first session", line, "onset_date", patient)
        elif isinstance(months, int | float) and abs(since - months) > _DURATION_TOLERANCE_MONTHS:
            message = f"{months:g} months, but {since:.1f} months from onset_date to the first session"
            yield Problem(where, message, line, "duration_months", patient)


def _pain(tables: StudyTables, settings: Settings) -> Iterator[Problem]:
    if not tables["pain"].present:
        return
    where = tables["pain"].file
    order = {visit: number for number, visit in enumerate(settings.visits)}
    scored: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    unknown: dict[str, int] = {}
    for patient, line, row in _rows(tables, "pain"):
        visit, day = str(row["visit"] or ""), row["day"]
        if row["nrs"] is None:
            if visit in order:
                yield Problem(where, f"{visit} has no score", line, "nrs", patient, serious=False)
            continue
        if visit == settings.baseline and row["nrs"] == 0:
            message = f"no pain at {visit}, so no relief in per cent: the patient counts in no analysis of it"
            yield Problem(where, message, line, "nrs", patient, serious=False)
        if isinstance(day, int):
            scored[patient][visit].append(day)
        else:
            scored[patient].setdefault(visit, [])
        if visit and not any(is_alike(visit, name) for name in order):
            unknown[visit] = unknown.get(visit, 0) + 1
    if not any(visits for visits in scored.values()):
        yield Problem(where, "it holds no score")
        return
    held = {visit for visits in scored.values() for visit in visits} - {""}
    if not held:
        return  # the column is missing, and that is told
    for visit in settings.visits:
        # Under another name it is told as such.
        if not any(is_alike(other, visit) for other in held):
            found = ", ".join(sorted(held)[:12])
            message = f"nobody has a score at {visit}, which sudeck.toml names; the table names {found}"
            # A follow-up nobody came to yet stops nothing; one under another name would be lost.
            needed = visit in (settings.baseline, settings.responder.visit)
            yield Problem(where, message, column="visit", serious=needed or bool(unknown))
    for patient, _, _ in _rows(tables, "participants"):
        for visit in dict.fromkeys((settings.baseline, settings.responder.visit)):
            if visit in held and visit not in scored[patient]:
                yield Problem(where, f"no score at {visit}, so no outcome", patient=patient, serious=False)
    for patient, visits in scored.items():
        yield from _order_of_visits(where, patient, visits, order)


def _order_of_visits(
    where: str, patient: str, visits: dict[str, list[int]], order: dict[str, int]
) -> Iterator[Problem]:
    named = sorted((order[visit], days, visit) for visit, days in visits.items() if visit in order and days)
    for (_, before, earlier), (_, after, later) in pairwise(named):
        if max(before) >= min(after):
            message = f"{earlier} (day {max(before)}) is not before {later} (day {min(after)})"
            yield Problem(where, message, column="day", patient=patient)
    for visit, days in visits.items():
        if days and max(days) - min(days) > _SAME_VISIT_DAYS:
            message = f"{visit} spans {max(days) - min(days)} days"
            yield Problem(where, message, column="day", patient=patient, serious=False)


def _sessions(tables: StudyTables) -> Iterator[Problem]:
    of_patient: dict[str, list[tuple[int, date]]] = defaultdict(list)
    for patient, _, row in _rows(tables, "sessions"):
        day, when = row["day"], row["date"]
        if isinstance(day, int) and isinstance(when, date):
            of_patient[patient].append((day, when))
    for patient, dated in of_patient.items():
        dated.sort()
        for (day, when), (next_day, next_when) in pairwise(dated):
            if (next_when - when).days != next_day - day:
                message = f"days {day} and {next_day} lie {(next_when - when).days} days apart by their dates"
                yield Problem(tables["sessions"].file, message, column="day", patient=patient)


def _criteria(tables: StudyTables) -> Iterator[Problem]:
    for patient, line, row in _rows(tables, "budapest"):
        for column, verdict in budapest_verdicts(row).items():
            judged = row[column]
            if verdict is not None and judged is not None and verdict != judged:
                message = f"{judged}, but the items give {verdict}"
                yield Problem(tables["budapest"].file, message, line, column, patient)


def budapest_verdicts(row: Row) -> dict[str, str | None]:
    """Return what the items say of the Budapest criteria; None where items are missing that would decide.

    Clinical: symptoms in three of four categories, signs in two. Research: symptoms in all four, signs in
    two. Both: continuing disproportionate pain, no better diagnosis (Harden et al. 2010, Pain 150:268-274).
    """
    verdicts: dict[str, str | None] = {}
    kinds = ("sensory", "vasomotor", "sudomotor", "motor")
    for column, symptoms in (("clinical_criteria", 3), ("research_criteria", 4)):
        parts = [
            _at_least([row[f"symptom_{kind}"] for kind in kinds], symptoms),
            _at_least([row[f"sign_{kind}"] for kind in kinds], 2),
            _at_least([row["disproportionate_pain"]], 1),
            _at_least([row["no_better_diagnosis"]], 1),
        ]
        verdicts[column] = "no" if "no" in parts else None if None in parts else "yes"
    return verdicts


def _at_least(answers: list[object], needed: int) -> str | None:
    if answers.count("yes") >= needed:
        return "yes"
    return None if len(answers) - answers.count("no") >= needed else "no"


def _totals(tables: StudyTables) -> Iterator[Problem]:
    for patient, line, row in _rows(tables, "outcomes"):
        total, instrument = row["total"], row["instrument"]
        if not isinstance(total, int | float) or not isinstance(instrument, str):
            continue
        _, low, high = INSTRUMENTS[instrument]
        if not low <= total <= high:
            message = f"{total:g} is outside {low:g} to {high:g} of {instrument}"
            yield Problem(tables["outcomes"].file, message, line, "total", patient)


def _treatment(tables: StudyTables) -> Iterator[Problem]:
    where = tables["treatment"].file
    given: set[str] = set()
    for patient, line, row in _rows(tables, "treatment"):
        drug = row["drug"]
        if not isinstance(drug, str) or not drug.endswith("ketamine"):
            continue
        given.add(patient)
        if row["dose_mg"] is None:
            yield Problem(where, "no dose", line, "dose_mg", patient, serious=False)
    doses = given_doses(tables)
    for patient, day in days_left_out(doses):
        text = (
            f"no row for day {day} of the course, on which nearly all have ketamine; 0 mg says none was given"
        )
        yield Problem(where, text, patient=patient, serious=False)
    found = check_record(doses, body_weights(tables), recorded_moments(tables))
    for one in found:
        yield Problem(
            tables[one.table].file, one.message, one.line, one.column, one.patient, serious=one.serious
        )
    if not tables["treatment"].rows:
        return
    for patient, _, _ in _rows(tables, "participants"):
        if patient not in given:
            yield Problem(where, "no ketamine is recorded", patient=patient, serious=False)
