"""Is acting on the prediction better than treating everybody, or nobody? Net benefit and decision curves.

Vickers & Elkin 2006, Medical Decision Making 26:565-574. Net benefit at threshold t counts a true positive as
one and a false positive as t / (1 - t), per patient: the threshold says how many patients one would treat in
vain for one who responds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sudeck.core.errors import InputError
from sudeck.core.record import Record
from sudeck.prediction.bootstrap import Resamples
from sudeck.prediction.curves import Curve
from sudeck.statistics.arrays import FloatArray, both_classes
from sudeck.statistics.regression.logistic import expit


@dataclass(frozen=True)
class DecisionCurve(Record):
    """Net benefit over thresholds, with the two strategies that need no model.

    Attributes
    ----------
    model : Curve
        Net benefit against threshold probability, with its band.
    treat_all : array, shape (g,)
        Treating nobody has net benefit 0.
    difference : Curve
        Model less the better of treating all and none, with its band: above 0 the model helps.
    corrected : bool
        Whether optimism was taken off.
    """

    model: Curve
    treat_all: FloatArray
    difference: Curve
    corrected: bool

    def __str__(self) -> str:
        helps = self.model.x[self.difference.y > 0]
        if len(helps) == 0:
            return "the model is at no threshold better than treating all or none"
        span = f"{helps.min():.2f} to {helps.max():.2f}"
        return f"the model is better than treating all or none at thresholds {span}"


def net_benefit(
    probability: FloatArray, outcome: FloatArray, thresholds: FloatArray, *, weights: FloatArray | None = None
) -> FloatArray:
    """Return the net benefit of treating patients whose probability is at or above each threshold.

    Parameters
    ----------
    probability : array, shape (..., n)
    outcome : array, shape (n,)
    thresholds : array, shape (g,)
        Between 0 and 1, both excluded.
    weights : array, shape (..., n), optional

    Returns
    -------
    array, shape (..., g)

    Examples
    --------
    >>> net_benefit(np.array([0.1, 0.4, 0.8, 0.9]), np.array([0.0, 1.0, 0.0, 1.0]), np.array([0.5]))
    array([0.])
    """
    w = np.ones(outcome.shape) if weights is None else weights
    total = w.sum(axis=-1)[..., None]
    cases, others = w * outcome, w * (1 - outcome)
    # One threshold at a time: all of them times all resamples is gigabytes in a study of a thousand.
    treated = (probability >= threshold for threshold in thresholds)
    counted = [((one * cases).sum(axis=-1), (one * others).sum(axis=-1)) for one in treated]
    true, false = (np.stack(part, axis=-1) for part in zip(*counted, strict=True))
    return np.asarray((true - false * thresholds / (1 - thresholds)) / total)


def decision_curve(
    probability: ArrayLike,
    outcome: ArrayLike,
    *,
    rng: np.random.Generator,
    thresholds: ArrayLike | None = None,
    n_boot: int = 500,
    level: float = 0.95,
) -> DecisionCurve:
    """Return the decision curve of predictions made elsewhere, with a bootstrap band over patients.

    Parameters
    ----------
    probability, outcome : array, shape (n,)
    rng : numpy.random.Generator
    thresholds : array, shape (g,), optional
        0.05 to 0.95 unless given.
    """
    y = both_classes(outcome, subject="the outcome of the decision curve")
    p = np.asarray(probability, dtype=np.float64)
    at = _thresholds(thresholds)
    draws = rng.multinomial(len(y), np.full(len(y), 1 / len(y)), size=n_boot).astype(np.float64)
    return _curve(
        net_benefit(p, y, at), net_benefit(p, y, at, weights=draws), y, draws, at, level, corrected=False
    )


def corrected_decision_curve(
    resamples: Resamples, *, thresholds: ArrayLike | None = None, level: float = 0.95
) -> DecisionCurve:
    """Return the decision curve of a model on its own patients, corrected for optimism."""
    y, at = resamples.outcome, _thresholds(thresholds)
    boot = expit(resamples.predictions)
    in_sample = net_benefit(boot, y, at, weights=resamples.weights)
    optimism = (in_sample - net_benefit(boot, y, at)).mean(axis=0)
    apparent = net_benefit(expit(resamples.apparent), y, at)
    return _curve(apparent - optimism, in_sample - optimism, y, resamples.weights, at, level, corrected=True)


def _curve(
    value: FloatArray,
    replicates: FloatArray,
    y: FloatArray,
    weights: FloatArray,
    at: FloatArray,
    level: float,
    *,
    corrected: bool,
) -> DecisionCurve:
    everyone = np.ones_like(y)
    treat_all = net_benefit(everyone, y, at)
    default = np.maximum(treat_all, 0.0)
    default_replicates = np.maximum(net_benefit(everyone, y, at, weights=weights), 0.0)
    return DecisionCurve(
        _banded(at, value, replicates, level),
        treat_all,
        _banded(at, value - default, replicates - default_replicates, level),
        corrected,
    )


def _banded(x: FloatArray, value: FloatArray, replicates: FloatArray, level: float) -> Curve:
    low, high = np.quantile(replicates, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return Curve(x, value, np.minimum(low, value), np.maximum(high, value))


def _thresholds(thresholds: ArrayLike | None) -> FloatArray:
    at = np.linspace(0.05, 0.95, 91) if thresholds is None else np.asarray(thresholds, dtype=np.float64)
    if not ((at > 0) & (at < 1)).all():
        raise InputError("the decision curve", "a threshold is not between 0 and 1", "leave 0 and 1 out")
    return at
