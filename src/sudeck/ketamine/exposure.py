"""What exposure a regimen was: dose, area, peak and hours above a level, people and models told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sudeck.core.estimate import Estimate
from sudeck.core.record import Record
from sudeck.ketamine.pk_models import (
    DEFAULT,
    NORKETAMINE,
    PkModel,
    System,
    draw_people,
    ensemble,
    pk_model,
)
from sudeck.ketamine.regimen import Regimen
from sudeck.ketamine.solve import solve_course, time_grid

Floats = NDArray[np.float64]
LEVEL_NG_PER_ML: Final = 100.0
_LAST_H: Final = 24.0 * 21
_DRAWS: Final = 200
_CANDIDATES: Final = 46
SUBSTANCE: Final = {
    "ketamine": "ketamine, both forms",
    "esketamine": "S-ketamine",
    "arketamine": "R-ketamine",
}


@dataclass(frozen=True, slots=True)
class Exposure(Record):
    """The exposure of one regimen at one body weight.

    Attributes
    ----------
    substance : str
        ``ketamine, both forms`` after racemate, ``S-ketamine`` after S-ketamine.
    total_mg, hours : float
        Cumulative dose of base and hours of infusion, as recorded.
    area, peak, hours_above : Estimate
        mg h/L, ng/ml, hours above `level_ng_per_ml`.
    norketamine_area, norketamine_peak, norketamine_hours_above : Estimate
        Of one model alone, so their spread shows people only.
    level_ng_per_ml : float
    """

    substance: str
    total_mg: float
    hours: float
    area: Estimate
    peak: Estimate
    hours_above: Estimate
    norketamine_area: Estimate
    norketamine_peak: Estimate
    norketamine_hours_above: Estimate
    level_ng_per_ml: float


@dataclass(frozen=True, slots=True)
class CourseCurve(Record):
    """Concentrations of a course over time, with the range of people of all models.

    Attributes
    ----------
    substance : str
    times_h : array (times,)
        Hours since midnight before day 1.
    middle, low, high : array (times,)
        ng/ml; a typical person of the chosen model, and quantiles of people drawn from all.
    norketamine : array (times,)
        Of a typical person.
    """

    substance: str
    times_h: Floats
    middle: Floats
    low: Floats
    high: Floats
    norketamine: Floats


def course_curve(
    regimen: Regimen,
    weight_kg: float,
    *,
    model: str = DEFAULT,
    draws: int = 50,
    level: float = 0.9,
    step_h: float = 1.0,
    rng: np.random.Generator | int = 2018,
) -> CourseCurve:
    """Return the curve of a regimen with its band.

    Parameters
    ----------
    regimen : Regimen
    weight_kg : float
    model : str
        Whose typical person is the curve.
    draws : int
        People a model of the ensemble; none gives no band.
    level : float
        Share of people in the band at each moment.
    step_h : float
        Between moments, at most; every change of the input is one.
    rng : Generator or int
    """
    rng = np.random.default_rng(rng)
    times = time_grid(regimen, step_h=step_h)
    typical = solve_course(pk_model(model).system(weight_kg), regimen, times).ng_per_ml[0]
    nor = solve_course(pk_model(NORKETAMINE).system(weight_kg), regimen, times).ng_per_ml[1]
    drawn = [
        solve_course(one.system(weight_kg, draw_people(one, draws, rng)), regimen, times).ng_per_ml[:, 0]
        for one in ensemble()
    ]
    low, high = typical, typical
    if draws:
        low, high = np.quantile(np.concatenate(drawn), [(1 - level) / 2, (1 + level) / 2], axis=0)
        low, high = np.minimum(low, typical), np.maximum(high, typical)
    return CourseCurve(SUBSTANCE[regimen.drug], times, typical, low, high, nor)


def typical_area(regimen: Regimen, weight_kg: float, *, model: str = DEFAULT) -> float:
    """Return the area under the curve of a typical person, mg h/L."""
    course = solve_course(pk_model(model).system(weight_kg), regimen, [regimen.end_h + _LAST_H])
    return float(course.area[0, -1])


def measure_exposure(
    regimen: Regimen,
    weight_kg: float,
    *,
    model: str = DEFAULT,
    models: Sequence[PkModel] | None = None,
    draws: int = _DRAWS,
    level: float = 0.9,
    above_ng_per_ml: float = LEVEL_NG_PER_ML,
    rng: np.random.Generator | int = 2018,
) -> Exposure:
    """Return the exposure of a regimen; its value is that of a typical person of the chosen model.

    Parameters
    ----------
    regimen : Regimen
    weight_kg : float
    model : str
        Whose typical person is the value.
    models : sequence of PkModel, optional
        Whose spread is shown; the ensemble unless given.
    draws : int
        People a model.
    level : float
        Coverage of the intervals, as even over the models as it can be: which of them is true is not known.
    above_ng_per_ml : float
        Level that hours are counted above.
    rng : Generator or int
    """
    rng = np.random.default_rng(rng)
    chosen = pk_model(model)
    others = ensemble() if models is None else models
    typical = _measures(chosen.system(weight_kg), regimen, above_ng_per_ml, 0)
    drawn = {
        one.key: _measures(one.system(weight_kg, draw_people(one, draws, rng)), regimen, above_ng_per_ml, 0)
        for one in others
    }
    metabolite = pk_model(NORKETAMINE)
    nor = _measures(metabolite.system(weight_kg), regimen, above_ng_per_ml, 1)
    nor_drawn = {
        metabolite.key: _measures(
            metabolite.system(weight_kg, draw_people(metabolite, draws, rng)), regimen, above_ng_per_ml, 1
        )
    }

    def estimate(name: str, unit: str, row: int, value: Floats, of: dict[str, Floats], how: str) -> Estimate:
        drawn_rows = [each[row] for each in of.values()]
        return _estimate(name, unit, float(value[row]), drawn_rows, level, how)

    how = f"{chosen.title}; spread of {len(drawn)} models, people as Herd & Anderson 2007"
    how_nor = (
        f"{metabolite.title}, the one model with a usable norketamine; people as Herd & Anderson 2007 and "
        "Perez-Ruixo et al. 2021"
    )
    return Exposure(
        SUBSTANCE[regimen.drug],
        regimen.total_mg,
        regimen.hours,
        estimate("AUC", "mg h/L", 0, typical, drawn, how),
        estimate("Cmax", "ng/ml", 1, typical, drawn, how),
        estimate("time above", "h", 2, typical, drawn, how),
        estimate("norketamine AUC", "mg h/L", 0, nor, nor_drawn, how_nor),
        estimate("norketamine Cmax", "ng/ml", 1, nor, nor_drawn, how_nor),
        estimate("norketamine time above", "h", 2, nor, nor_drawn, how_nor),
        above_ng_per_ml,
    )


def _measures(system: System, regimen: Regimen, above: float, substance: int) -> Floats:
    """Return area, peak and hours above a level, (3, ...people)."""
    times = np.append(time_grid(regimen, step_h=0.5), regimen.end_h + _LAST_H)
    course = solve_course(system, regimen, times)
    curve = course.ng_per_ml[..., substance, :]
    return np.stack(
        [
            course.area[..., substance, -1],
            curve.max(axis=-1),
            hours_above(times[:-1], curve[..., :-1], above),
        ]
    )


def hours_above(times: Floats, curve: Floats, level: float) -> Floats:
    """Return hours above a level, straight lines between moments."""
    first, second = curve[..., :-1] - level, curve[..., 1:] - level
    rise = np.where(first == second, 1.0, second - first)
    crossing = np.clip(-first / rise, 0.0, 1.0)
    share = np.where(first > 0, np.where(second > 0, 1.0, crossing), np.where(second > 0, 1 - crossing, 0.0))
    return np.asarray((share * np.diff(times)).sum(axis=-1))


def even_interval(drawn: Sequence[Floats], level: float) -> tuple[float, float]:
    """Return the interval whose coverage of people strays least from `level`, whichever model is true.

    Quantiles of all models together miss most of the people of the model that lies farthest out.
    """
    pooled = np.sort(np.concatenate(drawn))
    if len(drawn) == 1:
        low, high = np.quantile(pooled, [(1 - level) / 2, (1 + level) / 2])
        return float(low), float(high)
    lows = np.quantile(pooled, np.linspace(0.1, 1.0, _CANDIDATES) * (1 - level))
    highs = np.quantile(pooled, 1 - np.linspace(0.1, 1.0, _CANDIDATES) * (1 - level))
    strays = np.zeros((_CANDIDATES, _CANDIDATES))
    for own in drawn:
        own = np.sort(own)
        below = np.searchsorted(own, lows, "left")[:, None]
        upto = np.searchsorted(own, highs, "right")[None, :]
        strays = np.maximum(strays, np.abs((upto - below) / own.size - level))
    # Of intervals that are as even but for a fifth of a per cent, the one whose tails are most alike.
    even = strays <= strays.min() + 0.002
    shares = np.linspace(0.1, 1.0, _CANDIDATES)
    unlike = np.where(even, np.abs(shares[:, None] - shares[None, :]), np.inf)
    low, high = np.unravel_index(int(np.argmin(unlike)), unlike.shape)
    return float(lows[low]), float(highs[high])


def _estimate(
    name: str, unit: str, value: float, drawn: Sequence[Floats], level: float, how: str
) -> Estimate:
    pooled = np.concatenate(drawn)
    low, high = even_interval(drawn, level)
    # Hours above a level may be none, which has no logarithm: their spread is one of hours.
    on_log = value > 0 and bool((pooled > 0).all())
    spread = [np.log(each) if on_log else each for each in drawn]
    people = float(np.sqrt(np.mean([each.var(ddof=1) for each in spread])))
    models = float(np.std([np.median(each) for each in spread], ddof=1)) if len(spread) > 1 else 0.0
    return Estimate(
        name,
        value,
        min(float(low), value),
        max(float(high), value),
        level=level,
        unit=unit,
        method=how,
        n=float(pooled.size),
        n_unit="people drawn",
        scale="log" if on_log else "linear",
        se=float(np.hypot(people, models)),
        components={"people": people, "models": models},
    )
