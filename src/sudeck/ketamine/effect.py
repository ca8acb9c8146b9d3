"""Scenarios of effect: relief that leaves slowly, and how much of the receptor is blocked.

Never one number and never a patient's forecast: each is the range over what was published, and two published
courses contradict the first (`CONTRADICTIONS`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sudeck.core.record import Record
from sudeck.ketamine.pk_models import DEFAULT, pk_model
from sudeck.ketamine.published_regimens import published_regimen
from sudeck.ketamine.regimen import Regimen
from sudeck.ketamine.solve import solve_course, time_grid
from sudeck.ketamine.units import S_SHARE

Floats = NDArray[np.float64]
# Dahan et al. 2011, Eur J Pain 15:258-267 (abstract): S-ketamine over 100 h in 30 patients with CRPS; read as
# a slow effect compartment. Value, lowest and highest printed.
HALF_LIFE_D: Final = (10.9, 5.3, 20.5)
C50_NG_PER_ML: Final = (10.5, 4.37, 21.2)
RELIEF_SOURCE: Final = (
    "Dahan et al. 2011, Eur J Pain 15:258, abstract; slope 1 assumed, S-ketamine alone acts"
)
# Constants of block of the NMDA receptor, µmol/L free in brain: half block by S- and R-ketamine, and slope.
BLOCK_CONSTANTS: Final = (
    (2.0, 2.0, 1.4, "a public model of synapses; its source was not checked"),
    (0.3, 1.4, 1.0, "Ebert et al. 1997, rat, quoted by others"),
    (0.119, 0.119, 1.0, "racemate in another assay, quoted by others"),
)
UNBOUND: Final = (
    0.4  # brain over plasma, lowest of what was quoted (0.4 to 0.6); nobody measured it in patients
)
_NG_PER_NMOL: Final = 237.725


@dataclass(frozen=True, slots=True)
class ReliefScenario(Record):
    """Share of the largest effect over days, if relief leaves as slowly as once fitted.

    Attributes
    ----------
    days : array (days,)
        Since the first dose.
    middle, low, high : array (days,)
        At the printed values, and the range over the ends of both printed intervals.
    source : str
    """

    days: Floats
    middle: Floats
    low: Floats
    high: Floats
    source: str = RELIEF_SOURCE


@dataclass(frozen=True, slots=True)
class Contradiction(Record):
    """A published course that a scenario does not agree with.

    Attributes
    ----------
    regimen : str
        Key of the published regimen.
    observed : str
    day : float
        Days since the first dose.
    """

    regimen: str
    observed: str
    day: float

    def predicted(self) -> tuple[float, float, float]:
        """Return what the scenario says of it: middle, lowest, highest share of the largest effect."""
        course = published_regimen(self.regimen).for_weight(70.0)
        scenario = relief_scenario(course, 70.0, [self.day])
        return float(scenario.middle[0]), float(scenario.low[0]), float(scenario.high[0])


CONTRADICTIONS: Final = (
    Contradiction("kiefer", "no relief in four of four (Kiefer et al. 2008)", 10.0),
    Contradiction("goldberg", "minimal relief on the first day (Goldberg et al. 2010)", 1.0),
)


def relief_scenario(regimen: Regimen, weight_kg: float, days: Floats | list[float]) -> ReliefScenario:
    """Return the slow scenario of relief of a course.

    Parameters
    ----------
    regimen : Regimen
    weight_kg : float
    days : sequence of float
        Since its first dose, in increasing order.

    Examples
    --------
    >>> from sudeck.ketamine.published_regimens import published_regimen
    >>> course = published_regimen("goldberg").for_weight(70)
    >>> relief_scenario(course, 70, [5.0]).middle.round(1).tolist()
    [0.9]
    """
    days = np.asarray(days, dtype=float)
    system = pk_model(DEFAULT).system(weight_kg)
    times = regimen.doses[0].start_h + 24.0 * days
    found = {}
    for half_life in HALF_LIFE_D:
        course = solve_course(system, regimen, times, effect_per_h=math.log(2) / (24.0 * half_life))
        for c50 in C50_NG_PER_ML:
            acting = np.maximum(S_SHARE[regimen.drug] * course.effect_ng_per_ml, 0.0)
            found[half_life, c50] = acting / (acting + c50)
    every = np.stack(list(found.values()))
    middle = found[HALF_LIFE_D[0], C50_NG_PER_ML[0]]
    return ReliefScenario(days, middle, every.min(axis=0), every.max(axis=0))


def receptor_block(ng_per_ml: float, drug: str = "ketamine") -> tuple[float, float]:
    """Return the lowest and the highest share of blocked receptors that published constants give.

    Parameters
    ----------
    ng_per_ml : float
        In plasma, both forms of the drug together.
    drug : str

    Examples
    --------
    >>> [round(share, 2) for share in receptor_block(22_000 / 84)]  # 22 mg/h at steady state
    [0.11, 0.79]
    """
    free = UNBOUND * ng_per_ml / _NG_PER_NMOL
    share_s = S_SHARE[drug]
    shares = []
    for half_s, half_r, slope, _ in BLOCK_CONSTANTS:
        drive = (free * share_s / half_s + free * (1 - share_s) / half_r) ** slope
        shares.append(drive / (1 + drive))
    return min(shares), max(shares)


def scenario_rows() -> list[tuple[str, float, float, float, tuple[float, float]]]:
    """Return what both scenarios make of published courses.

    Key; share of the largest relief at the end, middle, low and high; range of blocked receptors at the
    highest concentration of a typical person.
    """
    rows, system = [], pk_model(DEFAULT).system(70.0)
    for key in ("delphi", "schwartzman", "correll", "guideline", "sigtermans", "goldberg", "kiefer"):
        course = published_regimen(key).for_weight(70.0)
        end = (course.end_h - course.doses[0].start_h) / 24.0
        at = relief_scenario(course, 70.0, [end])
        curve = solve_course(system, course, time_grid(course, step_h=0.5)).ng_per_ml[0]
        block = receptor_block(float(curve.max()), course.drug)
        rows.append((key, float(at.middle[0]), float(at.low[0]), float(at.high[0]), block))
    return rows
