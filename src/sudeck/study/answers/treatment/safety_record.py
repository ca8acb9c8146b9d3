"""What a study recorded of safety: liver grades, vital signs, adverse effects by regimen; no verdict."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sudeck.core.estimate import Estimate
from sudeck.core.record import Record
from sudeck.ketamine.safety import LIVER_GRADES, liver_grade
from sudeck.statistics.proportion import proportion
from sudeck.study.folder.schema import VITALS
from sudeck.study.folder.settings import Settings
from sudeck.study.folder.stated_rules import CentreLimit
from sudeck.study.folder.tables import Row, StudyTables

_VITALS: Final = tuple(
    field.name for field in VITALS.fields if field.type == "number" and field.name != "spo2_percent"
)


@dataclass(frozen=True, slots=True)
class LiverValues(Record):
    """Liver values of one test over the study, by multiples of the laboratory's upper limit.

    Attributes
    ----------
    test : str
    patients : int
        With a value that can be graded.
    before, after : tuple of int
        Patients by their worst grade, 0 to 4: up to day 0, and from day 1 on.
    ungraded : int
        Values without an upper limit.
    """

    test: str
    patients: int
    before: tuple[int, ...]
    after: tuple[int, ...]
    ungraded: int


@dataclass(frozen=True, slots=True)
class VitalSign(Record):
    """The highest value of a vital sign in each patient.

    Attributes
    ----------
    name, unit : str
    patients : int
    middle, highest : float
        Median and highest over patients of their highest values.
    """

    name: str
    unit: str
    patients: int
    middle: float
    highest: float


@dataclass(frozen=True, slots=True)
class LimitPassed(Record):
    """Who passed a limit of the centre's own.

    Attributes
    ----------
    measure : str
    above, below : float or None
        The one of the two that the centre gave.
    patients : tuple of str
    of : int
        Patients with a value.
    """

    measure: str
    above: float | None
    patients: tuple[str, ...]
    of: int
    below: float | None = None


@dataclass(frozen=True, slots=True)
class HarmByRegimen(Record):
    """Adverse effects of the patients of one kind of regimen.

    Attributes
    ----------
    regimen : str
    patients : int
    effects : tuple of Estimate
        Share of patients with each, exact intervals; most frequent first.
    """

    regimen: str
    patients: int
    effects: tuple[Estimate, ...]


@dataclass(frozen=True, slots=True)
class SafetyRecord(Record):
    """What was recorded; empty parts were not."""

    liver: tuple[LiverValues, ...]
    vitals: tuple[VitalSign, ...]
    limits: tuple[LimitPassed, ...]
    harms: tuple[HarmByRegimen, ...]


def record_of_safety(tables: StudyTables, settings: Settings, kinds: Mapping[str, str]) -> SafetyRecord:
    """Return what a study recorded of safety.

    Parameters
    ----------
    tables : StudyTables
    settings : Settings
        With the centre's own limits.
    kinds : Mapping of patient to kind of regimen
        Of patients with ketamine.
    """
    labs, vitals = tables["labs"].rows, tables["vitals"].rows
    return SafetyRecord(
        tuple(found for test in LIVER_GRADES if (found := _liver(test, labs))),
        tuple(sign for name in _VITALS if (sign := _vital(name, vitals))),
        tuple(_passed(limit, labs, vitals) for limit in settings.ketamine_limits),
        _harms(tables["adverse_effects"].rows, kinds, settings.level),
    )


def _liver(test: str, rows: Sequence[Row]) -> LiverValues | None:
    own = [row for row in rows if row["test"] == test and _number(row["value"]) is not None]
    if not own:
        return None
    worst: dict[bool, dict[str, int]] = {False: {}, True: {}}
    ungraded = 0
    for row in own:
        limit, day = _number(row["upper_limit"]), row["day"]
        if not limit or not isinstance(day, int):
            ungraded += 1
            continue
        grades = worst[day >= 1]
        patient = str(row["participant_id"])
        grades[patient] = max(grades.get(patient, 0), liver_grade(test, _number(row["value"]) or 0.0, limit))
    counts = [
        tuple(sum(grade == step for grade in grades.values()) for step in range(5))
        for grades in (worst[False], worst[True])
    ]
    patients = len(worst[False].keys() | worst[True].keys())
    return LiverValues(test, patients, counts[0], counts[1], ungraded)


def _by_patient(name: str, rows: Sequence[Row]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        value = _number(row[name])
        if value is not None:
            found[str(row["participant_id"])].append(value)
    return found


def _vital(name: str, rows: Sequence[Row]) -> VitalSign | None:
    highest = [max(own) for own in _by_patient(name, rows).values()]
    if not highest:
        return None
    return VitalSign(name, VITALS.field(name).unit, len(highest), statistics.median(highest), max(highest))


def _passed(limit: CentreLimit, labs: Sequence[Row], vitals: Sequence[Row]) -> LimitPassed:
    if limit.measure in LIVER_GRADES:
        values: dict[str, list[float]] = defaultdict(list)
        for row in labs:
            value, upper = _number(row["value"]), _number(row["upper_limit"])
            if row["test"] == limit.measure and value is not None and upper:
                values[str(row["participant_id"])].append(value / upper)
    else:
        values = _by_patient(limit.measure, vitals)
    if limit.above is not None:
        beyond = (patient for patient, own in values.items() if max(own) > limit.above)
    else:
        assert limit.below is not None
        beyond = (patient for patient, own in values.items() if min(own) < limit.below)
    return LimitPassed(limit.measure, limit.above, tuple(sorted(beyond)), len(values), limit.below)


def _harms(rows: Sequence[Row], kinds: Mapping[str, str], level: float) -> tuple[HarmByRegimen, ...]:
    """Count patients, not events, within each kind of regimen; nothing where none is recorded."""
    having: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in rows:
        patient, effect = str(row["participant_id"]), row["effect"]
        if patient in kinds and isinstance(effect, str):
            having[kinds[patient]][effect.strip().lower()].add(patient)
    if not having:
        return ()
    found = []
    for kind in sorted(set(kinds.values())):
        of = sum(one == kind for one in kinds.values())
        ordered = sorted(having[kind].items(), key=lambda item: (-len(item[1]), item[0]))
        shares = [proportion(effect, len(some), of, level=level, method="exact") for effect, some in ordered]
        found.append(HarmByRegimen(kind, of, tuple(share for share in shares if share is not None)))
    return tuple(found)


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
