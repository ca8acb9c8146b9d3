"""Checks of pain scores and typed ratios against each other: what each cell allows and all contradict."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from statistics import median
from typing import Final

from sudeck.core.vocabulary import PHASE_RATIOS
from sudeck.prediction.ratios import UNLIKE_RATIO
from sudeck.study.folder.dialect.wordings import day_of_visit
from sudeck.study.folder.settings import Settings
from sudeck.study.folder.tables import Problem, ReadTable, StudyTables

_LEAST_BASELINE: Final = (
    1.0  # below a point, relief in per cent is a fraction of the smallest step of the scale
)
_UNLIKE_POINTS: Final = 4.0  # two scores of one visit this far apart are not two takes of one state
_FEWEST: Final = 5

Scores = Mapping[str, Mapping[str, list[tuple[int | None, float, int]]]]


def check_pain(tables: StudyTables, settings: Settings) -> Iterator[Problem]:
    """Yield scores that contradict each other, the names of the visits or the days of treatment."""
    where = tables["pain"].file
    scores = _scores(tables["pain"])
    yield from _misnamed(where, scores, settings)
    began = _first_ketamine(tables["treatment"])
    for patient, visits in scores.items():
        for visit in settings.visits:
            taken = visits.get(visit, [])
            values = [nrs for _, nrs, _ in taken]
            if values and max(values) - min(values) >= _UNLIKE_POINTS:
                message = f"{visit} has scores from {min(values):g} to {max(values):g}, and their mean counts"
                yield Problem(where, message, taken[-1][2], "nrs", patient, serious=False)
        yield from _baseline(where, patient, visits.get(settings.baseline, []), settings, began.get(patient))


def _scores(pain: ReadTable) -> Scores:
    found: dict[str, dict[str, list[tuple[int | None, float, int]]]] = defaultdict(lambda: defaultdict(list))
    for row, line in zip(pain.rows, pain.lines, strict=True):
        day, nrs = row["day"], row["nrs"]
        if isinstance(row["participant_id"], str) and isinstance(nrs, int | float):
            whole = day if isinstance(day, int) else None
            found[row["participant_id"]][str(row["visit"] or "")].append((whole, float(nrs), line))
    return found


def _misnamed(where: str, scores: Scores, settings: Settings) -> Iterator[Problem]:
    """Yield visits that seem to be one of the study under another name, in patients who lack that one."""
    for visit in settings.visits:
        lost: dict[str, list[int]] = defaultdict(list)
        for visits in scores.values():
            if visit not in visits:
                for other, taken in visits.items():
                    if other not in settings.visits and is_alike(other, visit):
                        lost[other].append(taken[0][2])
        for other, lines in lost.items():
            patients = "1 patient" if len(lines) == 1 else f"{len(lines)} patients"
            message = f"{other} of {patients} seems to be {visit}, which sudeck.toml names; it is not counted"
            yield Problem(where, message, min(lines), "visit")


def is_alike(other: str, visit: str) -> bool:
    """Tell whether two names of a visit mean one, by their letters or by the day they say."""
    plain, named = (re.sub(r"[\s_-]+", "", text.casefold()) for text in (other, visit))
    day = day_of_visit(visit)
    return plain == named or (day is not None and day_of_visit(other) == day)


def _baseline(
    where: str,
    patient: str,
    taken: list[tuple[int | None, float, int]],
    settings: Settings,
    began: int | None,
) -> Iterator[Problem]:
    if not taken:
        return
    mean = sum(nrs for _, nrs, _ in taken) / len(taken)
    if 0 < mean < _LEAST_BASELINE:
        message = f"{mean:g} of 10 at {settings.baseline}, so per cent of it are fractions of a point"
        yield Problem(where, f"{message}; perhaps another scale", taken[0][2], "nrs", patient, serious=False)
    late = [(day, line) for day, _, line in taken if day is not None and began is not None and day >= began]
    if late:
        day, line = late[0]
        after = day > (began or 0)
        when = f"after ketamine began (day {began})" if after else "on the day that ketamine began"
        yield Problem(
            where, f"{settings.baseline} (day {day}) is {when}", line, "day", patient, serious=after
        )


def _first_ketamine(treatment: ReadTable) -> dict[str, int]:
    first: dict[str, int] = {}
    for row in treatment.rows:
        patient, day, drug = row["participant_id"], row["day"], row["drug"]
        if (
            isinstance(patient, str)
            and isinstance(day, int)
            and str(drug or "").endswith("ketamine")
            and row["dose_mg"] != 0
        ):
            first[patient] = min(day, first.get(patient, day))
    return first


def check_ratios(table: ReadTable) -> Iterator[Problem]:
    """Yield typed ratios far from those of everybody else, and rows of two patients that are one."""
    names = tuple(PHASE_RATIOS.values())
    empty = [
        line for row, line in zip(table.rows, table.lines, strict=True) if all(row[n] is None for n in names)
    ]
    if empty and len(empty) == len(table.rows):
        yield Problem(table.file, f"no row has a ratio that can be read; the columns are {', '.join(names)}")
        return
    for line in empty:
        yield Problem(table.file, f"the row has none of {', '.join(names)}", line, serious=False)
    rows = [
        (
            str(row["participant_id"]),
            line,
            {n: float(v) for n in names if isinstance(v := row[n], int | float)},
        )
        for row, line in zip(table.rows, table.lines, strict=True)
        if isinstance(row["participant_id"], str)
    ]
    for name in names:
        held = [(patient, line, ratios[name]) for patient, line, ratios in rows if name in ratios]
        if len(held) <= _FEWEST:
            continue
        middle = median(ratio for _, _, ratio in held)
        for patient, line, value in held:
            if not 1 / UNLIKE_RATIO <= value / middle <= UNLIKE_RATIO:
                message = f"{value:g}, where the middle of all is {middle:.3g}; look for the decimal point"
                yield Problem(table.file, message, line, name, patient, serious=False)
    seen: dict[tuple[float, ...], tuple[str, int]] = {}
    for patient, line, ratios in rows:
        if len(ratios) < len(names):
            continue
        twin, where = seen.setdefault(tuple(ratios[name] for name in names), (patient, line))
        if twin != patient:
            message = f"the same three ratios as {twin} in line {where}"
            yield Problem(table.file, message, line, patient=patient, serious=False)
