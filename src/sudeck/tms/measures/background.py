"""Background EMG as covariate: amplitudes as they would be if every trial had the same EMG before the pulse.

A muscle that is less at rest in one condition than in another answers with larger MEPs there, whatever the
cortex does. Within like trials, ln amplitude is regressed on ln RMS before the pulse (one slope for all
conditions, one level for each: analysis of covariance), and every amplitude is moved along that slope to the
usual background.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from sudeck.core.estimate import Estimate
from sudeck.core.quantile import t_quantile

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sudeck.tms.measures.measured import Measured, Trial

SLOPE: Final = "background slope"
# With fewer degrees of freedom the slope is guesswork.
_FEWEST_DF: Final = 8
# A background that varies by less than this (SD of ln RMS) can not move anything.
_LEAST_SPREAD: Final = 1e-3


@dataclass(frozen=True, slots=True)
class _Fit:
    slope: float
    se: float
    df: int


def adjust_for_background(
    trials: Sequence[Trial],
    measure: Callable[[Sequence[Trial]], Sequence[Measured]],
    *,
    level: float = 0.95,
) -> tuple[Measured, ...]:
    """Measure again with background EMG as covariate.

    Parameters
    ----------
    trials : sequence of Trial
        Of one person, visit, hemisphere and muscle.
    measure : callable
        Takes trials and returns what it measures of their amplitudes.
    level : float
        Coverage of the interval of the slope.

    Returns
    -------
    tuple of Measured
        First the slope (``"background slope"``: ln amplitude per ln RMS; 0 is no influence), then every
        measure at the usual background, its interval widened by the error of the slope. Empty where no
        background was recorded, it never varied, or fewer than eight degrees of freedom are left.

    Notes
    -----
    Responses in the noise (at or below their own noise floor) neither make the slope nor are moved by it.
    """
    usable = [trial for trial in trials if _log_rms(trial) is not None]
    if not usable:
        return ()
    fit = _fit(usable)
    if fit is None:
        return ()
    middle = float(np.mean([_log_rms(trial) for trial in usable]))
    at_slope = measure(_moved(usable, fit.slope, middle))
    beyond = {_key(one): one for one in measure(_moved(usable, fit.slope + fit.se, middle))}
    quantile = t_quantile(level, fit.df)
    slope = Estimate.from_normal(
        SLOPE,
        fit.slope,
        fit.se,
        level=level,
        quantile=quantile,
        method="slope of ln amplitude on ln RMS before the pulse, within conditions",
        n=float(len(usable)),
        n_unit="trials",
    )
    widened = [_widened(one, beyond.get(_key(one)), quantile) for one in at_slope]
    if not widened:
        return ()
    first = widened[0]
    return (
        replace(first, measure=SLOPE, estimate=slope, isi_ms=None, intensity="", conditioning=""),
        *widened,
    )


def _log_rms(trial: Trial) -> float | None:
    rms, amplitude = trial["baseline_rms_mv"], trial["amplitude_mv"]
    usable = math.isfinite(rms) and rms > 0 and math.isfinite(amplitude) and amplitude > 0
    return math.log(rms) if usable else None


def _stands_out(trial: Trial) -> bool:
    floor = trial["noise_floor_mv"]
    return not math.isfinite(floor) or trial["amplitude_mv"] > floor


def _fit(trials: Sequence[Trial]) -> _Fit | None:
    """Fit one slope within conditions by least squares."""
    conditions: dict[object, list[tuple[float, float]]] = {}
    for trial in trials:
        log_rms = _log_rms(trial)
        if log_rms is not None and _stands_out(trial):
            pulse = replace(trial.pulse, time_s=0.0)
            conditions.setdefault(pulse, []).append((log_rms, math.log(trial["amplitude_mv"])))
    centred: list[NDArray[np.float64]] = []
    for own in conditions.values():
        points = np.array(own)
        centred.append(points - points.mean(axis=0))
    if not centred:
        return None
    x, y = np.concatenate(centred).T
    df = x.size - len(conditions) - 1
    spread = float(x @ x)
    if df < _FEWEST_DF or spread < x.size * _LEAST_SPREAD**2:
        return None
    slope = float(x @ y) / spread
    residual = y - slope * x
    return _Fit(slope, math.sqrt(float(residual @ residual) / df / spread), df)


def _moved(trials: Sequence[Trial], slope: float, middle: float) -> list[Trial]:
    """Return the trials with amplitudes as if their background had been `middle`."""
    moved = []
    for trial in trials:
        if _stands_out(trial):
            factor = math.exp(-slope * ((_log_rms(trial) or middle) - middle))
            values = {**trial.values, "amplitude_mv": factor * trial["amplitude_mv"]}
            moved.append(replace(trial, values=values))
        else:
            moved.append(trial)
    return moved


def _key(one: Measured) -> tuple[object, ...]:
    return one.measure, one.isi_ms, one.intensity, one.conditioning


def _widened(one: Measured, beyond: Measured | None, quantile: float) -> Measured:
    """Add the error of the slope, as far as it moves this measure, to its interval."""
    estimate = one.estimate
    if beyond is None or estimate.value <= 0 or beyond.estimate.value <= 0:
        return one
    shift = quantile * abs(math.log(beyond.estimate.value / estimate.value))
    low, high = estimate.low, estimate.high
    if low > 0:
        low = estimate.value * math.exp(-math.hypot(math.log(estimate.value / low), shift))
    if math.isfinite(high):
        high = estimate.value * math.exp(math.hypot(math.log(high / estimate.value), shift))
    method = f"{estimate.method}; background EMG as covariate"
    se = None
    if estimate.se is not None and estimate.scale == "log":
        se = math.hypot(estimate.se, shift / quantile)
    return replace(one, estimate=replace(estimate, low=low, high=high, se=se, method=method))
