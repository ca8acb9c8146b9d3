"""Ketamine measured in plasma, from labs.tsv: beside the curve of its substance, never in place of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sudeck.core.record import Record
from sudeck.ketamine.regimen import ASSUMED_START_H
from sudeck.ketamine.units import ng_per_ml
from sudeck.study.folder.fields import hours_of
from sudeck.study.folder.tables import StudyTables

_SUBSTANCES: Final = ("ketamine", "esketamine")


@dataclass(frozen=True, slots=True)
class PlasmaSample(Record):
    """One measured concentration.

    Attributes
    ----------
    substance : str
        ``ketamine``: both forms together; ``esketamine``: S alone. Neither is turned into the other.
    at_h : float
        Hours since midnight before day 1.
    ng_per_ml : float or None
        None where the unit is not known.
    clock_known : bool
        Whether the clock time is recorded; otherwise 09:00 stands for it.
    """

    substance: str
    at_h: float
    ng_per_ml: float | None
    clock_known: bool


def plasma_samples(tables: StudyTables) -> Mapping[str, tuple[PlasmaSample, ...]]:
    """Return the measured concentrations of each patient, in order of time."""
    found: dict[str, list[PlasmaSample]] = defaultdict(list)
    for row in tables["labs"].rows:
        day, value, time = row["day"], row["value"], row["time"]
        if row["test"] not in _SUBSTANCES or not isinstance(day, int) or not isinstance(value, int | float):
            continue
        clock = hours_of(time) if isinstance(time, str) else None
        at = 24.0 * (day - 1) + (ASSUMED_START_H if clock is None else clock)
        level = ng_per_ml(float(value), str(row["unit"] or ""))
        sample = PlasmaSample(str(row["test"]), at, level, clock is not None)
        found[str(row["participant_id"])].append(sample)
    return {patient: tuple(sorted(own, key=lambda one: one.at_h)) for patient, own in found.items()}
