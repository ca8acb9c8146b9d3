"""What is left of each drug at a moment: a recording, a pain score. Alone, without any plasma measured."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sudeck.core.record import Record
from sudeck.ketamine.given import GivenDose, Moment
from sudeck.ketamine.pk_models import DEFAULT, NORKETAMINE, pk_model
from sudeck.ketamine.regimen import ASSUMED_START_H, regimen_given
from sudeck.ketamine.solve import solve_course
from sudeck.ketamine.units import KETAMINES


@dataclass(frozen=True, slots=True)
class HalfLife:
    """How fast a co-medication leaves.

    The ranges are assumed: those of product labels as they are known, not looked up in a source that was
    read here, and longer in the old, the obese and with a diseased liver. `source` says so wherever a number
    made with one is shown.
    """

    low_h: float
    high_h: float
    source: str

    @property
    def middle_h(self) -> float:
        """The geometric middle of the range."""
        return math.sqrt(self.low_h * self.high_h)


HALF_LIVES: Final = {
    "midazolam": HalfLife(1.5, 2.5, "assumed, as product labels of midazolam injection: 1.5 to 2.5 h"),
    "lorazepam": HalfLife(12.0, 14.0, "assumed, as product labels of lorazepam: 12 to 14 h"),
    "clonidine": HalfLife(12.0, 16.0, "assumed, as product labels of clonidine tablets: 12 to 16 h"),
}
ON_BOARD_SHARE: Final = 0.03  # five half-lives


@dataclass(frozen=True, slots=True)
class OnBoard(Record):
    """What is left of one drug at one moment.

    Attributes
    ----------
    drug : str
        Or ``norketamine``.
    amount : float
        What is left, in `unit`, at the middle half-life or by the default model.
    low, high : float
        By the ends of the range of half-lives; the amount itself where there is no range.
    unit : str
        ``mg`` of a co-medication in the body, ``ng/ml`` of ketamine in plasma.
    share : float
        Of the largest dose of the drug (mg), or of the highest concentration of its course (ng/ml).
    since_h : float
        Hours since its last dose ended; negative while it is given.
    clock_known : bool
        Whether both clock times are recorded; otherwise 09:00 stands for the unknown.
    source : str
    """

    drug: str
    amount: float
    low: float
    high: float
    unit: str
    share: float
    since_h: float
    clock_known: bool
    source: str

    @property
    def matters(self) -> bool:
        """Whether more than three per cent are left."""
        return self.share > ON_BOARD_SHARE


def on_board(
    doses: Sequence[GivenDose], moment: Moment, weight_kg: float | None, *, model: str = DEFAULT
) -> tuple[OnBoard, ...]:
    """Return what one patient has on board, one entry for each drug given up to then.

    Ketamine needs a vein, a duration and a weight; what can not be worked out is left out here and told by
    the checks of the record. Norketamine is that of the one model that has it.
    """
    at = 24.0 * (moment.day - 1) + (ASSUMED_START_H if moment.clock_h is None else moment.clock_h)
    found: list[OnBoard] = []
    for drug, half_life in HALF_LIVES.items():
        own = [one for one in doses if one.drug == drug and one.dose_mg and _begins(one) <= at]
        if own:
            left, low, high = (
                sum(_left(one, at, hours) for one in own)
                for hours in (half_life.middle_h, half_life.low_h, half_life.high_h)
            )
            largest = max(one.dose_mg or 0.0 for one in own)
            since = at - max(_begins(one) + (one.duration_h or 0.0) for one in own)
            known = moment.clock_h is not None and all(one.start_h is not None for one in own)
            found.append(OnBoard(drug, left, low, high, "mg", left / largest, since, known, half_life.source))
    for drug in KETAMINES:
        found += _ketamine(doses, drug, moment, at, weight_kg, model)
    return tuple(found)


def _begins(dose: GivenDose) -> float:
    return 24.0 * (dose.day - 1) + (ASSUMED_START_H if dose.start_h is None else dose.start_h)


def _left(dose: GivenDose, at_h: float, half_life_h: float) -> float:
    """Return what is left of a dose given at once or at a constant rate, first order."""
    rate = math.log(2) / half_life_h
    elapsed, hours = at_h - _begins(dose), dose.duration_h or 0.0
    given = dose.dose_mg or 0.0
    if hours == 0:
        return float(given * math.exp(-rate * elapsed))
    running = min(elapsed, hours)
    return given / hours / rate * -math.expm1(-rate * running) * math.exp(-rate * (elapsed - running))


def _ketamine(
    doses: Sequence[GivenDose], drug: str, moment: Moment, at: float, weight_kg: float | None, model: str
) -> list[OnBoard]:
    regimen = regimen_given(doses, drug)
    if regimen is None or weight_kg is None or regimen.doses[0].start_h > at:
        return []
    known = moment.clock_h is not None and all(one.start_h is not None for one in doses if one.drug == drug)
    since = at - max(dose.end_h for dose in regimen.doses if dose.start_h <= at)
    ends = sorted({dose.end_h for dose in regimen.doses} | {at})
    found = []
    for name, key, row in ((drug, model, 0), ("norketamine", NORKETAMINE, 1)):
        curve = solve_course(pk_model(key).system(weight_kg), regimen, ends).ng_per_ml[row]
        left = max(float(curve[ends.index(at)]), 0.0)
        share = left / float(curve.max())
        found.append(OnBoard(name, left, left, left, "ng/ml", share, since, known, pk_model(key).title))
    return found
