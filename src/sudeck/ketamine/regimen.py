"""A course of treatment as doses in time: infusions, steps of their rate, boluses, gaps, repeated courses."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sudeck.ketamine.given import GivenDose
from sudeck.ketamine.units import S_SHARE

Floats = NDArray[np.float64]
ASSUMED_START_H: Final = 9.0  # clock time of what has none; told wherever it is used
_SAME_COURSE_H: Final = 7 * 24.0
_COHORT: Final = 6  # others that make a day usual
_USUAL: Final = 0.8  # share of patients with a dose on it


@dataclass(frozen=True, slots=True)
class Dose:
    """Ketamine into a vein at one rate.

    Attributes
    ----------
    start_h : float
        Hours since midnight before day 1.
    duration_h : float
        0 for a bolus.
    mg : float
        Of base.
    """

    start_h: float
    duration_h: float
    mg: float

    @property
    def end_h(self) -> float:
        """When it ended, on the same clock."""
        return self.start_h + self.duration_h


@dataclass(frozen=True, slots=True)
class Regimen:
    """Everything of one drug that one patient was given into a vein.

    Attributes
    ----------
    name : str
    drug : str
        ``ketamine`` (racemate), ``esketamine`` or ``arketamine``.
    doses : tuple of Dose
        In order of time; they may overlap, as a bolus and an infusion do.
    """

    name: str
    drug: str
    doses: tuple[Dose, ...]

    @property
    def total_mg(self) -> float:
        """Cumulative dose, in mg of base."""
        return float(sum(dose.mg for dose in self.doses))

    @property
    def s_mg(self) -> float:
        """S-ketamine in it, in mg of base."""
        return self.total_mg * S_SHARE[self.drug]

    @property
    def hours(self) -> float:
        """Hours of infusion, overlaps counted once."""
        return float(sum(end - start for start, end in self.on_h))

    @property
    def on_h(self) -> tuple[tuple[float, float], ...]:
        """When an infusion ran: start and end of each stretch without a gap."""
        stretches: list[tuple[float, float]] = []
        for dose in sorted(self.doses, key=lambda one: one.start_h):
            if not dose.duration_h:
                continue
            if stretches and dose.start_h <= stretches[-1][1] + 1e-9:
                stretches[-1] = stretches[-1][0], max(stretches[-1][1], dose.end_h)
            else:
                stretches.append((dose.start_h, dose.end_h))
        return tuple(stretches)

    @property
    def courses(self) -> int:
        """Courses: stretches of treatment with more than a week between them."""
        starts = sorted(self.doses, key=lambda dose: dose.start_h)
        gaps = [b.start_h - a.end_h for a, b in pairwise(starts)]
        return (1 if starts else 0) + sum(gap > _SAME_COURSE_H for gap in gaps)

    @property
    def end_h(self) -> float:
        """When the last dose ended."""
        return max(dose.end_h for dose in self.doses)


def regimen_given(doses: Sequence[GivenDose], drug: str, *, name: str = "") -> Regimen | None:
    """Return the intravenous regimen of one drug in a record; None where a dose or duration is missing.

    A route that is not stated is no vein. Rows without a clock time begin at 09:00, or where the row before
    them that day ended; those with one come first.
    """
    own = [
        dose
        for dose in doses
        if dose.drug == drug and dose.route == "intravenous" and (dose.dose_mg is None or dose.dose_mg > 0)
    ]
    if not own or any(dose.base_mg is None or dose.duration_h is None for dose in own):
        return None
    placed: list[Dose] = []
    clock: dict[int, float] = {}

    def order(one: GivenDose) -> tuple[float, ...]:
        return one.day, one.start_h is None, one.infusion or 0, one.start_h or 0.0

    for dose in sorted(own, key=order):
        start = dose.begins_h
        if start is None:
            # A day-long infusion without a clock time goes on where that of the day before ended.
            start = clock.get(dose.day, 24.0 * (dose.day - 1) + ASSUMED_START_H)
        placed.append(Dose(start, dose.duration_h or 0.0, dose.base_mg or 0.0))
        clock[dose.day] = max(placed[-1].end_h, clock.get(dose.day, -math.inf))
    return Regimen(name, drug, tuple(sorted(placed, key=lambda one: one.start_h)))


def days_left_out(doses: Sequence[GivenDose]) -> tuple[tuple[str, int], ...]:
    """Return patients without a row for a day within their course on which nearly all others have one.

    It is a question and no error: days are left out. A row of 0 mg answers it.
    """
    rows: dict[str, dict[int, bool]] = defaultdict(dict)
    for dose in doses:
        if dose.is_ketamine:
            rows[dose.patient][dose.day] = rows[dose.patient].get(dose.day, False) or dose.dose_mg != 0
    given = {patient: {day for day, some in days.items() if some} for patient, days in rows.items()}
    given = {patient: days for patient, days in given.items() if days}
    if len(given) <= _COHORT:
        return ()
    usual = [
        day
        for day in sorted(set().union(*given.values()))
        if sum(day in days for days in given.values()) >= _USUAL * len(given)
    ]
    return tuple(
        (patient, day)
        for patient, days in given.items()
        for day in usual
        if day not in rows[patient] and min(days) < day < max(days)
    )


def constant_rates(doses: Iterable[Dose]) -> tuple[Floats, Floats, Floats]:
    """Return the moments at which the input changes, the rate after each, and the bolus given at each.

    Returns
    -------
    times_h, rates_mg_h, boluses_mg : arrays (moments,)
        The last rate is 0.

    Examples
    --------
    >>> constant_rates([Dose(0.0, 2.0, 10.0)])[1].tolist()
    [5.0, 0.0]
    """
    doses = tuple(doses)
    times = np.unique([moment for dose in doses for moment in (dose.start_h, dose.end_h)])
    rates, boluses = np.zeros(times.size), np.zeros(times.size)
    for dose in doses:
        if dose.duration_h:
            running = (times >= dose.start_h) & (times < dose.end_h)
            rates[running] += dose.mg / dose.duration_h
        else:
            boluses[times == dose.start_h] += dose.mg
    return times, rates, boluses
