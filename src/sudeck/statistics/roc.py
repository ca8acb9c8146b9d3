"""The area under the ROC curve (the C statistic of a yes/no outcome) and its variance.

DeLong, DeLong & Clarke-Pearson 1988, Biometrics 44:837-845, by midranks (Sun & Xu 2014, IEEE Signal Process
Lett 21:1389-1393).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from sudeck.core.errors import InputError
from sudeck.core.estimate import Estimate
from sudeck.core.quantile import normal_quantile
from sudeck.statistics.arrays import FloatArray, both_classes

# Two patients with the same predictors get linear predictors that differ in the last bits, depending on
# the order of summation. Scores that agree in this many significant digits are ties.
TIE_DIGITS = 10


def area_under_curve(
    score: ArrayLike, outcome: ArrayLike, *, name: str = "AUC", level: float = 0.95
) -> Estimate:
    """Return the area under the ROC curve with DeLong's variance and a normal interval, cut at 0 and 1.

    Parameters
    ----------
    score : array, shape (n,)
        Higher means more likely. No direction is guessed: an area below 0.5 stays below 0.5.
    outcome : array, shape (n,)
        0 and 1.

    Raises
    ------
    InputError
        If a score is missing or one class is empty.

    Examples
    --------
    >>> print(area_under_curve([1, 2, 3, 4, 5, 6], [0, 0, 1, 0, 1, 1]))
    AUC 0.8889 (95 % interval 0.5809 to 1.000)
    """
    y = both_classes(outcome, subject=name)
    x = _scores(score, y, name)
    area, by_case, by_control = _placements(x, y)
    return _estimate(name, area, by_case, by_control, y, level)


def c_statistic(score: FloatArray, outcome: FloatArray, weights: FloatArray | None = None) -> FloatArray:
    """Return the bare C statistic of each score of a stack, for use inside resampling.

    Parameters
    ----------
    score : array, shape (..., n)
    outcome : array, shape (n,)
        0 and 1.
    weights : array, shape (..., n), optional
        How often each patient counts.

    Returns
    -------
    array, shape (...)
        NaN where a class has no weight.
    """
    rounded = round_ties(score)
    w = np.ones(outcome.shape) if weights is None else weights
    rounded, w = np.broadcast_arrays(rounded, w)
    order = np.argsort(rounded, axis=-1, kind="stable")
    x = np.take_along_axis(rounded, order, axis=-1)
    y = outcome[order]
    sorted_weights = np.take_along_axis(w, order, axis=-1)
    cases, controls = sorted_weights * y, sorted_weights * (1 - y)
    # A case wins against every control below its group of ties and draws with those inside it.
    cumulative = np.concatenate([np.zeros((*x.shape[:-1], 1)), np.cumsum(controls, axis=-1)], axis=-1)
    first, last = _tie_groups(x)
    below = np.take_along_axis(cumulative, first, axis=-1)
    through = np.take_along_axis(cumulative, last + 1, axis=-1)
    wins = (cases * (below + through) / 2).sum(axis=-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(wins / (cases.sum(axis=-1) * controls.sum(axis=-1)))


def round_ties(score: FloatArray) -> FloatArray:
    """Return scores rounded to `TIE_DIGITS` significant digits of the largest, so that true ties are ties."""
    largest = np.abs(score).max(axis=-1, keepdims=True, initial=0.0)
    with np.errstate(divide="ignore"):
        digits = np.where(largest > 0, np.floor(np.log10(np.where(largest > 0, largest, 1.0))), 0.0)
    unit = 10.0 ** (digits - (TIE_DIGITS - 1))
    return np.asarray(np.round(score / unit))


def _tie_groups(x: FloatArray) -> tuple[np.ndarray, np.ndarray]:
    """Return, for each element of rows sorted upwards, the first and last position of its ties."""
    n = x.shape[-1]
    position = np.broadcast_to(np.arange(n), x.shape)
    starts = np.ones(x.shape, bool)
    starts[..., 1:] = x[..., 1:] != x[..., :-1]
    first = np.maximum.accumulate(np.where(starts, position, 0), axis=-1)
    ends = np.ones(x.shape, bool)
    ends[..., :-1] = starts[..., 1:]
    last = np.minimum.accumulate(np.where(ends, position, n - 1)[..., ::-1], axis=-1)[..., ::-1]
    return first, last


def _placements(x: FloatArray, y: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    """Return the area and DeLong's placement values of the cases and of the controls."""
    from scipy.stats import rankdata

    cases, controls = x[y == 1], x[y == 0]
    m, n = len(cases), len(controls)
    together = rankdata(np.concatenate([cases, controls]))
    by_case = (together[:m] - rankdata(cases)) / n
    by_control = 1.0 - (together[m:] - rankdata(controls)) / m
    return float(by_case.mean()), np.asarray(by_case), np.asarray(by_control)


def _estimate(
    name: str, area: float, by_case: FloatArray, by_control: FloatArray, y: FloatArray, level: float
) -> Estimate:

    if min(len(by_case), len(by_control)) < 2:
        # One patient in a class says nothing about the spread of that class.
        low, high, se = 0.0, 1.0, None
    else:
        se = math.sqrt(by_case.var(ddof=1) / len(by_case) + by_control.var(ddof=1) / len(by_control))
        half = normal_quantile(level) * se
        low, high = max(0.0, area - half), min(1.0, area + half)
    return Estimate(
        name, area, low, high, level=level, method="DeLong", n=len(y), n_unit="patients", se=se
    )  # fmt: skip


def _scores(score: ArrayLike, y: FloatArray, name: str) -> FloatArray:
    x = np.asarray(score, dtype=np.float64)
    if x.shape != y.shape or not np.isfinite(x).all():
        raise InputError(
            name, "the scores do not fit the outcomes, or one is missing", "drop missing ones first"
        )
    return round_ties(x)
